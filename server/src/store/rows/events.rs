//! Events as they arrived, and by what they are known again.

use app::domain::ids::{EventId, PlaceId, RunId, SetupId};
use app::domain::name::ProjectName;
use app::domain::output::Level;
use app::domain::time::{Micros, Timestamp};
use std::borrow::Cow;
use std::sync::Arc;
use uuid::Uuid;

/// An event as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Its number in the order of arrival; given by the store.
    pub seq: i64,
    /// What the listener calls it.
    pub event: Option<EventId>,
    /// Where.
    pub setup: SetupId,
    /// In which run.
    pub run: Option<RunId>,
    /// Its type.
    pub kind: Cow<'static, str>,
    /// When it happened, by the listener's clock.
    pub at: Timestamp,
    /// When it arrived, by our clock.
    pub received_at: Timestamp,
    /// The run was already over.
    pub late: bool,
    /// The project of the token it came with, which stands above its own.
    pub project: Option<ProjectName>,
    /// How long it was on its way, where its sender told.
    pub delay: Option<Micros>,
    /// Whose output it is, where it is output; of a line how grave it is.
    pub output: Option<(PlaceId, Option<Level>)>,
    /// As it was sent.
    pub body: Arc<str>,
}

/// Ids by which events are known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdsRow {
    /// Within what they are known: a run, or a setup outside runs.
    pub scope: Uuid,
    /// The last event of the log when they were written.
    pub seq: i64,
    /// 16 bytes each.
    pub ids: Box<[u8]>,
}

impl IdsRow {
    /// The row of these ids.
    pub fn of(scope: Uuid, seq: i64, ids: &[Uuid]) -> Self {
        Self { scope, seq, ids: ids.iter().flat_map(|id| id.into_bytes()).collect() }
    }
}
