//! What a message says of a change beside that it happened: names, the run it
//! was seen in, where to look.

use crate::clock::new_id;
use crate::outgoing::notice::{LISTED, Notice, NoticeChange, line, sort};
use crate::service::Service;
use crate::service::failure::Failure;
use crate::service::owners::Lookup;
use app::domain::change::{ChangeKind, Condition, Subject, Untold};
use app::domain::ids::{RunId, TestId};
use app::domain::test::Outcome;
use app::paths::Page;
use std::collections::BTreeSet;

/// What is to be said of a change.
pub(super) enum Detail {
    /// It is not decided yet.
    Undecided,
    /// Nothing any more.
    Nothing,
    /// This.
    Change(Box<Seen>),
}

/// A change, and the run it was seen in.
pub(super) struct Seen {
    /// The change.
    pub change: NoticeChange,
    run: Option<RunId>,
}

impl Service {
    /// What is to be said of a change.
    pub(super) async fn detail(&self, untold: &Untold) -> Result<Detail, Failure> {
        match untold.subject {
            Subject { test: Some(test), .. } => self.detail_of_test(untold, test).await,
            Subject { setup, test: None } => Ok(self.detail_of_setup(untold, &self.setup_name(setup))),
        }
    }

    async fn detail_of_test(&self, untold: &Untold, test: TestId) -> Result<Detail, Failure> {
        let setup = untold.subject.setup;
        let Some(newest) = self.inner.store.test_newest(test, setup).await? else { return Ok(Detail::Nothing) };
        if newest.outcome == Outcome::Running && untold.now_is == Condition::Failing {
            return Ok(Detail::Undecided);
        }
        let (name, suite) = newest.path.split_last().map_or((String::new(), Vec::new()), |(name, suite)| {
            (name.to_string(), suite.iter().map(|part| part.to_string()).collect())
        });
        let (own, source) = (newest.owner.as_deref(), newest.source.as_deref());
        let owner = Lookup::default().owner(self, &newest.project, own, source).await?;
        let change = NoticeChange {
            change: untold.kind(),
            setup: self.setup_name(setup),
            project: Some(newest.project.to_string()),
            suite,
            test: Some(name),
            owner,
            branch: newest.branch.map(Into::into),
            commit: newest.commit.map(Into::into),
            run_url: Some(self.link(&Page::Run(newest.run).to_string())),
            url: self.link(&Page::Test(test).to_string()),
        };
        Ok(Detail::Change(Box::new(Seen { change, run: Some(newest.run) })))
    }

    fn detail_of_setup(&self, untold: &Untold, name: &str) -> Detail {
        let Some(tile) = self.inner.board.tile(name) else { return Detail::Nothing };
        let run = tile.run.as_ref();
        let is_silent = untold.kind() == ChangeKind::SetupSilent;
        let change = NoticeChange {
            change: untold.kind(),
            setup: name.into(),
            project: run.map(|run| run.project.clone()),
            suite: run.filter(|_| is_silent).map(|run| run.suite.clone()).unwrap_or_default(),
            test: None,
            owner: None,
            branch: run.and_then(|run| run.branch.clone()),
            commit: run.and_then(|run| run.commit.clone()),
            run_url: run.map(|run| self.link(&Page::Run(run.id).to_string())),
            url: self.link(&Page::Setup(name).to_string()),
        };
        Detail::Change(Box::new(Seen { change, run: run.map(|run| run.id) }))
    }

    /// A message about changes; none about none.
    pub(super) fn notice(&self, seen: Vec<Seen>) -> Option<Notice> {
        let url = self.where_to_look(&seen)?;
        let mut changes: Vec<_> = seen.into_iter().map(|seen| seen.change).collect();
        sort(&mut changes);
        let text = line(&changes);
        let more = changes.len().saturating_sub(LISTED);
        changes.truncate(LISTED);
        Some(Notice { id: new_id(), at: self.now().to_rfc3339(), text, url, changes, more, is_test: false })
    }

    /// The page that shows the most of it: of the test, the run, the setup, or
    /// of all setups.
    fn where_to_look(&self, seen: &[Seen]) -> Option<String> {
        if let [one] = seen {
            return Some(one.change.url.clone());
        }
        let first = seen.first()?;
        let setups: BTreeSet<_> = seen.iter().map(|seen| &*seen.change.setup).collect();
        let in_one_run = first.run.filter(|run| seen.iter().all(|seen| seen.run == Some(*run)));
        let page = match (in_one_run, setups.len()) {
            (Some(run), _) => Page::Run(run).to_string(),
            (None, 1) => Page::Setup(&first.change.setup).to_string(),
            (None, _) => Page::Grid.to_string(),
        };
        Some(self.link(&page))
    }
}
