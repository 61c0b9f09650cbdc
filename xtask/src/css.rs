//! Makes one style sheet out of `main.css` and the files it imports.
//!
//! A browser would load each import in a request of its own, one after the other.
//! Here every `@import` becomes the text of its file, inside the layer that it
//! names. That is all: what is left is plain CSS, as it was written, less its
//! comments. There is no preprocessor and no minifier, since what they would save
//! is gone after compression.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// The text of `file` with everything it imports in its place.
pub fn inline(file: &Path) -> Result<String> {
    inline_within(file, &mut Vec::new())
}

/// `open` are the files being inlined at the moment, to notice a circle.
fn inline_within(file: &Path, open: &mut Vec<PathBuf>) -> Result<String> {
    ensure!(!open.iter().any(|other| other == file), "{} imports itself in a circle", file.display());
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    open.push(file.to_owned());
    let sheet = without_comments(&text);
    let inlined = replace_imports(&sheet, file, open).with_context(|| file.display().to_string())?;
    open.pop();
    Ok(inlined)
}

/// Walks the statements at the head of a sheet, where alone imports may stand.
fn replace_imports(sheet: &str, file: &Path, open: &mut Vec<PathBuf>) -> Result<String> {
    let mut out = String::new();
    let mut rest = sheet.trim_start();
    while let Some((statement, after)) = head_statement(rest) {
        if let Some(import) = statement.strip_prefix("@import") {
            let import = Import::parse(import)?;
            let folder = file.parent().unwrap_or(Path::new("."));
            let text = inline_within(&folder.join(import.path), open)?;
            out.push_str(&import.wrap(&text));
        } else if !statement.starts_with("@charset") {
            out.push_str(statement);
            out.push_str(";\n");
        }
        rest = after.trim_start();
    }
    ensure!(!rest.contains("@import"), "an @import must stand before all rules; browsers ignore a later one");
    check_addresses(rest)?;
    out.push_str(&tidy(rest));
    Ok(out)
}

/// The first statement, if it is one that may precede an import.
fn head_statement(text: &str) -> Option<(&str, &str)> {
    if !["@import", "@layer", "@charset"].iter().any(|word| text.starts_with(word)) {
        return None;
    }
    let end = text.find([';', '{'])?;
    // `@layer name { … }` is a block of rules, not a statement.
    (text.as_bytes()[end] == b';').then(|| (text[..end].trim_end(), &text[end + 1..]))
}

/// What follows the word in `@import "ui/tile.css" layer(ui)`.
struct Import<'a> {
    path: &'a str,
    layer: Option<&'a str>,
}

impl<'a> Import<'a> {
    fn parse(text: &'a str) -> Result<Self> {
        let text = text.trim();
        let (path, conditions) =
            Self::split_path(text).with_context(|| format!("cannot read @import {text}; write a path in quotes"))?;
        ensure!(!path.contains("//"), "@import of {path}: only files of this repository may be imported");
        let layer = match conditions {
            "" => None,
            "layer" => Some(""),
            other => match other.strip_prefix("layer(").and_then(|l| l.strip_suffix(')')) {
                Some(name) => Some(name.trim()),
                None => bail!("@import \"{path}\" {other}: only layer(…) may follow the path"),
            },
        };
        Ok(Self { path, layer })
    }

    fn split_path(text: &str) -> Option<(&str, &str)> {
        let (text, ending) = match text.strip_prefix("url(") {
            Some(inner) => (inner.trim_start(), ")"),
            None => (text, ""),
        };
        let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (path, rest) = text[1..].split_once(quote)?;
        let conditions = rest.trim_start().strip_prefix(ending)?;
        Some((path, conditions.trim()))
    }

    fn wrap(&self, text: &str) -> String {
        match self.layer {
            Some("") => format!("@layer {{\n{text}}}\n"),
            Some(name) => format!("@layer {name} {{\n{text}}}\n"),
            None => text.to_owned(),
        }
    }
}

/// Refuses addresses that would break when the sheet moves to its place in the site.
fn check_addresses(sheet: &str) -> Result<()> {
    for (start, _) in sheet.match_indices("url(") {
        let address = sheet[start + 4..].trim_start().trim_start_matches(['"', '\'']);
        let end = address.find(['"', '\'', ')']).unwrap_or(address.len());
        let address = &address[..end];
        let is_own = address.starts_with('/') && !address.starts_with("//");
        ensure!(
            is_own || address.starts_with('#') || address.starts_with("data:"),
            "url({address}) must start with / (the files of public/ lie there)"
        );
    }
    Ok(())
}

/// Leaves out comments, but not what looks like one inside a string.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if quote.is_none() && rest.starts_with("/*") {
            // A comment separates words just as a space does.
            out.push(' ');
            rest = rest.split_once("*/").map_or("", |(_, after)| after);
            continue;
        }
        // A backslash takes the meaning from the character after it.
        let taken = match c {
            '\\' => rest.chars().take(2).map(char::len_utf8).sum(),
            _ => c.len_utf8(),
        };
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            // A string also ends, as a mistake, with its line.
            (Some(open), c) if c == open || c == '\n' => quote = None,
            _ => {}
        }
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

/// Takes the blank ends of lines and blank lines away, which comments leave behind.
fn tidy(text: &str) -> String {
    let lines = text.lines().map(str::trim_end).filter(|l| !l.is_empty());
    lines.fold(String::new(), |mut out, line| {
        out.push_str(line);
        out.push('\n');
        out
    })
}

#[cfg(test)]
#[path = "css_tests.rs"]
mod tests;
