//! A commit, and what the forge it came from is told of it.

use super::run::{RunResult, RunState};
use super::test::words;

words! {
    /// What kind of server keeps a repository.
    Forge {
        /// github.com, or GitHub Enterprise.
        GitHub = "github",
        /// gitlab.com, or a GitLab of one's own.
        GitLab = "gitlab",
        /// Gitea.
        Gitea = "gitea",
        /// Forgejo, such as Codeberg.
        Forgejo = "forgejo",
        /// bitbucket.org.
        Bitbucket = "bitbucket",
        /// Bitbucket Data Center.
        BitbucketDataCenter = "bitbucket-datacenter",
    }
}

words! {
    /// How a commit stands by one of its runs.
    CommitState {
        /// Not begun.
        Pending = "pending",
        /// Begun.
        Running = "running",
        /// Well.
        Success = "success",
        /// Tests failed.
        Failure = "failure",
        /// It could not be found out.
        Error = "error",
        /// Somebody stopped it.
        Cancelled = "cancelled",
    }
}

impl CommitState {
    /// How a commit stands by one of its runs.
    pub const fn of(state: RunState, result: Option<RunResult>) -> Self {
        match (state, result) {
            (RunState::Waiting, _) => Self::Pending,
            (RunState::Running, _) => Self::Running,
            (_, Some(RunResult::Passed | RunResult::Flaky)) => Self::Success,
            (_, Some(RunResult::Failed)) => Self::Failure,
            (_, Some(RunResult::Cancelled)) => Self::Cancelled,
            (_, Some(RunResult::Incomplete) | None) => Self::Error,
        }
    }

    /// Whether there is more to come.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }
}

/// Whether a text may be the name of a commit; forges take full ones alone.
pub fn is_full_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaky_is_well_and_lost_is_an_error() {
        let table = [
            (RunState::Waiting, None, CommitState::Pending),
            (RunState::Running, None, CommitState::Running),
            (RunState::Finished, Some(RunResult::Passed), CommitState::Success),
            (RunState::Finished, Some(RunResult::Flaky), CommitState::Success),
            (RunState::Finished, Some(RunResult::Failed), CommitState::Failure),
            (RunState::Finished, Some(RunResult::Cancelled), CommitState::Cancelled),
            (RunState::Finished, Some(RunResult::Incomplete), CommitState::Error),
            (RunState::Lost, Some(RunResult::Incomplete), CommitState::Error),
        ];
        for (state, result, expected) in table {
            assert_eq!(CommitState::of(state, result), expected, "{state:?} {result:?}");
        }
    }

    #[test]
    fn a_short_name_is_no_full_commit() {
        assert!(is_full_commit("3f2a9c1d0b7e4f5a6c8d9e0f1a2b3c4d5e6f7a8b"));
        assert!(!is_full_commit("3f2a9c1") && !is_full_commit(&"z".repeat(40)));
    }
}
