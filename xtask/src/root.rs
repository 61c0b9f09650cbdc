//! Where things lie in the checkout.

use std::path::{Path, PathBuf};

/// The path of `inside`, which is written relative to the top of the checkout.
pub fn path(inside: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).join(inside)
}
