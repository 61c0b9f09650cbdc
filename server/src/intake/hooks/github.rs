//! GitHub, and the servers that speak as it does: Gitea and Forgejo.

use super::field::Field as _;
use super::pipeline::{Job, Pipeline, State};
use super::{Push, Told, pull};
use app::domain::test::Verdict;
use serde_json::Value;

/// Characters of a status' context in a key.
const CONTEXT_KEPT: usize = 150;

/// Digits of a commit in a key.
const COMMIT_KEPT: usize = 12;

pub(super) fn read(server: &'static str, event: &str, body: &Value) -> Told {
    let repository = body.field("repository").and_then(|repository| repository.owned("full_name"));
    let Some(repository) = repository else { return Told::Nothing("it names no repository") };
    match event {
        "push" => Push::of(repository, body, user(body)),
        "pull_request" => pull::github(repository, body),
        "workflow_run" => workflow_run(server, repository, body),
        "workflow_job" => workflow_job(server, repository, body),
        "check_run" => check_run(server, repository, body),
        "status" => status(server, repository, body),
        "ping" => Told::Nothing("hello"),
        _ => Told::Nothing("an event of this kind says nothing about tests"),
    }
}

fn user(body: &Value) -> Option<String> {
    let pusher = body.field("pusher").and_then(|pusher| pusher.owned("login").or_else(|| pusher.owned("name")));
    pusher.or_else(|| body.field("sender").and_then(|sender| sender.owned("login")))
}

fn verdict_of(conclusion: &str) -> Verdict {
    match conclusion {
        "success" => Verdict::Passed,
        "neutral" => Verdict::Warned,
        "failure" => Verdict::Failed,
        "startup_failure" | "error" => Verdict::Errored,
        "timed_out" => Verdict::TimedOut,
        "cancelled" => Verdict::Cancelled,
        "skipped" => Verdict::Skipped,
        _ => Verdict::Unknown,
    }
}

fn state_of(about: &Value) -> State {
    match about.text("status").unwrap_or_default() {
        "completed" => State::Over(verdict_of(about.text("conclusion").unwrap_or_default())),
        "in_progress" => State::Running,
        _ => State::Queued,
    }
}

/// A workflow that is run again is a run of its own: what is over stays over.
fn key_of(about: &Value, id: &str) -> Option<String> {
    let key = about.key(id)?;
    let attempt = about.field("run_attempt").and_then(Value::as_u64).unwrap_or(1);
    Some(if attempt > 1 { format!("{key}.{attempt}") } else { key })
}

fn workflow_run(server: &'static str, repository: String, body: &Value) -> Told {
    let Some((run, key)) = body.field("workflow_run").and_then(|run| Some((run, key_of(run, "id")?))) else {
        return Told::Nothing("it names no workflow run");
    };
    let workflow = body.field("workflow").and_then(|workflow| workflow.owned("name"));
    let name = run.owned("name").or(workflow).unwrap_or_else(|| "workflow".into());
    let state = state_of(run);
    let mut pipeline = Pipeline {
        server: server_of(server),
        repository,
        key,
        commit: run.owned("head_sha"),
        branch: run.owned("head_branch"),
        url: run.owned("html_url"),
        user: run.field("actor").and_then(|actor| actor.owned("login")),
        trigger: run.owned("event"),
        state,
        began_at: run.time("run_started_at").or_else(|| run.time("created_at")),
        ended_at: run.time("updated_at").filter(|_| matches!(state, State::Over(_))),
        name: Some(name.clone()),
        jobs: Vec::new(),
    };
    // Jobs are told apart from it, if they are told at all.
    pipeline.jobs = vec![Job::standing_for("whole workflow", &name, &pipeline)];
    Told::Pipeline(Box::new(pipeline))
}

