//! Files in a folder: `ab/cdef…`, by their digests.

use super::Pieces;
use super::error::FileError;
use super::incoming::{Held, Sealed, blocking, temporary};
use app::domain::file::Digest;
use futures::StreamExt;
use std::fs;
use std::io::{ErrorKind, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;

/// What is on its way in for longer than this belongs to a program that died.
/// Another server may share the folder, so not everything that is there goes.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// Files in a folder.
#[derive(Clone, Debug)]
pub struct Folder {
    root: Arc<Path>,
}

impl Folder {
    /// Opens a folder, and makes it where it is missing.
    pub fn open(root: &Path) -> Result<Self, FileError> {
        let folder = Self { root: root.into() };
        private_folder(&folder.incoming())?;
        folder.clear()?;
        Ok(folder)
    }

    /// Where files are while they come in: on the same disk as their places.
    pub(super) fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    fn place_of(&self, file: Digest) -> PathBuf {
        let name = file.to_string();
        self.root.join(&name[..2]).join(&name[2..])
    }

    /// Deletes what a program that died left half done.
    fn clear(&self) -> Result<(), FileError> {
        let incoming = self.incoming();
        let entries = fs::read_dir(&incoming).map_err(|error| FileError::disk(&incoming, error))?;
        for entry in entries.flatten() {
            let age = entry.metadata().and_then(|about| about.modified()).map(|at| at.elapsed().unwrap_or_default());
            if age.is_ok_and(|age| age > ABANDONED_AFTER) {
                // If it cannot be deleted now, it may be at the next start.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Puts a file in its place.
    pub async fn place(&self, sealed: Sealed) -> Result<(), FileError> {
        let (place, incoming) = (self.place_of(sealed.digest), self.incoming());
        blocking(move || {
            let file = match sealed.bytes {
                Held::Disk(file) => file,
                Held::Memory(bytes) => written(&incoming, &bytes)?,
            };
            file.as_file().sync_all().map_err(|error| FileError::disk(file.path(), error))?;
            let parent = place.parent().unwrap_or(&incoming).to_owned();
            private_folder(&parent)?;
            file.persist(&place).map_err(|error| FileError::disk(&place, error.error))?;
            // The name is durable when its folder is.
            fs::File::open(&parent)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| FileError::disk(&parent, error))
        })
        .await
    }

    /// The bytes of a file.
    pub async fn read(&self, file: Digest, range: Range<u64>) -> Result<Option<Pieces>, FileError> {
        let path = self.place_of(file);
        let mut file = match tokio::fs::File::open(&path).await {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::disk(&path, error)),
        };
        if range.start > 0 {
            let sought = file.seek(std::io::SeekFrom::Start(range.start)).await;
            sought.map_err(|error| FileError::disk(&path, error))?;
        }
        let wanted = file.take(range.end.saturating_sub(range.start));
        Ok(Some(ReaderStream::with_capacity(wanted, PIECE).boxed()))
    }

    /// Deletes a file.
    pub async fn delete(&self, file: Digest) -> Result<(), FileError> {
        let path = self.place_of(file);
        match tokio::fs::remove_file(&path).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(FileError::disk(&path, error)),
            _ => Ok(()),
        }
    }
}

fn written(folder: &Path, bytes: &[u8]) -> Result<NamedTempFile, FileError> {
    let mut file = temporary(folder)?;
    file.write_all(bytes).map_err(|error| FileError::disk(file.path(), error))?;
    Ok(file)
}

/// A folder for its owner alone: what tests leave behind is nobody else's
/// business. One that is there already keeps its mode.
fn private_folder(folder: &Path) -> Result<(), FileError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| FileError::disk(folder, error))
}
