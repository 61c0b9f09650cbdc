//! From flat fields to an event: every rule of the contract, with a pointer to
//! what breaks it.

use super::fault::Fault;
use super::plan;
use super::raw::{Raw, Word};
use app::domain::event::{Event, EventKind, RunEvent, RunStarted, TEXT_KEPT, TestAbout, TestRef, Text};
use app::domain::file::Attachment;
use app::domain::ids::EventId;
use app::domain::name::{NameError, ProjectName, RunKey, SetupName, tidy, without_nul};
use app::domain::output::{Level, Output, Place};
use app::domain::suite::{DEPTH_MAX, NAME_KEPT, Phase, SuitePath};
use app::domain::test::Verdict;
use app::domain::time::Micros;
use std::borrow::Cow;

/// An event and its `type`, as it is kept.
pub(super) type Built = (Cow<'static, str>, Event);

/// Characters of an event's type that are kept, if it is none that we know.
const KIND_KEPT: usize = 100;

/// Characters of a short text that are kept.
pub(super) const SHORT_KEPT: usize = 2_000;

const TAGS_KEPT: usize = 100;

/// Bytes of what a listener calls a step.
const STEP_ID_MAX: usize = 200;

const ATTEMPTS_MAX: u32 = 1_000;
const SHARDS_MAX: u32 = 10_000;

/// Processes that nobody counted have chance numbers.
const SHARD_MAX: u32 = i32::MAX.cast_unsigned();

/// Far beyond any real run, and its sums stay far below what a counter holds.
const TESTS_MAX: u32 = 1_000_000;

/// A year: nothing that is measured takes longer.
const DURATION_MAX_MS: f64 = 366.0 * 86_400_000.0;

type Field<'r, 'a> = Option<&'r Word<'a>>;

/// Reads an event.
pub(super) fn build(raw: &Raw<'_>) -> Result<Built, Fault> {
    let kind = needed("/type", raw.kind.as_ref())?;
    let at = raw.at.as_ref().ok_or_else(|| Fault::missing("/at"))?.read().ok_or_else(|| {
        Fault::at(
            "/at",
            "must be RFC 3339 with an offset, such as 2026-03-01T12:00:00.250Z, or milliseconds as a number",
        )
    })?;
    let setup = named("/setup", needed("/setup", raw.setup.as_ref())?, SetupName::parse)?;
    let project = raw.project.as_ref().map(|text| named("/project", text, ProjectName::parse)).transpose()?;
    let id = raw.id.as_ref().map(|text| event_id(text)).transpose()?;
    let (called, kind) = kind_of(kind, raw)?;
    Ok((called, Event { id, at, setup, project, kind }))
}

type Reader = fn(&Raw<'_>) -> Result<RunEvent, Fault>;

/// What can be said of a run, the most frequent first.
const OF_RUNS: [(&str, Reader); 11] = [
    ("test.finished", test_finished),
    ("test.started", test_started),
    ("suite.started", suite_started),
    ("suite.phase", suite_phase),
    ("suite.finished", suite_finished),
    ("log", log),
    ("step.started", step_started),
    ("step.finished", step_finished),
    ("run.planned", |raw| plan::read(raw.plan).map(RunEvent::Planned)),
    ("run.started", run_started),
    ("run.finished", run_finished),
];

fn kind_of(kind: &str, raw: &Raw<'_>) -> Result<(Cow<'static, str>, EventKind), Fault> {
    if let Some((known, read)) = OF_RUNS.iter().find(|(known, _)| *known == kind) {
        let run = named("/run", needed("/run", raw.run.as_ref())?, RunKey::parse)?;
        return Ok(((*known).into(), EventKind::Run(run, read(raw)?)));
    }
    match kind {
        "setup.heartbeat" => Ok(("setup.heartbeat".into(), EventKind::SetupHeartbeat)),
        "setup.described" => {
            let told = raw.attributes.ok_or_else(|| Fault::missing("/attributes"))?;
            Ok(("setup.described".into(), EventKind::SetupDescribed(plan::attributes(Some(told))?)))
        }
        // What a later version may mean by `run` is not ours to judge.
        other => {
            let run = raw.run.as_ref().and_then(|text| RunKey::parse(text).ok());
            Ok((tidy(other, KIND_KEPT).into_string().into(), EventKind::Unknown(run)))
        }
    }
}

fn needed<'r>(pointer: &'static str, field: Field<'r, '_>) -> Result<&'r str, Fault> {
    match field {
        None => Err(Fault::missing(pointer)),
        Some(text) if text.trim().is_empty() => Err(Fault::at(pointer, "must not be empty")),
        Some(text) => Ok(text),
    }
}

fn named<T>(pointer: &str, text: &str, parse: fn(&str) -> Result<T, NameError>) -> Result<T, Fault> {
    parse(text).map_err(|error| Fault::at(pointer, error.to_string()))
}

