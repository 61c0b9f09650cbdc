//! The state of a project in one word, as simple front ends and lamps ask for it.

use super::Service;
use super::desk::Desk;
use super::failure::Failure;
use app::domain::rights::Action;
use app::domain::run::RunState;
use app::read::Tile;
use std::sync::atomic::Ordering;

/// One word for a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The newest run of every setup that has ended was well.
    Success,
    /// Something failed.
    Failed,
    /// Nothing failed, and something is running.
    Running,
    /// Nothing was ever run.
    Unknown,
}

impl Status {
    /// As CI servers spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Running => "running",
            Self::Unknown => "unknown",
        }
    }

    /// From the newest runs of setups.
    pub fn of<'t>(tiles: impl Iterator<Item = &'t Tile>) -> Self {
        let mut status = Self::Unknown;
        for run in tiles.filter_map(|tile| tile.run.as_ref()) {
            if run.counts.failed > 0 || run.state == RunState::Lost {
                return Self::Failed;
            }
            let is_running = matches!(run.state, RunState::Running | RunState::Waiting);
            status = if is_running || status == Self::Running { Self::Running } else { Self::Success };
        }
        status
    }
}

impl Desk {
    /// The state of a project, or of everything.
    pub async fn status(&self, project: Option<&str>) -> Result<Status, Failure> {
        let tiles = self.setups().await?;
        let is_of = |tile: &&std::sync::Arc<Tile>| {
            project.is_none_or(|project| tile.run.as_ref().is_some_and(|run| run.project == project))
        };
        Ok(Status::of(tiles.iter().filter(is_of).map(|tile| &**tile)))
    }

    /// Turns theatre on or off.
    pub fn set_art(&self, is_art: bool) -> Result<(), Failure> {
        self.allow(Action::Configure)?;
        self.inner.is_art.store(is_art, Ordering::Relaxed);
        Ok(())
    }
}

impl Service {
    /// Whether front ends that ask are to play theatre instead of showing the
    /// state. It is forgotten with a restart: the truth is what is usual.
    pub fn is_art(&self) -> bool {
        self.inner.is_art.load(Ordering::Relaxed)
    }
}
