//! What a case came to: its failures, its reruns, its output.

use super::suite::Flaky;
use crate::xml::tag::Tag;
use crate::xml::text::{Text, first_line, message};
use crate::xml::walk::{Step, Walk};
use crate::xml::when;
use crate::{Attempt, Verdict};

/// A failure, an error, or one of them in an earlier or later run.
#[derive(Default)]
pub(super) struct Fault {
    pub verdict: Verdict,
    pub message: Option<String>,
    trace: Option<String>,
    output: Text,
    started: Option<i64>,
    duration: Option<i64>,
}

/// What the children of a case say.
#[derive(Default)]
pub(super) struct Outcome {
    faults: Vec<Fault>,
    /// Runs that failed before the one that the case itself tells of.
    earlier: Vec<Fault>,
    /// Runs that failed after it.
    later: Vec<Fault>,
    /// Passed or skipped with a word on it.
    note: Option<(Verdict, Option<String>)>,
    output: Text,
}

impl Fault {
    /// Reads `<failure>` and its like. The text may be the trace itself, or
    /// have the trace and the output as elements in it.
    pub(super) fn read(walk: &mut Walk<'_>, tag: Tag<'_>) -> Self {
        let level = walk.level();
        let (mut said, mut kind, mut fault) = (None, None, Self::default());
        for (name, value) in tag.attributes() {
            match name {
                "message" => said = message(&crate::xml::tag::unescape(value)),
                "type" => kind = message(&crate::xml::tag::unescape(value)),
                "timestamp" => fault.started = when::moment(value),
                "time" => fault.duration = when::span(value),
                _ => {}
            }
        }
        fault.verdict = verdict_of(tag.name(), kind.as_deref());
        if walk.is_empty() {
            fault.message = said.or(kind);
            return fault;
        }
        let (mut text, mut trace) = (Text::default(), Text::default());
        loop {
            match walk.step(level) {
                Step::Text(piece) => text.push(&piece),
                Step::Child(child) => match child.name() {
                    "stackTrace" | "stack-trace" | "stacktrace" => trace.append(walk.text()),
                    "system-out" | "system-err" => fault.output.append(walk.text()),
                    "message" => said = walk.text().into_line().or(said),
                    // Somebody wrote "expected <b>" and did not escape it.
                    _ => text.push(&walk.text().into_block().unwrap_or_default()),
                },
                Step::Done => break,
            }
        }
        trace.append(text);
        fault.trace = trace.into_block();
        fault.message = said.or_else(|| fault.trace.as_deref().and_then(first_line)).or(kind);
        fault
    }

    fn into_attempt(self) -> Attempt {
        let mut output = self.output;
        let text = std::mem::take(&mut output).into_block();
        let attachments = text.as_deref().map(super::case::attached).unwrap_or_default();
        Attempt {
            verdict: self.verdict,
            started: self.started,
            duration: self.duration,
            message: self.message,
            trace: self.trace,
            output: text,
            attachments,
        }
    }
}

fn verdict_of(element: &str, kind: Option<&str>) -> Verdict {
    match kind {
        Some("test timeout" | "script timeout" | "timeout" | "Timeout") => Verdict::TimedOut,
        _ if element.ends_with("rror") => Verdict::Errored,
        _ => Verdict::Failed,
    }
}

impl Outcome {
    /// Takes a child of a case; `false` if it is none that tells the outcome.
    pub(super) fn take(&mut self, walk: &mut Walk<'_>, tag: Tag<'_>) -> bool {
        match tag.name() {
            "failure" | "error" => self.faults.push(Fault::read(walk, tag)),
            "flakyFailure" | "flakyError" => self.earlier.push(Fault::read(walk, tag)),
            "rerunFailure" | "rerunError" => self.later.push(Fault::read(walk, tag)),
            "skipped" | "skip" | "ignored" | "disabled" => self.note(Verdict::Skipped, Fault::read(walk, tag)),
            "softfailure" | "warning" => self.note(Verdict::Warned, Fault::read(walk, tag)),
            "system-out" | "system-err" => self.output.append(walk.text()),
            _ => return false,
        }
        true
    }

    fn note(&mut self, verdict: Verdict, fault: Fault) {
        let message = match (fault.message, fault.trace) {
            (Some(message), Some(trace)) if !trace.contains(&message) => Some(format!("{message}\n{}", trace.trim())),
            (_, Some(trace)) => Some(trace.trim().to_owned()),
            (message, None) => message,
        };
        self.note = Some((verdict, message.and_then(|text| crate::xml::text::message(&text))));
    }

