//! What CI servers tell over webhooks, as events of ours.
//!
//! A pipeline is a run on the setup `ci/` and its repository, and each of its
//! jobs is a test; where no jobs are told, one test stands for all of it. What
//! is no pipeline, job, check or status is heard politely and changes nothing.
//! A push notes its commit with the setup: nobody ran anything yet.
//!
//! Payloads come late, twice and out of order. Each says all that it knows, and
//! the join of a run's events does the rest.

mod bitbucket;
mod field;
mod github;
mod gitlab;
mod jenkins;
mod pipeline;
mod pull;
#[cfg(test)]
mod tests;

use super::as_name;
use app::domain::time::Timestamp;
use field::Field as _;
use pipeline::Pipeline;
pub use pull::Pull;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A kind of CI server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// GitLab.
    Gitlab,
    /// GitHub.
    Github,
    /// Gitea.
    Gitea,
    /// Forgejo.
    Forgejo,
    /// Bitbucket Cloud.
    Bitbucket,
    /// Bitbucket Data Center.
    BitbucketDatacenter,
    /// Jenkins with its Notification plugin.
    Jenkins,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Gitlab,
        Self::Github,
        Self::Gitea,
        Self::Forgejo,
        Self::Bitbucket,
        Self::BitbucketDatacenter,
        Self::Jenkins,
    ];

    /// Its one spelling, in addresses and in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gitlab => "gitlab",
            Self::Github => "github",
            Self::Gitea => "gitea",
            Self::Forgejo => "forgejo",
            Self::Bitbucket => "bitbucket",
            Self::BitbucketDatacenter => "bitbucket-datacenter",
            Self::Jenkins => "jenkins",
        }
    }

    /// The kind of this spelling.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What the operator calls things.
#[derive(Clone, Copy, Debug)]
pub struct Naming<'a> {
    /// The project of all of it.
    pub project: Option<&'a str>,
    /// Setups by repository.
    pub setups: &'a BTreeMap<String, String>,
}

impl Naming<'_> {
    /// The setup of a repository.
    fn setup_of(&self, repository: &str) -> String {
        let said = self.setups.get(repository).cloned();
        said.unwrap_or_else(|| as_name(&format!("ci/{repository}")))
    }
}

/// What came of a payload.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// What is to be recorded.
    Events(Vec<Value>),
    /// Nothing for us, and why.
    Nothing(&'static str),
}

/// What a payload is about.
enum Told {
    Pipeline(Box<Pipeline>),
    Push(Push),
    Pull(Box<Pushed>),
    Nothing(&'static str),
}

/// A branch has another commit.
struct Push {
    repository: String,
    branch: String,
    commit: String,
    user: Option<String>,
}

/// A branch that has another commit, as a payload tells it: the repository, the
/// branch, the commit, who pushed it and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// What the server calls the repository.
    pub repository: String,
    /// The branch.
    pub branch: String,
    /// Its commit.
    pub commit: String,
    /// Who pushed.
    pub user: Option<String>,
    /// What the commit says.
    pub message: Option<String>,
    /// It is asked for, and not pushed to a branch of the repository.
    pub pull: Option<Pull>,
}

/// Which repository a payload is about, whatever else it says.
pub fn repository_of(kind: Kind, body: &Value) -> Option<String> {
    match kind {
        Kind::Gitlab => gitlab::repository(body),
        Kind::Github | Kind::Gitea | Kind::Forgejo | Kind::Bitbucket => body.field("repository")?.owned("full_name"),
        Kind::BitbucketDatacenter => bitbucket::repository(body),
        Kind::Jenkins => None,
    }
}

/// What a payload tells of a push, or of a request to take commits; none where
/// it is of another kind.
pub fn pushed(kind: Kind, event: &str, body: &Value) -> Option<Pushed> {
    let Push { repository, branch, commit, user } = match told(kind, event, body) {
        Told::Push(push) => push,
        Told::Pull(pushed) => return Some(*pushed),
        Told::Pipeline(_) | Told::Nothing(_) => return None,
    };
    let commits = body.get("commits").and_then(Value::as_array);
    let own = |one: &&Value| one.text("id") == Some(&commit);
    let message = body
        .field("head_commit")
        .or_else(|| commits.and_then(|commits| commits.iter().find(own)))
        .and_then(|one| one.owned("message"))
        .or_else(|| {
            let target = body.pointer("/push/changes/0/new/target")?;
            target.owned("message")
        });
    Some(Pushed { repository, branch, commit, user, message, pull: None })
}

/// Reads a payload. `event` is what its headers call it, empty where they do not.
pub fn read(kind: Kind, event: &str, body: &Value, naming: Naming<'_>, now: Timestamp) -> Heard {
    let mut events = match told(kind, event, body) {
        Told::Nothing(why) => return Heard::Nothing(why),
        Told::Pipeline(pipeline) => pipeline.events(naming, now),
        Told::Push(push) => vec![push.event(naming, now)],
        Told::Pull(_) => return Heard::Nothing("a request to take commits is no test"),
    };
    if let Some(project) = naming.project {
        events.iter_mut().for_each(|event| event["project"] = project.into());
    }
    Heard::Events(events)
}

fn told(kind: Kind, event: &str, body: &Value) -> Told {
    match kind {
        Kind::Gitlab => gitlab::read(body),
        Kind::Github => github::read("GitHub", event, body),
        Kind::Gitea => github::read("Gitea", event, body),
        Kind::Forgejo => github::read("Forgejo", event, body),
        Kind::Bitbucket => bitbucket::cloud(event, body),
        Kind::BitbucketDatacenter => bitbucket::datacenter(event, body),
        Kind::Jenkins => jenkins::read(body),
    }
}

impl Push {
    fn event(&self, naming: Naming<'_>, now: Timestamp) -> Value {
        let mut attributes = json!({"pushed commit": self.commit, "pushed branch": self.branch});
        if let Some(user) = &self.user {
            attributes["pushed by"] = user.as_str().into();
        }
        json!({
            "type": "setup.described", "setup": naming.setup_of(&self.repository), "at": now.to_rfc3339(),
            "attributes": attributes,
        })
    }

    /// As nearly all servers tell it: `ref` and the commit `after`.
    fn of(repository: String, body: &Value, user: Option<String>) -> Told {
        let reference = body.text("ref").unwrap_or_default();
        let Some(branch) = reference.strip_prefix("refs/heads/") else { return Told::Nothing("not a branch") };
        let commit = body.text("after").filter(|commit| commit.bytes().any(|byte| byte != b'0'));
        let gone = body.get("deleted").and_then(Value::as_bool).unwrap_or_default();
        match commit {
            Some(commit) if !gone => {
                Told::Push(Self { repository, branch: branch.to_owned(), commit: commit.to_owned(), user })
            }
            _ => Told::Nothing("the branch was deleted"),
        }
    }
}

/// Gives events the ids of their delivery, so that the store knows a repeat
/// again when everybody else has forgotten it.
pub fn name(events: &mut [Value], kind: Kind, delivery: &str) {
    let base = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{}:{delivery}", kind.as_str()).as_bytes());
    for (index, event) in events.iter_mut().enumerate() {
        event["id"] = Uuid::new_v5(&base, &index.to_be_bytes()).to_string().into();
    }
}