fn event_id(text: &str) -> Result<EventId, Fault> {
    text.parse().map_err(|_| Fault::at("/id", "must be a UUID"))
}

/// A short text as it is kept; none where it is blank.
pub(super) fn short(field: Field<'_, '_>) -> Option<Box<str>> {
    field.filter(|text| !text.trim().is_empty()).map(|text| tidy(text, SHORT_KEPT))
}

/// A long text as it is kept: without NUL, and cut between two characters.
pub(super) fn long(text: &str, max: usize) -> Box<str> {
    // Cut twice: first so that 8 MB need not be searched, then because the
    // mark for NUL is longer than NUL.
    let begun = &text[..text.floor_char_boundary(max)];
    match without_nul(begun) {
        Cow::Borrowed(kept) => kept.into(),
        Cow::Owned(kept) => kept[..kept.floor_char_boundary(max)].into(),
    }
}

fn message(field: Field<'_, '_>) -> Option<Box<str>> {
    field.filter(|text| !text.is_empty()).map(|text| long(text, TEXT_KEPT))
}

/// A whole number within bounds.
fn whole(pointer: &str, field: Option<f64>, least: u32, most: u32) -> Result<Option<u32>, Fault> {
    let Some(number) = field else { return Ok(None) };
    if number.fract() == 0.0 && number >= f64::from(least) && number <= f64::from(most) {
        return Ok(Some(number as u32));
    }
    Err(Fault::at(pointer, format!("must be a whole number from {least} to {most}")))
}

/// A line number; 0 is how some frameworks say that they do not know.
fn line(field: Option<f64>) -> Result<Option<u32>, Fault> {
    Ok(whole("/line", field, 0, i32::MAX as u32)?.filter(|line| *line > 0))
}

fn suite(raw: &Raw<'_>) -> Result<SuitePath, Fault> {
    let names = raw.suite.as_deref().ok_or_else(|| Fault::missing("/suite"))?;
    if names.is_empty() {
        return Err(Fault::at("/suite", "must name at least the root suite"));
    }
    if names.len() > DEPTH_MAX {
        return Err(Fault::at(format!("/suite/{DEPTH_MAX}"), format!("suites nest at most {DEPTH_MAX} deep")));
    }
    match names.iter().position(|name| name.trim().is_empty()) {
        Some(blank) => Err(Fault::at(format!("/suite/{blank}"), "must not be empty")),
        None => Ok(names.iter().map(|name| tidy(name, NAME_KEPT)).collect()),
    }
}

fn test(raw: &Raw<'_>) -> Result<TestRef, Fault> {
    Ok(TestRef {
        suite: suite(raw)?,
        name: tidy(needed("/test", raw.test.as_ref())?, NAME_KEPT),
        parameters: raw.parameters.as_ref().filter(|text| !text.is_empty()).map(|text| tidy(text, NAME_KEPT)),
        attempt: whole("/attempt", raw.attempt, 1, ATTEMPTS_MAX)?.unwrap_or(1),
    })
}

/// One of a list of words.
fn word<T: Copy>(
    pointer: &str,
    text: &str,
    parse: fn(&str) -> Option<T>,
    all: &[T],
    spell: fn(T) -> &'static str,
) -> Result<T, Fault> {
    parse(text).ok_or_else(|| {
        let words: Vec<_> = all.iter().map(|word| spell(*word)).collect();
        let said: String = text.chars().take(40).collect();
        Fault::at(pointer, format!("{said:?} is not one of {}", words.join(", ")))
    })
}

fn verdict(text: &str) -> Result<Verdict, Fault> {
    word("/verdict", text, Verdict::parse, Verdict::ALL, Verdict::as_str)
}

fn duration(field: Option<f64>) -> Result<Option<Micros>, Fault> {
    match field {
        None => Ok(None),
        Some(millis) if millis < 0.0 => Err(Fault::at("/duration_ms", "must not be negative")),
        Some(millis) => Ok(Some(Micros((millis.min(DURATION_MAX_MS) * 1_000.0).round() as i64))),
    }
}

fn test_finished(raw: &Raw<'_>) -> Result<RunEvent, Fault> {
    let test = test(raw)?;
    let verdict = verdict(needed("/verdict", raw.verdict.as_ref())?)?;
    let (message, trace) = (message(raw.message.as_ref()), message(raw.trace.as_ref()));
    let told = message.is_some() || trace.is_some();
    let text = told.then(|| Box::new(Text { message, trace }));
    Ok(RunEvent::TestFinished { test, verdict, duration: duration(raw.duration_ms)?, text })
}