    /// Whether all that it says is that something failed on teardown.
    pub(super) fn is_teardown(&self) -> bool {
        let prefixes = ["failed on teardown", "test teardown failure"];
        let is_teardown = |message: &str| prefixes.iter().any(|prefix| message.starts_with(prefix));
        matches!(&self.faults[..], [fault] if fault.message.as_deref().is_some_and(is_teardown))
    }

    /// The attempts of the case, in their order. `main` has what the case's own
    /// tag says: its verdict, when nothing else tells of one, and its times.
    pub(super) fn into_attempts(self, mut main: Attempt, flaky: Flaky) -> Vec<Attempt> {
        let mut earlier = self.earlier;
        let mut faults = self.faults;
        let is_retried = match flaky {
            Flaky::None => false,
            Flaky::Some => faults.len() > 1,
            Flaky::All => !faults.is_empty(),
        };
        if is_retried {
            let ends_well = flaky == Flaky::All;
            let last = if ends_well { None } else { faults.pop() };
            earlier.append(&mut faults);
            faults.extend(last);
        }
        let said = main.verdict;
        let (verdict, message) = self.note.unwrap_or((Verdict::Passed, None));
        main.verdict = if said == Verdict::Unknown { verdict } else { said };
        main.message = message;
        main.output = self.output.into_block();
        main.attachments = main.output.as_deref().map(super::case::attached).unwrap_or_default();
        blame(&mut main, faults, verdict);
        let at = earlier.len();
        let mut attempts = Vec::with_capacity(at + 1 + self.later.len());
        attempts.extend(earlier.into_iter().map(Fault::into_attempt));
        attempts.push(main);
        attempts.extend(self.later.into_iter().map(Fault::into_attempt));
        share(&mut attempts, at);
        // Reruns are made of what failed, and these all failed too: the case
        // tells of no attempt of its own.
        if at + 1 < attempts.len() && !attempts[at].verdict.is_failure() {
            let main = attempts.remove(at);
            if let Some(last) = attempts.last_mut() {
                last.output = last.output.take().or(main.output);
                last.started = last.started.or(main.started);
            }
        }
        attempts
    }
}

/// Puts the failures of one attempt together. A test that is disabled, or may
/// fail softly, stays that, and keeps what was said.
fn blame(main: &mut Attempt, faults: Vec<Fault>, noted: Verdict) {
    if faults.is_empty() {
        return;
    }
    if !matches!(main.verdict, Verdict::Skipped | Verdict::Warned) || noted == Verdict::Skipped {
        let rank =
            |verdict| [Verdict::Failed, Verdict::TimedOut, Verdict::Errored].iter().position(|one| *one == verdict);
        main.verdict =
            faults.iter().map(|fault| fault.verdict).max_by_key(|verdict| rank(*verdict)).unwrap_or_default();
    }
    let (mut messages, mut traces, mut output) = (Text::default(), Text::default(), Text::default());
    for fault in faults {
        let is_said =
            fault.message.as_deref().zip(fault.trace.as_deref()).is_some_and(|(said, trace)| trace.contains(said));
        if !traces.is_blank() {
            traces.push("\n\n");
        }
        if !is_said && !messages.is_blank() {
            traces.push(fault.message.as_deref().unwrap_or_default());
            traces.push("\n");
        }
        traces.push(fault.trace.as_deref().unwrap_or_default());
        if messages.is_blank() {
            messages.push(fault.message.as_deref().unwrap_or_default());
        } else if let Some(said) = fault.message {
            messages.push("\n");
            messages.push(&said);
        }
        output.append(fault.output);
    }
    main.message = messages.into_line().or(main.message.take());
    main.trace = traces.into_block();
    if main.output.is_none() {
        main.output = output.into_block();
    }
}

/// Where reruns have no times of their own, the case's time is the sum of all
/// of its attempts: each is given its share, so that the sum stays true.
fn share(attempts: &mut [Attempt], main: usize) {
    let are_timed = attempts.iter().enumerate().all(|(at, attempt)| at == main || attempt.duration.is_some());
    if are_timed {
        return;
    }
    let Some(total) = attempts[main].duration else { return };
    let known: i64 =
        attempts.iter().enumerate().filter(|(at, _)| *at != main).filter_map(|(_, one)| one.duration).sum();
    let unknown = 1 + attempts.iter().enumerate().filter(|(at, one)| *at != main && one.duration.is_none()).count();
    let each = (total - known).max(0) / unknown as i64;
    for (at, attempt) in attempts.iter_mut().enumerate() {
        if at == main || attempt.duration.is_none() {
            attempt.duration = Some(each);
        }
    }
}