fn server_of(server: &'static str) -> &'static str {
    match server {
        "GitHub" => "GitHub Actions",
        "Gitea" => "Gitea Actions",
        _ => "Forgejo Actions",
    }
}

fn workflow_job(server: &'static str, repository: String, body: &Value) -> Told {
    let job = body.field("workflow_job");
    let Some((job, key, name)) = job.and_then(|job| Some((job, key_of(job, "run_id")?, job.owned("name")?))) else {
        return Told::Nothing("it names no job");
    };
    let state = state_of(job);
    let workflow = job.owned("workflow_name").unwrap_or_else(|| "workflow".into());
    let began_at = job.time("started_at").filter(|_| state != State::Queued);
    let told = Job {
        suite: vec![workflow.clone()],
        name,
        attempt: 1,
        state,
        began_at,
        ended_at: job.time("completed_at"),
        message: None,
    };
    Told::Pipeline(Box::new(Pipeline {
        server: server_of(server),
        repository,
        key,
        name: Some(workflow),
        commit: job.owned("head_sha"),
        branch: job.owned("head_branch"),
        // The workflow says itself when it is over.
        state: if state == State::Queued { State::Queued } else { State::Running },
        began_at,
        jobs: vec![told],
        ..Pipeline::default()
    }))
}

/// A check of an app; those of its own workflows GitHub tells as jobs too.
fn check_run(server: &'static str, repository: String, body: &Value) -> Told {
    let check = body.field("check_run");
    let Some((check, id, name)) = check.and_then(|check| Some((check, check.key("id")?, check.owned("name")?))) else {
        return Told::Nothing("it names no check");
    };
    let app = check.field("app");
    if app.and_then(|app| app.text("slug")) == Some("github-actions") {
        return Told::Nothing("jobs of workflows are told as such");
    }
    if !matches!(body.text("action"), Some("created" | "completed") | None) {
        return Told::Nothing("somebody asked for something; what comes of it is told later");
    }
    let suite = app.and_then(|app| app.owned("name")).unwrap_or_else(|| "checks".into());
    let mut pipeline = Pipeline {
        server,
        repository,
        key: format!("check {id}"),
        name: Some(name.clone()),
        commit: check.owned("head_sha"),
        branch: check.field("check_suite").and_then(|suite| suite.owned("head_branch")),
        url: check.owned("html_url"),
        state: state_of(check),
        began_at: check.time("started_at"),
        ended_at: check.time("completed_at"),
        ..Pipeline::default()
    };
    pipeline.jobs = vec![Job::standing_for(&name, &suite, &pipeline)];
    Told::Pipeline(Box::new(pipeline))
}

fn status(server: &'static str, repository: String, body: &Value) -> Told {
    let state = match body.text("state").unwrap_or_default() {
        "pending" => State::Running,
        word => State::Over(verdict_of(word)),
    };
    let branch = body.list("branches").first().and_then(|branch| branch.owned("name"));
    let told = Status {
        server,
        repository,
        context: body.text("context").unwrap_or("default"),
        commit: body.owned("sha"),
        branch,
        url: body.owned("target_url"),
        message: body.owned("description"),
        state,
    };
    told.pipeline(body)
}

/// A status of a commit: a pipeline of which only the end, or that it runs, is told.
pub(super) struct Status<'a> {
    pub server: &'static str,
    pub repository: String,
    pub context: &'a str,
    pub commit: Option<String>,
    pub branch: Option<String>,
    pub url: Option<String>,
    pub message: Option<String>,
    pub state: State,
}

impl Status<'_> {
    /// As a run of one test. `times` tells when it was made and last changed.
    pub fn pipeline(self, times: &Value) -> Told {
        let Some(commit) = self.commit else { return Told::Nothing("it names no commit") };
        let time = |names: [&str; 2]| names.iter().find_map(|name| times.time(name));
        let context: String = self.context.chars().take(CONTEXT_KEPT).collect();
        let short: String = commit.chars().take(COMMIT_KEPT).collect();
        let ended_at = time(["updated_at", "updated_on"]).filter(|_| matches!(self.state, State::Over(_)));
        let mut pipeline = Pipeline {
            server: self.server,
            repository: self.repository,
            key: format!("status {short} {context}"),
            name: Some(context.clone()),
            commit: Some(commit),
            branch: self.branch,
            url: self.url,
            state: self.state,
            began_at: time(["created_at", "created_on"]),
            ended_at,
            ..Pipeline::default()
        };
        let failed = matches!(self.state, State::Over(verdict) if verdict.is_failure());
        let job = Job::standing_for(&context, "status", &pipeline);
        pipeline.jobs = vec![Job { message: self.message.filter(|_| failed), ..job }];
        Told::Pipeline(Box::new(pipeline))
    }
}
