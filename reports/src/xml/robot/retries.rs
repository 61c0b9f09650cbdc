//! Earlier attempts, as far as a test's message tells of them.
//!
//! `rebot --merge` keeps the old status and message in the new message, as
//! HTML. Listeners that retry a test write "Skipped for Retry" into the
//! attempts that they put aside, or "[RETRY] PASS on 2. retry." into the one
//! that is left.

use crate::xml::tag::unescape;
use crate::xml::text::message;
use crate::{Attempt, Verdict};

const HTML: &str = "*HTML*";

const PUT_ASIDE: &str = "Skipped for Retry";

const RETRIED: &str = "[RETRY] ";

/// Attempts that are believed of one test.
const MOST_ATTEMPTS: usize = 50;

/// The attempts that lie behind one, itself last.
pub(super) fn unfold(mut last: Attempt) -> Vec<Attempt> {
    let Some(said) = last.message.take() else { return vec![last] };
    if let Some(earlier) = merged(&said, &mut last) {
        return earlier.into_iter().rev().chain([last]).collect();
    }
    if let Some(before) = said.strip_suffix(PUT_ASIDE)
        && last.verdict == Verdict::Skipped
    {
        last.verdict = Verdict::Failed;
        last.message = message(before);
        return vec![last];
    }
    let failed = Attempt { verdict: Verdict::Failed, ..Attempt::default() };
    let earlier = vec![failed; retried(&said)];
    last.message = Some(said);
    earlier.into_iter().chain([last]).collect()
}

/// How many attempts a retrying listener says that it made before.
fn retried(said: &str) -> usize {
    let Some((_, after)) = said.rsplit_once(RETRIED) else { return 0 };
    let number = after.split_once(" on ").and_then(|(_, rest)| rest.split('.').next()?.parse().ok());
    number.unwrap_or(0).min(MOST_ATTEMPTS)
}

/// The older attempts in a merged message, the newest of them first; the
/// newest message of all is given to `last`.
fn merged(said: &str, last: &mut Attempt) -> Option<Vec<Attempt>> {
    let html = said.strip_prefix(HTML)?;
    if !html.split("<hr>").next()?.to_ascii_lowercase().contains("re-executed") {
        return None;
    }
    let mut earlier: Vec<Attempt> = Vec::new();
    let mut sections = html.split("<hr>").skip(1).map(plain).peekable();
    if sections.peek().is_none_or(|section| status(section, "New").is_none()) {
        return None;
    }
    for section in sections.take(MOST_ATTEMPTS) {
        if let Some((_, text)) = status(&section, "New") {
            last.message = text;
        } else if let Some((verdict, message)) = status(&section, "Old") {
            earlier.push(Attempt { verdict, message, ..Attempt::default() });
        } else {
            let slot = earlier.last_mut().map_or(&mut last.message, |attempt| &mut attempt.message);
            *slot = message(&format!("{}\n{section}", slot.take().unwrap_or_default()));
        }
    }
    Some(earlier)
}

/// "New status: PASS", and the message below it.
fn status(section: &str, age: &str) -> Option<(Verdict, Option<String>)> {
    let rest = section.trim_start().strip_prefix(age)?.strip_prefix(" status:")?;
    let (status, rest) = rest.split_once('\n').unwrap_or((rest, ""));
    let said = rest.trim_start().strip_prefix(age).and_then(|rest| rest.strip_prefix(" message:"));
    Some((super::verdict(status.trim()), message(said.unwrap_or(rest))))
}

/// HTML as plain text: line breaks kept, other tags dropped.
fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut pieces = html.split('<');
    text.push_str(&unescape(pieces.next().unwrap_or_default()));
    for piece in pieces {
        let (tag, rest) = piece.split_once('>').unwrap_or(("", piece));
        if matches!(tag.trim_end_matches(['/', ' ']), "br" | "p" | "/p" | "/div" | "/li") {
            text.push('\n');
        }
        text.push_str(&unescape(rest));
    }
    text
}
