//! A start tag: its name and its attributes, read with tolerance.

use std::borrow::Cow;

/// A start tag.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'a> {
    name: &'a str,
    attributes: &'a str,
}

/// The attributes of a tag in the order of the file, values as written.
pub struct Attributes<'a>(&'a str);

impl<'a> Tag<'a> {
    /// Takes what stands between the angle brackets.
    pub fn new(content: &'a str) -> Self {
        let end = content.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(content.len());
        let (name, attributes) = content.split_at(end);
        Self { name: local(name), attributes }
    }

    /// Its name without a prefix.
    pub fn name(self) -> &'a str {
        self.name
    }

    pub fn attributes(self) -> Attributes<'a> {
        Attributes(self.attributes)
    }

    /// An attribute's value as written; `None` if it is blank.
    pub fn raw(self, name: &str) -> Option<&'a str> {
        let (_, value) = self.attributes().find(|(found, _)| *found == name)?;
        Some(value.trim_ascii()).filter(|value| !value.is_empty())
    }

    /// An attribute's text; `None` if it is blank.
    pub fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.raw(name).map(unescape)
    }

    /// An attribute's text, as one's own.
    pub fn owned(self, name: &str) -> Option<String> {
        self.get(name).map(Cow::into_owned)
    }
}

/// A name without its prefix.
pub fn local(name: &str) -> &str {
    match name.bytes().position(|byte| byte == b':') {
        Some(colon) => &name[colon + 1..],
        None => name,
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.0.as_bytes();
        let start = skip_space(bytes, 0);
        let equals = start + bytes[start..].iter().position(|byte| *byte == b'=')?;
        let open = skip_space(bytes, equals + 1);
        let quote = *bytes.get(open)?;
        let (value, rest) = if matches!(quote, b'"' | b'\'') {
            let value = &self.0[open + 1..];
            let end = find(quote, value).unwrap_or(value.len());
            (&value[..end], value.get(end + 1..).unwrap_or(""))
        } else {
            let end = bytes[open..].iter().position(u8::is_ascii_whitespace).unwrap_or(bytes.len() - open);
            self.0[open..].split_at(end)
        };
        let name = self.0[start..equals].trim_ascii_end();
        self.0 = rest;
        Some((name, value))
    }
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Where a byte of ASCII stands first. Names and values are short, so this
/// takes eight bytes at a time and spares itself the start of anything wider.
fn find(byte: u8, text: &str) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let zero_where_found = u64::from_le_bytes(*word) ^ (LOW * u64::from(byte));
        let found = zero_where_found.wrapping_sub(LOW) & !zero_where_found & HIGH;
        if found != 0 {
            return Some(at * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let start = words.len() * 8;
    rest.iter().position(|other| *other == byte).map(|at| start + at)
}

/// No reference that means a character is longer, so no further is looked.
const LONGEST_REFERENCE: usize = 12;

/// A text with its references resolved. What is no predefined entity and no
/// character stays as it is written: nothing is ever looked up.
pub fn unescape(raw: &str) -> Cow<'_, str> {
    let mut next = find(b'&', raw);
    if next.is_none() {
        return raw.into();
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = next {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let near = &rest[1..rest.floor_char_boundary(LONGEST_REFERENCE)];
        let named = near.find(';').and_then(|end| Some((character(&near[..end])?, &rest[end + 2..])));
        let (letter, after) = named.unwrap_or(('&', &rest[1..]));
        text.push(letter);
        rest = after;
        next = find(b'&', rest);
    }
    text.push_str(rest);
    text.into()
}

/// The character that a reference stands for.
pub fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#').filter(|number| number.len() <= 8)?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
                None => number.parse().ok()?,
            };
            if code == 0 { Some(char::REPLACEMENT_CHARACTER) } else { char::from_u32(code) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_as_people_write_them() {
        let tag = Tag::new("x:case a=\"1\" b = '<<computed>>'\n\tc=3 x:d='' e=\"a > b\" f");
        assert_eq!(tag.name(), "case");
        let expected = [("a", "1"), ("b", "<<computed>>"), ("c", "3"), ("x:d", ""), ("e", "a > b")];
        assert_eq!(tag.attributes().collect::<Vec<_>>(), expected);
        assert_eq!(tag.raw("x:d"), None);
        assert_eq!(Tag::new("a b=\"open").raw("b"), Some("open"));
        assert_eq!(Tag::new("a b=").raw("b"), None);
    }

    #[test]
    fn a_byte_is_found_at_its_first_place() {
        let text = "ab=\u{7f}é=\u{1}<>&;\u{80}\"'\u{0}=tail&";
        for byte in 0..=127 {
            assert_eq!(find(byte, text), text.bytes().position(|other| other == byte), "{byte}");
        }
    }

    #[test]
    fn references_are_resolved_and_others_left_alone() {
        let table = [
            ("a &lt; b &amp;&amp; c", "a < b && c"),
            ("&#65;&#x1f600;", "A\u{1f600}"),
            ("&#0;", "\u{fffd}"),
            ("&nbsp; &xxe; &; & ;", "&nbsp; &xxe; &; & ;"),
            ("&ééééééééé; &#x1f600; &", "&ééééééééé; \u{1f600} &"),
            ("&#xD800;&#99999999999;", "&#xD800;&#99999999999;"),
        ];
        for (raw, text) in table {
            assert_eq!(unescape(raw), text, "{raw}");
        }
    }
}
