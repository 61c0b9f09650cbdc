//! GitLab: pipelines with their jobs, single jobs, pushes.

use super::field::Field as _;
use super::pipeline::{Job, Pipeline, State};
use super::{Push, Told, pull};
use app::domain::test::Verdict;
use serde_json::Value;
use std::collections::HashMap;

/// The suite of all jobs; stages are inside it.
const ROOT: &str = "pipeline";

pub(super) fn read(body: &Value) -> Told {
    let kind = body.text("object_kind").or_else(|| body.text("event_name")).unwrap_or_default();
    let repository = repository(body);
    match (kind, repository) {
        ("pipeline", Some(repository)) => pipeline(repository, body),
        ("build", Some(repository)) => job(repository, body),
        ("push", Some(repository)) => {
            Push::of(repository, body, body.owned("user_username").or_else(|| body.owned("user_name")))
        }
        ("merge_request", Some(repository)) => pull::gitlab(repository, body),
        ("pipeline" | "build" | "push" | "merge_request", None) => Told::Nothing("it names no repository"),
        _ => Told::Nothing("an event of this kind says nothing about tests"),
    }
}

pub(super) fn repository(body: &Value) -> Option<String> {
    let path = body.field("project").and_then(|project| project.owned("path_with_namespace"));
    // Job events of old servers name it for people only.
    path.or_else(|| body.text("project_name").map(|name| name.replace(" / ", "/")))
}

fn pipeline(repository: String, body: &Value) -> Told {
    let Some((about, key)) = body.field("object_attributes").and_then(|about| Some((about, about.key("id")?))) else {
        return Told::Nothing("it names no pipeline");
    };
    let builds = body.list("builds");
    let has_begun = || builds.iter().any(|build| build.field("started_at").is_some());
    let state = match about.text("status").unwrap_or_default() {
        "running" | "canceling" => State::Running,
        "success" => State::Over(Verdict::Passed),
        "failed" => State::Over(Verdict::Failed),
        "canceled" => State::Over(Verdict::Cancelled),
        "skipped" => State::Over(Verdict::Skipped),
        // Blocked by a job that is started by hand, or not yet at work.
        _ if has_begun() => State::Running,
        _ => State::Queued,
    };
    let web_url = body.field("project").and_then(|project| project.text("web_url"));
    let user = body.field("user");
    let mut pipeline = Pipeline {
        server: "GitLab CI",
        repository,
        name: about.owned("name"),
        commit: about.owned("sha"),
        branch: about.owned("ref"),
        url: about.owned("url").or_else(|| web_url.map(|url| format!("{url}/-/pipelines/{key}"))),
        user: user.and_then(|user| user.owned("username").or_else(|| user.owned("name"))),
        trigger: about.owned("source"),
        state,
        began_at: about.time("created_at"),
        ended_at: about.time("finished_at"),
        key,
        jobs: Vec::new(),
    };
    pipeline.jobs = jobs(builds);
    if pipeline.jobs.is_empty() {
        pipeline.jobs = vec![Job::standing_for("whole pipeline", ROOT, &pipeline)];
    }
    Told::Pipeline(Box::new(pipeline))
}

/// The jobs, with those of one name told apart as attempts by their age.
fn jobs(builds: &[Value]) -> Vec<Job> {
    let mut by_age: Vec<_> = builds.iter().collect();
    by_age.sort_by_key(|build| build.field("id").and_then(Value::as_u64));
    let mut attempts: HashMap<(String, String), u64> = HashMap::new();
    let jobs = by_age.into_iter().filter_map(|build| {
        let (stage, name) = (build.owned("stage").unwrap_or_else(|| "test".into()), build.owned("name")?);
        let attempt = attempts.entry((stage.clone(), name.clone())).or_default();
        *attempt += 1;
        let allowed = build.field("allow_failure").and_then(Value::as_bool).unwrap_or_default();
        Some(Job {
            suite: vec![ROOT.into(), stage],
            name,
            attempt: *attempt,
            state: state_of(build.text("status").unwrap_or_default(), allowed),
            began_at: build.time("started_at"),
            ended_at: build.time("finished_at"),
            message: build.owned("failure_reason"),
        })
    });
    jobs.collect()
}

fn state_of(status: &str, failure_is_allowed: bool) -> State {
    match status {
        "running" | "canceling" => State::Running,
        "success" => State::Over(Verdict::Passed),
        "failed" if failure_is_allowed => State::Over(Verdict::Warned),
        "failed" => State::Over(Verdict::Failed),
        "canceled" => State::Over(Verdict::Cancelled),
        "skipped" => State::Over(Verdict::Skipped),
        _ => State::Queued,
    }
}

/// One job of a pipeline that is told, or will be, by itself.
fn job(repository: String, body: &Value) -> Told {
    let (Some(key), Some(name)) = (body.key("pipeline_id"), body.owned("build_name")) else {
        return Told::Nothing("it names no job");
    };
    let allowed = body.field("build_allow_failure").and_then(Value::as_bool).unwrap_or_default();
    let state = state_of(body.text("build_status").unwrap_or_default(), allowed);
    let job = Job {
        suite: vec![ROOT.into(), body.owned("build_stage").unwrap_or_else(|| "test".into())],
        name,
        attempt: body.field("retries_count").and_then(Value::as_u64).unwrap_or_default().saturating_add(1),
        state,
        began_at: body.time("build_started_at"),
        ended_at: body.time("build_finished_at"),
        message: body.owned("build_failure_reason").filter(|reason| reason != "unknown_failure"),
    };
    Told::Pipeline(Box::new(Pipeline {
        server: "GitLab CI",
        repository,
        key,
        commit: body.owned("sha"),
        branch: body.owned("ref"),
        // The pipeline says itself when it is over.
        state: if state == State::Queued { State::Queued } else { State::Running },
        began_at: job.began_at,
        jobs: vec![job],
        ..Pipeline::default()
    }))
}
