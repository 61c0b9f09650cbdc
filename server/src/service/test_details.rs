//! The tests of a run, with everything that is known of each.

use super::cursor;
use super::desk::Desk;
use super::failure::Failure;
use super::owners::Lookup;
use super::reads::{Listing, outline};
use super::tiles;
use crate::store::rows::{SuiteRow, TestFilter, TestRow, TextRow};
use app::domain::ids::RunId;
use app::domain::run::Run;
use app::domain::test::{Outcome, Verdict};
use app::domain::time::{Micros, Timestamp};
use app::read::{AttemptText, TestLine};
use std::collections::HashMap;

/// A test of a run with everything that is known of it.
#[derive(Clone, Debug)]
pub struct TestDetail {
    /// The test.
    pub line: TestLine,
    /// Its suite: names from the root.
    pub suite: Vec<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// Its attempts: number, begin, end, message and trace.
    pub attempts: Vec<AttemptDetail>,
}

/// An attempt with everything that is known of it.
#[derive(Clone, Debug)]
pub struct AttemptDetail {
    /// From 1.
    pub number: u32,
    /// What it came to; `None` while it runs.
    pub verdict: Option<Verdict>,
    /// When it began, by our clock.
    pub started_at: Option<Timestamp>,
    /// When it ended, by our clock.
    pub finished_at: Option<Timestamp>,
    /// How long it took.
    pub duration: Option<Micros>,
    /// Why.
    pub message: Option<String>,
    /// Where.
    pub trace: Option<String>,
}

impl Desk {
    /// The tests of a run in the order of their numbers; `None` where there is
    /// no such run.
    pub async fn tests(
        &self,
        id: RunId,
        outcomes: Option<&[Outcome]>,
        q: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Option<Listing<TestDetail>>, Failure> {
        let store = &self.inner.store;
        let Some(row) = self.row(id).await? else { return Ok(None) };
        let after = cursor.map(cursor::read_ordinal).transpose()?;
        let filter = TestFilter { outcome: outcomes, q };
        let mut rows = store.test_page(id, &filter, after, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|row| row.ordinal.to_string());
        let suites = store.suite_rows(id).await?;
        let ordinals: Vec<_> = rows.iter().map(|row| row.ordinal).collect();
        let mut texts: HashMap<(u32, u32), TextRow> = HashMap::new();
        for text in store.text_list(id, &ordinals).await? {
            texts.insert((text.ordinal, text.attempt), text);
        }
        let run = outline(&row);
        let mut items: Vec<_> = rows.iter().map(|row| detail(&run, row, &suites, &mut texts)).collect();
        let mut owners = Lookup::default();
        for (item, row) in items.iter_mut().zip(&rows) {
            let suite = suites.iter().find(|suite| suite.ordinal == row.test.suite);
            let source = row.test.source.as_deref().or(suite.and_then(|suite| suite.suite.source.as_deref()));
            item.owner = owners.owner(self, &run.project(), row.test.owner.as_deref(), source).await?;
        }
        Ok(Some(Listing { items, next }))
    }

    /// Messages and traces of a test in a run.
    pub async fn texts(&self, run: RunId, test: u32) -> Result<Vec<AttemptText>, Failure> {
        if self.row(run).await?.is_none() {
            return Ok(Vec::new());
        }
        let texts = self.inner.store.text_list(run, &[test]).await?;
        let texts = texts.into_iter().map(|text| AttemptText {
            number: text.attempt,
            message: text.message.map(Into::into),
            trace: text.trace.map(Into::into),
        });
        Ok(texts.collect())
    }
}

fn detail(run: &Run, row: &TestRow, suites: &[SuiteRow], texts: &mut HashMap<(u32, u32), TextRow>) -> TestDetail {
    let suite = suites.iter().find(|suite| suite.ordinal == row.test.suite);
    let attempts = row.test.attempts.iter().map(|attempt| {
        let text = texts.remove(&(row.ordinal, attempt.number));
        let (message, trace) = text.map_or((None, None), |text| (text.message, text.trace));
        AttemptDetail {
            number: attempt.number,
            verdict: attempt.finished.map(|finish| finish.verdict),
            started_at: attempt.began().map(|at| run.by_our_clock(at)),
            finished_at: attempt.finished.map(|finish| run.by_our_clock(finish.at)),
            duration: attempt.duration(),
            message: message.map(Into::into),
            trace: trace.map(Into::into),
        }
    });
    TestDetail {
        line: tiles::test_line(run, row.ordinal, &row.test, row.version.unsigned_abs()),
        suite: suite.map(|suite| suite.suite.path.iter().map(ToString::to_string).collect()).unwrap_or_default(),
        owner: row.test.owner.as_deref().map(str::to_owned),
        attempts: attempts.collect(),
    }
}
