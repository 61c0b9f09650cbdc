//! Reports in XML.
//!
//! - `decode`, `walk`, `tag`, `text`: from bytes to elements, with bounds.
//! - `when`, `repeats`: what every parser needs to judge alike.
//! - The rest: a parser a format.

mod decode;
pub mod junit;
mod names;
pub mod nunit;
mod repeats;
pub mod robot;
mod room;
mod tag;
mod text;
pub mod trx;
mod walk;
mod when;
pub mod xunit;

use crate::{Refusal, Report};
use decode::{decode, maybe_utf8};
use tag::Tag;
use walk::Walk;

/// Within this many bytes the root element begins, after whatever licence.
const PROLOG_BYTES: usize = 64 * 1024;

/// Suites inside each other that are followed; each costs a call.
const DEEPEST_SUITE: usize = 64;

/// Properties of a run that are kept; some writers repeat the whole environment
/// in every suite.
const KEPT_PROPERTIES: usize = 500;

/// The suite of cases that name none.
const NO_SUITE: &str = "tests";

/// The name of a case that has none.
const NO_NAME: &str = "(unnamed)";

/// Whether the root of a file is one that `accepts` takes; it is also given
/// the text after the root's name.
fn root_is(file: &[u8], accepts: impl Fn(Tag<'_>, &str) -> bool) -> bool {
    let decoded = decode(&file[..file.len().min(PROLOG_BYTES)]);
    let text = decoded.text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    text.starts_with('<') && root(text).is_some_and(|(tag, rest)| accepts(tag, rest))
}

/// Finds the first start tag, and what follows its beginning.
fn root(text: &str) -> Option<(Tag<'_>, &str)> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find('<')?..];
        let end = if rest.starts_with("<!--") {
            rest.find("-->")? + 3
        } else if rest.starts_with("<!") {
            doctype_end(rest)?
        } else if rest.starts_with("<?") {
            rest.find("?>")? + 2
        } else {
            let end = rest.find('>').unwrap_or(rest.len());
            return Some((Tag::new(rest[1..end].trim_end_matches('/')), rest));
        };
        rest = &rest[end..];
    }
}

/// The end of a document type, which may hold definitions in brackets.
fn doctype_end(text: &str) -> Option<usize> {
    let close = text.find('>')?;
    match text[..close].find('[') {
        Some(_) => text.find("]>").map(|at| at + 2),
        None => Some(close + 1),
    }
}

/// Reads a file: `element` is given every root of a known name.
fn read<T: Default>(
    file: &[u8],
    roots: &[&str],
    element: impl for<'a> Fn(&mut T, &mut Walk<'a>, Tag<'a>),
    report: impl Fn(T) -> Report,
) -> Result<Report, Refusal> {
    // Nearly every file is UTF-8 throughout. It is taken as such, which spares
    // a pass over all of it; one that is not is decoded, and read once more.
    if let Some(source) = maybe_utf8(file)
        && let Some(read) = attempt(source, roots, &element, &report)
    {
        return read;
    }
    let decoded = decode(file);
    let read = attempt(decoded.text.as_bytes(), roots, &element, &report);
    let mut report = read.unwrap_or_else(|| Err(Refusal::Malformed("the file is no text".into())))?;
    if let Some(line) = decoded.broken_line {
        report.lose(format!("line {line}"), "bytes that are no text were replaced, here and perhaps below");
    }
    Ok(report)
}

/// Reads what should be UTF-8; `None` if it is not.
fn attempt<T: Default>(
    source: &[u8],
    roots: &[&str],
    element: &impl for<'a> Fn(&mut T, &mut Walk<'a>, Tag<'a>),
    report: &impl Fn(T) -> Report,
) -> Option<Result<Report, Refusal>> {
    let mut state = T::default();
    let mut walk = Walk::new(source);
    let mut is_known = false;
    while let Some(tag) = walk.child(0) {
        if roots.contains(&tag.name()) {
            is_known = true;
            element(&mut state, &mut walk, tag);
        }
    }
    if walk.is_strange() {
        return None;
    }
    let mut report = report(state);
    Some(match walk.finish(&mut report) {
        Err(refusal) => Err(refusal),
        Ok(()) if is_known => Ok(report),
        Ok(()) => Err(Refusal::Malformed(format!("there is no <{}> at its root", roots.join("> or <")))),
    })
}

/// Notes a property of the run, or knows it as something better.
fn run_property(report: &mut Report, name: String, value: String) {
    let slot = match name.to_ascii_lowercase().replace(['_', '-'], ".").as_str() {
        "commit" | "git.commit" | "commit.sha" | "ci.commit.sha" | "github.sha" => &mut report.commit,
        "branch" | "git.branch" | "ci.branch" | "ci.commit.branch" => &mut report.branch,
        "build.url" | "ci.job.url" | "ci.pipeline.url" => &mut report.url,
        _ => return keep_property(&mut report.properties, name, value),
    };
    if slot.is_none() && !value.is_empty() {
        *slot = Some(value);
    }
}

fn keep_property(properties: &mut Vec<(String, String)>, name: String, value: String) {
    let property = (name, value);
    if properties.len() < KEPT_PROPERTIES && !properties.contains(&property) {
        properties.push(property);
    }
}

/// Tags of one case that are kept.
const KEPT_TAGS: usize = 100;

fn keep_tag(tags: &mut Vec<String>, tag: String) {
    if tags.len() < KEPT_TAGS && !tag.is_empty() && !tags.contains(&tag) {
        tags.push(tag);
    }
}

/// The last part of a path of either kind of slash.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(path)
}

#[cfg(test)]
mod dotnet_tests;
#[cfg(test)]
mod tests;
