//! Compresses the files of the site once, so that the server never has to.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// The endings of files that grow no smaller, or hardly: they go as they are.
const ALREADY_SMALL: [&str; 6] = ["png", "jpg", "webp", "avif", "woff", "woff2"];

/// Writes `<file>.br` and `<file>.gz` beside `file`, if it is of a kind that shrinks.
pub fn beside(file: &Path, brotli_quality: u32) -> Result<()> {
    let ending = file.extension().and_then(|e| e.to_str()).unwrap_or("");
    if ALREADY_SMALL.contains(&ending) {
        return Ok(());
    }
    let bytes = std::fs::read(file)?;
    std::fs::write(with_ending(file, "br"), brotli(&bytes, brotli_quality)?)?;
    std::fs::write(with_ending(file, "gz"), gzip(&bytes)?)?;
    Ok(())
}

/// `name.js` with the ending `br` is `name.js.br`.
pub fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

fn brotli(bytes: &[u8], quality: u32) -> Result<Vec<u8>> {
    const BUFFER_BYTES: usize = 1 << 16;
    const WINDOW_BITS: u32 = 22;
    let mut writer = brotli::CompressorWriter::new(Vec::new(), BUFFER_BYTES, quality, WINDOW_BITS);
    writer.write_all(bytes)?;
    Ok(writer.into_inner())
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn both_forms_give_the_bytes_back() -> Result<()> {
        let bytes = b"beat beat beat beat beat".repeat(100);
        let mut back = Vec::new();
        brotli::Decompressor::new(brotli(&bytes, 11)?.as_slice(), 4096).read_to_end(&mut back)?;
        assert_eq!(back, bytes);
        back.clear();
        flate2::read::GzDecoder::new(gzip(&bytes)?.as_slice()).read_to_end(&mut back)?;
        assert_eq!(back, bytes);
        Ok(())
    }

    #[test]
    fn an_ending_is_added_not_replaced() {
        assert_eq!(with_ending(Path::new("a/b.js"), "br"), Path::new("a/b.js.br"));
    }
}
