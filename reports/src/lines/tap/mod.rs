//! TAP 12 to 14, and the kernel's KTAP.
//!
//! Results of deeper indentation are subtests of the result that follows them;
//! that one names their suite, and is no case of its own. A failing test that
//! is marked to do is a warning. A number of the plan without a result is a
//! loss, and so is a missing plan, since it may come last.

mod block;
mod line;

use crate::model::{Report, Suite, Verdict};
use crate::{Refusal, apart, text};
use block::{Block, Draft, own, reason, timed, unescaped};
use line::{Point, Said};

/// What the suite of results in a file without a name is called.
const ROOT: &str = "TAP";

/// How much of a file is looked at to tell its format.
const GLANCE: usize = 16 * 1024;

/// How deep subtests are looked for in comments of comments.
const COMMENT_LEVELS: usize = 8;

/// Whether a file looks like it: a version, or a result and a plan or a number.
pub fn looks(file: &[u8]) -> bool {
    let text = text::decode(&file[..file.len().min(GLANCE)]);
    if text.trim_start().starts_with(['<', '{']) {
        return false;
    }
    let (mut has_plan, mut numbered) = (false, 0);
    for line in text.lines() {
        match line::read(line::without_stamp(line), false) {
            Said::Version => return true,
            Said::Plan(..) => has_plan = true,
            Said::Point(Point { number: Some(_), .. }) => numbered += 1,
            Said::Bail(_) if numbered > 0 => return true,
            _ => {}
        }
    }
    (has_plan && numbered > 0) || numbered > 1 || (has_plan && text.lines().count() < 4)
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    let text = text::decode(file);
    let mut reading = Reading { stack: vec![Block::default()], ..Reading::default() };
    reading.report.framework = Some("TAP".into());
    let last = text.lines().count();
    for (at, line) in text.lines().enumerate() {
        if at + 1 < last || text.ends_with('\n') || !reading.is_cut(line) {
            reading.line(line, at + 1);
        } else {
            reading.report.is_aborted = true;
            text::lose(
                &mut reading.report,
                format!("line {last}"),
                "the file breaks off here; what came before was read",
            );
        }
    }
    if !reading.is_tap {
        return Err(Refusal::Malformed("there is neither a plan nor a result in it".into()));
    }
    reading.end_file(&format!("line {last}"));
    apart::tell_apart(&mut reading.report);
    Ok(reading.report)
}

/// What was read of a file so far.
#[derive(Default)]
struct Reading {
    report: Report,
    stack: Vec<Block>,
    file: Option<String>,
    is_tap: bool,
    /// Comments stand before their result, as the kernel writes them.
    is_kernel: bool,
    /// Subtests are told in comments, as the kernel's own harness does.
    is_in_comments: bool,
    /// The indentation of the diagnosis that is being read.
    diagnosis: Option<usize>,
}

impl Reading {
    fn top(&mut self) -> &mut Block {
        if self.stack.is_empty() {
            self.stack.push(Block::default());
        }
        let last = self.stack.len() - 1;
        &mut self.stack[last]
    }

    /// Whether a last line without an end was cut off: it is a result, and not
    /// the last of its plan.
    fn is_cut(&self, line: &str) -> bool {
        let is_result = matches!(line::read(line.trim_start(), false), Said::Point(_));
        let is_last = self.stack.first().is_some_and(|root| root.plan.is_some_and(|plan| root.points + 1 >= plan));
        is_result && !is_last
    }

    /// Takes a line that is of the diagnosis of a result. One that nobody ended
    /// ends with the first line that is not indented as it is.
    fn diagnoses(&mut self, indent: usize, line: &str) -> bool {
        let block = self.top();
        let begins = line.trim_end() == "---" && block.is_after_point && indent > block.indent;
        let Some(own) = self.diagnosis.filter(|own| indent >= *own || line.trim().is_empty()) else {
            self.diagnosis = begins.then_some(indent);
            return begins;
        };
        if line.trim_end() == "..." && indent == own {
            self.diagnosis = None;
        } else if let Some(draft) = self.top().diagnosed() {
            draft.diagnosis.push(&" ".repeat(indent.saturating_sub(own).min(200)));
            draft.diagnosis.line(line);
        }
        true
    }

