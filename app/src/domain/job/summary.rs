//! What the jobs of a batch or a build come to together.

use super::{JobResult, JobState, words};

words! {
    /// Where a batch or a build stands.
    WorkState {
        /// Somebody has to approve it first.
        Held = "held",
        /// None of its jobs was taken yet.
        Waiting = "waiting",
        /// Some were.
        Running = "running",
        /// All are over.
        Finished = "finished",
    }
}

/// Jobs, counted by where they stand and what they came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    waiting: u32,
    running: u32,
    over: u32,
    worst: Option<JobResult>,
}

impl Summary {
    /// Counts jobs in.
    pub fn add(&mut self, state: JobState, result: Option<JobResult>, jobs: u32) {
        if jobs == 0 {
            return;
        }
        match state {
            JobState::Waiting => self.waiting += jobs,
            JobState::Running => self.running += jobs,
            JobState::Finished | JobState::Lost => {
                self.over += jobs;
                // A lost job was not run as it should have been.
                self.worst = self.worst.max(Some(result.unwrap_or(JobResult::Errored)));
            }
        }
    }

    /// Where the whole stands. Something that has no jobs is over.
    pub const fn state(&self) -> WorkState {
        match self {
            Self { waiting: 0, running: 0, .. } => WorkState::Finished,
            Self { running: 0, over: 0, .. } => WorkState::Waiting,
            Self { .. } => WorkState::Running,
        }
    }

    /// What the whole came to: the worst of its jobs.
    pub fn result(&self) -> Option<JobResult> {
        (self.state() == WorkState::Finished).then(|| self.worst.unwrap_or(JobResult::Errored))
    }

    /// How many there are.
    pub const fn jobs(&self) -> u32 {
        self.waiting + self.running + self.over
    }

    /// How many are over.
    pub const fn over(&self) -> u32 {
        self.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(jobs: &[(JobState, Option<JobResult>)]) -> (WorkState, Option<JobResult>) {
        let mut summary = Summary::default();
        jobs.iter().for_each(|(state, result)| summary.add(*state, *result, 1));
        (summary.state(), summary.result())
    }

    #[test]
    fn the_worst_job_decides_when_all_are_over() {
        use JobResult::*;
        use JobState as S;
        assert_eq!(of(&[(S::Waiting, None), (S::Waiting, None)]), (WorkState::Waiting, None));
        assert_eq!(of(&[(S::Waiting, None), (S::Finished, Some(Failed))]), (WorkState::Running, None));
        assert_eq!(of(&[(S::Running, None)]), (WorkState::Running, None));
        let over = |results: &[JobResult]| {
            of(&results.iter().map(|result| (S::Finished, Some(*result))).collect::<Vec<_>>()).1
        };
        assert_eq!(over(&[Passed, Passed]), Some(Passed));
        assert_eq!(over(&[Passed, Cancelled]), Some(Cancelled));
        assert_eq!(over(&[Cancelled, Failed, Passed]), Some(Failed));
        assert_eq!(over(&[Failed, TimedOut]), Some(TimedOut));
        assert_eq!(of(&[(S::Lost, None), (S::Finished, Some(Passed))]), (WorkState::Finished, Some(Errored)));
    }
}
