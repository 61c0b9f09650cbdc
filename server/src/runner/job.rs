//! One job, from its order to its result.

use super::folder::Folder;
use super::hold::{AGAIN_AFTER, GONE, finish, hold};
use super::log::Log;
use super::mask::Mask;
use super::office::{Office, OfficeError};
use super::relay::{Relay, SOCKET};
use super::step::{self, Ending, Setting};
use super::{Means, cache, listeners, plan};
use crate::http::wire::work::{CredentialsBody, OrderBody};
use app::domain::build;
use app::domain::clock::Clock;
use app::domain::job::{Checkout, Claim, JobResult, Limits, Progress, Step, StepProgress, StepState, Task, Tells};
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::Instant;

/// What a job came to.
pub(super) struct Outcome {
    pub result: JobResult,
    pub note: Option<String>,
}

impl Outcome {
    pub(super) fn errored(note: impl Into<String>) -> Self {
        Self { result: JobResult::Errored, note: Some(note.into()) }
    }
}

/// What belongs to a job while it runs.
pub(super) struct Running<'a> {
    pub(super) means: &'a Means,
    pub(super) office: &'a Office,
    pub(super) clock: &'a Arc<dyn Clock>,
    order: &'a OrderBody,
    pub(super) task: Task,
    pub(super) limits: Limits,
    pub(super) folder: Arc<Folder>,
    pub(super) log: Log,
    /// What tells the contents of its caches from others, once it is checked out.
    pub(super) cache_keys: Vec<String>,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) stop: watch::Receiver<Option<String>>,
}

/// Runs a job and says what it came to. Returns when nothing of it is left.
pub async fn run(
    means: &Means,
    office: &Office,
    clock: &Arc<dyn Clock>,
    user: Option<u32>,
    by: Claim,
    order: OrderBody,
) {
    let mut task = order.task.clone();
    task.tells = task.tells.of_attempt(by.attempt);
    let steps = task.steps.iter().map(waiting).collect();
    let (progress, told) = watch::channel(Progress { steps, ..Progress::default() });
    let (stopper, stop) = watch::channel(None);
    let holding = tokio::spawn(hold(office.clone(), order.clone(), by, told.clone(), stopper));
    let name = format!("{}-{}", order.job, by.attempt);
    let outcome = match Folder::make(&means.folder, &name, user) {
        Err(error) => Some(Outcome::errored(format!("its folder could not be made: {error}"))),
        Ok(folder) => {
            let mask = Mask::new(hidden(&order));
            let log = Log::open(office.clone(), order.job, by, mask);
            let limits = task.limits.within(means.limits);
            let folder = Arc::new(folder);
            let cache_keys = Vec::new();
            let running =
                Running { means, office, clock, order: &order, task, limits, folder, log, cache_keys, progress, stop };
            running.run().await
        }
    };
    holding.abort();
    let Some(outcome) = outcome else {
        tracing::info!(job = %order.job, "somebody else has this job; it was stopped");
        return;
    };
    let progress = told.borrow().clone();
    finish(office, by, &order, outcome, progress).await;
}

/// What must not stand in the log.
fn hidden(order: &OrderBody) -> impl Iterator<Item = &str> {
    let password = order.credentials.as_ref().map(|credentials| &credentials.password);
    order.secrets.values().chain(password).map(String::as_str)
}

fn waiting(step: &Step) -> StepProgress {
    let (name, variant) = (step.name.clone(), step.variant.clone());
    StepProgress { name, state: StepState::Waiting, log_start: 0, took_ms: 0, code: None, variant }
}