    fn line(&mut self, line: &str, number: usize) {
        let (indent, line) = self.place(line);
        if self.diagnoses(indent, line) {
            return;
        }
        let said = line::read(line, indent > 0);
        if matches!(said, Said::Version | Said::Plan(..) | Said::Point(_))
            || (matches!(said, Said::Subtest(_)) && indent > self.top().indent)
        {
            self.level(indent, number);
        }
        self.take(said, line, number);
    }

    /// The indentation of a line, and what is behind it.
    fn place<'t>(&mut self, line: &'t str) -> (usize, &'t str) {
        let line = line::without_stamp(line);
        let mut rest = line.trim_start_matches([' ', '\t']);
        let mut indent = line[..line.len() - rest.len()].chars().map(|letter| if letter == '\t' { 4 } else { 1 }).sum();
        let comment = |text: &'t str| text.strip_prefix("# ");
        let bare = comment(rest).map(|inner| inner.trim_start_matches(['#', ' '])).unwrap_or_default();
        self.is_in_comments |= matches!(line::read(bare, true), Said::Version);
        let mut levels = 0;
        while let (true, Some(inner)) = (self.is_in_comments && levels < COMMENT_LEVELS, comment(rest)) {
            let bare = inner.trim_start_matches(' ');
            let is_told = !matches!(
                line::read(bare.trim_start_matches(['#', ' ']), true),
                Said::Other | Said::Blank | Said::Comment(_)
            );
            if !is_told || bare.starts_with("Subtest: ") {
                break;
            }
            levels += 1;
            indent += 2 + inner.len() - bare.len();
            rest = bare;
        }
        (indent, rest)
    }

    /// Goes to the block of an indentation. Deeper than is believed, everything
    /// is of the deepest block.
    fn level(&mut self, indent: usize, number: usize) {
        while self.stack.len() > 1 && self.top().indent > indent {
            self.close(number);
        }
        if self.top().indent < indent && self.stack.len() < text::DEEPEST {
            let name = self.top().announced.take();
            self.stack.push(Block { indent, name, ..Block::default() });
        }
    }

    /// Ends the innermost block: it waits for the result that it belongs to.
    fn close(&mut self, number: usize) {
        let Some(mut block) = self.stack.pop() else { return };
        self.missing(&mut block, &format!("line {number}"));
        block.adopt(None);
        let above = self.top();
        // Subtests that no result followed keep the name they were announced with.
        above.adopt(None);
        above.inner = Some(Box::new(block));
    }

    fn take(&mut self, said: Said<'_>, line: &str, number: usize) {
        let is_result = matches!(said, Said::Plan(..) | Said::Point(_) | Said::Version);
        self.is_tap |= is_result;
        if is_result {
            self.top().is_after_point = false;
        }
        match said {
            Said::Version => self.is_kernel |= line.starts_with("KTAP"),
            Said::Plan(last, reason) => {
                let block = self.top();
                block.plan = Some(last);
                block.skipped = if last == 0 { Some(reason.unwrap_or_default().to_owned()) } else { None };
            }
            // A harness tells last how the whole file went.
            Said::Point(point)
                if self.file.is_some()
                    && point.number.is_none()
                    && point.description.is_empty()
                    && self.top().is_done() => {}
            Said::Point(point) => self.point(&point, number),
            Said::Bail(reason) => self.bail(reason, number),
            Said::Subtest(name) => {
                let block = self.top();
                if block.points == 0 && block.name.is_none() && block.indent > 0 {
                    block.name = text::some(name);
                } else {
                    block.announced = text::some(name);
                }
            }
            Said::Comment(words) => self.comment(words),
            Said::File(name) if self.stack.len() == 1 => {
                if self.top().points > 0 || self.top().plan.is_some() {
                    self.end_file(&format!("line {number}"));
                }
                self.file = text::some(name);
            }
            Said::File(_) | Said::Other => self.top().before.line(line),
            Said::Blank => {}
        }
    }

    /// A comment is of the result before it, if that one failed; the kernel
    /// writes it before.
    fn comment(&mut self, words: &str) {
        let is_before = self.is_kernel || self.is_in_comments;
        let block = self.top();
        match block.drafts.last_mut() {
            Some(draft)
                if !is_before && block.points > 0 && draft.above.is_empty() && draft.verdict != Verdict::Passed =>
            {
                draft.notes.line(words)
            }
            _ => block.before.line(words),
        }
    }

    fn point(&mut self, point: &Point<'_>, number: usize) {
        let block = self.top();
        block.points += 1;
        let own_number = point.number.unwrap_or(block.points);
        let is_new = block.seen.insert(own_number);
        let (description, fact) = own(point.description);
        let name = text::some(&unescaped(description)).unwrap_or_else(|| format!("test {own_number}"));
        let inner = block.inner.is_some();
        block.announced = None;
        block.is_after_point = true;
        block.is_of_suite = inner;
        let before = std::mem::take(&mut block.before).finish();
        if inner {
            block.judge(point, &name);
            block.adopt(Some(name));
        } else {
            let reason = reason(point).or_else(|| fact.filter(|_| !point.is_ok).map(str::to_owned));
            let duration = fact.and_then(timed);
            block.drafts.push(Draft {
                name,
                verdict: point.verdict(),
                reason,
                duration,
                output: before,
                ..Draft::default()
            });
        }
        if !is_new {
            text::lose(
                &mut self.report,
                format!("line {number}"),
                format!("the number {own_number} was there before; both results are kept"),
            );
        }
    }

    fn bail(&mut self, reason: &str, number: usize) {
        self.is_tap = true;
        self.report.is_aborted = true;
        let message =
            if reason.is_empty() { "Bail out!".to_owned() } else { text::clip(&format!("Bail out! {reason}")) };
        text::lose(&mut self.report, format!("line {number}"), "the tests were given up here");
        while self.stack.len() > 1 {
            self.close(number);
        }
        self.top().suites.push(Suite { verdict: Some(Verdict::Errored), message: Some(message), ..Suite::default() });
    }

    /// Notes which results a block should have had.
    fn missing(&mut self, block: &mut Block, place: &str) {
        let Some(plan) = block.plan else {
            if block.points > 0 {
                text::lose(&mut self.report, place, "there is no plan, so results may be missing");
            }
            return;
        };
        let there = block.seen.iter().filter(|number| (1..=plan).contains(*number)).count() as u64;
        if there < plan {
            let first: Vec<_> = (1..=plan)
                .filter(|number| !block.seen.contains(number))
                .take(5)
                .map(|number| number.to_string())
                .collect();
            let more = if plan - there > 5 { " and more" } else { "" };
            text::lose(
                &mut self.report,
                place,
                format!("{} of {plan} results are missing: {}{more}", plan - there, first.join(", ")),
            );
            self.report.is_aborted = true;
        }
    }

    /// Ends a file: what was read of it becomes cases.
    fn end_file(&mut self, place: &str) {
        let last = place.trim_start_matches("line ").parse().unwrap_or(0);
        while self.stack.len() > 1 {
            self.close(last);
        }
        let Some(mut block) = self.stack.pop() else { return };
        self.stack.push(Block::default());
        self.diagnosis = None;
        self.missing(&mut block, place);
        block.adopt(None);
        let root = self.file.take().unwrap_or_else(|| ROOT.to_owned());
        if let Some(reason) = block.skipped.filter(|_| block.drafts.is_empty()) {
            block.suites.push(Suite {
                verdict: Some(Verdict::Skipped),
                message: text::some(&reason),
                ..Suite::default()
            });
        }
        let full = |mut above: Vec<String>| {
            above.push(root.clone());
            above.reverse();
            text::path(above, ROOT)
        };
        self.report.suites.extend(block.suites.into_iter().map(|suite| Suite { path: full(suite.path), ..suite }));
        self.report.cases.extend(block.drafts.into_iter().map(|mut draft| {
            let suite = full(std::mem::take(&mut draft.above));
            draft.case(suite)
        }));
    }
}

#[cfg(test)]
mod tests;
