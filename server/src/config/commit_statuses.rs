//! Which repositories are told how the commits of runs stand.

use super::{Config, ConfigError, Secret, invalid};
use crate::outgoing::forge::{Repository, check_path};
use app::domain::commit::Forge;
use serde::{Deserialize, Serialize};
use url::Url;

/// A repository that is told how the commits of some runs stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitStatusConfig {
    /// What kind of server keeps it.
    pub forge: Forge,
    /// Where that server's API is; it may be left out where there is one for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// `OWNER/NAME`.
    pub repository: String,
    /// The user, where the token is that user's password (Bitbucket).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A token that may set statuses.
    pub token: Secret,
    /// What tells these statuses from others; `{setup}` and `{project}` stand for names.
    #[serde(default = "usual_context")]
    pub context: String,
    /// Only runs of these projects; none for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
    /// Only runs on these setups; `*` stands for any letters. None for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setups: Vec<String>,
}

fn usual_context() -> String {
    "holter/{setup}".into()
}

/// Where a forge's API is, where there is one place for everybody.
fn usual_url(forge: Forge) -> Option<Url> {
    let text = match forge {
        Forge::GitHub => "https://api.github.com",
        Forge::GitLab => "https://gitlab.com",
        Forge::Bitbucket => "https://api.bitbucket.org",
        Forge::Gitea | Forge::Forgejo | Forge::BitbucketDataCenter => return None,
    };
    text.parse().ok()
}

impl CommitStatusConfig {
    /// The same, for calls.
    pub fn repository(&self) -> Result<Repository, ConfigError> {
        let place = |field: &str| format!("commit_statuses, {:?}, {field}", self.repository);
        check_path(&self.repository).map_err(|error| invalid(place("repository"), error.to_string()))?;
        let url = self.url.clone().or_else(|| usual_url(self.forge));
        let no_url = || invalid(place("url"), format!("{} has no usual address; give that of its API", self.forge));
        let url = url.ok_or_else(no_url)?;
        if self.token.expose().is_empty() {
            return Err(invalid(place("token"), "must not be empty"));
        }
        if self.context.trim().is_empty() {
            return Err(invalid(place("context"), "must not be empty"));
        }
        let (user, token) = (self.user.clone(), self.token.clone());
        Ok(Repository { forge: self.forge, url, path: self.repository.clone(), user, token })
    }
}

impl Config {
    /// Refuses what could never be said.
    pub(super) fn validate_commit_statuses(&self) -> Result<(), ConfigError> {
        if let Some(url) = &self.public_url
            && !(matches!(url.scheme(), "http" | "https") && url.query().is_none())
        {
            return Err(invalid("public_url", "must be an address such as https://holter.example"));
        }
        if !self.commit_statuses.is_empty() && self.public_url.is_none() {
            return Err(invalid("public_url", "must be given where commit statuses are, which link to it"));
        }
        let rules = self.outgoing.rules().map_err(|error| invalid("outgoing", error.to_string()))?;
        for one in &self.commit_statuses {
            let place = format!("commit_statuses, {:?}, url", one.repository);
            rules.check(&one.repository()?.url).map_err(|refused| invalid(place, refused.to_string()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_never_be_said_is_refused() {
        let start = "public_url = \"https://holter.example\"\n[outgoing]\nallowed_hosts = [\"api.github.com\"]\n\
                     [[commit_statuses]]\n";
        let good = format!("{start}forge = \"github\"\nrepository = \"acme/pump\"\ntoken = \"t\"\n");
        let read = |text: &str| toml::from_str::<Config>(text).expect("valid").validate();
        read(&good).expect("usable");
        let cases = [
            (good.replace("acme/pump", "pump"), "repository"),
            (good.replace("\"t\"", "\"\""), "token"),
            (good.replace("github\"\n", "gitea\"\n"), "url"),
            (good.replace("api.github.com", "other.example"), "outgoing.allowed_hosts"),
            (good.replace("public_url = \"https://holter.example\"\n", ""), "public_url"),
            (good.replace("https://holter", "ftp://holter"), "public_url"),
        ];
        for (text, word) in cases {
            let error = read(&text).expect_err(&text).to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
