//! Work that Holter runs itself, in pieces: a job is what one worker takes,
//! runs and ends.
//!
//! A worker holds a job by a lease that it has to extend. A lease that was not
//! extended is over: the job is taken again, or is lost where it was taken as
//! often as it may be. Whoever comes back after that is told to stop, so a job
//! has exactly one result, whatever dies. The number of the attempt is the proof
//! of who holds a job: it grows each time the job is taken.
//!
//! State and result are kept apart, as with runs.

mod labels;
mod matrix;
mod plan;
mod summary;
mod task;

pub use labels::{LabelError, Labels};
pub use matrix::{Matrix, MatrixFault, VARIANTS_MOST, Values, Variant, is_variable, spread};
pub use plan::{Foretold, Hand, Hindrance, Kept, Runs, Waiting, foretell, hindrance, usual};
pub use summary::{Summary, WorkState};
pub use task::{
    Cache, Checkout, Limits, PathFault, Progress, STEPS_MAX, Step, StepProgress, StepState, Task, TaskFile, Tells,
    check_path, path_fits,
};

use super::ids::{JobId, WorkerId};
use super::time::{Micros, Timestamp};
use thiserror::Error;

/// Letters of a note that are kept.
pub const NOTE_KEPT: usize = 400;

macro_rules! words {
    ($(#[$doc:meta])* $Name:ident { $($(#[$one:meta])* $Variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $Name { $($(#[$one])* $Variant,)* }

        impl $Name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),*];

            /// Its one spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$Variant => $word),* }
            }

            /// Reads its one spelling.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What a job is a piece of.
    JobKind {
        /// Test files that somebody had run.
        Batch = "batch",
        /// A pushed commit.
        Build = "build",
    }
}

words! {
    /// Where a job stands.
    JobState {
        /// Nobody has it.
        Waiting = "waiting",
        /// A worker has it.
        Running = "running",
        /// It has a result.
        Finished = "finished",
        /// Its workers died as often as it may be taken.
        Lost = "lost",
    }
}

words! {
    /// What a job came to. The order is that of what weighs less.
    JobResult {
        /// Everything it ran was well.
        Passed = "passed",
        /// Somebody, or a newer commit, stopped it.
        Cancelled = "cancelled",
        /// Tests, or a step that judges, failed.
        Failed = "failed",
        /// It took longer than it may.
        TimedOut = "timed_out",
        /// It could not be run as it should.
        Errored = "errored",
    }
}

words! {
    /// Whether a worker is given jobs.
    Stance {
        /// It is.
        Active = "active",
        /// It ends what it has, and is given nothing new.
        Draining = "draining",
        /// It is given nothing.
        Disabled = "disabled",
    }
}

/// Who holds a job, and the how-manieth attempt that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The worker.
    pub worker: WorkerId,
    /// From 1.
    pub attempt: u32,
}

/// Where a job stands, with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has it.
    Waiting,
    /// A worker has it.
    Running {
        /// Until when, unless it asks for more.
        lease_until: Timestamp,
        /// It was told to stop, for this reason.
        stop: Option<Box<str>>,
    },
    /// It has a result.
    Finished(JobResult),
    /// Its workers died.
    Lost,
}

/// A job, as far as the rules need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its identity; ids grow, so it also says its place among equals.
    pub id: JobId,
    /// Where it stands.
    pub standing: Standing,
    /// Who took it last.
    pub worker: Option<WorkerId>,
    /// How often it was taken.
    pub attempt: u32,
    /// How often it may be taken.
    pub attempts_max: u32,
    /// What there is to say about how it came to stand there.
    pub note: Option<Box<str>>,
    /// Since when it waits, by our clock.
    pub created_at: Timestamp,
    /// When it was last taken.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// Why a job does not do what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JobRefusal {
    /// It waits no longer.
    #[error("the job is not waiting")]
    NotWaiting,
    /// Somebody else holds it, or nobody.
    #[error("the lease of this attempt is over; stop it, its results count for nothing")]
    NotYours,
    /// It is over.
    #[error("the job is over")]
    Over,
}

/// What a worker that asks for more time is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The lease was extended.
    GoOn,
    /// Stop, for this reason, and say so; the lease was extended for that.
    Stop(Box<str>),
}

/// What becomes of a job whose lease is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lapse {
    /// It waits again.
    Again,
    /// It was taken as often as it may be.
    Lost,
    /// It had been told to stop anyway.
    Cancelled,
}

impl Job {
    /// A job that waits.
    pub fn waiting(id: JobId, attempts_max: u32, now: Timestamp) -> Self {
        Self {
            id,
            standing: Standing::Waiting,
            worker: None,
            attempt: 0,
            attempts_max: attempts_max.max(1),
            note: None,
            created_at: now,
            started_at: None,
            finished_at: None,
        }
    }

