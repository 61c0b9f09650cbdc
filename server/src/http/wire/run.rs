//! Runs, as the public reads tell of them.

use super::{Activity, CountsBody, Moment, Phase, RunResult, RunState, millis};
use app::domain::time::Timestamp;
use app::read::{RunHead, RunLine};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// A run: one execution of a set of tests on one setup
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub struct RunItem {
    /// Which run.
    pub id: Uuid,
    /// What the listener calls it; unique within its setup.
    pub key: String,
    /// Its setup.
    pub setup: String,
    /// The product under test.
    pub project: String,
    /// A name for people.
    pub name: Option<String>,
    /// Where it stands.
    pub state: RunState,
    /// What it came to; null while it is open.
    pub result: Option<RunResult>,
    /// Its tests by outcome.
    pub counts: CountsBody,
    /// The commit under test.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// When it began.
    pub started_at: Option<Moment>,
    /// When it ended.
    pub finished_at: Option<Moment>,
}

/// A page of runs, the newest first
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RunList {
    /// The runs.
    pub items: Vec<RunItem>,
    /// Hand it back as `cursor` for the next page; null on the last one.
    pub next: Option<String>,
}

/// A run with everything that is known of it as a whole
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RunDetail {
    /// What lists tell of it.
    #[serde(flatten)]
    pub run: RunItem,
    /// What its setup is doing with it.
    pub activity: Activity,
    /// The suite it is busy with: names from the root.
    pub suite: Vec<String>,
    /// The test it is busy with, parameters included.
    pub test: Option<String>,
    /// What that suite is busy with.
    pub phase: Option<Phase>,
    /// When it should be done, judged by earlier runs.
    pub eta_at: Option<Moment>,
    /// What set it off.
    pub trigger: Option<String>,
    /// Where more is to be seen.
    pub url: Option<String>,
    /// Who set it off.
    pub user: Option<String>,
    /// The test framework and its version.
    pub framework: Option<String>,
    /// Anything else that was told.
    pub attributes: BTreeMap<String, String>,
    /// Events that came after it was over; they are kept.
    pub late_events: u32,
    /// How far the listener's clock is ahead of ours, in milliseconds, where it is plainly wrong.
    pub clock_offset_ms: Option<f64>,
    /// The setup's last run before this one that passed.
    pub last_good_run: Option<Uuid>,
    /// Rises with every change.
    pub version: u64,
}

impl RunItem {
    /// What a line of a list says.
    pub fn of(setup: String, line: RunLine) -> Self {
        Self {
            id: line.id.0,
            key: line.key,
            setup,
            project: line.project,
            name: line.name,
            state: RunState(line.state),
            result: line.result.map(RunResult),
            counts: line.counts.into(),
            commit: line.commit,
            branch: line.branch,
            started_at: line.started_at.map(Moment),
            finished_at: line.finished_at.map(Moment),
        }
    }
}

impl RunDetail {
    /// What the head of a run says, at `now`.
    pub fn of(head: RunHead, now: Timestamp) -> Self {
        let card = head.card;
        let activity = app::domain::activity::Activity::of(now, &head.facts, head.silent_after);
        Self {
            activity: Activity(activity),
            suite: card.suite,
            test: card.test,
            phase: card.phase.map(Phase),
            eta_at: card.eta_at.map(Moment),
            trigger: head.trigger,
            url: head.url,
            user: head.user,
            framework: head.framework,
            attributes: head.attributes.into_iter().collect(),
            late_events: head.late,
            clock_offset_ms: head.clock_correction.map(|added| -millis(added)),
            last_good_run: head.last_good.map(|run| run.0),
            version: head.version,
            run: RunItem {
                id: card.id.0,
                key: card.key,
                setup: head.setup,
                project: card.project,
                name: card.name,
                state: RunState(card.state),
                result: card.result.map(RunResult),
                counts: card.counts.into(),
                commit: card.commit,
                branch: card.branch,
                started_at: card.started_at.map(Moment),
                finished_at: card.finished_at.map(Moment),
            },
        }
    }
}
