//! Files that come with results: pictures, films, logs.
//!
//! A file is known by its content, so the same picture of a hundred runs is
//! kept once. How it may be shown is decided here, by its media type alone:
//! nothing that a browser would run is ever shown in a page of ours.

use super::name::tidy;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The longest name of a file that is kept, in characters.
pub const FILE_NAME_KEPT: usize = 200;

/// The longest media type that is kept, in bytes.
const MEDIA_TYPE_KEPT: usize = 100;

/// What a file is where nobody knows better.
pub const UNKNOWN_TYPE: &str = "application/octet-stream";

/// The SHA-256 of a file's content, by which it is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// A text is not a digest: 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be 64 hexadecimal digits in lower case")]
pub struct NoDigest;

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(NoDigest) };
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() {
            return Err(NoDigest);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = nibble(*high)? << 4 | nibble(*low)?;
        }
        Ok(Self(bytes))
    }
}

const fn nibble(digit: u8) -> Result<u8, NoDigest> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(NoDigest),
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A file that belongs to a run, a suite or a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its content.
    pub file: Digest,
    /// What its sender calls it, without folders.
    pub name: Box<str>,
    /// Its media type, as [`media_type`] leaves it.
    #[serde(rename = "type")]
    pub media_type: Box<str>,
    /// Its size in bytes.
    pub size: u64,
}

/// How a file may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Showing {
    /// As a picture.
    Image,
    /// As a film.
    Video,
    /// As a sound.
    Audio,
    /// As plain text, whatever it means to other programs.
    Text,
    /// Not at all: it is handed out to be saved.
    Save,
}

/// Pictures that no browser runs anything of. SVG is not among them: it may
/// hold scripts.
const IMAGES: [&str; 6] = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"];
const VIDEOS: [&str; 3] = ["video/mp4", "video/webm", "video/ogg"];
const AUDIOS: [&str; 6] = ["audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm", "audio/flac"];

/// What is text although it does not say so first.
const TEXTS: [&str; 8] = [
    "application/json",
    "application/xml",
    "application/x-ndjson",
    "application/yaml",
    "application/x-yaml",
    "application/toml",
    "application/javascript",
    "application/sql",
];

impl Showing {
    /// How a file of this media type may be shown.
    pub fn of(media_type: &str) -> Self {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let is_among = |all: &[&str]| all.contains(&essence);
        match essence {
            _ if is_among(&IMAGES) => Self::Image,
            _ if is_among(&VIDEOS) => Self::Video,
            _ if is_among(&AUDIOS) => Self::Audio,
            "text/html" | "image/svg+xml" | "application/xhtml+xml" => Self::Save,
            _ if is_among(&TEXTS) || essence.starts_with("text/") => Self::Text,
            _ if essence.ends_with("+json") || essence.ends_with("+xml") => Self::Text,
            _ => Self::Save,
        }
    }

    /// The media type with which it is handed out.
    pub fn served_as(self, media_type: &str) -> &str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            _ => media_type,
        }
    }
}

/// A media type as it is kept: in lower case, without parameters; `None` where
/// the text is none.
pub fn media_type(text: &str) -> Option<Box<str>> {
    let essence = text.split(';').next().unwrap_or_default().trim();
    let (kind, subtype) = essence.split_once('/')?;
    let is_token = |part: &str| {
        let is_sign = |byte: u8| b"!#$&-^_.+".contains(&byte);
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_sign(byte))
    };
    let fits = essence.len() <= MEDIA_TYPE_KEPT && is_token(kind) && is_token(subtype);
    fits.then(|| essence.to_ascii_lowercase().into())
}

/// The name of a file as it is kept: without the folders before it and without
/// control characters, never empty.
pub fn file_name(text: &str) -> Box<str> {
    let last = text.trim().rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or_default();
    let kept = tidy(last.trim(), FILE_NAME_KEPT);
    if kept.trim_matches(['.', ' ']).is_empty() { "file".into() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written_and_in_no_other_way() {
        let digest = Digest(std::array::from_fn(|place| place as u8 * 7));
        let text = digest.to_string();
        assert_eq!((text.len(), text.parse()), (64, Ok(digest)));
        let json = serde_json::to_string(&digest).expect("writes");
        assert_eq!(serde_json::from_str::<Digest>(&json).expect("reads"), digest);
        for wrong in [&text[1..], &text.to_uppercase(), &format!("{text}0"), "", &"g".repeat(64), "../../etc/passwd"] {
            assert_eq!(wrong.parse::<Digest>(), Err(NoDigest), "{wrong}");
        }
    }

    #[test]
    fn nothing_that_runs_is_shown() {
        for active in ["text/html", "image/svg+xml", "application/xhtml+xml", "application/pdf", "application/zip", ""]
        {
            assert_eq!(Showing::of(active), Showing::Save, "{active}");
        }
        assert_eq!(Showing::of("text/html; charset=utf-8"), Showing::Save);
        for (kind, showing) in [
            ("image/png", Showing::Image),
            ("video/webm", Showing::Video),
            ("audio/wav", Showing::Audio),
            ("text/x-python", Showing::Text),
            ("application/json", Showing::Text),
            ("application/vnd.allure+json", Showing::Text),
        ] {
            assert_eq!(Showing::of(kind), showing, "{kind}");
        }
        assert_eq!(Showing::Text.served_as("text/javascript"), "text/plain; charset=utf-8");
        assert_eq!(Showing::Image.served_as("image/png"), "image/png");
    }

    #[test]
    fn media_types_are_kept_without_parameters_or_not_at_all() {
        assert_eq!(media_type(" Text/HTML; charset=x").as_deref(), Some("text/html"));
        for wrong in ["", "png", "image/", "/png", "a/b\r\nx: y", "text/pl ain"] {
            assert_eq!(media_type(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn names_of_files_lose_their_folders_and_are_never_empty() {
        for (text, name) in [
            ("a.png", "a.png"),
            ("C:\\tmp\\a.png", "a.png"),
            ("../../etc/passwd", "passwd"),
            ("folder/", "folder"),
            ("a\r\nb.txt", "a  b.txt"),
            ("..", "file"),
            ("", "file"),
            ("/", "file"),
        ] {
            assert_eq!(&*file_name(text), name, "{text:?}");
        }
        assert_eq!(file_name(&"x".repeat(500)).len(), FILE_NAME_KEPT);
    }
}
