//! One run, written from beginning to end.

use super::bench::{Bench, HEARTBEAT_EVERY};
use super::chance::Channel;
use super::character::Character;
use super::moment::{Cause, Fate, Line, Moment, RunHead, Shard, Stop, What, after};
use super::stream::event_id;
use app::domain::counts::Counts;
use app::domain::suite::Phase;
use app::domain::test::Verdict;
use app::domain::time::Micros;
use std::ops::Range;
use std::sync::Arc;

/// A run as a bench plays it.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    head: Arc<RunHead>,
    moments: Vec<Moment>,
    end: Micros,
    counts: Counts,
}

impl Run {
    /// What is known of it before it begins.
    pub fn head(&self) -> &RunHead {
        &self.head
    }

    /// All that is said about it, in the order of delivery.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// All that is said about it, in the order of delivery.
    pub fn into_moments(self) -> Vec<Moment> {
        self.moments
    }

    /// When the last of it happens.
    pub fn end(&self) -> Micros {
        self.end
    }

    /// Whether it ends; a run whose bench dies does not.
    pub fn ends(&self) -> bool {
        !matches!(self.head.stop, Some((_, Stop::Dies)))
    }

    /// The counts a server must come to once every event of the run arrived;
    /// none for a run that never ends.
    pub fn expected_counts(&self) -> Option<Counts> {
        self.ends().then_some(self.counts)
    }

    pub(super) fn write(bench: &Bench, head: RunHead) -> Self {
        let head = Arc::new(head);
        let tests = bench.project().tests.len();
        let mut counts = Counts { planned: tests as u32, ..Counts::default() };
        let mut said = Vec::new();
        let mut end = head.start;
        for shard in 0..head.shards {
            let share = tests * shard / head.shards..tests * (shard + 1) / head.shards;
            let mut writer = Writer { bench, head: &head, shard, now: head.start, said: &mut said, open: Vec::new() };
            writer.shard(share, &mut counts);
            end = end.max(writer.now);
        }
        counts.cancelled = counts.planned - counts.done();
        // Stable: what one shard says keeps its order.
        said.sort_by_key(|(at, _)| *at);
        add_heartbeats(&mut said, head.start, end);
        let mut moments = number(bench, &head, said);
        if bench.character() == Character::Unreliable {
            disturb(bench, head.number, &mut moments);
        }
        Self { head, moments, end, counts }
    }
}

fn add_heartbeats(said: &mut Vec<(Micros, What)>, start: Micros, end: Micros) {
    let mut at = start;
    while at < end {
        said.push((at, What::Heartbeat));
        at = after(at, HEARTBEAT_EVERY);
    }
    said.sort_by_key(|(at, _)| *at);
}

fn number(bench: &Bench, head: &Arc<RunHead>, said: Vec<(Micros, What)>) -> Vec<Moment> {
    let chance = bench.chance_of_ids(u64::from(head.number));
    let moment = |(index, (at, what)): (u64, (Micros, What))| Moment {
        due: at,
        at,
        id: event_id(chance, index),
        run: (what != What::Heartbeat).then(|| Arc::clone(head)),
        what,
    };
    (0..).zip(said).map(moment).collect()
}

/// A few events come late and a few come twice. The delay stays below the
/// shortest pause, so that the next run is not held up. The end of the run is
/// spared: what comes after it is then late in the server's sense, too.
fn disturb(bench: &Bench, run: u32, moments: &mut Vec<Moment>) {
    let chance = bench.chance_of_run(run);
    let mut repeats: Vec<Moment> = Vec::new();
    for (moment, index) in moments.iter_mut().zip(0..) {
        if matches!(moment.what, What::Finished { .. }) {
            continue;
        }
        if chance.hits(index, Channel::Late, 0.02) {
            let delay = bench.world().span(chance.fork(1).between(index, Channel::Late, 2.0, 9.0));
            moment.due = after(moment.at, delay);
        }
        if chance.hits(index, Channel::Repeat, 0.03) {
            let delay = bench.world().span(chance.fork(1).between(index, Channel::Repeat, 0.5, 4.0));
            repeats.push(Moment { due: after(moment.due, delay), ..moment.clone() });
        }
    }
    moments.extend(repeats);
    moments.sort_by_key(|moment| moment.due);
}

struct Writer<'a> {
    bench: &'a Bench,
    head: &'a RunHead,
    shard: Shard,
    now: Micros,
    said: &'a mut Vec<(Micros, What)>,
    /// Open suites from the root, each with whether something in it failed.
    open: Vec<(usize, bool)>,
}

