//! Colours for scripts: Robot Framework and Python, line by line.
//!
//! Small on purpose: it tells comments, strings, keywords, names and variables
//! apart, and never fails. It is no parser. A text it does not understand
//! comes out plain, and the pieces of a line always join up to that line.

/// What a piece of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing special.
    Plain,
    /// A comment.
    Comment,
    /// A quoted text.
    Text,
    /// A word of the language.
    Word,
    /// The name of what is being defined: a test, a keyword, a function.
    Name,
    /// A variable or a decorator.
    Variable,
    /// A number.
    Number,
    /// A section's heading.
    Heading,
}

impl Kind {
    /// As CSS knows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Comment => "comment",
            Self::Text => "text",
            Self::Word => "word",
            Self::Name => "name",
            Self::Variable => "variable",
            Self::Number => "number",
            Self::Heading => "heading",
        }
    }
}

/// A piece of a line.
pub type Piece<'a> = (Kind, &'a str);

/// The language of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Robot Framework.
    Robot,
    /// Python.
    Python,
    /// Any other.
    Plain,
}

impl Language {
    /// Judged by the file's name, else by the text itself.
    pub fn of(source: Option<&str>, text: &str) -> Self {
        let ending = source.and_then(|source| source.rsplit_once('.')).map(|(_, ending)| ending);
        match ending {
            Some("robot" | "resource") => Self::Robot,
            Some("py") => Self::Python,
            _ if text.lines().any(|line| line.starts_with("*** ")) => Self::Robot,
            _ if text.lines().any(|line| line.trim_start().starts_with("def ")) => Self::Python,
            _ => Self::Plain,
        }
    }
}

/// Every line of a text in its pieces.
pub fn highlight(language: Language, text: &str) -> Vec<Vec<Piece<'_>>> {
    let mut open = None;
    let mut section = "";
    text.lines()
        .map(|line| match language {
            Language::Robot => robot(line, &mut section),
            Language::Python => python(line, &mut open),
            Language::Plain => vec![(Kind::Plain, line)],
        })
        .collect()
}

/// `section` is the heading of the section that the line stands in.
fn robot<'a>(line: &'a str, section: &mut &'a str) -> Vec<Piece<'a>> {
    if line.starts_with('*') {
        *section = line;
        return vec![(Kind::Heading, line)];
    }
    if line.trim_start().starts_with('#') {
        return vec![(Kind::Comment, line)];
    }
    if line.starts_with(|first: char| !first.is_whitespace() && !"$@&%.".contains(first)) {
        let is_setting = section.to_ascii_lowercase().contains("setting");
        return if is_setting { setting(line) } else { vec![(Kind::Name, line)] };
    }
    pieces_of(Pieces::of(line))
}

/// A line of the settings: its name, then its values.
fn setting(line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Pieces::of(line);
    pieces.take(Kind::Word, line.find("  ").or_else(|| line.find('\t')).unwrap_or(line.len()));
    pieces_of(pieces)
}

fn pieces_of(mut pieces: Pieces<'_>) -> Vec<Piece<'_>> {
    while !pieces.rest().is_empty() {
        let (kind, end) = robot_piece(pieces.rest());
        pieces.take(kind, end);
    }
    pieces.done
}

/// Cuts a line from its beginning; neighbours of one kind become one piece,
/// for fewer elements on the page.
struct Pieces<'a> {
    line: &'a str,
    /// Where the last piece began.
    begun: usize,
    /// How much is cut.
    taken: usize,
    done: Vec<Piece<'a>>,
}

impl<'a> Pieces<'a> {
    fn of(line: &'a str) -> Self {
        Self { line, begun: 0, taken: 0, done: Vec::new() }
    }

    fn rest(&self) -> &'a str {
        &self.line[self.taken..]
    }

    fn take(&mut self, kind: Kind, length: usize) {
        let end = self.taken + length;
        match self.done.last_mut() {
            Some((last, piece)) if *last == kind => *piece = &self.line[self.begun..end],
            _ => {
                self.begun = self.taken;
                self.done.push((kind, &self.line[self.begun..end]));
            }
        }
        self.taken = end;
    }
}

fn robot_piece(rest: &str) -> (Kind, usize) {
    let mut chars = rest.char_indices();
    let Some((_, first)) = chars.next() else { return (Kind::Plain, 0) };
    let second = chars.next().map(|(_, c)| c);
    match (first, second) {
        ('$' | '@' | '&' | '%', Some('{')) => (Kind::Variable, closing_brace(rest)),
        ('[', _) => match rest.find(']') {
            Some(end) => (Kind::Word, end + 1),
            None => (Kind::Plain, 1),
        },
        ('#', _) => (Kind::Comment, rest.len()),
        ('.', Some('.')) if rest.starts_with("...") => (Kind::Word, 3),
        (c, _) if c.is_alphanumeric() => {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (robot_word(&rest[..end]), end)
        }
        (c, _) => (Kind::Plain, c.len_utf8()),
    }
}

fn robot_word(word: &str) -> Kind {
    const WORDS: [&str; 14] = [
        "FOR", "IN", "RANGE", "END", "IF", "ELSE", "WHILE", "TRY", "EXCEPT", "FINALLY", "RETURN", "BREAK", "CONTINUE",
        "VAR",
    ];
    if WORDS.contains(&word) {
        Kind::Word
    } else if word.bytes().all(|byte| byte.is_ascii_digit()) {
        Kind::Number
    } else {
        Kind::Plain
    }
}

