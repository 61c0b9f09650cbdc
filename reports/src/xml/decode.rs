//! From bytes to text, as far as they are text.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// Within this many bytes an XML declaration ends.
const DECLARATION_BYTES: usize = 256;

/// What a NUL becomes: databases take no NUL in a text.
const REPLACEMENT: &str = "\u{fffd}";

/// A file as text.
pub struct Decoded<'a> {
    pub text: Cow<'a, str>,
    /// The line with the first bytes that are no text and were replaced.
    pub broken_line: Option<usize>,
}

/// Reads a file as text: by its byte order mark, its declaration, or its looks.
pub fn decode(file: &[u8]) -> Decoded<'_> {
    let mut decoded = match encoding(file) {
        (found, mark) if found == UTF_8 => utf8(&file[mark..]),
        (other, mark) => foreign(other, &file[mark..]),
    };
    if let Some(at) = memchr::memchr(0, decoded.text.as_bytes()) {
        let line = lines(&decoded.text.as_bytes()[..at]);
        decoded.broken_line = Some(decoded.broken_line.map_or(line, |broken| broken.min(line)));
        decoded.text = decoded.text.replace('\0', REPLACEMENT).into();
    }
    decoded
}

/// What of a file is text, if it is UTF-8 by all that its beginning says.
pub fn maybe_utf8(file: &[u8]) -> Option<&[u8]> {
    let (found, mark) = encoding(file);
    (found == UTF_8).then(|| &file[mark..])
}

/// The encoding of a file, and the length of its byte order mark.
fn encoding(file: &[u8]) -> (&'static Encoding, usize) {
    if let Some(marked) = Encoding::for_bom(file) {
        return marked;
    }
    match file {
        [b'<', 0, ..] => (UTF_16LE, 0),
        [0, b'<', ..] => (UTF_16BE, 0),
        // Whoever could read the declaration byte by byte does not hold UTF-16,
        // whatever it declares.
        _ => (declared(file).filter(|found| *found != UTF_16LE && *found != UTF_16BE).unwrap_or(UTF_8), 0),
    }
}

fn declared(file: &[u8]) -> Option<&'static Encoding> {
    let head = &file[..file.len().min(DECLARATION_BYTES)];
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(head[..end].trim_ascii_start()).ok()?.strip_prefix("<?xml")?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    Encoding::for_label(value[1..].split(quote).next()?.as_bytes())
}

fn foreign<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Decoded<'a> {
    let (text, is_broken) = encoding.decode_without_bom_handling(bytes);
    let broken_line = is_broken.then(|| text.find(REPLACEMENT).map_or(1, |at| lines(&text.as_bytes()[..at])));
    Decoded { text, broken_line }
}

/// UTF-8, or what was taken for it: a file with no single letter that is valid
/// beyond ASCII was written in a Western code page by somebody who did not say so.
fn utf8(bytes: &[u8]) -> Decoded<'_> {
    let broken = match std::str::from_utf8(bytes) {
        Ok(text) => return Decoded { text: text.into(), broken_line: None },
        Err(broken) => broken,
    };
    let is_cut_short = broken.error_len().is_none();
    if !is_cut_short && bytes.utf8_chunks().all(|chunk| chunk.valid().is_ascii()) {
        return foreign(WINDOWS_1252, bytes);
    }
    let broken_line = Some(lines(&bytes[..broken.valid_up_to()]));
    Decoded { text: String::from_utf8_lossy(bytes), broken_line }
}

/// The line on which what follows these bytes stands.
pub fn lines(before: &[u8]) -> usize {
    1 + memchr::memchr_iter(b'\n', before).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, mark: &[u8], bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect()
    }

    #[test]
    fn every_way_to_write_a_letter() {
        let little = "<?xml version='1.0' encoding='UTF-16'?><a>é</a>";
        let table: [(&str, Vec<u8>, &str, Option<usize>); 10] = [
            ("plain", "<a>é</a>".into(), "<a>é</a>", None),
            ("marked", b"\xef\xbb\xbf<a/>".into(), "<a/>", None),
            ("marked UTF-16", utf16(little, b"\xff\xfe", u16::to_le_bytes), little, None),
            ("UTF-16 without a mark", utf16("<a>é</a>", b"", u16::to_be_bytes), "<a>é</a>", None),
            (
                "declared",
                b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\xe9".into(),
                "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>é",
                None,
            ),
            ("falsely declared", b"<?xml encoding='UTF-16'?><a/>".into(), "<?xml encoding='UTF-16'?><a/>", None),
            ("undeclared", b"<a>caf\xe9</a>".into(), "<a>café</a>", None),
            ("broken", b"<a>\xc3\xa9\n\xff</a>".into(), "<a>é\n\u{fffd}</a>", Some(2)),
            ("cut in a letter", b"<a>\n\n\xc3".into(), "<a>\n\n\u{fffd}", Some(3)),
            ("with a NUL", b"<a>\n\0</a>".into(), "<a>\n\u{fffd}</a>", Some(2)),
        ];
        for (what, bytes, text, broken_line) in table {
            let decoded = decode(&bytes);
            assert_eq!(decoded.text, text, "{what}");
            assert_eq!(decoded.broken_line, broken_line, "{what}");
        }
    }
}
