//! From runs to what screens draw. Pure.

use app::domain::activity::ActivityFacts;
use app::domain::forecast::Forecast;
use app::domain::run::{Run, RunState};
use app::domain::suite::Suite;
use app::domain::test::Test;
use app::domain::time::Timestamp;
use app::read::{AttemptLine, RunCard, RunHead, RunLine, SuiteLine, TestLine};

/// What the past says about a run; looked at now and then, not at each event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// When it should be done.
    pub eta_at: Option<Timestamp>,
    /// When it should have been done, by what was known when it began.
    pub due_at: Option<Timestamp>,
    /// From when on it is late.
    pub overdue_at: Option<Timestamp>,
}

impl Outlook {
    /// Looks at a run. A run that is over has none.
    pub fn of(run: &Run, forecast: &Forecast) -> Self {
        if run.is_over() || run.state() == RunState::Waiting {
            return Self::default();
        }
        let due_at = run.started_at().zip(forecast.expected(run)).map(|(began, expected)| began + expected);
        Self { eta_at: forecast.eta(run), due_at, overdue_at: forecast.overdue_at(run) }
    }
}

/// What a setup's activity is derived from, seen from one of its runs.
/// `heard_at` is the last word of the setup itself.
pub fn facts(run: &Run, outlook: &Outlook, heard_at: Option<Timestamp>) -> ActivityFacts {
    ActivityFacts {
        open: run.state() == RunState::Running,
        lost: run.state() == RunState::Lost,
        heard_at: heard_at.max(run.facts().heard_at).filter(|_| !run.speaks_rarely()),
        overdue_at: outlook.overdue_at,
    }
}

fn text<T: AsRef<str>>(said: Option<&app::domain::run::Said<T>>) -> Option<String> {
    said.map(|said| said.value.as_ref().to_owned())
}

fn strings(path: &[Box<str>]) -> Vec<String> {
    path.iter().map(|part| part.to_string()).collect()
}

fn full_name(test: &Test) -> String {
    match &test.parameters {
        Some(parameters) => format!("{} [{parameters}]", test.name),
        None => test.name.to_string(),
    }
}

/// A run as a tile shows it.
pub fn card(run: &Run, outlook: &Outlook) -> RunCard {
    let about = &run.facts().about;
    let suite = run.current_suite();
    let test = run.current_test();
    let ours = |at: Timestamp| run.by_our_clock(at);
    RunCard {
        id: run.id,
        key: run.key.to_string(),
        name: text(about.name.as_ref()),
        project: run.project().to_string(),
        state: run.state(),
        result: run.result(),
        counts: run.counts(),
        commit: text(about.commit.as_ref()),
        branch: text(about.branch.as_ref()),
        started_at: run.started_at(),
        finished_at: run.finished_at(),
        suite: suite.map(|suite| strings(&suite.path)).unwrap_or_default(),
        phase: suite.and_then(|suite| suite.phase).map(|(_, phase)| phase),
        suite_started_at: suite.and_then(|suite| run.suite_began(suite)).map(ours),
        phase_started_at: suite.and_then(|suite| suite.phase).map(|(at, _)| ours(at)),
        test: test.map(full_name),
        test_started_at: test.and_then(Test::began).map(ours),
        eta_at: outlook.eta_at,
        due_at: outlook.due_at,
    }
}

/// A run in a list.
pub fn line(run: &Run) -> RunLine {
    let about = &run.facts().about;
    RunLine {
        id: run.id,
        key: run.key.to_string(),
        name: text(about.name.as_ref()),
        project: run.project().to_string(),
        state: run.state(),
        result: run.result(),
        counts: run.counts(),
        commit: text(about.commit.as_ref()),
        branch: text(about.branch.as_ref()),
        started_at: run.started_at(),
        finished_at: run.finished_at(),
    }
}

/// What stands above the tree of a run.
pub fn head(run: &Run, outlook: &Outlook, setup: &str, version: u64, facts: ActivityFacts) -> RunHead {
    let told = &run.facts().about;
    RunHead {
        setup: setup.to_owned(),
        card: card(run, outlook),
        version,
        facts,
        silent_after: Default::default(),
        trigger: text(told.trigger.as_ref()),
        url: text(told.url.as_ref()).filter(|url| url.starts_with("https://") || url.starts_with("http://")),
        user: text(told.user.as_ref()),
        framework: text(told.framework.as_ref()),
        attributes: told.attributes.iter().map(|(key, said)| (key.to_string(), said.value.to_string())).collect(),
        late: run.facts().late,
        clock_correction: run.facts().clock.correction(),
        last_good: None,
        pulse: None,
    }
}

/// A suite of a run.
pub fn suite_line(run: &Run, ordinal: u32, suite: &Suite, version: u64) -> SuiteLine {
    use app::domain::suite::Phase;
    let finish = suite.finished.as_ref();
    SuiteLine {
        ordinal,
        path: strings(&suite.path),
        position: suite.position,
        started_at: suite.started.map(|at| run.by_our_clock(at)),
        finished_at: finish.map(|finish| run.by_our_clock(finish.at)),
        phase: suite.phase.map(|(_, phase)| phase),
        setup_duration: suite.phase_duration(Phase::Setup),
        teardown_duration: suite.phase_duration(Phase::Teardown),
        verdict: finish.and_then(|finish| finish.verdict),
        message: finish.and_then(|finish| finish.message.as_deref()).map(str::to_owned),
        source: suite.source.as_deref().map(str::to_owned),
        script: suite.script,
        version,
    }
}

/// A test of a run.
pub fn test_line(run: &Run, ordinal: u32, test: &Test, version: u64) -> TestLine {
    let attempts = test.attempts.iter().map(|attempt| AttemptLine {
        number: attempt.number,
        verdict: attempt.finished.map(|finish| finish.verdict),
        duration: attempt.duration(),
        has_text: attempt.finished.is_some_and(|finish| finish.text != 0),
    });
    TestLine {
        ordinal,
        id: test.id,
        suite: test.suite,
        name: test.name.to_string(),
        parameters: test.parameters.as_deref().map(str::to_owned),
        position: test.position,
        outcome: run.outcome(test),
        began_at: test.began().map(|at| run.by_our_clock(at)),
        duration: test.duration(),
        attempts: attempts.collect(),
        message: None,
        tags: strings(&test.tags),
        source: test.source.as_deref().map(str::to_owned),
        line: test.line,
        script: test.script,
        has_output: !test.outputs.is_none(),
        version,
    }
}
