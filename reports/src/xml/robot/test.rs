//! A `<test>`.

use super::keywords::{Trails, linked};
use super::{Robot, Status, retries};
use crate::xml::tag::Tag;
use crate::xml::walk::Walk;
use crate::xml::{NO_NAME, file_name, keep_tag};
use crate::{Attachment, Attempt, Case, Verdict};

/// Files that one attempt may show.
const MOST_ATTACHMENTS: usize = 100;

impl Robot {
    pub(super) fn test(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>, group: usize, source: Option<&String>) {
        if !self.room.take(self.path.iter().chain(source)) {
            return;
        }
        let level = walk.level();
        let line = tag.raw("line").or_else(|| tag.raw("lineno")).and_then(|line| line.parse().ok());
        let mut case = Case {
            suite: self.path.clone(),
            name: tag.owned("name").unwrap_or_else(|| NO_NAME.into()),
            source: source.cloned(),
            line: line.filter(|line| *line > 0),
            ..Case::default()
        };
        let (mut status, mut trails, mut attachments) = (None, Trails::default(), Vec::new());
        while let Some(inner) = walk.dive(level) {
            let depth = walk.level();
            let is_outside = trails.is_outside(depth);
            match inner.name() {
                "status" if is_outside && depth == level + 1 => status = Some(Status::read(walk, inner)),
                "tag" if is_outside => tagged(&mut case, walk.text().into_line()),
                "msg" if is_html(inner) && inner.raw("level") != Some("FAIL") => attach(&mut attachments, walk),
                _ => drop(trails.take(walk, inner)),
            }
        }
        let status = status.unwrap_or_default();
        let failed = status.verdict == Verdict::Failed;
        let last = Attempt {
            verdict: status.verdict,
            started: status.started,
            duration: status.duration,
            message: status.message,
            trace: trails.into_trail().filter(|_| failed),
            output: None,
            attachments,
        };
        case.attempts = retries::unfold(last);
        self.repeats.add(&mut self.report.cases, group, case);
    }
}

fn tagged(case: &mut Case, tag: Option<String>) {
    let Some(tag) = tag else { return };
    let owner =
        tag.split_once(':').filter(|(kind, _)| kind.eq_ignore_ascii_case("owner")).map(|(_, owner)| owner.trim());
    match owner {
        Some(owner) if case.owner.is_none() && !owner.is_empty() => case.owner = Some(owner.to_owned()),
        _ => keep_tag(&mut case.tags, tag),
    }
}

fn is_html(tag: Tag<'_>) -> bool {
    matches!(tag.raw("html"), Some("true" | "yes"))
}

fn attach(attachments: &mut Vec<Attachment>, walk: &mut Walk<'_>) {
    for path in linked(&walk.text()) {
        let attachment = Attachment { name: file_name(&path).to_owned(), media_type: None, path: Some(path) };
        if attachments.len() < MOST_ATTACHMENTS && !attachments.contains(&attachment) {
            attachments.push(attachment);
        }
    }
}
