//! JSON as report writers really write it, and as crashes leave it.
//!
//! A reader of its own, since no strict one does: a report that breaks off in
//! the middle yields every value up to the fault, and each map that was open
//! there says that it is not whole. Half a character, a raw line break in a
//! text, `NaN` and a comma too many are forgiven. Texts are borrowed from the
//! file where they can be, and depth and number of values are bounded.

use std::borrow::Cow;

/// The deepest nesting that is read; what lies deeper is skipped.
const DEEPEST: usize = 256;

/// The most values that are read of one document.
const MOST: usize = 8 << 20;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Node<'a> {
    /// Nothing: null, and numbers that are none.
    Null,
    /// True or false.
    Truth(bool),
    /// A number, as it is written.
    Number(&'a str),
    /// A text.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Node<'a>>),
    /// An object.
    Map(Map<'a>),
}

/// An object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map<'a> {
    /// Its entries, in the order of the file.
    pub entries: Vec<(Cow<'a, str>, Node<'a>)>,
    /// Its end was read.
    pub is_whole: bool,
}

/// Where reading had to stop, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer.
    pub place: String,
    /// The line, from 1.
    pub line: usize,
    /// Why.
    pub detail: String,
}

/// A document, as far as it could be read.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// All of it.
    pub root: Node<'a>,
    /// Where reading stopped before the end.
    pub fault: Option<Fault>,
    /// JSON pointers to what lies too deep, the first few.
    pub too_deep: Vec<String>,
    /// Something follows that is no part of it.
    pub has_more: bool,
}

/// Reads a document.
pub fn parse(text: &str) -> Document<'_> {
    let mut reader = Reader { text, at: 0, path: Vec::new(), values: 0, fault: None, too_deep: Vec::new() };
    let root = reader.value().unwrap_or(Node::Null);
    reader.blanks();
    let has_more = reader.fault.is_none() && reader.at < text.len();
    Document { root, fault: reader.fault, too_deep: reader.too_deep, has_more }
}

