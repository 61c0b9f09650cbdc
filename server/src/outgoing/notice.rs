//! A message about what changed: one line, a link, and the changes one by one
//! for programs. Pure.

use app::domain::change::ChangeKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Changes that are listed one by one; more are counted.
pub const LISTED: usize = 50;

/// Names that a line about several changes says.
const NAMED: usize = 3;

/// A message about what changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Names the message; one that is sent again has the same.
    pub id: Uuid,
    /// When it was written, RFC 3339.
    pub at: String,
    /// What changed, in a line.
    pub text: String,
    /// Where more is to be seen.
    pub url: String,
    /// What changed, the gravest first; at most [`LISTED`].
    pub changes: Vec<NoticeChange>,
    /// How many more changes there are.
    pub more: usize,
    /// It was sent by hand, to see whether it arrives.
    pub is_test: bool,
}

/// A test or a setup that stands otherwise than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeChange {
    /// What changed.
    pub change: ChangeKind,
    /// The setup.
    pub setup: String,
    /// The project.
    pub project: Option<String>,
    /// The suites of the test, from the root.
    pub suite: Vec<String>,
    /// The test; none where it is about the setup itself.
    pub test: Option<String>,
    /// Who looks after the test.
    pub owner: Option<String>,
    /// The branch of the run it was seen in.
    pub branch: Option<String>,
    /// The commit of that run.
    pub commit: Option<String>,
    /// That run's page.
    pub run_url: Option<String>,
    /// The page of the test, or of the setup.
    pub url: String,
}

impl NoticeChange {
    fn name(&self) -> &str {
        self.test.as_deref().unwrap_or(&self.setup)
    }

    /// In a line of its own.
    pub fn line(&self) -> String {
        let setup = &self.setup;
        let said = match (self.change, &self.test) {
            (ChangeKind::SetupSilent, _) => {
                let during = self.suite.last().map(|suite| format!(" during {suite}")).unwrap_or_default();
                format!("{setup} fell silent{during}")
            }
            (ChangeKind::Recovered, None) => format!("{setup} speaks again"),
            (_, None) => format!("{setup} stands otherwise"),
            (ChangeKind::NewFailure, Some(test)) => format!("{test} began to fail on {setup}"),
            (ChangeKind::NewlyFlaky, Some(test)) => format!("{test} is newly flaky on {setup}"),
            (ChangeKind::Recovered, Some(test)) => format!("{test} recovered on {setup}"),
        };
        let short = self.commit.as_deref().map(|commit| commit.get(..8).unwrap_or(commit).to_owned());
        let aside = [self.project.clone(), self.branch.clone(), short, self.owner.clone()];
        let aside: Vec<_> = aside.into_iter().flatten().filter(|part| part != "default").collect();
        if aside.is_empty() { said } else { format!("{said} ({})", aside.join(", ")) }
    }
}

/// How grave a change is, 0 for the gravest.
fn rank(change: ChangeKind) -> u8 {
    match change {
        ChangeKind::SetupSilent => 0,
        ChangeKind::NewFailure => 1,
        ChangeKind::NewlyFlaky => 2,
        ChangeKind::Recovered => 3,
    }
}

/// The gravest first, then by name.
pub fn sort(changes: &mut [NoticeChange]) {
    changes.sort_by(|one, other| {
        (rank(one.change), &one.setup, &one.suite, &one.test).cmp(&(
            rank(other.change),
            &other.setup,
            &other.suite,
            &other.test,
        ))
    });
}

/// All changes in one line. They are sorted.
pub fn line(changes: &[NoticeChange]) -> String {
    match changes {
        [] => String::new(),
        [one] => one.line(),
        several => line_of_several(several),
    }
}

fn line_of_several(changes: &[NoticeChange]) -> String {
    let mut parts = Vec::new();
    for (kind, one, many) in [
        (ChangeKind::SetupSilent, "setup fell silent", "setups fell silent"),
        (ChangeKind::NewFailure, "test began to fail", "tests began to fail"),
        (ChangeKind::NewlyFlaky, "test is newly flaky", "tests are newly flaky"),
        (ChangeKind::Recovered, "recovered", "recovered"),
    ] {
        let count = changes.iter().filter(|change| change.change == kind).count();
        if count > 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    }
    let said = match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    };
    let setups: BTreeSet<_> = changes.iter().map(|change| &*change.setup).collect();
    let place = match (setups.len(), setups.first()) {
        (1, Some(setup)) => format!("on {setup}"),
        (count, _) => format!("on {count} setups"),
    };
    let names: Vec<_> = changes.iter().take(NAMED).map(NoticeChange::name).collect();
    let more = changes.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{said} {place}: {}{rest}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(change: ChangeKind, setup: &str, test: Option<&str>) -> NoticeChange {
        NoticeChange {
            change,
            setup: setup.into(),
            project: Some("pump".into()),
            suite: vec!["Valves".into()],
            test: test.map(Into::into),
            owner: None,
            branch: Some("main".into()),
            commit: Some("3f2a9c1d0b7e4f5a".into()),
            run_url: None,
            url: "https://holter.example/".into(),
        }
    }

    #[test]
    fn one_change_is_said_in_full() {
        let table = [
            (ChangeKind::NewFailure, Some("opens"), "opens began to fail on rig 1 (pump, main, 3f2a9c1d)"),
            (ChangeKind::NewlyFlaky, Some("opens"), "opens is newly flaky on rig 1 (pump, main, 3f2a9c1d)"),
            (ChangeKind::Recovered, Some("opens"), "opens recovered on rig 1 (pump, main, 3f2a9c1d)"),
            (ChangeKind::SetupSilent, None, "rig 1 fell silent during Valves (pump, main, 3f2a9c1d)"),
            (ChangeKind::Recovered, None, "rig 1 speaks again (pump, main, 3f2a9c1d)"),
        ];
        for (kind, test, expected) in table {
            assert_eq!(line(&[change(kind, "rig 1", test)]), expected);
        }
        let plain = NoticeChange {
            project: Some("default".into()),
            branch: None,
            commit: None,
            ..change(ChangeKind::NewFailure, "r", Some("t"))
        };
        assert_eq!(plain.line(), "t began to fail on r");
    }

    #[test]
    fn many_changes_are_one_line() {
        let mut changes =
            vec![change(ChangeKind::Recovered, "rig 1", Some("shuts")), change(ChangeKind::SetupSilent, "rig 2", None)];
        changes.extend(["d", "c", "b", "a"].map(|test| change(ChangeKind::NewFailure, "rig 1", Some(test))));
        sort(&mut changes);
        assert_eq!(
            line(&changes),
            "1 setup fell silent, 4 tests began to fail and 1 recovered on 2 setups: rig 2, a, b and 3 more"
        );
        assert_eq!(line(&changes[1..3]), "2 tests began to fail on rig 1: a, b");
        assert_eq!(line(&[]), "");
    }
}
