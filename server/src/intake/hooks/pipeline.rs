//! A pipeline as any CI server tells it, and the events it becomes.

use super::Naming;
use crate::intake::as_name;
use app::domain::run::{RARELY, SPEAKS};
use app::domain::test::Verdict;
use app::domain::time::Timestamp;
use serde_json::{Map, Value, json};

/// Jobs of a payload that are taken; real ones have a few hundred at most.
const JOBS_MAX: usize = 2_000;

/// What is known of a pipeline.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    /// The CI server's name, for people.
    pub server: &'static str,
    /// Its repository.
    pub repository: String,
    /// What tells it from all others of the repository.
    pub key: String,
    /// A name for people.
    pub name: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// Its page.
    pub url: Option<String>,
    /// Who set it off.
    pub user: Option<String>,
    /// What set it off.
    pub trigger: Option<String>,
    /// Where it stands.
    pub state: State,
    /// When it began.
    pub began_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Its jobs.
    pub jobs: Vec<Job>,
}

/// Where a pipeline or a job stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Not begun.
    #[default]
    Queued,
    /// Begun.
    Running,
    /// Over.
    Over(Verdict),
}

/// A job of a pipeline.
#[derive(Debug, Default)]
pub(super) struct Job {
    /// Names from the root.
    pub suite: Vec<String>,
    /// Its name.
    pub name: String,
    /// From 1.
    pub attempt: u64,
    /// Where it stands.
    pub state: State,
    /// When it began.
    pub began_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended so.
    pub message: Option<String>,
}

impl Job {
    /// The one job that stands for a whole of which no jobs are told.
    pub fn standing_for(whole: &str, suite: &str, pipeline: &Pipeline) -> Self {
        Self {
            suite: vec![suite.to_owned()],
            name: whole.to_owned(),
            attempt: 1,
            state: pipeline.state,
            began_at: pipeline.began_at,
            ended_at: pipeline.ended_at,
            message: None,
        }
    }

    fn place(&self) -> Value {
        json!({"suite": self.suite, "test": self.name, "attempt": self.attempt.clamp(1, 1_000)})
    }
}

/// Tells the events of one run.
struct Teller {
    events: Vec<Value>,
    setup: String,
    run: String,
}

impl Teller {
    fn tell(&mut self, kind: &str, at: Timestamp, fields: Value) {
        let mut event = fields;
        for (name, value) in [("type", kind), ("setup", &self.setup), ("run", &self.run), ("at", &at.to_rfc3339())] {
            event[name] = value.into();
        }
        self.events.push(event);
    }

    fn job(&mut self, job: &Job, state: State, now: Timestamp) {
        if state == State::Queued {
            return;
        }
        let began_at = job.began_at.filter(|at| job.ended_at.is_none_or(|ended| *at <= ended));
        if state == State::Running || began_at.is_some() {
            self.tell("test.started", began_at.unwrap_or(now), job.place());
        }
        if let State::Over(verdict) = state {
            let mut fields = job.place();
            fields["verdict"] = verdict.as_str().into();
            if let Some(message) = &job.message {
                fields["message"] = message.as_str().into();
            }
            self.tell("test.finished", job.ended_at.or(began_at).unwrap_or(now), fields);
        }
    }
}

impl Pipeline {
    /// Everything that the payload says, from the plan to the end.
    pub fn events(mut self, naming: Naming<'_>, now: Timestamp) -> Vec<Value> {
        self.jobs.truncate(JOBS_MAX);
        let run = as_name(&self.key);
        let mut teller = Teller { events: Vec::new(), setup: naming.setup_of(&self.repository), run };
        if !self.jobs.is_empty() {
            teller.tell("run.planned", self.began_at.unwrap_or(now), json!({"plan": {"suites": plan(&self.jobs)}}));
        }
        if self.state == State::Queued {
            return teller.events;
        }
        teller.tell("run.started", self.began_at.unwrap_or(now), self.about());
        for job in &self.jobs {
            teller.job(job, self.state_of(job), now);
        }
        if let State::Over(verdict) = self.state {
            let aborted = verdict == Verdict::Cancelled;
            teller.tell("run.finished", self.ended_at.unwrap_or(now), json!({"aborted": aborted}));
        }
        teller.events
    }

    /// Nothing waits in a pipeline that is over: what never began, such as a
    /// job that is started by hand, was skipped.
    fn state_of(&self, job: &Job) -> State {
        match (self.state, job.state) {
            (State::Over(verdict), State::Queued) if verdict != Verdict::Cancelled => State::Over(Verdict::Skipped),
            (_, state) => state,
        }
    }

    fn about(&self) -> Value {
        let told = [
            ("name", &self.name),
            ("commit", &self.commit),
            ("branch", &self.branch),
            ("url", &self.url),
            ("user", &self.user),
            ("trigger", &self.trigger),
        ];
        let told = told.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text.as_deref()?))));
        let own = [("framework".to_owned(), self.server.into()), ("attributes".to_owned(), json!({SPEAKS: RARELY}))];
        Value::Object(told.chain(own).collect::<Map<_, _>>())
    }
}

/// The jobs as a plan: suites of one or two levels, in the order of their
/// first job. A job that was tried again is one test.
fn plan(jobs: &[Job]) -> Vec<Value> {
    let mut roots: Vec<Planned<'_>> = Vec::new();
    for job in jobs {
        let Some((root, rest)) = job.suite.split_first() else { continue };
        let root = Planned::in_list(&mut roots, root);
        let suite = match rest.first() {
            Some(inner) => Planned::in_list(&mut root.suites, inner),
            None => root,
        };
        if !suite.tests.contains(&&*job.name) {
            suite.tests.push(&job.name);
        }
    }
    roots.into_iter().map(Planned::told).collect()
}

struct Planned<'a> {
    name: &'a str,
    suites: Vec<Planned<'a>>,
    tests: Vec<&'a str>,
}

impl<'a> Planned<'a> {
    fn in_list<'l>(list: &'l mut Vec<Self>, name: &'a str) -> &'l mut Self {
        let at = list.iter().position(|suite| suite.name == name).unwrap_or_else(|| {
            list.push(Self { name, suites: Vec::new(), tests: Vec::new() });
            list.len() - 1
        });
        &mut list[at]
    }

    fn told(self) -> Value {
        let tests: Vec<_> = self.tests.into_iter().map(|name| json!({"name": name})).collect();
        let suites: Vec<_> = self.suites.into_iter().map(Self::told).collect();
        json!({"name": self.name, "suites": suites, "tests": tests})
    }
}
