//! The questions a page may ask. The server's `Service` answers them, and
//! decides there who may ask: a server function is a public address, whatever
//! page happens to call it.

use crate::domain::ids::{RunId, ScriptId, TestId};
use crate::domain::output::Level;
use crate::domain::problem::Problem;
use crate::read::{Build, Look, OutputPage, RunPage, SetupPage, SickPage, TestPage, Wall};
use std::sync::Arc;

/// What pages may ask of the server.
#[async_trait::async_trait]
pub trait Backend: Send + Sync + 'static {
    /// All setups.
    async fn wall(&self) -> Result<Wall, Problem>;
    /// A saved wall by its name; with the token of a kiosk's link where one
    /// was used.
    async fn named_wall(&self, name: &str, kiosk: Option<&str>) -> Result<Option<(Wall, Look)>, Problem>;
    /// Somebody looks after a setup; nobody any more, without a name.
    async fn claim(&self, setup: &str, holder: Option<&str>, note: Option<&str>) -> Result<(), Problem>;
    /// One setup with the page of its runs that begins at `cursor`.
    async fn setup_page(&self, name: &str, cursor: Option<&str>) -> Result<Option<SetupPage>, Problem>;
    /// One run.
    async fn run_page(&self, run: RunId) -> Result<Option<RunPage>, Problem>;
    /// Tests that are neither new nor healthy.
    async fn sick_page(&self) -> Result<SickPage, Problem>;
    /// One test over all its runs.
    async fn test_page(&self, test: TestId) -> Result<Option<TestPage>, Problem>;
    /// A test goes on as another one.
    async fn rename(&self, was: TestId, now_is: TestId) -> Result<(), Problem>;
    /// A test that was said to go on as another one stands for itself again.
    async fn part(&self, was: TestId) -> Result<(), Problem>;
    /// What a test in a run said, by its number, or all of the run: lines that
    /// are at least so grave, the last ones before a number.
    async fn output_page(
        &self,
        run: RunId,
        test: Option<u32>,
        level: Option<Level>,
        before: Option<i64>,
    ) -> Result<Option<OutputPage>, Problem>;
    /// The text of a script.
    async fn script(&self, script: ScriptId) -> Result<Option<String>, Problem>;
    /// The latest builds of a setup's job, newest first.
    async fn latest_builds(&self, setup: &str) -> Result<Vec<Build>, Problem>;
}

/// The backend as server functions find it in their context.
#[derive(Clone)]
pub struct SharedBackend(pub Arc<dyn Backend>);
