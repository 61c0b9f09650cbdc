//! What is said of a commit to the forge it came from: GitHub, GitLab, Gitea
//! and Forgejo, Bitbucket. Pure: from a status to a call, and from the answer
//! to what came of it.

use super::call::{Answer, Call};
use super::delivery::{Delivery, cut, says};
use crate::secret::Secret;
use app::domain::commit::{CommitState, Forge};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use thiserror::Error;
use url::Url;

/// A repository on a forge, and how to speak there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// What kind of server keeps it.
    pub forge: Forge,
    /// The address of the forge's API, without its path.
    pub url: Url,
    /// `OWNER/NAME`; on GitLab with all groups, on Bitbucket Data Center
    /// `PROJECT/NAME`.
    pub path: String,
    /// The user, where the token is that user's password (Bitbucket).
    pub user: Option<String>,
    /// The token.
    pub token: Secret,
}

/// What is said of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitStatus {
    /// The commit, in full.
    pub commit: String,
    /// What tells this status from others of the same commit.
    pub context: String,
    /// How it stands.
    pub state: CommitState,
    /// A line for people.
    pub description: String,
    /// Where more is to be seen.
    pub url: String,
}

/// Why this is no repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be OWNER/NAME, of letters, digits, '.', '_', '-' and '~'")]
pub struct NoPath;

/// A key for Bitbucket, which takes 40 characters: longer ones keep their
/// beginning, and a hash tells them apart.
fn key_of(context: &str) -> String {
    if context.len() <= 40 {
        return context.into();
    }
    let hash = Sha256::digest(context.as_bytes());
    let begin: String = context.chars().filter(char::is_ascii).take(31).collect();
    format!("{begin}-{}", hex::encode(&hash[..4]))
}

/// Whether a text names a repository, and no other place on its server.
pub fn check_path(path: &str) -> Result<(), NoPath> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-~".contains(c);
    let is_name = |part: &str| part.chars().all(is_plain) && !part.trim_matches('.').is_empty();
    let is_fine = path.contains('/') && path.len() <= 300 && path.split('/').all(is_name);
    if is_fine { Ok(()) } else { Err(NoPath) }
}

impl Repository {
    /// What it is called here: `github:api.github.com/acme/pump`. It holds no
    /// secret, and tells the same repository on two servers apart.
    pub fn name(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}:{host}{port}/{}", self.forge, self.path)
    }

    /// The address below the API, of segments that are encoded one by one.
    fn at(&self, segments: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// The call that says it.
    pub fn call(&self, status: &CommitStatus) -> Call {
        let (owner, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let CommitStatus { commit, context, state, description, url } = status;
        let token = self.token.expose();
        match self.forge {
            Forge::GitHub | Forge::Gitea | Forge::Forgejo => {
                let path = ["repos", owner, name, "statuses", commit];
                let is_github = self.forge == Forge::GitHub;
                let api: &[&str] = if is_github { &[] } else { &["api", "v1"] };
                let body = json!({
                    "state": github_word(*state), "context": context,
                    "description": cut(description, 140), "target_url": url,
                });
                let call = Call::post_json(self.at(&[api, &path].concat()), body.to_string());
                if is_github {
                    call.bearer(token)
                        .header("accept", "application/vnd.github+json")
                        .header("x-github-api-version", "2022-11-28")
                } else {
                    call.header("authorization", format!("token {token}"))
                }
            }
            Forge::GitLab => {
                let body = json!({
                    "state": gitlab_word(*state), "name": context,
                    "description": cut(description, 255), "target_url": url,
                });
                let at = self.at(&["api", "v4", "projects", &self.path, "statuses", commit]);
                Call::post_json(at, body.to_string()).header("private-token", token)
            }
            Forge::Bitbucket | Forge::BitbucketDataCenter => {
                let is_cloud = self.forge == Forge::Bitbucket;
                let body = json!({
                    "state": bitbucket_word(*state, is_cloud), "key": key_of(context), "name": cut(context, 255),
                    "description": cut(description, 255), "url": url,
                });
                let at = if is_cloud {
                    self.at(&["2.0", "repositories", owner, name, "commit", commit, "statuses", "build"])
                } else {
                    self.at(&["rest", "api", "1.0", "projects", owner, "repos", name, "commits", commit, "builds"])
                };
                let call = Call::post_json(at, body.to_string());
                match &self.user {
                    Some(user) => call.basic(user, token),
                    None => call.bearer(token),
                }
            }
        }
    }

    /// What came of it.
    pub fn outcome(&self, answer: &Answer) -> Delivery {
        match answer.status {
            // GitLab refuses to be told what it knows.
            400 if self.forge == Forge::GitLab && says(answer).contains("Cannot transition status") => Delivery::Taken,
            401 | 403 => Delivery::Never(format!("the token may not set statuses (status {})", answer.status)),
            404 => Delivery::Never("it knows no such repository or commit, or hides them from this token".into()),
            _ => Delivery::of(answer),
        }
    }
}

fn github_word(state: CommitState) -> &'static str {
    match state {
        CommitState::Pending | CommitState::Running => "pending",
        CommitState::Success => "success",
        CommitState::Failure => "failure",
        CommitState::Error | CommitState::Cancelled => "error",
    }
}

