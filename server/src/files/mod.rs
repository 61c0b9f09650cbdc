//! Where the bytes of files are kept: pictures of failing tests, logs, what a
//! job leaves behind.
//!
//! A file is kept under the digest of its content, so the same content is kept
//! once however often it comes. [`Files`] is a closed choice between a folder
//! and a bucket of an S3-compatible server. It knows nothing of what files
//! belong to: rows of the store point at them, and the service deletes what
//! nothing points at any more.
//!
//! A file comes in by three steps. [`Files::begin`] takes its bytes piece by
//! piece; [`Incoming::seal`] says what they are; [`Files::place`] puts them
//! where they stay. Between the second and the third the caller writes down
//! that the content is wanted: whoever tidies up meanwhile leaves it alone.
//! What is dropped before is gone. Something that grows for hours, such as the
//! log of a job, is kept as many files, one a piece.

mod bucket;
mod error;
mod folder;
mod incoming;

pub use bucket::Bucket;
pub use error::FileError;
pub use folder::Folder;
pub use incoming::{Incoming, Sealed};

use crate::config::FilesConfig;
use app::domain::file::Digest;
use bytes::Bytes;
use futures::stream::BoxStream;
use std::ops::Range;
use std::path::Path;

/// Bytes as they are read.
pub type Pieces = BoxStream<'static, std::io::Result<Bytes>>;

/// Where files are kept. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Files {
    /// In a folder of this machine, or one that several servers share.
    Folder(Folder),
    /// In a bucket; a folder holds what is on its way there.
    Bucket(Bucket, Folder),
}

impl Files {
    /// Opens the place; its folder is made where it is missing, and what an
    /// earlier program left half done is deleted.
    pub fn open(config: &FilesConfig, data_dir: &Path) -> Result<Self, FileError> {
        let folder = Folder::open(&data_dir.join("files"))?;
        match &config.s3 {
            None => Ok(Self::Folder(folder)),
            Some(s3) => Ok(Self::Bucket(Bucket::open(s3)?, folder)),
        }
    }

    /// Which one it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Folder(_) => "folder",
            Self::Bucket(..) => "s3",
        }
    }

    /// Begins a file that may have `most` bytes.
    pub fn begin(&self, most: u64) -> Incoming {
        let (Self::Folder(folder) | Self::Bucket(_, folder)) = self;
        Incoming::begin(folder.incoming(), most)
    }

    /// Puts a file in its place, where it is durable when this returns. One
    /// that is there already is replaced by the same bytes.
    pub async fn place(&self, sealed: Sealed) -> Result<(), FileError> {
        match self {
            Self::Folder(folder) => folder.place(sealed).await,
            Self::Bucket(bucket, _) => bucket.place(sealed).await,
        }
    }

    /// The bytes of a file from `range.start` up to `range.end`, which lie
    /// within it; `None` where there is no such file.
    pub async fn read(&self, file: Digest, range: Range<u64>) -> Result<Option<Pieces>, FileError> {
        match self {
            Self::Folder(folder) => folder.read(file, range).await,
            Self::Bucket(bucket, _) => bucket.read(file, range).await,
        }
    }

    /// Deletes a file; one that is not there is deleted already.
    pub async fn delete(&self, file: Digest) -> Result<(), FileError> {
        match self {
            Self::Folder(folder) => folder.delete(file).await,
            Self::Bucket(bucket, _) => bucket.delete(file).await,
        }
    }
}
