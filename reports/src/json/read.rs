//! Loose reading of JSON values, and the frame that all JSON parsers share.

use super::node::{self, Document, Fault, Node};
use crate::model::{Attachment, Moment, Report, Span};
use crate::{Refusal, apart, scan, text};
use std::borrow::Cow;

/// How much of a file is looked at to tell its format.
const GLANCE: usize = 64 * 1024;

/// The most entries of one map or list that become properties, tags or attachments.
pub const MOST_FACTS: usize = 1_000;

impl<'a> Node<'a> {
    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[(Cow<'a, str>, Node<'a>)] {
        if let Self::Map(map) = self { &map.entries } else { &[] }
    }

    /// What a map says of a key: the last word, unless that is null.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        let value = self.entries().iter().rev().find(|(name, _)| name == key).map(|(_, value)| value);
        value.filter(|value| **value != Node::Null)
    }

    /// What a map says of a key, or nothing.
    pub fn part(&self, key: &str) -> &Node<'a> {
        self.get(key).unwrap_or(&Node::Null)
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Node<'a>] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The items of the list under a key.
    pub fn list(&self, key: &str) -> &[Node<'a>] {
        self.get(key).map_or(&[], Node::items)
    }

    /// Whether it is a map.
    pub fn is_map(&self) -> bool {
        matches!(self, Self::Map(_))
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self, Self::List(_))
    }

    /// Whether it is a map whose end was read.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Map(map) if map.is_whole)
    }

    /// It as a text: numbers and truths too.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(number) => Some(number),
            Self::Truth(truth) => Some(if *truth { "true" } else { "false" }),
            _ => None,
        }
    }

    /// The text under a key.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Node::as_text)
    }

    /// The text under a key as it is kept, unless it is blank.
    pub fn kept(&self, key: &str) -> Option<String> {
        self.text(key).and_then(text::some)
    }

    /// The number under a key, or the number that a text there spells.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.text(key)?.trim().parse().ok()
    }

    /// The truth under a key, also as a text or a number.
    pub fn truth(&self, key: &str) -> bool {
        matches!(self.text(key), Some("true" | "True" | "1" | "yes"))
    }

    /// The line under a key.
    pub fn line(&self, key: &str) -> Option<u32> {
        self.text(key)?.trim().parse().ok().filter(|line| *line > 0)
    }

    /// So many milliseconds under a key.
    pub fn millis(&self, key: &str) -> Option<Span> {
        scan::millis(self.number(key)?)
    }

    /// The moment under a key, in any spelling.
    pub fn moment(&self, key: &str) -> Option<Moment> {
        scan::moment(self.text(key)?)
    }

    /// The texts under a key: those of a list, or the only one.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let all = if value.is_list() { value.items() } else { std::slice::from_ref(value) };
        all.iter().filter_map(Node::as_text).filter_map(text::some).take(MOST_FACTS).collect()
    }

    /// The lines under a key as one text: of a list of texts, or of the only one.
    pub fn lines(&self, key: &str) -> Option<String> {
        let value = self.get(key)?;
        let mut all = text::Gathered::default();
        value.as_text().into_iter().for_each(|text| all.push(text));
        value.items().iter().filter_map(Node::as_text).for_each(|line| all.line(line.trim_end_matches('\n')));
        all.finish()
    }

    /// The entries of a map whose values are texts, or lists of them.
    pub fn facts(&self) -> Vec<(String, String)> {
        let told = |value: &Node<'_>| match value {
            Node::List(items) => Some(items.iter().filter_map(Node::as_text).collect::<Vec<_>>().join(", ")),
            other => other.as_text().map(str::to_owned),
        };
        let entries = self.entries().iter().take(MOST_FACTS);
        entries.filter_map(|(key, value)| Some((text::clip(key), text::clip(&told(value)?)))).collect()
    }

    /// The entries of a map as they stand in a name: "browser=ie, size=3".
    pub fn parameters(&self) -> Option<String> {
        let all: Vec<_> = self.facts().into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        text::some(&all.join(", "))
    }

    /// Attachments under a key, with their names for name, media type and path.
    pub fn attachments(&self, key: &str, names: [&str; 3]) -> Vec<Attachment> {
        let all = self.list(key).iter().filter(|item| item.is_map()).take(MOST_FACTS);
        all.map(|item| {
            let [name, media_type, path] = names.map(|name| item.kept(name));
            let called = name.or_else(|| path.as_deref().map(|path| text::file_name(path).to_owned()));
            Attachment { name: called.unwrap_or_else(|| "attachment".into()), media_type, path }
        })
        .collect()
    }
}