    /// The word for where it stands.
    pub const fn state(&self) -> JobState {
        match self.standing {
            Standing::Waiting => JobState::Waiting,
            Standing::Running { .. } => JobState::Running,
            Standing::Finished(_) => JobState::Finished,
            Standing::Lost => JobState::Lost,
        }
    }

    /// What it came to.
    pub const fn result(&self) -> Option<JobResult> {
        match self.standing {
            Standing::Finished(result) => Some(result),
            _ => None,
        }
    }

    /// Nothing will happen to it any more.
    pub const fn is_over(&self) -> bool {
        matches!(self.standing, Standing::Finished(_) | Standing::Lost)
    }

    /// Who holds it.
    pub const fn claim(&self) -> Option<Claim> {
        match (&self.standing, self.worker) {
            (Standing::Running { .. }, Some(worker)) => Some(Claim { worker, attempt: self.attempt }),
            _ => None,
        }
    }

    /// A worker takes it. The store does the same in one statement, which is
    /// held against this.
    pub fn take(self, worker: WorkerId, now: Timestamp, lease: Micros) -> Result<Self, JobRefusal> {
        if self.standing != Standing::Waiting {
            return Err(JobRefusal::NotWaiting);
        }
        let standing = Standing::Running { lease_until: now + lease, stop: None };
        Ok(Self { standing, worker: Some(worker), attempt: self.attempt + 1, started_at: Some(now), ..self })
    }

    /// Its worker is alive and asks for more time. A lease that is over but was
    /// not yet given to anybody else is taken up again: nothing was lost.
    pub fn extend(self, by: Claim, now: Timestamp, lease: Micros) -> Result<(Self, Word), JobRefusal> {
        if self.claim() != Some(by) {
            return Err(JobRefusal::NotYours);
        }
        let Standing::Running { stop, .. } = self.standing else { return Err(JobRefusal::NotYours) };
        let word = stop.clone().map_or(Word::GoOn, Word::Stop);
        Ok((Self { standing: Standing::Running { lease_until: now + lease, stop }, ..self }, word))
    }

    /// Its worker says what it came to.
    pub fn finish(self, by: Claim, result: JobResult, note: Option<&str>, now: Timestamp) -> Result<Self, JobRefusal> {
        if self.claim() != Some(by) {
            return Err(JobRefusal::NotYours);
        }
        let note = note.map(kept).or(self.note);
        Ok(Self { standing: Standing::Finished(result), note, finished_at: Some(now), ..self })
    }

    /// Somebody wants it to end. What runs is told so when its worker next
    /// asks; what waits is over at once.
    pub fn cancel(self, why: &str, now: Timestamp) -> Result<Self, JobRefusal> {
        match self.standing {
            Standing::Waiting => Ok(Self {
                standing: Standing::Finished(JobResult::Cancelled),
                note: Some(kept(why)),
                finished_at: Some(now),
                ..self
            }),
            Standing::Running { lease_until, stop } => {
                // The first reason stands.
                let stop = stop.or_else(|| Some(kept(why)));
                Ok(Self { standing: Standing::Running { lease_until, stop }, ..self })
            }
            Standing::Finished(_) | Standing::Lost => Err(JobRefusal::Over),
        }
    }

    /// What becomes of it where its lease is over, or its worker is known to be
    /// gone; `None` where it goes on as it is. `worker` is its name.
    pub fn lapse(self, now: Timestamp, worker: &str, is_gone: bool) -> Option<(Self, Lapse)> {
        let Standing::Running { lease_until, ref stop, .. } = self.standing else { return None };
        if lease_until > now && !is_gone {
            return None;
        }
        let how = if is_gone { "came back without it" } else { "fell silent" };
        let said = format!("attempt {}: the worker {worker} {how}", self.attempt);
        let (standing, note, lapse) = match stop {
            Some(why) => (Standing::Finished(JobResult::Cancelled), format!("{why}; {said}"), Lapse::Cancelled),
            None if self.attempt < self.attempts_max => {
                (Standing::Waiting, format!("{said}; the job is taken again"), Lapse::Again)
            }
            None => (Standing::Lost, format!("{said}; it was the last attempt"), Lapse::Lost),
        };
        let finished_at = (lapse != Lapse::Again).then_some(now);
        Some((Self { standing, note: Some(kept(&note)), finished_at, ..self }, lapse))
    }
}

fn kept(note: &str) -> Box<str> {
    super::name::tidy(note, NOTE_KEPT)
}

#[cfg(test)]
mod tests;
