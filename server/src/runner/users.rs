//! Users of this machine that own nothing, for jobs: one for each that runs.
//!
//! The kernel counts processes by user, so two jobs of one user would take each
//! other's room, whichever worker started them. A user is held by a lock on a
//! file, which goes with the worker, however it ends.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// The first of them. Debian and others leave these numbers alone.
const FIRST: u32 = 64_000;

/// How many there are.
const COUNT: u32 = 1_000;

/// Where their locks are.
const FOLDER: &str = "/run/holter-users";

/// A user that is ours for as long as this lives.
#[derive(Debug)]
pub struct User {
    /// Its number.
    pub id: u32,
    _lock: File,
}

/// Takes a user that nobody has.
pub fn take() -> io::Result<User> {
    DirBuilder::new().recursive(true).mode(0o700).create(FOLDER)?;
    for id in FIRST..FIRST + COUNT {
        let file = File::options().create(true).append(true).open(Path::new(FOLDER).join(id.to_string()))?;
        match file.try_lock() {
            Ok(()) => return Ok(User { id, _lock: file }),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other(format!("all {COUNT} users for jobs are taken")))
}
