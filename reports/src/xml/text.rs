//! Texts of any length, kept within bounds.

use memchr::memchr;

/// How much of a message, a trace or an output is kept.
pub const KEPT_BYTES: usize = 64 * 1024;

/// How much of either end is kept of a text that is longer, which leaves room
/// for the line that says so.
const END_BYTES: usize = KEPT_BYTES / 2 - 64;

/// A text that grows piece by piece. Of one that is too long the beginning and
/// the end are kept, because a failure shows at either.
#[derive(Debug, Default)]
pub struct Text {
    head: String,
    tail: String,
    left_out: usize,
    is_long: bool,
}

impl Text {
    /// The text of one piece.
    pub fn of(piece: &str) -> Self {
        let mut text = Self::default();
        text.push(piece);
        text
    }

    pub fn push(&mut self, piece: &str) {
        if !self.is_long {
            if self.head.len() + piece.len() <= KEPT_BYTES {
                self.head.push_str(piece);
                return;
            }
            self.is_long = true;
            let room = END_BYTES.saturating_sub(self.head.len());
            let (fits, rest) = piece.split_at(piece.floor_char_boundary(room));
            self.head.push_str(fits);
            self.tail = self.head.split_off(self.head.floor_char_boundary(END_BYTES));
            return self.push_tail(rest);
        }
        self.push_tail(piece);
    }

    fn push_tail(&mut self, piece: &str) {
        let from = piece.ceil_char_boundary(piece.len().saturating_sub(END_BYTES));
        self.left_out += from;
        self.tail.push_str(&piece[from..]);
        if self.tail.len() > 2 * END_BYTES {
            self.shorten();
        }
    }

    fn shorten(&mut self) {
        let from = self.tail.ceil_char_boundary(self.tail.len().saturating_sub(END_BYTES));
        self.left_out += from;
        self.tail.drain(..from);
    }

    /// Adds another text below this one.
    pub fn append(&mut self, other: Self) {
        if self.head.is_empty() {
            *self = other;
            return;
        }
        let Some(other) = other.into_block() else { return };
        if !self.is_blank() {
            self.push("\n");
        }
        self.push(&other);
    }

    pub fn is_blank(&self) -> bool {
        self.head.trim().is_empty() && self.tail.trim().is_empty()
    }

    /// What is kept, in its order.
    pub fn pieces(&self) -> impl Iterator<Item = &str> {
        [self.head.as_str(), self.tail.as_str()].into_iter()
    }

    /// The text without blank lines around it, its first indent kept.
    pub fn into_block(mut self) -> Option<String> {
        if self.is_blank() {
            return None;
        }
        if self.is_long {
            self.shorten();
            self.head.push_str(&format!("\n[{} bytes left out]\n", self.left_out));
            self.head.push_str(&self.tail);
        }
        let mut text = self.head;
        text.truncate(text.trim_end().len());
        let first = text.len() - text.trim_start().len();
        text.drain(..text[..first].rfind('\n').map_or(0, |at| at + 1));
        Some(if memchr(b'\r', text.as_bytes()).is_some() { text.replace("\r\n", "\n") } else { text })
    }

    /// The text without any space around it.
    pub fn into_line(self) -> Option<String> {
        self.into_block().map(|text| text.trim().to_owned())
    }
}

/// A text kept as a message.
pub fn message(text: &str) -> Option<String> {
    let text = text.trim();
    match text.len() {
        0 => None,
        1..=KEPT_BYTES if !text.contains("\r\n") => Some(text.to_owned()),
        _ => Text::of(text).into_line(),
    }
}

/// The first line that says something.
pub fn first_line(text: &str) -> Option<String> {
    text.lines().map(str::trim).find(|line| !line.is_empty()).and_then(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_indent_and_loses_its_frame() {
        let table = [
            ("\n\n    at one\r\n    at two\n\n", Some("    at one\n    at two")),
            (" \n\t", None),
            ("", None),
            ("word", Some("word")),
        ];
        for (text, block) in table {
            assert_eq!(Text::of(text).into_block().as_deref(), block, "{text:?}");
        }
        assert_eq!(first_line("\n\n  Error: no \n at"), Some("Error: no".into()));
    }

    #[test]
    fn of_a_long_text_both_ends_are_kept_however_it_comes() {
        for piece in [1, 7, 1000, KEPT_BYTES, 4 * KEPT_BYTES] {
            let mut text = Text::default();
            text.push("first ");
            (0..4 * KEPT_BYTES / piece).for_each(|_| text.push(&"é".repeat(piece)));
            text.push(" last");
            let text = text.into_block().expect("not blank");
            assert!(text.len() <= KEPT_BYTES, "{} by {piece}", text.len());
            assert!(text.len() > KEPT_BYTES - 200, "{} by {piece}", text.len());
            assert!(text.starts_with("first é") && text.ends_with("é last") && text.contains(" bytes left out]"));
        }
    }
}