impl Running<'_> {
    /// `None` where somebody else has the job.
    async fn run(mut self) -> Option<Outcome> {
        let relay = match self.prepare().await {
            Ok(relay) => relay,
            Err(Outcome { result, note }) => {
                self.log.say(&format!("holter: {}", note.as_deref().unwrap_or_default())).await;
                return self.log.close().await.ok().map(|()| Outcome { result, note });
            }
        };
        let mut outcome = self.work(relay.as_ref()).await;
        drop(relay);
        if let Some(Outcome { result, note: Some(note) }) = &outcome
            && *result != JobResult::Failed
        {
            self.log.say(&format!("holter: {note}")).await;
        }
        match self.log.close().await {
            Ok(()) => {}
            Err(OfficeError::Gone(_)) => return None,
            Err(error) => {
                outcome = outcome.map(|outcome| Outcome {
                    result: outcome.result.max(JobResult::Errored),
                    note: Some(format!("its log is not whole: {error}")),
                })
            }
        }
        outcome
    }

    /// Fills the folder, and opens the way for listeners.
    async fn prepare(&self) -> Result<Option<Relay>, Outcome> {
        for file in &self.task.files {
            let bytes = loop {
                match self.office.file(self.order.job, file.digest).await {
                    Ok(bytes) => break bytes,
                    Err(OfficeError::Away(_)) if self.stop.borrow().is_none() => tokio::time::sleep(AGAIN_AFTER).await,
                    Err(error) => return Err(Outcome::errored(format!("{} could not be fetched: {error}", file.path))),
                }
            };
            let put = app::domain::job::check_path(&file.path)
                .map_err(|fault| io::Error::other(fault.to_string()))
                .and_then(|path| self.folder.put(&path, &bytes));
            put.map_err(|error| Outcome::errored(format!("{} could not be written: {error}", file.path)))?;
        }
        if self.task.tells.setup.is_empty() {
            return Ok(None);
        }
        for (name, text) in listeners() {
            let lent = self.folder.lend(name, text);
            lent.map_err(|error| Outcome::errored(format!("{name} could not be written: {error}")))?;
        }
        let relay = Relay::open(&self.folder.place().relay, self.office.clone(), self.task.tells.clone());
        relay.map(Some).map_err(|error| Outcome::errored(format!("no way for listeners could be opened: {error}")))
    }

    /// What a step finds in its environment: less of the machine's where it runs in a
    /// container, which has programs of its own.
    pub(super) fn environment(&self, step: &Step) -> BTreeMap<String, String> {
        let (sandbox, place) = (&self.means.sandbox, self.folder.place());
        let path = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
        let scratch = path(sandbox.scratch(place));
        let mut all = BTreeMap::from([
            ("PATH".into(), "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin".into()),
            ("HOME".into(), path(sandbox.folder(place))),
            ("TMPDIR".into(), scratch.clone()),
            ("LANG".into(), "C.UTF-8".into()),
            ("CI".into(), "true".into()),
            ("PYTHON".into(), self.means.python.clone()),
            ("PYTHONDONTWRITEBYTECODE".into(), "1".into()),
            ("PYTHONUNBUFFERED".into(), "1".into()),
            ("HOLTER_JOB".into(), self.order.job.to_string()),
        ]);
        if !step.image.is_empty() {
            all.remove("PATH");
            all.insert("PYTHON".into(), "python3".into());
        }
        let Tells { setup, run, project, commit, branch } = &self.task.tells.of_variant(&step.variant);
        if !setup.is_empty() {
            let socket = path(sandbox.relay(place, SOCKET));
            let listeners = path(sandbox.relay(place, ""));
            let told = [
                ("HOLTER_URL", format!("unix://{socket}")),
                ("HOLTER_SETUP", setup.clone()),
                ("HOLTER_RUN", run.clone()),
                ("HOLTER_SPOOL_DIR", format!("{scratch}/.holter")),
                ("HOLTER_EXIT_WAIT", "10".into()),
                ("HOLTER_LISTENERS", listeners.clone()),
                ("PYTHONPATH", listeners),
            ];
            all.extend(told.map(|(name, value)| (name.to_owned(), value)));
        }
        let some = [("HOLTER_PROJECT", project), ("HOLTER_COMMIT", commit), ("HOLTER_BRANCH", branch)];
        all.extend(some.iter().filter_map(|(name, value)| Some(((*name).to_owned(), (*value).clone()?))));
        all.extend(self.task.environment.clone());
        all.extend(step.environment.clone());
        all.extend(self.order.secrets.clone());
        all
    }

    /// Goes on, with why the step failed where it did and may not; or that is all,
    /// without an outcome where somebody else has the job.
    pub(super) fn verdict(
        &self,
        step: &Step,
        ending: io::Result<Ending>,
    ) -> ControlFlow<Option<Outcome>, Option<String>> {
        let name = &step.name;
        let all = |outcome| ControlFlow::Break(Some(outcome));
        match ending {
            Ok(Ending::Code(0)) => ControlFlow::Continue(None),
            Ok(Ending::Code(_) | Ending::Signal(_) | Ending::TooMuch(_)) if step.may_fail => {
                ControlFlow::Continue(None)
            }
            Ok(Ending::Code(code)) => ControlFlow::Continue(Some(format!("the step {name} ended with {code}"))),
            Ok(Ending::Signal(signal)) => {
                ControlFlow::Continue(Some(format!("the step {name} was ended by signal {signal}")))
            }
            Ok(Ending::TimedOut) => {
                let note = format!("it took longer than {} s and was ended", self.limits.seconds);
                all(Outcome { result: JobResult::TimedOut, note: Some(note) })
            }
            Ok(Ending::TooMuch(why)) => all(Outcome::errored(format!("{why}, and was ended"))),
            Ok(Ending::Gone) => ControlFlow::Break(None),
            Ok(Ending::Stopped(why)) if why == GONE => ControlFlow::Break(None),
            Ok(Ending::Stopped(why)) => all(Outcome { result: JobResult::Cancelled, note: Some(why) }),
            Err(error) => all(Outcome::errored(format!("the step {name} could not be run: {error}"))),
        }
    }

    /// Brings the commit into the folder, and reads what is to be run of it.
    /// `None` where somebody else has the job, and an outcome where that is all.
    pub(super) async fn check_out(
        &mut self,
        checkout: &Checkout,
        deadline: Instant,
        put_out: &mut u64,
    ) -> Option<Option<Outcome>> {
        let step = build::checkout(checkout);
        self.progress.send_modify(|progress| progress.steps.insert(0, waiting(&step)));
        // The steps' secrets are none of git's.
        let mut environment = self.environment(&step);
        self.order.secrets.keys().for_each(|name| drop(environment.remove(name)));
        if let Some(CredentialsBody { user, password, known_hosts }) = &self.order.credentials {
            let told = match known_hosts {
                Some(hosts) => [("HOLTER_GIT_KEY", password), ("HOLTER_GIT_HOSTS", hosts)],
                None => [("HOLTER_GIT_USER", user), ("HOLTER_GIT_PASSWORD", password)],
            };
            environment.extend(told.map(|(name, value)| (name.to_owned(), value.clone())));
        }
        let has_network = !checkout.url.starts_with("file:");
        match self.step(0, &step, &environment, deadline, has_network, put_out).await {
            Ok(Ending::Code(0)) => {}
            Ok(Ending::Gone) => return None,
            Ok(Ending::Stopped(why)) if why == GONE => return None,
            Ok(Ending::Stopped(why)) => {
                return Some(Some(Outcome { result: JobResult::Cancelled, note: Some(why) }));
            }
            Ok(_) => return Some(Some(Outcome::errored("the commit could not be checked out"))),
            Err(error) => return Some(Some(Outcome::errored(format!("the checkout could not be run: {error}")))),
        }
        self.note_head();
        let (text, paths) = match self.folder.plan() {
            Ok(found) => found,
            Err(error) => return Some(Some(Outcome::errored(format!("what was checked out cannot be read: {error}")))),
        };
        if let Err(why) = plan::complete(&mut self.task, text.as_deref(), &paths) {
            return Some(Some(Outcome::errored(why)));
        }
        self.limits = self.task.limits.within(self.limits);
        self.know_caches().await;
        self.progress.send_modify(|progress| progress.steps.extend(self.task.steps.iter().map(waiting)));
        Some(None)
    }

    /// Reads what its caches depend on. Nothing of the repository has run yet.
    async fn know_caches(&mut self) {
        let (folder, caches) = (self.folder.clone(), self.task.caches.clone());
        let keys = tokio::task::spawn_blocking(move || cache::keys(&folder, &caches));
        self.cache_keys = keys.await.unwrap_or_default();
    }

    /// Which commit was at the head of the branch, where none was named.
    fn note_head(&mut self) {
        let Some(commit) = self.folder.head().filter(|_| self.task.tells.commit.is_none()) else { return };
        self.progress.send_modify(|progress| progress.commit = Some(commit.clone()));
        self.task.tells.commit = Some(commit);
    }

    pub(super) async fn step(
        &mut self,
        number: usize,
        step: &Step,
        environment: &BTreeMap<String, String>,
        deadline: Instant,
        has_network: bool,
        put_out: &mut u64,
    ) -> io::Result<Ending> {
        let log_start = self.log.end().await;
        self.note(number, |progress| (progress.state, progress.log_start) = (StepState::Running, log_start));
        let kept = if step.keeps.is_empty() { None } else { Some(self.folder.keep(number, &step.keeps)?) };
        let began = Instant::now();
        let mark = format!("HOLTER_JOB={}", self.order.job);
        let setting = Setting {
            sandbox: &self.means.sandbox,
            place: self.folder.place(),
            environment,
            limits: self.limits,
            has_network,
            deadline,
            mark: &mark,
        };
        let ending = step::run(&setting, step, &self.log, kept, put_out, &mut self.stop).await;
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.note(number, |progress| {
            progress.took_ms = took_ms;
            (progress.state, progress.code) = match &ending {
                Ok(Ending::Code(code)) if *code == 0 => (StepState::Passed, Some(*code)),
                Ok(Ending::Code(code)) => (StepState::Failed, Some(*code)),
                _ => (StepState::Failed, None),
            };
        });
        ending
    }

    pub(super) fn note(&self, number: usize, change: impl FnOnce(&mut StepProgress)) {
        self.progress.send_modify(|progress| {
            if let Some(step) = progress.steps.get_mut(number) {
                change(step);
            }
        });
    }
}
