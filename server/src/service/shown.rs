//! The output of a run, or of a test in it, as a page shows it.

use super::desk::Desk;
use super::failure::Failure;
use super::output::{Attached, Entry, OutputQuestion, RunFile};
use super::{reads, tiles};
use crate::store::rows::{RunRow, SuiteRow, TestRow};
use app::domain::ids::{PlaceId, RunId};
use app::domain::output::{Level, OutputFrom};
use app::domain::run::Run;
use app::domain::steps::{Told, outline};
use app::read::{FileLine, OutputLine, OutputPage};

/// Lines and steps on a page.
const LINES: u32 = 500;

/// Characters of a line on a page; the rest is in the log.
const LETTERS: usize = 4_000;

/// Files on a page.
const FILES: usize = 200;

/// Which output a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownQuestion {
    /// Of this test, by its number in the run; else of all the run.
    pub test: Option<u32>,
    /// Lines that are at least so grave.
    pub level: Option<Level>,
    /// Those before this number; else the last.
    pub before: Option<i64>,
}

impl Desk {
    /// The output of a run or of a test in it; `None` where there is no such
    /// thing.
    pub async fn output_page(&self, id: RunId, question: ShownQuestion) -> Result<Option<OutputPage>, Failure> {
        let Some(row) = self.row(id).await? else { return Ok(None) };
        let run = reads::outline(&row);
        let Some(number) = question.test else { return self.shown_of_run(&row, &run, question).await.map(Some) };
        let store = &self.inner.store;
        let Some(test) = store.test_get(id, number).await? else { return Ok(None) };
        let Some(suite) = store.suite_get(id, test.test.suite).await? else { return Ok(None) };
        self.shown_of_test(&row, &run, &test, &suite, question).await.map(Some)
    }

    async fn shown_of_test(
        &self,
        row: &RunRow,
        run: &Run,
        test: &TestRow,
        suite: &SuiteRow,
        question: ShownQuestion,
    ) -> Result<OutputPage, Failure> {
        let place = PlaceId::of(&suite.suite.path, Some((&test.test.name, test.test.parameters.as_deref())));
        let files = self.files_of(row.id, place).await?.into_iter();
        let files = files.map(|(attempt, file)| FileLine { file, attempt, place: Vec::new() }).collect();
        let page = self.page_of(row, Some(place), files, question).await?;
        Ok(OutputPage {
            suite: suite.suite.path.iter().map(ToString::to_string).collect(),
            test: Some(tiles::test_line(run, test.ordinal, &test.test, test.version.unsigned_abs())),
            texts: self.texts(row.id, test.ordinal).await?,
            ..page
        })
    }

    async fn shown_of_run(&self, row: &RunRow, run: &Run, question: ShownQuestion) -> Result<OutputPage, Failure> {
        let files = self.run_files(run.id).await?.unwrap_or_default();
        let file = |file: RunFile| {
            let name = file.test.map(|test| called(test, file.parameters));
            FileLine {
                file: file.attachment,
                attempt: file.attempt,
                place: file.suite.into_iter().chain(name).collect(),
            }
        };
        self.page_of(row, None, files.into_iter().map(file).collect(), question).await
    }

    async fn page_of(
        &self,
        row: &RunRow,
        place: Option<PlaceId>,
        mut files: Vec<FileLine>,
        question: ShownQuestion,
    ) -> Result<OutputPage, Failure> {
        let from = OutputFrom::Before(question.before.unwrap_or(i64::MAX));
        let asked = OutputQuestion { place, level: question.level, from, limit: LINES };
        let entries = self.output(row.id, asked).await?.unwrap_or_default();
        let older = entries.first().filter(|_| entries.len() == LINES as usize).map(|entry| entry.seq);
        let files_cut = files.len() > FILES;
        files.truncate(FILES);
        Ok(OutputPage {
            run: row.id,
            title: row.name.as_deref().unwrap_or(row.key.as_str()).to_owned(),
            setup: self.setup_name(row.setup),
            suite: Vec::new(),
            test: None,
            texts: Vec::new(),
            files,
            files_cut,
            lines: lines(&entries, place.is_none()),
            older,
            is_older: question.before.is_some(),
            level: question.level,
            now: self.now(),
        })
    }
}

fn called(test: String, parameters: Option<String>) -> String {
    match parameters {
        Some(parameters) => format!("{test} [{parameters}]"),
        None => test,
    }
}

/// Steps may have the same name in two tests, so a step is known by its place too.
fn lines(entries: &[Entry], with_place: bool) -> Vec<OutputLine> {
    let named = |entry: &Entry, step: &Option<String>| step.as_ref().map(|step| format!("{} {step}", entry.place.0));
    let names: Vec<_> =
        entries.iter().map(|entry| (named(entry, &entry.said.step), named(entry, &entry.said.parent))).collect();
    let told = entries.iter().zip(&names).map(|(entry, (step, parent))| match entry.said.kind.as_str() {
        "step.started" => Told::Begins(step.as_deref(), parent.as_deref()),
        "step.finished" => Told::Ends(step.as_deref()),
        _ => Told::Line(step.as_deref()),
    });
    let line = |line: app::domain::steps::Outlined| {
        let end = line.end.and_then(|end| entries.get(end));
        entries.get(line.told).map(|entry| output_line(entry, end, line.depth, with_place))
    };
    outline(told).into_iter().filter_map(line).collect()
}

fn output_line(entry: &Entry, end: Option<&Entry>, depth: u32, with_place: bool) -> OutputLine {
    let said = &entry.said;
    let is_line = said.kind == "log";
    let (text, is_cut) = cut(if is_line { said.message.as_deref() } else { said.name.as_deref() }.unwrap_or_default());
    // A step whose beginning is not on the page tells of its end alone.
    let end = end.or_else(|| Some(entry).filter(|_| said.kind == "step.finished")).map(|end| &end.said);
    let name = said.test.clone().map(|test| called(test, said.parameters.clone()));
    let place = said.suite.iter().flatten().cloned().chain(name);
    OutputLine {
        seq: entry.seq,
        at: entry.at,
        depth,
        level: is_line.then(|| said.level()),
        text,
        is_cut,
        place: if with_place { place.collect() } else { Vec::new() },
        attempt: said.test.as_ref().map_or(0, |_| said.attempt.map_or(1, |attempt| attempt as u32)),
        verdict: end.and_then(|end| end.verdict),
        took: end.and_then(|end| end.took()),
        message: end.and_then(|end| end.message.as_deref()).map(|message| cut(message).0),
        file: said.attachment.as_ref().and_then(|file| match file {
            Attached::Kept(file) => Some(file.clone()),
            Attached::Lost { .. } => None,
        }),
    }
}

fn cut(text: &str) -> (String, bool) {
    match text.char_indices().nth(LETTERS) {
        Some((at, _)) => (text[..at].to_owned(), true),
        None => (text.to_owned(), false),
    }
}
