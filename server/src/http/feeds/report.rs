//! A whole run, for reports in the formats of others.

use crate::http::extract::no_run;
use crate::http::problem::Refusal;
use crate::service::Desk;
use crate::service::test_details::{AttemptDetail, TestDetail};
use app::domain::ids::RunId;
use app::domain::problem::ProblemKind;
use app::read::RunHead;

/// Tests of a run that fit into a report.
const TESTS_MAX: usize = 100_000;

/// Tests that are read at once.
const PAGE: u32 = 200;

/// Bytes of messages and traces in a report; the tests after that have none.
const TEXTS_MAX: usize = 32 * 1024 * 1024;

/// A run with its tests in the order in which they became known.
pub struct Report {
    /// What stands above it.
    pub head: RunHead,
    /// Its tests.
    pub tests: Vec<TestDetail>,
}

/// The bytes of an attempt's texts.
fn size(attempt: &AttemptDetail) -> usize {
    [&attempt.message, &attempt.trace].into_iter().flatten().map(String::len).sum()
}

impl Report {
    /// Reads a run.
    pub async fn read(desk: &Desk, id: RunId) -> Result<Self, Refusal> {
        let head = desk.run_head(id).await?.ok_or_else(|| no_run(id))?;
        let (mut tests, mut cursor, mut left) = (Vec::new(), None::<String>, TEXTS_MAX);
        loop {
            let page = desk.tests(id, None, None, cursor.as_deref(), PAGE).await?.ok_or_else(|| no_run(id))?;
            for mut test in page.items {
                for attempt in &mut test.attempts {
                    match left.checked_sub(size(attempt)) {
                        Some(rest) => left = rest,
                        None => (attempt.message, attempt.trace) = (None, None),
                    }
                }
                tests.push(test);
            }
            if tests.len() > TESTS_MAX {
                let detail =
                    format!("a report has at most {TESTS_MAX} tests; read /api/v1/runs/{id}/tests page by page");
                return Err(Refusal::new(ProblemKind::TooLarge, detail));
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(Self { head, tests });
            }
        }
    }

    /// What the run is called.
    pub fn name(&self) -> &str {
        self.head.card.name.as_deref().unwrap_or(&self.head.card.key)
    }
}
