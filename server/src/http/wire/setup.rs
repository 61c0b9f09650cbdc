//! Setups, as the public reads tell of them.

use super::{Activity, CountsBody, Moment, Phase, RunResult, RunState};
use app::domain::time::{Micros, Timestamp};
use app::read::{Reservation, RunCard, SickTests, Tile};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A setup: a named rig that runs tests
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Setup)]
pub struct SetupItem {
    /// Its name.
    pub name: String,
    /// The project of the run it shows; `default` where there is none.
    pub project: String,
    /// What it is doing.
    pub activity: Activity,
    /// Its open run, else its newest one.
    pub run: Option<CurrentRun>,
    /// The gravest of what its tests are called: `healthy`, `flaky` or `broken`; null until one of
    /// them had a result.
    #[schema(example = "healthy")]
    pub health: Option<&'static str>,
    /// Its last word, by the server's clock.
    pub last_seen_at: Option<Moment>,
    /// Rises with every change.
    pub version: u64,
    /// What its owner wrote about it.
    pub comment: Option<String>,
    /// Who keeps it for themselves: jobs for it wait meanwhile.
    pub reservation: Option<ReservationItem>,
}

/// Who keeps a setup for themselves
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Reservation)]
pub struct ReservationItem {
    /// The name of a person.
    pub holder: String,
    /// What for.
    pub reason: String,
    /// When it ends by itself.
    pub until: Moment,
}

impl From<&Reservation> for ReservationItem {
    fn from(kept: &Reservation) -> Self {
        Self { holder: kept.holder.clone(), reason: kept.reason.clone(), until: Moment(kept.ends_at) }
    }
}

/// Keeps a setup for somebody
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = NewReservation)]
#[serde(deny_unknown_fields)]
pub struct ReservationBody {
    /// For whom; an account reserves for itself, whatever stands here.
    #[serde(default)]
    #[schema(examples("Kim"))]
    pub holder: Option<String>,
    /// What for; 200 characters are kept.
    #[serde(default)]
    #[schema(examples("new valve"))]
    pub reason: String,
    /// Until when, within the next 31 days.
    #[serde(default)]
    #[schema(examples("2026-03-01T16:00:00Z"))]
    pub until: String,
}

/// The run of a setup
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CurrentRun {
    /// Which run.
    pub id: Uuid,
    /// What the listener calls it.
    pub key: String,
    /// A name for people.
    pub name: Option<String>,
    /// Where it stands.
    pub state: RunState,
    /// What it came to; null while it is open.
    pub result: Option<RunResult>,
    /// The suite it is busy with: names from the root.
    pub suite: Vec<String>,
    /// The test it is busy with, parameters included.
    pub test: Option<String>,
    /// What that suite is busy with.
    pub phase: Option<Phase>,
    /// When it began.
    pub started_at: Option<Moment>,
    /// When that suite began.
    pub suite_started_at: Option<Moment>,
    /// When that test began.
    pub test_started_at: Option<Moment>,
    /// When it should be done, judged by earlier runs.
    pub eta_at: Option<Moment>,
    /// When it ended.
    pub finished_at: Option<Moment>,
    /// Its tests by outcome.
    pub counts: CountsBody,
    /// The commit under test.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
}

/// Every setup, by name
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SetupList {
    /// The setups.
    pub items: Vec<SetupItem>,
    /// Always null: the list has one page.
    pub next: Option<String>,
}

impl From<&RunCard> for CurrentRun {
    fn from(card: &RunCard) -> Self {
        Self {
            id: card.id.0,
            key: card.key.clone(),
            name: card.name.clone(),
            state: RunState(card.state),
            result: card.result.map(RunResult),
            suite: card.suite.clone(),
            test: card.test.clone(),
            phase: card.phase.map(Phase),
            started_at: card.started_at.map(Moment),
            suite_started_at: card.suite_started_at.map(Moment),
            test_started_at: card.test_started_at.map(Moment),
            eta_at: card.eta_at.map(Moment),
            finished_at: card.finished_at.map(Moment),
            counts: card.counts.into(),
            commit: card.commit.clone(),
            branch: card.branch.clone(),
        }
    }
}

impl SetupItem {
    /// What a tile says, at `now`.
    pub fn of(tile: &Tile, now: Timestamp, silent_after: Micros) -> Self {
        let run = tile.run.as_ref();
        Self {
            name: tile.name.clone(),
            project: run.map_or_else(|| "default".into(), |run| run.project.clone()),
            activity: Activity(tile.activity(now, silent_after)),
            run: run.map(Into::into),
            health: health_of(&tile.pulse.tests),
            last_seen_at: tile.seen_at.map(Moment),
            version: tile.version,
            comment: tile.comment.clone(),
            reservation: tile.reserved(now).map(Into::into),
        }
    }
}

fn health_of(tests: &SickTests) -> Option<&'static str> {
    match tests {
        SickTests { all: 0, .. } => None,
        SickTests { broken: 1.., .. } => Some("broken"),
        SickTests { flaky: 1.., .. } => Some("flaky"),
        SickTests { .. } => Some("healthy"),
    }
}