fn test_started(raw: &Raw<'_>) -> Result<RunEvent, Fault> {
    let test = test(raw)?;
    let tags = raw.tags.iter().flatten().filter_map(|tag| short(Some(tag))).take(TAGS_KEPT).collect();
    let about =
        TestAbout { source: short(raw.source.as_ref()), line: line(raw.line)?, tags, owner: short(raw.owner.as_ref()) };
    Ok(RunEvent::TestStarted { test, about: Box::new(about) })
}

fn suite_started(raw: &Raw<'_>) -> Result<RunEvent, Fault> {
    Ok(RunEvent::SuiteStarted {
        suite: suite(raw)?,
        total_tests: whole("/total_tests", raw.total_tests, 0, TESTS_MAX)?,
        source: short(raw.source.as_ref()),
    })
}

fn suite_phase(raw: &Raw<'_>) -> Result<RunEvent, Fault> {
    let suite = suite(raw)?;
    let phase = word("/phase", needed("/phase", raw.phase.as_ref())?, Phase::parse, Phase::ALL, Phase::as_str)?;
    Ok(RunEvent::SuitePhase { suite, phase })
}

fn suite_finished(raw: &Raw<'_>) -> Result<RunEvent, Fault> {
    Ok(RunEvent::SuiteFinished {
        suite: suite(raw)?,
        verdict: raw.verdict.as_ref().map(|text| verdict(text)).transpose()?,
        message: message(raw.message.as_ref()),
    })
}

/// Whose output it is: a test's where one is named in a suite, else a suite's,
/// else the run's.
fn place(raw: &Raw<'_>) -> Result<Place, Fault> {
    let has_suite = raw.suite.as_ref().is_some_and(|names| !names.is_empty());
    let has_test = raw.test.as_ref().is_some_and(|name| !name.trim().is_empty());
    match (has_suite, has_test) {
        (false, _) => Ok(Place::Run),
        (true, false) => suite(raw).map(Place::Suite),
        (true, true) => test(raw).map(Place::Test),
    }
}

fn output(raw: &Raw<'_>, level: Option<Level>) -> Result<RunEvent, Fault> {
    if let Some(step) = &raw.step {
        within("/step", step)?;
    }
    // What a listener of its own calls so is not ours to judge.
    let attachment = raw.attachment.and_then(|text| serde_json::from_str::<Attachment>(text.get()).ok());
    Ok(RunEvent::Output(Box::new(Output { place: place(raw)?, level, attachment })))
}

fn within(pointer: &str, id: &str) -> Result<(), Fault> {
    let is_fine = (1..=STEP_ID_MAX).contains(&id.len());
    if is_fine { Ok(()) } else { Err(Fault::at(pointer, format!("must have 1 to {STEP_ID_MAX} bytes"))) }
}

/// What a line says stands in the event log only; what it belongs to is read
/// all the same, so that a listener hears of its mistakes.
fn log(raw: &Raw<'_>) -> Result<RunEvent, Fault> {
    let level = needed("/level", raw.level.as_ref())?;
    raw.message.as_ref().ok_or_else(|| Fault::missing("/message"))?;
    output(raw, Some(Level::of(level)))
}

fn step_started(raw: &Raw<'_>) -> Result<RunEvent, Fault> {
    needed("/name", raw.name.as_ref())?;
    if let Some(parent) = &raw.parent {
        within("/parent", parent)?;
    }
    step(raw)
}

fn step_finished(raw: &Raw<'_>) -> Result<RunEvent, Fault> {
    raw.verdict.as_ref().map(|text| verdict(text)).transpose()?;
    duration(raw.duration_ms)?;
    step(raw)
}

fn step(raw: &Raw<'_>) -> Result<RunEvent, Fault> {
    needed("/step", raw.step.as_ref())?;
    output(raw, None)
}

fn run_started(raw: &Raw<'_>) -> Result<RunEvent, Fault> {
    Ok(RunEvent::Started(Box::new(RunStarted {
        name: short(raw.name.as_ref()),
        commit: short(raw.commit.as_ref()),
        branch: short(raw.branch.as_ref()),
        trigger: short(raw.trigger.as_ref()),
        url: short(raw.url.as_ref()),
        user: short(raw.user.as_ref()),
        framework: short(raw.framework.as_ref()),
        total_tests: whole("/total_tests", raw.total_tests, 0, TESTS_MAX)?,
        shard: whole("/shard", raw.shard, 1, SHARD_MAX)?,
        shards: whole("/shards", raw.shards, 1, SHARDS_MAX)?,
        attributes: plan::attributes(raw.attributes)?,
    })))
}

fn run_finished(raw: &Raw<'_>) -> Result<RunEvent, Fault> {
    let shard = whole("/shard", raw.shard, 1, SHARD_MAX)?;
    Ok(RunEvent::Finished { aborted: raw.aborted.unwrap_or_default(), shard })
}