impl Writer<'_> {
    fn say(&mut self, what: What) {
        self.said.push((self.now, what));
    }

    fn wait(&mut self, secs: f64) {
        self.now = after(self.now, self.bench.world().span(secs));
    }

    fn chance(&self, index: usize, low: f64, high: f64) -> f64 {
        let chance = self.bench.chance_of_run(self.head.number).fork(self.shard as u64);
        chance.between(index as u64, Channel::Amount, low, high)
    }

    fn shard(&mut self, tests: Range<usize>, counts: &mut Counts) {
        if self.shard == 0 {
            self.say(What::Planned);
        }
        self.wait(0.2);
        self.say(What::Started(self.shard));
        self.wait(0.3);
        for test in tests {
            self.enter(test);
            if let Some((_, stop)) = self.head.stop.filter(|(at, _)| *at == test) {
                return self.stop(test, stop);
            }
            self.test(test, counts);
            self.wait(0.05);
        }
        self.finish(false);
    }

    /// Nothing more is said by a bench that dies.
    fn stop(&mut self, test: usize, stop: Stop) {
        self.say(What::TestStarted { test, attempt: 1 });
        let took = Micros(self.bench.attempt_span(self.head, test, 1).0 / 2 + 1);
        self.now = after(self.now, took);
        if stop == Stop::Dies {
            return;
        }
        self.say(What::TestFinished { test, attempt: 1, verdict: Verdict::Cancelled, took, cause: None });
        self.finish(true);
    }

    fn finish(&mut self, aborted: bool) {
        self.leave(0);
        self.wait(0.1);
        self.say(What::Finished { shard: self.shard, aborted });
    }

    /// Closes and opens suites until the test's own is the innermost.
    fn enter(&mut self, test: usize) {
        let project = self.bench.project();
        let mut path = Vec::new();
        let mut suite = project.tests.get(test).map(|test| test.suite);
        while let Some(at) = suite {
            path.push(at);
            suite = project.suites.get(at).and_then(|suite| suite.parent);
        }
        path.reverse();
        let common = self.open.iter().zip(&path).take_while(|((open, _), at)| open == *at).count();
        self.leave(common);
        for suite in path.into_iter().skip(common) {
            self.say(What::SuiteStarted(suite));
            self.say(What::SuitePhase(suite, Phase::Setup));
            self.wait(self.chance(suite, 0.2, 2.0));
            self.say(What::Log(Line::Ready(suite)));
            self.say(What::SuitePhase(suite, Phase::Tests));
            self.open.push((suite, false));
        }
    }

    /// Closes suites until so many are open.
    fn leave(&mut self, depth: usize) {
        while self.open.len() > depth {
            let Some((suite, failed)) = self.open.pop() else { return };
            self.say(What::SuitePhase(suite, Phase::Teardown));
            self.wait(self.chance(suite, 0.1, 0.8));
            self.say(What::SuiteFinished(suite, if failed { Verdict::Failed } else { Verdict::Passed }));
        }
    }

    fn test(&mut self, test: usize, counts: &mut Counts) {
        match self.bench.fate(self.head, test, self.now) {
            Fate::Passed => {
                self.attempt(test, 1, Verdict::Passed, None);
                counts.passed += 1;
            }
            Fate::Warned => {
                self.attempt(test, 1, Verdict::Warned, None);
                counts.passed += 1;
            }
            Fate::Skipped => {
                let took = Micros(0);
                self.say(What::TestFinished { test, attempt: 1, verdict: Verdict::Skipped, took, cause: None });
                counts.skipped += 1;
            }
            Fate::Flaky(verdict, cause) => {
                self.attempt(test, 1, verdict, Some(cause));
                self.say(What::Log(Line::Retry(test)));
                self.wait(0.2);
                self.attempt(test, 2, Verdict::Passed, None);
                counts.flaky += 1;
            }
            Fate::Failed(verdict, cause) => {
                self.attempt(test, 1, verdict, Some(cause));
                self.open.iter_mut().for_each(|(_, failed)| *failed = true);
                counts.failed += 1;
            }
        }
    }

    fn attempt(&mut self, test: usize, attempt: u32, verdict: Verdict, cause: Option<Cause>) {
        self.say(What::TestStarted { test, attempt });
        let mut took = self.bench.attempt_span(self.head, test, attempt);
        if verdict == Verdict::TimedOut {
            took = Micros(took.0 * 3);
        }
        let begun = self.now;
        self.now = after(begun, Micros(took.0 * 9 / 10));
        if let Some(cause) = cause {
            self.say(What::Log(Line::Diagnosis(test, cause)));
        } else if self.head.slow.is_some_and(|(suite, _)| self.is_in(test, suite)) {
            self.say(What::Log(Line::Slow(test)));
        }
        self.now = after(begun, took);
        self.say(What::TestFinished { test, attempt, verdict, took, cause });
    }

    fn is_in(&self, test: usize, suite: usize) -> bool {
        self.bench.project().tests.get(test).is_some_and(|test| test.suite == suite)
    }
}