/// The end of `${a${b}}`, braces matched.
fn closing_brace(rest: &str) -> usize {
    let mut depth = 0_u32;
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

const PYTHON_WORDS: [&str; 35] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "False", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "None", "nonlocal", "not", "or",
    "pass", "raise", "return", "True", "try", "while", "with", "yield",
];

/// `open` is the triple quote that an earlier line left open.
fn python<'a>(line: &'a str, open: &mut Option<&'static str>) -> Vec<Piece<'a>> {
    let mut pieces = Pieces::of(line);
    let mut defines = false;
    while !pieces.rest().is_empty() {
        let (kind, end) = python_piece(pieces.rest(), open, defines);
        let piece = &pieces.rest()[..end];
        defines = match piece {
            "def" | "class" => kind == Kind::Word,
            _ => defines && piece.trim().is_empty(),
        };
        pieces.take(kind, end);
    }
    pieces.done
}

fn python_piece(rest: &str, open: &mut Option<&'static str>, defines: bool) -> (Kind, usize) {
    if let Some(quote) = *open {
        let end = rest.find(quote).map(|at| at + quote.len());
        if end.is_some() {
            *open = None;
        }
        return (Kind::Text, end.unwrap_or(rest.len()));
    }
    for quote in ["\"\"\"", "'''"] {
        if let Some(inside) = rest.strip_prefix(quote) {
            let end = inside.find(quote).map(|at| at + 2 * quote.len());
            if end.is_none() {
                *open = Some(quote);
            }
            return (Kind::Text, end.unwrap_or(rest.len()));
        }
    }
    let Some(first) = rest.chars().next() else { return (Kind::Plain, 0) };
    match first {
        '#' => (Kind::Comment, rest.len()),
        '"' | '\'' => (Kind::Text, closing_quote(rest, first)),
        '@' => (Kind::Variable, rest.find(|c: char| c == '(' || c.is_whitespace()).unwrap_or(rest.len())),
        c if c.is_ascii_digit() => (Kind::Number, word_end(rest)),
        c if c.is_alphabetic() || c == '_' => {
            let end = word_end(rest);
            let kind = match () {
                () if defines => Kind::Name,
                () if PYTHON_WORDS.contains(&&rest[..end]) => Kind::Word,
                () => Kind::Plain,
            };
            (kind, end)
        }
        c => (Kind::Plain, c.len_utf8()),
    }
}

fn word_end(rest: &str) -> usize {
    rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
}

fn closing_quote(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(language: Language, text: &str) -> Vec<Piece<'_>> {
        highlight(language, text)
            .into_iter()
            .flatten()
            .filter(|(kind, piece)| *kind != Kind::Plain && !piece.trim().is_empty())
            .collect()
    }

    #[test]
    fn robot_sections_names_settings_and_variables() {
        let text = "*** Settings ***\nSuite Setup    Power On\n*** Test Cases ***\nOpens the valve\n    [Tags]    slow\n    Set    ${valve}[open]  # now";
        let expected = vec![
            (Kind::Heading, "*** Settings ***"),
            (Kind::Word, "Suite Setup"),
            (Kind::Heading, "*** Test Cases ***"),
            (Kind::Name, "Opens the valve"),
            (Kind::Word, "[Tags]"),
            (Kind::Variable, "${valve}"),
            (Kind::Word, "[open]"),
            (Kind::Comment, "# now"),
        ];
        assert_eq!(kinds(Language::Robot, text), expected);
    }

    #[test]
    fn python_words_texts_and_names() {
        let text = "@pytest.mark.slow\ndef test_it():\n    assert x == 'it\\'s'  # so";
        let expected = vec![
            (Kind::Variable, "@pytest.mark.slow"),
            (Kind::Word, "def"),
            (Kind::Name, "test_it"),
            (Kind::Word, "assert"),
            (Kind::Text, "'it\\'s'"),
            (Kind::Comment, "# so"),
        ];
        assert_eq!(kinds(Language::Python, text), expected);
    }

    #[test]
    fn a_triple_quote_reaches_over_lines() {
        let text = "'''one\ntwo''' if 3";
        let expected = vec![(Kind::Text, "'''one"), (Kind::Text, "two'''"), (Kind::Word, "if"), (Kind::Number, "3")];
        assert_eq!(kinds(Language::Python, text), expected);
    }

    #[test]
    fn the_language_is_judged_by_name_else_by_text() {
        assert_eq!(Language::of(Some("a/b.robot"), ""), Language::Robot);
        assert_eq!(Language::of(None, "*** Settings ***"), Language::Robot);
        assert_eq!(Language::of(Some("x"), "def f(): pass"), Language::Python);
        assert_eq!(Language::of(None, "hello"), Language::Plain);
    }

    proptest! {
        #[test]
        fn pieces_join_up_to_their_line(text in "[ -~äß\\n'\"#$\\{\\}\\[\\]@*.]{0,200}") {
            for language in [Language::Robot, Language::Python, Language::Plain] {
                for (line, pieces) in text.lines().zip(highlight(language, &text)) {
                    let joined: String = pieces.iter().map(|(_, piece)| *piece).collect();
                    prop_assert_eq!(line, joined);
                }
            }
        }
    }
}
