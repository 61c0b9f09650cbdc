//! Formats that are told line by line.
//!
//! Such a file is written while the tests run, so a crash leaves a readable
//! one: whatever was begun and has no end is an attempt of unknown verdict.
//! Lines of others between those of the format are normal, and no loss.

pub mod dart;
pub mod go;
pub mod libtest;
pub mod tap;

use crate::json::node::{self, Node};
use crate::model::Report;
use crate::text;

/// How much of a file is looked at to tell its format.
const GLANCE: usize = 64 * 1024;

/// A line of a file of JSON lines.
enum Line<'a> {
    /// An object.
    Object(Node<'a>),
    /// Words of somebody else.
    Other(&'a str),
    /// What begins like an object and is none; cut off, if it is the last of a
    /// file that does not end in a line break.
    Broken {
        /// The file breaks off in it.
        is_cut: bool,
    },
}

/// The lines of a file with their numbers.
fn json_lines(text: &str) -> impl Iterator<Item = (usize, Line<'_>)> {
    text.split_inclusive('\n').enumerate().map(|(at, line)| {
        let trimmed = line.trim();
        if !trimmed.starts_with('{') {
            return (at + 1, Line::Other(line.trim_end_matches(['\r', '\n'])));
        }
        let document = node::parse(trimmed);
        let is_whole = document.fault.is_none() && !document.has_more;
        (at + 1, if is_whole { Line::Object(document.root) } else { Line::Broken { is_cut: !line.ends_with('\n') } })
    })
}

/// Notes an event that could not be read.
fn broken(report: &mut Report, number: usize, is_cut: bool) {
    report.is_aborted |= is_cut;
    let detail =
        if is_cut { "the file breaks off here; what came before was read" } else { "this event cannot be read" };
    text::lose(report, format!("line {number}"), detail);
}

/// Whether one of the first events of a file passes a test.
fn glance(file: &[u8], test: impl Fn(&Node<'_>) -> bool) -> bool {
    if file.trim_ascii_start().starts_with(b"<") {
        return false;
    }
    let text = text::decode(&file[..file.len().min(GLANCE)]);
    let mut objects =
        json_lines(&text).filter_map(|(_, line)| if let Line::Object(node) = line { Some(node) } else { None });
    objects.by_ref().take(16).any(|node| test(&node))
}

/// What is said of an attempt whose end the file does not tell.
const NO_END: &str = "the report does not tell how it ended";
