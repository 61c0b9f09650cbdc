//! One line of TAP.

use crate::model::Verdict;

/// What a line says.
#[derive(Debug, PartialEq)]
pub enum Said<'a> {
    /// Nothing.
    Blank,
    /// "TAP version 14", "KTAP version 1".
    Version,
    /// How many tests there are, and why there are none.
    Plan(u64, Option<&'a str>),
    /// The result of a test.
    Point(Point<'a>),
    /// "Bail out!", and why.
    Bail(&'a str),
    /// The name of the subtests that follow.
    Subtest(&'a str),
    /// A comment.
    Comment(&'a str),
    /// A file, as a harness announces it: "t/basic.t ..".
    File(&'a str),
    /// Words of the program under test.
    Other,
}

/// The result of a test.
#[derive(Debug, PartialEq)]
pub struct Point<'a> {
    /// It says "ok".
    pub is_ok: bool,
    /// Its number, if it has one.
    pub number: Option<u64>,
    /// What it is about, as written.
    pub description: &'a str,
    /// The directive and its words.
    pub directive: Option<(Directive, &'a str)>,
}

/// What a directive makes of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive {
    /// Not run.
    Skip,
    /// Not expected to work yet.
    Todo,
    /// The kernel's: failed, as expected.
    Expected,
    /// The kernel's: took too long.
    Timeout,
    /// The kernel's: could not be checked.
    Error,
}

impl Point<'_> {
    /// What it comes to. A test that is to be done is no failure whether it
    /// works or not, but it is worth a look: a warning.
    pub fn verdict(&self) -> Verdict {
        match (self.directive.map(|(directive, _)| directive), self.is_ok) {
            (Some(Directive::Skip), _) => Verdict::Skipped,
            (Some(Directive::Todo | Directive::Expected), _) => Verdict::Warned,
            (Some(Directive::Timeout), _) => Verdict::TimedOut,
            (Some(Directive::Error), _) => Verdict::Errored,
            (None, true) => Verdict::Passed,
            (None, false) => Verdict::Failed,
        }
    }
}

/// Reads a line without its indentation. `is_nested` lines may be the output of
/// a program, so a result there must have a number.
pub fn read(line: &str, is_nested: bool) -> Said<'_> {
    let line = line.trim_end();
    if line.is_empty() {
        return Said::Blank;
    }
    if line.starts_with("TAP version ") || line.starts_with("KTAP version ") {
        return Said::Version;
    }
    if let Some(comment) = line.strip_prefix('#') {
        let comment = comment.strip_prefix(' ').unwrap_or(comment);
        return comment.strip_prefix("Subtest: ").map_or(Said::Comment(comment), |name| Said::Subtest(name.trim()));
    }
    if line.get(..9).is_some_and(|words| words.eq_ignore_ascii_case("bail out!")) {
        return Said::Bail(line[9..].trim());
    }
    plan(line)
        .or_else(|| point(line, is_nested).map(Said::Point))
        .unwrap_or_else(|| file(line).map_or(Said::Other, Said::File))
}

/// A line without the time that the kernel's log puts before it: "[    1.234567] ".
pub fn without_stamp(line: &str) -> &str {
    let stamped = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    let is_time = |time: &str| {
        let time = time.trim_start();
        time.contains('.') && time.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    stamped.filter(|(time, _)| is_time(time)).map_or(line, |(_, rest)| rest)
}

fn plan(line: &str) -> Option<Said<'_>> {
    let (range, comment) = line.split_once('#').map_or((line, None), |(range, comment)| (range, Some(comment.trim())));
    let (first, last) = range.trim().split_once("..")?;
    first.parse::<u64>().ok()?;
    let reason = comment.map(|comment| directive(comment).map_or(comment, |(_, reason)| reason));
    Some(Said::Plan(last.parse().ok()?, reason))
}

fn file(line: &str) -> Option<&str> {
    let name = line.trim_end_matches('.').trim_end();
    (line.ends_with("..") && !name.is_empty() && (name.contains('/') || name.contains('.'))).then_some(name)
}

fn point(line: &str, is_nested: bool) -> Option<Point<'_>> {
    let (is_ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    if !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    let rest = rest.trim_start();
    let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let number =
        rest[..digits].parse().ok().filter(|_| rest[digits..].is_empty() || rest[digits..].starts_with([' ', '\t']));
    let description = if number.is_some() { rest[digits..].trim_start() } else { rest };
    let has_dash = description == "-" || description.starts_with("- ");
    // "ok, let us go" is no result, and neither is Go's "ok  	package	0.1s".
    let is_plain = rest.is_empty() || rest.starts_with('#') || has_dash;
    if number.is_none() && (is_nested || !is_plain) {
        return None;
    }
    let description = if has_dash { description[1..].trim_start() } else { description };
    let (description, directive) = split(description);
    Some(Point { is_ok, number, description, directive })
}

/// A description and its directive, which stands behind a hash that is not escaped.
fn split(text: &str) -> (&str, Option<(Directive, &str)>) {
    let hashes = text.match_indices('#').filter(|(at, _)| !text[..*at].ends_with('\\'));
    for (at, _) in hashes.take(100) {
        if let Some(directive) = directive(text[at + 1..].trim_start()) {
            return (text[..at].trim_end(), Some(directive));
        }
    }
    (text.trim_end(), None)
}

/// A directive and the words behind it.
fn directive(text: &str) -> Option<(Directive, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(text.len());
    let directive = match text[..end].to_ascii_lowercase().as_str() {
        "skip" | "skipped" => Directive::Skip,
        "todo" => Directive::Todo,
        "xfail" => Directive::Expected,
        "timeout" => Directive::Timeout,
        "error" => Directive::Error,
        _ => return None,
    };
    Some((directive, text[end..].trim_start_matches([':', ' ', '\t']).trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Option<(Option<u64>, &str, Verdict, &str)> {
        let Said::Point(point) = read(line, false) else { return None };
        Some((point.number, point.description, point.verdict(), point.directive.map_or("", |(_, words)| words)))
    }

    #[test]
    fn results_and_their_directives() {
        let table = [
            ("ok 1 - works", Some((Some(1), "works", Verdict::Passed, ""))),
            ("not ok 2 fails", Some((Some(2), "fails", Verdict::Failed, ""))),
            ("ok", Some((None, "", Verdict::Passed, ""))),
            ("not ok - no number", Some((None, "no number", Verdict::Failed, ""))),
            ("ok 3 # SKIP no network", Some((Some(3), "", Verdict::Skipped, "no network"))),
            ("not ok 4 - x # todo: later", Some((Some(4), "x", Verdict::Warned, "later"))),
            ("ok 5 - a \\# b # Skipped", Some((Some(5), "a \\# b", Verdict::Skipped, ""))),
            ("not ok 6 sel # TIMEOUT 45 seconds", Some((Some(6), "sel", Verdict::TimedOut, "45 seconds"))),
            ("ok 7 x # XFAIL known", Some((Some(7), "x", Verdict::Warned, "known"))),
            ("ok 8 issue #12 is solved", Some((Some(8), "issue #12 is solved", Verdict::Passed, ""))),
            ("ok  \tgithub.com/x\t0.1s", None),
            ("okay", None),
            ("ok let us go", None),
        ];
        for (line, expected) in table {
            assert_eq!(told(line), expected, "{line}");
        }
        assert_eq!(read("ok - no number", true), Said::Other);
    }

    #[test]
    fn lines_that_are_no_results() {
        let table = [
            ("1..6", Said::Plan(6, None)),
            ("1..0 # SKIP no disk", Said::Plan(0, Some("no disk"))),
            ("TAP version 14", Said::Version),
            ("# Subtest: inner", Said::Subtest("inner")),
            ("# words", Said::Comment("words")),
            ("Bail out! no database", Said::Bail("no database")),
            ("t/basic.t ..", Said::File("t/basic.t")),
            ("and so on ...", Said::Other),
            ("", Said::Blank),
        ];
        for (line, expected) in table {
            assert_eq!(read(line, false), expected, "{line}");
        }
    }
}
