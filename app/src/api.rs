//! Server functions: what the browser may ask for, one line each.
//!
//! They are private to a build, and public addresses all the same: who may ask
//! is decided in the server's `Service`, never here.

#![allow(missing_docs, reason = "the macro makes a struct of each argument list, whose fields cannot be documented")]

use crate::codec::{Json, JsonText};
use crate::domain::ids::{RunId, ScriptId, TestId};
use crate::domain::output::Level;
use crate::domain::problem::{Problem, ProblemKind};
use crate::read::{Build, Look, OutputPage, RunPage, SetupPage, SickPage, TestPage, Wall};
use leptos::prelude::*;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};

impl FromServerFnError for Problem {
    type Encoder = JsonText;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let kind = match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => ProblemKind::Malformed,
            // On the server it is what came that could not be read.
            ServerFnErrorErr::Deserialization(_) if cfg!(feature = "ssr") => ProblemKind::Malformed,
            ServerFnErrorErr::Request(_) => ProblemKind::Upstream,
            _ => ProblemKind::Internal,
        };
        Problem::new(kind, error.to_string())
    }
}

#[cfg(feature = "ssr")]
fn backend() -> Result<std::sync::Arc<dyn crate::backend::Backend>, Problem> {
    use_context::<crate::backend::SharedBackend>()
        .map(|shared| shared.0)
        .ok_or_else(|| Problem::new(ProblemKind::Internal, "no backend in the context of this request"))
}

/// All setups.
#[server(name = AskWall, prefix = "/rpc", endpoint = "wall", input = Json, output = Json)]
pub async fn wall() -> Result<Wall, Problem> {
    backend()?.wall().await
}

/// A saved wall by its name.
#[server(name = AskNamedWall, prefix = "/rpc", endpoint = "named-wall", input = Json, output = Json)]
pub async fn named_wall(name: String, kiosk: Option<String>) -> Result<Option<(Wall, Look)>, Problem> {
    backend()?.named_wall(&name, kiosk.as_deref()).await
}

/// Somebody looks after a setup; nobody any more, without a name.
#[server(name = SayClaim, prefix = "/rpc", endpoint = "claim", input = Json, output = Json)]
pub async fn claim(setup: String, holder: Option<String>, note: Option<String>) -> Result<(), Problem> {
    backend()?.claim(&setup, holder.as_deref(), note.as_deref()).await
}

/// One setup with the page of its runs that begins at `cursor`.
#[server(name = AskSetupPage, prefix = "/rpc", endpoint = "setup-page", input = Json, output = Json)]
pub async fn setup_page(name: String, cursor: Option<String>) -> Result<Option<SetupPage>, Problem> {
    backend()?.setup_page(&name, cursor.as_deref()).await
}

/// One run.
#[server(name = AskRunPage, prefix = "/rpc", endpoint = "run-page", input = Json, output = Json)]
pub async fn run_page(run: RunId) -> Result<Option<RunPage>, Problem> {
    backend()?.run_page(run).await
}

/// Tests that are neither new nor healthy.
#[server(name = AskSickPage, prefix = "/rpc", endpoint = "sick-page", input = Json, output = Json)]
pub async fn sick_page() -> Result<SickPage, Problem> {
    backend()?.sick_page().await
}

/// One test over all its runs.
#[server(name = AskTestPage, prefix = "/rpc", endpoint = "test-page", input = Json, output = Json)]
pub async fn test_page(test: TestId) -> Result<Option<TestPage>, Problem> {
    backend()?.test_page(test).await
}

/// A test goes on as another one.
#[server(name = SayRename, prefix = "/rpc", endpoint = "rename", input = Json, output = Json)]
pub async fn rename(was: TestId, now_is: TestId) -> Result<(), Problem> {
    backend()?.rename(was, now_is).await
}

/// A test that was said to go on as another one stands for itself again.
#[server(name = SayPart, prefix = "/rpc", endpoint = "part", input = Json, output = Json)]
pub async fn part(was: TestId) -> Result<(), Problem> {
    backend()?.part(was).await
}

/// What a test in a run said, or all of the run.
#[server(name = AskOutputPage, prefix = "/rpc", endpoint = "output-page", input = Json, output = Json)]
pub async fn output_page(
    run: RunId,
    test: Option<u32>,
    level: Option<Level>,
    before: Option<i64>,
) -> Result<Option<OutputPage>, Problem> {
    backend()?.output_page(run, test, level, before).await
}

/// The text of a script.
#[server(name = AskScript, prefix = "/rpc", endpoint = "script", input = Json, output = Json)]
pub async fn script(script: ScriptId) -> Result<Option<String>, Problem> {
    backend()?.script(script).await
}

/// The latest builds of a setup's job.
#[server(name = AskLatestBuilds, prefix = "/rpc", endpoint = "latest-builds", input = Json, output = Json)]
pub async fn latest_builds(setup: String) -> Result<Vec<Build>, Problem> {
    backend()?.latest_builds(&setup).await
}