/// One step from a value to a part of it.
enum Step<'a> {
    Key(Cow<'a, str>),
    Index(usize),
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    path: Vec<Step<'a>>,
    values: usize,
    fault: Option<Fault>,
    too_deep: Vec<String>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.path {
            pointer.push('/');
            match step {
                Step::Key(key) => pointer.push_str(&escape(key)),
                Step::Index(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }

    fn fail(&mut self, detail: impl Into<String>) {
        let line =
            self.text.as_bytes()[..self.at.min(self.text.len())].iter().filter(|byte| **byte == b'\n').count() + 1;
        let place = self.pointer();
        self.fault.get_or_insert_with(|| Fault { place, line, detail: detail.into() });
    }

    /// What stands here instead of something better.
    fn fail_here(&mut self) {
        match self.text[self.at..].chars().next() {
            None => self.fail("it breaks off"),
            Some(letter) => self.fail(format!("there is {letter:?} where a value should be")),
        }
    }

    /// The value here. `None` if there is none, or a fault in it that leaves nothing of it.
    fn value(&mut self) -> Option<Node<'a>> {
        self.blanks();
        self.values += 1;
        if self.values > MOST {
            self.fail("it holds too many values");
            return None;
        }
        match self.peek() {
            Some(b'{' | b'[') if self.path.len() >= DEEPEST => Some(self.skip()),
            Some(b'{') => Some(Node::Map(self.map())),
            Some(b'[') => Some(Node::List(self.list())),
            Some(b'"') => self.string().map(Node::Text),
            Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.') => self.word(),
            _ => {
                self.fail_here();
                None
            }
        }
    }

    fn list(&mut self) -> Vec<Node<'a>> {
        self.at += 1;
        let mut items = Vec::new();
        while self.fault.is_none() {
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    break;
                }
                _ => {
                    self.path.push(Step::Index(items.len()));
                    items.extend(self.value());
                    self.path.pop();
                }
            }
        }
        items
    }

    fn map(&mut self) -> Map<'a> {
        self.at += 1;
        let mut map = Map::default();
        while self.fault.is_none() {
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    map.is_whole = true;
                    break;
                }
                Some(b'"') => map.entries.extend(self.entry()),
                _ => self.fail_here(),
            }
        }
        map
    }

    fn entry(&mut self) -> Option<(Cow<'a, str>, Node<'a>)> {
        let key = self.string()?;
        self.blanks();
        if self.peek() != Some(b':') {
            self.fail_here();
            return None;
        }
        self.at += 1;
        self.path.push(Step::Key(key.clone()));
        let value = self.value();
        self.path.pop();
        value.map(|value| (key, value))
    }

    /// A list or a map that lies too deep: stepped over, without recursion.
    fn skip(&mut self) -> Node<'a> {
        if self.too_deep.len() < 16 {
            let pointer = self.pointer();
            self.too_deep.push(pointer);
        }
        let mut open = 0_usize;
        loop {
            match self.peek() {
                Some(b'{' | b'[') => open += 1,
                Some(b'}' | b']') => open -= 1,
                Some(b'"') => {
                    if self.string().is_none() {
                        return Node::Null;
                    }
                    continue;
                }
                None => {
                    self.fail_here();
                    return Node::Null;
                }
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Node::Null;
            }
        }
    }

    fn word(&mut self) -> Option<Node<'a>> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')) {
            self.at += 1;
        }
        let word = &self.text[from..self.at];
        if self.at == self.text.len() && !self.path.is_empty() {
            self.fail("it breaks off");
            return None;
        }
        match word {
            "true" => Some(Node::Truth(true)),
            "false" => Some(Node::Truth(false)),
            "null" | "NaN" | "nan" | "Infinity" | "-Infinity" | "undefined" | "None" => Some(Node::Null),
            _ if word.parse::<f64>().is_ok_and(f64::is_finite) => Some(Node::Number(word)),
            _ if word.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-') => Some(Node::Null),
            _ => {
                self.at = from;
                self.fail_here();
                None
            }
        }
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.at += 1;
        let mut owned: Option<String> = None;
        loop {
            let rest = &self.text[self.at..];
            let Some(length) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\')) else {
                self.at = self.text.len();
                self.fail("it breaks off");
                return None;
            };
            let piece = &rest[..length];
            self.at += length + 1;
            if rest.as_bytes()[length] == b'"' {
                return Some(match owned {
                    None => Cow::Borrowed(piece),
                    Some(text) => Cow::Owned(text + piece),
                });
            }
            let text = owned.get_or_insert_default();
            text.push_str(piece);
            let letter = self.escaped()?;
            owned.get_or_insert_default().push(letter);
        }
    }

    /// The letter that an escape stands for; the backslash is behind us.
    fn escaped(&mut self) -> Option<char> {
        let Some(letter) = self.text[self.at..].chars().next() else {
            self.fail("it breaks off");
            return None;
        };
        self.at += letter.len_utf8();
        Some(match letter {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => self.unit().map_or(char::REPLACEMENT_CHARACTER, |unit| self.scalar(unit)),
            other => other,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let unit = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(unit)
    }

    /// The character of a UTF-16 unit and the one after it, if they are a pair;
    /// JavaScript writes the half of one without blinking.
    fn scalar(&mut self, unit: u32) -> char {
        if (0xd800..0xdc00).contains(&unit) && self.text[self.at..].starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            if let Some(low @ 0xdc00..0xe000) = self.unit() {
                let scalar = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER);
            }
            self.at = back;
        }
        // NUL is a character that no database takes.
        char::from_u32(unit).filter(|letter| *letter != '\0').unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

/// A key as a part of a JSON pointer.
pub fn escape(key: &str) -> Cow<'_, str> {
    if key.contains(['~', '/']) { key.replace('~', "~0").replace('/', "~1").into() } else { key.into() }
}

#[cfg(test)]
#[path = "node_tests.rs"]
mod tests;
