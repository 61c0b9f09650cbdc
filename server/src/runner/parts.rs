//! The steps of a job in their order: those of one variant of its matrix after
//! the other's, each with what it left handed in before the next begins.

use super::hand_in::{HandIn, HandedIn};
use super::hold::GONE;
use super::job::{Outcome, Running};
use super::relay::Relay;
use super::step::Ending;
use app::domain::job::{JobResult, Progress, Step, StepState, Tells};
use std::ops::{ControlFlow, Range};
use std::time::Duration;
use tokio::time::Instant;

impl Running<'_> {
    /// Runs everything. `None` where somebody else has the job.
    pub(super) async fn work(&mut self, relay: Option<&Relay>) -> Option<Outcome> {
        let deadline = Instant::now() + Duration::from_secs(self.limits.seconds.into());
        let (mut put_out, mut next) = (0, 0);
        if let Some(checkout) = self.task.checkout.clone() {
            next = 1;
            if let Some(outcome) = self.check_out(&checkout, deadline, &mut put_out).await? {
                return Some(outcome);
            }
        }
        let deadline = deadline.min(Instant::now() + Duration::from_secs(self.limits.seconds.into()));
        let mut whole = Outcome { result: JobResult::Passed, note: None };
        for part in self.task.steps.clone().chunk_by(|one, next| one.variant == next.variant) {
            let numbers = next..next + part.len();
            next = numbers.end;
            let outcome = self.part(part, numbers, relay, deadline, &mut put_out).await?;
            let is_cut_short = !matches!(outcome.result, JobResult::Passed | JobResult::Failed);
            // The first that was not well says what the job came to, unless that was ended.
            if is_cut_short || outcome.result > whole.result {
                whole = outcome;
            }
            if is_cut_short {
                break;
            }
        }
        self.skip_rest();
        Some(whole)
    }

    /// Runs the steps of one variant, which are these of the job.
    async fn part(
        &mut self,
        steps: &[Step],
        numbers: Range<usize>,
        relay: Option<&Relay>,
        deadline: Instant,
        put_out: &mut u64,
    ) -> Option<Outcome> {
        let variant = steps.first().map_or("", |step| &*step.variant);
        let tells = self.task.tells.of_variant(variant);
        if let Some(relay) = relay {
            relay.turn(tells.clone());
        }
        let kept = self.bring_caches(variant).await;
        let outcome = self.steps(steps, numbers.start, deadline, put_out).await?;
        let outcome = self.hand_in(relay, &tells, numbers, outcome).await?;
        if outcome.result == JobResult::Passed {
            self.take_caches(kept).await;
        }
        Some(outcome)
    }

    /// Runs one step after the other; `first` is the number of the first.
    async fn steps(&mut self, steps: &[Step], first: usize, deadline: Instant, put_out: &mut u64) -> Option<Outcome> {
        let mut failed = None::<String>;
        let has_network = self.task.has_network;
        for (number, step) in (first..).zip(steps) {
            if failed.is_some() && !step.always {
                self.note(number, |progress| progress.state = StepState::Skipped);
                continue;
            }
            let environment = self.environment(step);
            let ending = self.step(number, step, &environment, deadline, has_network, put_out).await;
            if let Ok(Ending::TooMuch(why)) = &ending
                && step.may_fail
            {
                self.log.say(&format!("holter: {why}; the step {} was ended", step.name)).await;
            }
            match self.verdict(step, ending) {
                ControlFlow::Continue(why) => failed = failed.or(why),
                ControlFlow::Break(outcome) => return outcome,
            }
        }
        let result = if failed.is_some() { JobResult::Failed } else { JobResult::Passed };
        Some(Outcome { result, note: failed })
    }

    /// Steps that never came to their turn, since the job was ended.
    fn skip_rest(&self) {
        self.progress.send_modify(|progress| {
            let waiting = progress.steps.iter_mut().filter(|step| step.state == StepState::Waiting);
            waiting.for_each(|step| step.state = StepState::Skipped);
        });
    }

    async fn bring_caches(&self, variant: &str) -> Vec<super::cache::Kept> {
        let Some(caches) = self.means.caches.clone().filter(|_| !self.task.caches.is_empty()) else {
            return Vec::new();
        };
        let (folder, task, variant) = (self.folder.clone(), self.task.clone(), variant.to_owned());
        // No more than the job may write itself.
        let (keys, most) = (self.cache_keys.clone(), self.limits.disk_bytes());
        let bringing = move || caches.bring(&folder, &task, &keys, &variant, most);
        let bringing = tokio::task::spawn_blocking(bringing).await;
        match bringing.map_err(std::io::Error::other).and_then(|brought| brought) {
            Ok(kept) => kept,
            Err(error) => {
                self.log.say(&format!("holter: what is kept could not be brought: {error}")).await;
                Vec::new()
            }
        }
    }

    async fn take_caches(&self, kept: Vec<super::cache::Kept>) {
        let Some(caches) = self.means.caches.clone().filter(|_| !kept.is_empty()) else { return };
        let (folder, most) = (self.folder.clone(), self.limits.disk_bytes());
        let taking = tokio::task::spawn_blocking(move || caches.take(&folder, &kept, most)).await;
        if let Err(error) = taking.map_err(std::io::Error::other).and_then(|taken| taken) {
            self.log.say(&format!("holter: a cache is not kept: {error}")).await;
        }
    }

    /// Hands in what the job left, and ends its run. Its own word that all is
    /// well does not stand against a report of it. `None` where somebody else has
    /// the job.
    async fn hand_in(
        &self,
        relay: Option<&Relay>,
        tells: &Tells,
        steps: Range<usize>,
        outcome: Outcome,
    ) -> Option<Outcome> {
        let Self { office, log, folder, task, .. } = self;
        let progress = self.progress.borrow().clone();
        let is_begun = relay.is_some_and(Relay::is_begun);
        let handing = HandIn { office, log, folder, task, tells, steps, progress: &progress, is_begun };
        let mut stop = self.stop.clone();
        let gone = async {
            if stop.wait_for(|why| why.as_deref() == Some(GONE)).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let handed = tokio::select! {
            handed = handing.all() => handed,
            () = gone => return None,
        };
        if let Some(relay) = relay {
            relay.end_run(self.clock.now().to_rfc3339()).await;
        }
        Some(self.judged(&progress, handed, outcome))
    }

    fn judged(&self, progress: &Progress, handed: HandedIn, mut outcome: Outcome) -> Outcome {
        // What Holter itself put before the task's own steps judges nothing.
        let before = progress.steps.len() - self.task.steps.len();
        for number in handed.ill {
            let Some(step) = number.checked_sub(before).and_then(|own| self.task.steps.get(own)) else { continue };
            if step.may_fail || progress.steps.get(number).is_none_or(|step| step.state != StepState::Passed) {
                continue;
            }
            self.note(number, |progress| progress.state = StepState::Failed);
            if outcome.result == JobResult::Passed {
                let note = format!("the step {} ended with 0, and its tests failed", step.name);
                outcome = Outcome { result: JobResult::Failed, note: Some(note) };
            }
        }
        match handed.away {
            Some(why) if outcome.result == JobResult::Passed => {
                Outcome::errored(format!("not all of its reports were handed in: {why}"))
            }
            _ => outcome,
        }
    }
}