/// The end of a stretch of time of which the beginning is known.
pub fn end(started: Option<Moment>, duration: Option<Span>) -> Option<Moment> {
    started?.checked_add(duration?)
}

/// How long it is from one moment to a later one.
pub fn between(started: Option<Moment>, finished: Option<Moment>) -> Option<Span> {
    finished?.checked_sub(started?).filter(|span| *span >= 0)
}

/// A key and its value as a property, if there is one.
pub fn fact(node: &Node<'_>, key: &str) -> Option<(String, String)> {
    Some((key.to_owned(), node.kept(key)?))
}

/// Where the document begins: past the words that runners print before it.
/// What opens a document stands at the beginning of a line and is followed by
/// what may stand in one, so a "[12:00] log line" opens none.
fn beginning(text: &str) -> Option<&str> {
    let opens = |line: &str| {
        let mut letters = line.trim_end().chars();
        let next = |letters: std::str::Chars<'_>| letters.as_str().trim_start().chars().next();
        match letters.next() {
            Some('{') => matches!(next(letters), None | Some('"' | '}')),
            Some('[') => matches!(next(letters), None | Some('{' | ']')),
            _ => false,
        }
    };
    let start = text.trim_start();
    if start.starts_with(['{', '[']) {
        return Some(start);
    }
    if start.starts_with('<') {
        return None;
    }
    let mut at = 0;
    for line in start.split_inclusive('\n') {
        if opens(line) {
            return Some(&start[at..]);
        }
        at += line.len();
        if at > GLANCE {
            break;
        }
    }
    None
}

/// Whether the beginning of a file is JSON that passes a test.
pub fn glance(file: &[u8], test: impl FnOnce(&Node<'_>) -> bool) -> bool {
    let text = text::decode(&file[..file.len().min(GLANCE)]);
    beginning(&text).is_some_and(|text| test(&node::parse(text).root))
}

/// Reads a document into a report. What `fill` cannot take from it, it says;
/// what is wrong with the document itself is noted here.
pub fn report(
    file: &[u8],
    fill: impl FnOnce(&Node<'_>, &mut Report) -> Result<(), Refusal>,
) -> Result<Report, Refusal> {
    let text = text::decode(file);
    let Some(body) = beginning(&text) else {
        return Err(Refusal::Malformed("this is no JSON".into()));
    };
    let before = text[..text.len() - body.len()].trim();
    let document = node::parse(body);
    let mut report = Report::default();
    fill(&document.root, &mut report)?;
    if !before.is_empty() {
        text::lose(&mut report, "line 1", "what stands before the report is no part of it");
    }
    note(&document, &mut report);
    apart::tell_apart(&mut report);
    Ok(report)
}

fn note(document: &Document<'_>, report: &mut Report) {
    for place in &document.too_deep {
        text::lose(report, place, "nested too deeply to be read");
    }
    if let Some(Fault { place, line, detail }) = &document.fault {
        report.is_aborted = true;
        text::lose(report, place, format!("the file ends early in line {line}: {detail}; what came before was read"));
    }
    if document.has_more {
        text::lose(report, "", "what follows the report is no part of it");
    }
}

/// Whether the file ends within this case; noted if so. Such a case is left
/// out: what would have told of its failure, or of its place, may be missing.
pub fn is_cut(case: &Node<'_>, name: &str, place: impl FnOnce() -> String, report: &mut Report) -> bool {
    if !case.is_whole() {
        text::lose(report, place(), format!("the file ends within {name:?}, which is left out"));
    }
    !case.is_whole()
}

/// A refusal of a document that lacks what makes it one of its format.
pub fn lacking(what: &str) -> Refusal {
    Refusal::Malformed(format!("there is no {what} in it"))
}
