//! Files out of archives: zip, tar and gzip, told by their first bytes.
//!
//! An archive comes from a stranger: what it unpacks to is bounded in files, in
//! bytes and in depth, whatever it says of itself, and nothing of it is ever
//! written to a disk, so its names lead nowhere.

use std::io::{Cursor, Read};
use thiserror::Error;

/// Files in one request at most.
pub const FILES_MAX: usize = 5_000;

/// Bytes that all files of a request may unpack to.
pub const UNPACKED_MAX: u64 = 512 * 1024 * 1024;

/// A file, by the name it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, with the folders before it.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Why an archive was not unpacked.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// More than is taken at once.
    #[error("the archive holds more than {FILES_MAX} files")]
    TooManyFiles,
    /// A small file that unpacks to a huge one, or many of them.
    #[error("the archive unpacks to more than {} MiB", UNPACKED_MAX / 1024 / 1024)]
    TooLarge,
    /// It is cut off, damaged, encrypted or packed in a way that we do not know.
    #[error("the archive cannot be unpacked: {0}")]
    Damaged(String),
}

/// What came out of a file.
#[derive(Debug, Default)]
pub struct Unpacked {
    /// The files.
    pub files: Vec<File>,
    /// Names of links: they lead somewhere else, and are left out.
    pub links: Vec<String>,
    /// Why the rest could not be unpacked.
    pub error: Option<ArchiveError>,
}

impl Unpacked {
    fn put(&mut self, file: File) -> Result<(), ArchiveError> {
        if self.files.len() == FILES_MAX {
            return Err(ArchiveError::TooManyFiles);
        }
        self.files.push(file);
        Ok(())
    }

    fn leave_out(&mut self, name: String) -> Result<(), ArchiveError> {
        if self.links.len() == FILES_MAX {
            return Err(ArchiveError::TooManyFiles);
        }
        self.links.push(name);
        Ok(())
    }
}

/// Unpacks a file as often as it was packed; what is no archive comes back as
/// it is. What could be unpacked of a damaged archive is returned beside why
/// the rest could not.
pub fn unpack(file: File) -> Unpacked {
    let mut room = UNPACKED_MAX;
    let mut unpacked = Unpacked::default();
    let done = match &*file.bytes {
        [b'P', b'K', 3, 4, ..] => unzip(&file.bytes, &mut unpacked, &mut room),
        [0x1f, 0x8b, ..] => gunzip(file, &mut unpacked, &mut room),
        bytes if is_tar(bytes) => untar(bytes, &mut unpacked, &mut room),
        _ => {
            unpacked.files.push(file);
            Ok(())
        }
    };
    unpacked.error = done.err();
    unpacked
}

fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

fn damaged(error: impl std::fmt::Display) -> ArchiveError {
    ArchiveError::Damaged(error.to_string())
}

/// Reads a whole file, within what room is left.
fn whole(reader: &mut impl Read, room: &mut u64) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    reader.take(*room + 1).read_to_end(&mut bytes).map_err(damaged)?;
    *room = room.checked_sub(bytes.len() as u64).ok_or(ArchiveError::TooLarge)?;
    Ok(bytes)
}

fn gunzip(file: File, unpacked: &mut Unpacked, room: &mut u64) -> Result<(), ArchiveError> {
    let bytes = whole(&mut flate2::read::MultiGzDecoder::new(&*file.bytes), room)?;
    if is_tar(&bytes) {
        return untar(&bytes, unpacked, room);
    }
    let name = file.name.strip_suffix(".gz").unwrap_or(&file.name).to_owned();
    unpacked.put(File { name, bytes })
}

fn untar(bytes: &[u8], unpacked: &mut Unpacked, room: &mut u64) -> Result<(), ArchiveError> {
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let kind = entry.header().entry_type();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind.is_symlink() || kind.is_hard_link() {
            unpacked.leave_out(name)?;
            continue;
        }
        if !kind.is_file() {
            continue;
        }
        let bytes = whole(&mut entry, room)?;
        unpacked.put(File { name, bytes })?;
    }
    Ok(())
}

fn unzip(bytes: &[u8], unpacked: &mut Unpacked, room: &mut u64) -> Result<(), ArchiveError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    for number in 0..archive.len() {
        let mut entry = archive.by_index(number).map_err(damaged)?;
        let name = entry.name().to_owned();
        if entry.is_symlink() {
            unpacked.leave_out(name)?;
        } else if entry.is_file() {
            let bytes = whole(&mut entry, room)?;
            unpacked.put(File { name, bytes })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(bytes).expect("packs");
        packed.finish().expect("packs")
    }

    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, *bytes).expect("packs");
        }
        archive.into_inner().expect("packs")
    }

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).expect("packs");
            archive.write_all(bytes).expect("packs");
        }
        archive.finish().expect("packs").into_inner()
    }

    fn names(bytes: Vec<u8>) -> Vec<String> {
        let Unpacked { files, error, .. } = unpack(File { name: "x.gz".into(), bytes });
        assert!(error.is_none(), "{error:?}");
        files.into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn archives_of_every_kind_are_told_by_their_first_bytes() {
        let files: [(&str, &[u8]); 2] = [("a/one.xml", b"<a/>"), ("two.json", b"{}")];
        for packed in [tar(&files), gzip(&tar(&files)), zipped(&files)] {
            assert_eq!(names(packed), ["a/one.xml", "two.json"]);
        }
        assert_eq!(names(gzip(b"<a/>")), ["x"]);
        assert_eq!(names(b"<a/>".to_vec()), ["x.gz"]);
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let mut room = 1_000;
        let mut unpacked = Unpacked::default();
        let bomb = zipped(&[("zeros", &[0; 100_000])]);
        assert!(bomb.len() < 1_000);
        assert!(matches!(unzip(&bomb, &mut unpacked, &mut room), Err(ArchiveError::TooLarge)));
        assert!(unpacked.files.is_empty());
    }

    #[test]
    fn what_is_cut_off_yields_what_came_before() {
        let whole = tar(&[("one", &[1; 600]), ("two", &[2; 600])]);
        let Unpacked { files, error, .. } = unpack(File { name: "t".into(), bytes: whole[..2_200].to_vec() });
        let lengths: Vec<_> = files.iter().map(|file| file.bytes.len()).collect();
        assert_eq!(lengths, [600, 2_200 - 2_048], "{error:?}");
        assert!(error.is_some());
    }
}
