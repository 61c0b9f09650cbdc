//! XML, written by hand: three documents with a dozen elements need no more.

use std::fmt::{Display, Formatter, Result};

/// Text as it may stand in an element or a quoted attribute. What XML 1.0 has
/// no place for becomes U+FFFD; line breaks stay as they are written.
pub struct Escaped<'a>(pub &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut kept = 0;
        for (at, character) in self.0.char_indices() {
            let Some(instead) = instead_of(character) else { continue };
            f.write_str(&self.0[kept..at])?;
            f.write_str(instead)?;
            kept = at + character.len_utf8();
        }
        f.write_str(&self.0[kept..])
    }
}

fn instead_of(character: char) -> Option<&'static str> {
    Some(match character {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&#39;",
        '\t' => "&#9;",
        '\n' => "&#10;",
        '\r' => "&#13;",
        '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_place() {
        assert_eq!(
            Escaped("a<b> & \"c\" 'd'\n\u{1b}[0m ä").to_string(),
            "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;&#10;\u{fffd}[0m ä"
        );
        assert_eq!(Escaped("plain").to_string(), "plain");
    }
}
