//! Pull and merge requests: what somebody would like to have in a branch.

use super::field::Field as _;
use super::{Pushed, Told};
use serde_json::Value;

/// What a request is about, beside its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// The branch that it is for.
    pub base: String,
    /// The branch that it comes from.
    pub head: String,
    /// The repository that it comes from, where that is another one. Nobody who
    /// may push to this one has looked at it.
    pub fork: Option<String>,
    /// Where its commit is found in the repository that it is for.
    pub reference: String,
}

const NO_COMMIT: &str = "the request has no new commit";

/// As GitHub, Gitea and Forgejo tell it.
pub(super) fn github(repository: String, body: &Value) -> Told {
    // Gitea says `synchronized` where GitHub says `synchronize`.
    if !matches!(body.text("action"), Some("opened" | "synchronize" | "synchronized" | "reopened")) {
        return Told::Nothing(NO_COMMIT);
    }
    let read = || {
        let request = body.field("pull_request")?;
        let number = request.key("number").or_else(|| body.key("number"))?;
        let (head, base) = (request.field("head")?, request.field("base")?);
        // A fork that is gone is still none of ours.
        let from = head.field("repo").and_then(|repo| repo.owned("full_name")).unwrap_or_else(|| "that is gone".into());
        Some(Pushed {
            branch: format!("pull/{number}"),
            commit: head.owned("sha")?,
            user: request.field("user").and_then(|user| user.owned("login")),
            message: request.owned("title"),
            pull: Some(Pull {
                base: base.owned("ref")?,
                head: head.owned("ref").unwrap_or_default(),
                fork: Some(from).filter(|from| *from != repository),
                reference: format!("refs/pull/{number}/head"),
            }),
            repository: repository.clone(),
        })
    };
    read().map_or(Told::Nothing("it names no request"), |pushed| Told::Pull(Box::new(pushed)))
}

/// As GitLab tells it.
pub(super) fn gitlab(repository: String, body: &Value) -> Told {
    let Some(about) = body.field("object_attributes") else { return Told::Nothing("it names no request") };
    let has_commit = match about.text("action") {
        Some("open" | "reopen") => true,
        // Other changes, such as of its title, have no earlier commit.
        Some("update") => about.field("oldrev").is_some(),
        _ => false,
    };
    if !has_commit {
        return Told::Nothing(NO_COMMIT);
    }
    let read = || {
        let number = about.key("iid")?;
        let last = about.field("last_commit")?;
        let ids = [about.key("source_project_id"), about.key("target_project_id")];
        let source = about.field("source").and_then(|source| source.owned("path_with_namespace"));
        let fork = (ids[0] != ids[1]).then(|| source.unwrap_or_else(|| "that is gone".into()));
        Some(Pushed {
            branch: format!("merge/{number}"),
            commit: last.owned("id")?,
            user: body.field("user").and_then(|user| user.owned("username")),
            message: about.owned("title"),
            pull: Some(Pull {
                base: about.owned("target_branch")?,
                head: about.owned("source_branch").unwrap_or_default(),
                fork,
                reference: format!("refs/merge-requests/{number}/head"),
            }),
            repository: repository.clone(),
        })
    };
    read().map_or(Told::Nothing("it names no request"), |pushed| Told::Pull(Box::new(pushed)))
}

#[cfg(test)]
mod tests {
    use crate::intake::hooks::{Kind, Pull, Pushed, pushed};
    use serde_json::{Value, json};

    const SHA: &str = "3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a";

    fn github(action: &str, from: &str) -> Value {
        json!({
            "action": action, "number": 12, "repository": {"full_name": "acme/pump"},
            "pull_request": {
                "number": 12, "title": "A better valve", "user": {"login": "kim"},
                "head": {"sha": SHA, "ref": "valve", "repo": {"full_name": from}}, "base": {"ref": "main"},
            },
        })
    }

    fn gitlab(action: &str, from: u32, oldrev: Option<&str>) -> Value {
        json!({
            "object_kind": "merge_request", "user": {"username": "kim"}, "project": {"path_with_namespace": "acme/pump"},
            "object_attributes": {
                "iid": 12, "title": "A better valve", "action": action, "oldrev": oldrev, "source_branch": "valve",
                "target_branch": "main", "source_project_id": from, "target_project_id": 1,
                "last_commit": {"id": SHA}, "source": {"path_with_namespace": "kim/pump"},
            },
        })
    }

    fn expected(branch: &str, reference: &str, fork: Option<&str>) -> Pushed {
        Pushed {
            repository: "acme/pump".into(),
            branch: branch.into(),
            commit: SHA.into(),
            user: Some("kim".into()),
            message: Some("A better valve".into()),
            pull: Some(Pull {
                base: "main".into(),
                head: "valve".into(),
                fork: fork.map(str::to_owned),
                reference: reference.into(),
            }),
        }
    }

    #[test]
    fn requests_are_read_as_each_forge_tells_them() {
        let own = |kind, action| pushed(kind, "pull_request", &github(action, "acme/pump"));
        let plain = Some(expected("pull/12", "refs/pull/12/head", None));
        assert_eq!(own(Kind::Github, "opened"), plain);
        assert_eq!((own(Kind::Github, "synchronize"), own(Kind::Gitea, "synchronized")), (plain.clone(), plain));
        assert_eq!((own(Kind::Forgejo, "closed"), own(Kind::Github, "labeled")), (None, None));
        let forked = pushed(Kind::Forgejo, "pull_request", &github("opened", "kim/pump"));
        assert_eq!(forked, Some(expected("pull/12", "refs/pull/12/head", Some("kim/pump"))));
        let mut gone = github("opened", "kim/pump");
        gone["pull_request"]["head"]["repo"] = Value::Null;
        let gone = pushed(Kind::Github, "pull_request", &gone).and_then(|pushed| pushed.pull?.fork);
        assert!(gone.is_some(), "what comes from nowhere is trusted least");
    }

    #[test]
    fn merge_requests_are_built_when_they_have_a_new_commit() {
        let read = |body: &Value| pushed(Kind::Gitlab, "", body);
        let place = ("merge/12", "refs/merge-requests/12/head");
        assert_eq!(read(&gitlab("open", 1, None)), Some(expected(place.0, place.1, None)));
        assert_eq!(read(&gitlab("update", 7, Some(SHA))), Some(expected(place.0, place.1, Some("kim/pump"))));
        assert_eq!((read(&gitlab("update", 1, None)), read(&gitlab("merge", 1, None))), (None, None));
    }
}
