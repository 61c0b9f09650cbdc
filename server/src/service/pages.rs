//! What pages ask, answered.

use super::desk::Desk;
use super::shown::ShownQuestion;
use app::backend::Backend;
use app::domain::ids::{RunId, ScriptId, TestId};
use app::domain::output::Level;
use app::domain::problem::Problem;
use app::read::{Build, Look, OutputPage, RunPage, SetupPage, SickPage, TestPage, Wall};

#[async_trait::async_trait]
impl Backend for Desk {
    async fn wall(&self) -> Result<Wall, Problem> {
        Ok(Desk::wall(self).await?)
    }

    async fn named_wall(&self, name: &str, kiosk: Option<&str>) -> Result<Option<(Wall, Look)>, Problem> {
        Ok(self.wall_page(name, kiosk).await?)
    }

    async fn claim(&self, setup: &str, holder: Option<&str>, note: Option<&str>) -> Result<(), Problem> {
        match holder {
            Some(holder) => self.claim(setup, holder, note).await?,
            None => self.release(setup).await?,
        }
        Ok(())
    }

    async fn setup_page(&self, name: &str, cursor: Option<&str>) -> Result<Option<SetupPage>, Problem> {
        Ok(self.setup_with_runs(name, cursor).await?)
    }

    async fn run_page(&self, run: RunId) -> Result<Option<RunPage>, Problem> {
        Ok(self.run(run).await?)
    }

    async fn sick_page(&self) -> Result<SickPage, Problem> {
        Ok(self.sick_tests().await?)
    }

    async fn test_page(&self, test: TestId) -> Result<Option<TestPage>, Problem> {
        Ok(self.test(test).await?)
    }

    async fn rename(&self, was: TestId, now_is: TestId) -> Result<(), Problem> {
        Ok(Desk::rename(self, was, now_is).await?)
    }

    async fn part(&self, was: TestId) -> Result<(), Problem> {
        Ok(Desk::part(self, was).await?)
    }

    async fn output_page(
        &self,
        run: RunId,
        test: Option<u32>,
        level: Option<Level>,
        before: Option<i64>,
    ) -> Result<Option<OutputPage>, Problem> {
        Ok(Desk::output_page(self, run, ShownQuestion { test, level, before }).await?)
    }

    async fn script(&self, script: ScriptId) -> Result<Option<String>, Problem> {
        Ok(self.script_text(script).await?)
    }

    async fn latest_builds(&self, setup: &str) -> Result<Vec<Build>, Problem> {
        Ok(self.builds(setup).await?)
    }
}