fn gitlab_word(state: CommitState) -> &'static str {
    match state {
        CommitState::Pending => "pending",
        CommitState::Running => "running",
        CommitState::Success => "success",
        CommitState::Failure | CommitState::Error => "failed",
        CommitState::Cancelled => "canceled",
    }
}

fn bitbucket_word(state: CommitState, is_cloud: bool) -> &'static str {
    match state {
        CommitState::Pending | CommitState::Running => "INPROGRESS",
        CommitState::Success => "SUCCESSFUL",
        CommitState::Failure | CommitState::Error => "FAILED",
        CommitState::Cancelled if is_cloud => "STOPPED",
        CommitState::Cancelled => "CANCELLED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use serde_json::Value;

    const SHA: &str = "3f2a9c1d0b7e4f5a6c8d9e0f1a2b3c4d5e6f7a8b";

    fn repository(forge: Forge, url: &str, path: &str) -> Repository {
        let url = url.parse().expect("an address");
        Repository { forge, url, path: path.into(), user: None, token: Secret::new("t0ken") }
    }

    fn status(state: CommitState) -> CommitStatus {
        CommitStatus {
            commit: SHA.into(),
            context: "holter/bench 1".into(),
            state,
            description: "3 of 40 failed".into(),
            url: "https://holter.example/runs/1".into(),
        }
    }

    fn told(repository: &Repository, state: CommitState) -> (String, Value) {
        let call = repository.call(&status(state));
        let body = serde_json::from_slice(call.body.as_deref().unwrap_or_default()).expect("JSON");
        (call.url.to_string(), body)
    }

    #[test]
    fn each_forge_is_told_in_its_own_words() {
        let github = repository(Forge::GitHub, "https://api.github.com", "acme/pump");
        let (url, body) = told(&github, CommitState::Running);
        assert_eq!(url, format!("https://api.github.com/repos/acme/pump/statuses/{SHA}"));
        assert_eq!((&body["state"], &body["context"]), (&json!("pending"), &json!("holter/bench 1")));

        let gitlab = repository(Forge::GitLab, "https://gitlab.example/sub/", "acme/rigs/pump");
        let (url, body) = told(&gitlab, CommitState::Cancelled);
        assert_eq!(url, format!("https://gitlab.example/sub/api/v4/projects/acme%2Frigs%2Fpump/statuses/{SHA}"));
        assert_eq!((&body["state"], &body["name"]), (&json!("canceled"), &json!("holter/bench 1")));

        let forgejo = repository(Forge::Forgejo, "https://forge.example", "acme/pump");
        let (url, body) = told(&forgejo, CommitState::Failure);
        assert_eq!(url, format!("https://forge.example/api/v1/repos/acme/pump/statuses/{SHA}"));
        assert_eq!(body["state"], "failure");

        let cloud = repository(Forge::Bitbucket, "https://api.bitbucket.org", "acme/pump");
        let (url, body) = told(&cloud, CommitState::Cancelled);
        assert_eq!(url, format!("https://api.bitbucket.org/2.0/repositories/acme/pump/commit/{SHA}/statuses/build"));
        assert_eq!((&body["state"], &body["key"]), (&json!("STOPPED"), &json!("holter/bench 1")));

        let center = repository(Forge::BitbucketDataCenter, "https://git.example/bitbucket", "ACME/pump");
        let (url, body) = told(&center, CommitState::Success);
        assert_eq!(
            url,
            format!("https://git.example/bitbucket/rest/api/1.0/projects/ACME/repos/pump/commits/{SHA}/builds")
        );
        assert_eq!(body["state"], "SUCCESSFUL");
    }

    #[test]
    fn a_path_cannot_leave_its_place() {
        for good in ["acme/pump", "acme/rigs/pump.rs", "~user/x_1"] {
            assert_eq!(check_path(good), Ok(()), "{good}");
        }
        for bad in ["pump", "../user", "acme/..", "/pump", "acme/", "acme/a b", "acme/a?b", "acme/%2e%2e"] {
            assert_eq!(check_path(bad), Err(NoPath), "{bad}");
        }
    }

    #[test]
    fn long_contexts_stay_apart() {
        let one = key_of(&format!("holter/{}1", "x".repeat(60)));
        let other = key_of(&format!("holter/{}2", "x".repeat(60)));
        assert!(one.len() == 40 && other.len() == 40 && one != other);
    }

    #[test]
    fn what_came_of_it_says_whether_to_try_again() {
        let answer = |status, body: &'static str| Answer {
            status,
            headers: Default::default(),
            body: Bytes::from_static(body.as_bytes()),
        };
        let gitlab = repository(Forge::GitLab, "https://gitlab.example", "a/b");
        let known = answer(400, r#"{"message":"Cannot transition status via :run from :running"}"#);
        assert_eq!(gitlab.outcome(&known), Delivery::Taken);
        assert_eq!(gitlab.outcome(&answer(201, "{}")), Delivery::Taken);
        assert!(matches!(gitlab.outcome(&answer(503, "")), Delivery::Later(..)));
        assert!(matches!(gitlab.outcome(&answer(429, "")), Delivery::Later(..)));
        for status in [301, 400, 401, 403, 404, 422] {
            assert!(matches!(gitlab.outcome(&answer(status, "no")), Delivery::Never(_)), "{status}");
        }
    }
}
