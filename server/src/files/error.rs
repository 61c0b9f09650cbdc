//! Why a file could not be kept or read.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What went wrong with a file.
#[derive(Debug, Error)]
pub enum FileError {
    /// It has more bytes than it may have.
    #[error("a file may have at most {} MiB", .most / 1024 / 1024)]
    TooLarge {
        /// The bound in bytes.
        most: u64,
    },
    /// The disk is full, or the bucket takes no more.
    #[error("there is no room for files")]
    Full,
    /// The folder cannot be used as it is.
    #[error("{} cannot be used for files", .path.display())]
    Disk {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The S3 server cannot be reached, or does not answer.
    #[error("the S3 server cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The S3 server refuses.
    #[error("the S3 server answered {status}: {said}")]
    Refused {
        /// Its status.
        status: u16,
        /// What it said, the beginning of it.
        said: String,
    },
    /// The bucket cannot be as it is configured.
    #[error("files.s3: {0}")]
    Config(String),
}

impl FileError {
    pub(super) fn disk(path: &Path, source: std::io::Error) -> Self {
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Disk { path: path.to_owned(), source },
        }
    }

    /// Whether the same may work in a moment.
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Full | Self::Unreachable(_) => true,
            Self::Refused { status, .. } => *status >= 500 || *status == 429,
            Self::TooLarge { .. } | Self::Disk { .. } | Self::Config(_) => false,
        }
    }
}
