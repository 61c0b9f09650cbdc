//! A file that is on its way in.

use super::error::FileError;
use app::domain::file::Digest;
use sha2::{Digest as _, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Files up to this size stay in memory until they are placed, and larger ones
/// are written in pieces of it.
const HELD: usize = 512 * 1024;

/// A file that is taken in piece by piece. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Incoming {
    folder: PathBuf,
    most: u64,
    size: u64,
    digest: Sha256,
    held: Vec<u8>,
    spilled: Option<NamedTempFile>,
}

/// A file that is whole and known by its digest, but not in its place yet.
/// Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Sealed {
    /// Its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    pub(super) bytes: Held,
}

/// Where the bytes of a sealed file are.
#[derive(Debug)]
pub(super) enum Held {
    Memory(Vec<u8>),
    Disk(NamedTempFile),
}

impl Incoming {
    pub(super) fn begin(folder: PathBuf, most: u64) -> Self {
        Self { folder, most, size: 0, digest: Sha256::new(), held: Vec::new(), spilled: None }
    }

    /// How many bytes came so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next piece. After an error the file is to be dropped.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), FileError> {
        self.size += piece.len() as u64;
        if self.size > self.most {
            return Err(FileError::TooLarge { most: self.most });
        }
        self.digest.update(piece);
        self.held.extend_from_slice(piece);
        if self.held.len() > HELD { self.spill().await } else { Ok(()) }
    }

    async fn spill(&mut self) -> Result<(), FileError> {
        let (file, bytes) = (self.spilled.take(), std::mem::take(&mut self.held));
        let folder = self.folder.clone();
        let (file, mut bytes) = blocking(move || {
            let mut file = match file {
                Some(file) => file,
                None => temporary(&folder)?,
            };
            file.write_all(&bytes).map_err(|error| FileError::disk(file.path(), error))?;
            Ok((file, bytes))
        })
        .await?;
        bytes.clear();
        (self.spilled, self.held) = (Some(file), bytes);
        Ok(())
    }

    /// The file is whole.
    pub async fn seal(mut self) -> Result<Sealed, FileError> {
        if self.spilled.is_some() {
            self.spill().await?;
        }
        let bytes = match self.spilled {
            Some(file) => Held::Disk(file),
            None => Held::Memory(self.held),
        };
        Ok(Sealed { digest: Digest(self.digest.finalize().into()), size: self.size, bytes })
    }
}

/// A new file that only its owner may read; it goes when it is dropped.
pub(super) fn temporary(folder: &Path) -> Result<NamedTempFile, FileError> {
    let named = tempfile::Builder::new().prefix("incoming-").tempfile_in(folder);
    named.map_err(|error| FileError::disk(folder, error))
}

/// Work on a disk, which must not hold up others.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // It panicked, or the program ends: nothing can be said of the file.
        Err(error) => Err(FileError::disk(Path::new("a file"), std::io::Error::other(error))),
    }
}
