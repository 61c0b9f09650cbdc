//! Jenkins with its Notification plugin.
//!
//! The end of a build is told twice, as completed and as finalised; a start may
//! carry the status of the build before. So the phase decides, and the status
//! counts at the end alone.

use super::Told;
use super::field::Field as _;
use super::pipeline::{Job, Pipeline, State};
use app::domain::test::Verdict;
use app::domain::time::Micros;
use app::domain::time::Timestamp;
use serde_json::Value;

pub(super) fn read(body: &Value) -> Told {
    let build = body.field("build");
    let told = build.and_then(|build| Some((build, build.key("number")?, body.owned("name")?)));
    let Some((build, number, job)) = told else { return Told::Nothing("it names no build") };
    let state = match build.text("phase").unwrap_or_default() {
        "QUEUED" => State::Queued,
        "STARTED" => State::Running,
        "COMPLETED" | "FINALIZED" | "FINISHED" => State::Over(verdict_of(build.text("status").unwrap_or_default())),
        _ => return Told::Nothing("a phase of this kind says nothing about tests"),
    };
    let scm = build.field("scm");
    let began_at = build.field("timestamp").and_then(Value::as_i64).filter(|at| (0..=4_102_444_800_000).contains(at));
    let began_at = began_at.map(Timestamp::from_millis);
    let took = build.field("duration").and_then(Value::as_i64).filter(|took| (0..=31_622_400_000).contains(took));
    let mut pipeline = Pipeline {
        server: "Jenkins",
        repository: job,
        key: number,
        name: body.owned("display_name"),
        commit: scm.and_then(|scm| scm.owned("commit")),
        // The plugin of Git says the remote before it.
        branch: scm
            .and_then(|scm| scm.owned("branch"))
            .map(|name| name.strip_prefix("origin/").unwrap_or(&name).into()),
        url: build.owned("full_url"),
        state,
        began_at,
        ended_at: began_at
            .zip(took.filter(|_| state != State::Running))
            .map(|(at, took)| at + Micros::from_millis(took)),
        ..Pipeline::default()
    };
    let whole = Job::standing_for("whole build", "build", &pipeline);
    pipeline.jobs = vec![Job { message: summary(build), ..whole }];
    Told::Pipeline(Box::new(pipeline))
}

fn verdict_of(status: &str) -> Verdict {
    match status {
        "SUCCESS" => Verdict::Passed,
        "UNSTABLE" | "FAILURE" => Verdict::Failed,
        "ABORTED" => Verdict::Cancelled,
        "NOT_BUILT" => Verdict::Skipped,
        _ => Verdict::Unknown,
    }
}

/// How its tests went, in a line.
fn summary(build: &Value) -> Option<String> {
    let summary = build.field("test_summary")?;
    let count = |name: &str| summary.field(name).and_then(Value::as_u64);
    let (total, failed) = (count("total")?, count("failed")?);
    Some(format!("{failed} of {total} tests failed, {} skipped", count("skipped").unwrap_or(0)))
}
