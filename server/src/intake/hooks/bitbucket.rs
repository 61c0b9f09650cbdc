//! Bitbucket, in its two tongues.

use super::field::Field as _;
use super::github::Status;
use super::pipeline::State;
use super::{Push, Told};
use app::domain::test::Verdict;
use serde_json::Value;

const OTHER: Told = Told::Nothing("an event of this kind says nothing about tests");

pub(super) fn cloud(event: &str, body: &Value) -> Told {
    let repository = body.field("repository").and_then(|repository| repository.owned("full_name"));
    let Some(repository) = repository else { return Told::Nothing("it names no repository") };
    match event {
        "repo:push" => cloud_push(repository, body),
        "repo:commit_status_created" | "repo:commit_status_updated" => commit_status(repository, body),
        _ => OTHER,
    }
}

fn cloud_push(repository: String, body: &Value) -> Told {
    let changes = body.field("push").map(|push| push.list("changes")).unwrap_or_default();
    let branch = changes.iter().filter_map(|change| change.field("new")).find(|new| new.text("type") == Some("branch"));
    let told = branch.and_then(|new| Some((new.owned("name")?, new.field("target")?.owned("hash")?)));
    let Some((branch, commit)) = told else { return Told::Nothing("no branch has another commit") };
    let user = body.field("actor").and_then(|actor| actor.owned("nickname").or_else(|| actor.owned("display_name")));
    Told::Push(Push { repository, branch, commit, user })
}

fn commit_status(repository: String, body: &Value) -> Told {
    let Some(status) = body.field("commit_status") else { return Told::Nothing("it names no status") };
    let state = match status.text("state").unwrap_or_default() {
        "INPROGRESS" => State::Running,
        "SUCCESSFUL" => State::Over(Verdict::Passed),
        "FAILED" => State::Over(Verdict::Failed),
        "STOPPED" => State::Over(Verdict::Cancelled),
        _ => return Told::Nothing("it is in a state that is not known"),
    };
    let told = Status {
        server: "Bitbucket",
        repository,
        context: status.text("key").unwrap_or("default"),
        commit: status.field("commit").and_then(|commit| commit.owned("hash")),
        branch: status.owned("refname"),
        url: status.owned("url"),
        message: status.owned("description"),
        state,
    };
    told.pipeline(status)
}

/// What Bitbucket Data Center calls a repository.
pub(super) fn repository(body: &Value) -> Option<String> {
    let repository = body.field("repository")?;
    Some(format!("{}/{}", repository.field("project")?.text("key")?, repository.text("slug")?))
}

pub(super) fn datacenter(event: &str, body: &Value) -> Told {
    let event = body.text("eventKey").unwrap_or(event);
    match (event, repository(body)) {
        ("repo:refs_changed", Some(repository)) => datacenter_push(repository, body),
        ("repo:refs_changed", None) => Told::Nothing("it names no repository"),
        _ => OTHER,
    }
}

fn datacenter_push(repository: String, body: &Value) -> Told {
    let is_branch = |change: &&Value| {
        let reference = change.field("ref");
        change.text("type") != Some("DELETE") && reference.and_then(|of| of.text("type")) == Some("BRANCH")
    };
    let change = body.list("changes").iter().find(is_branch);
    let told = change.and_then(|change| Some((change.field("ref")?.owned("displayId")?, change.owned("toHash")?)));
    let Some((branch, commit)) = told else { return Told::Nothing("no branch has another commit") };
    let user = body.field("actor").and_then(|actor| actor.owned("name"));
    Told::Push(Push { repository, branch, commit, user })
}
