//! What is worth telling: that a test or a setup stands otherwise than before.
//!
//! Three rules, each a function of values. [`changes`] compares two looks at a
//! setup. [`Untold`] joins a change to what was not told yet, so that what
//! reverts in time is never told. [`due`] says what is told now: not before it
//! has settled, not in quiet hours, and not more often than [`Pace`] allows,
//! so that a storm of changes is a few messages.

use super::activity::Activity;
use super::health::Label;
use super::ids::{SetupId, TestId};
use super::test::words;
use super::time::{Micros, Timestamp};
use super::wall::Hours;
use std::collections::BTreeMap;

words! {
    /// How a test on a setup, or a setup itself, stands.
    Condition {
        /// Nothing is to be told of it.
        Well = "well",
        /// The test fails, and not because it is flaky.
        Failing = "failing",
        /// The test is flaky.
        Flaky = "flaky",
        /// The setup owes us a word and does not speak.
        Silent = "silent",
    }
}

words! {
    /// What changed, in one word.
    ChangeKind {
        /// A test that was well or flaky fails.
        NewFailure = "new_failure",
        /// A test became flaky.
        NewlyFlaky = "newly_flaky",
        /// A test is well again, or a setup speaks again.
        Recovered = "recovered",
        /// A setup fell silent.
        SetupSilent = "setup_silent",
    }
}

/// What stands in some way: a test on a setup, or the setup itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The setup.
    pub setup: SetupId,
    /// The test; none for the setup itself.
    pub test: Option<TestId>,
}

/// How a subject stands, and when it was last heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How.
    pub condition: Condition,
    /// The time of the newest word about it, by our clock; none where it is not known.
    pub heard_at: Option<Timestamp>,
}

/// A subject stands otherwise than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub subject: Subject,
    /// How it stood.
    pub was: Condition,
    /// How it stands.
    pub now_is: Condition,
    /// It is history that was told afterwards: known from now on, and not told.
    pub is_old: bool,
}

/// What a channel was not told yet of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untold {
    /// Of which.
    pub subject: Subject,
    /// How it stood when the channel was last told.
    pub was: Condition,
    /// How it stands.
    pub now_is: Condition,
    /// Since when it stands otherwise than was told.
    pub first: Timestamp,
    /// Since when it stands so.
    pub since: Timestamp,
}

/// How soon, and how often, a channel is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// What reverts within this time is not told.
    pub settle: Micros,
    /// The least time between two messages.
    pub gather: Micros,
}

/// When a channel was last told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// When.
    pub told_at: Timestamp,
    /// Until then nothing more is told.
    pub gap: Micros,
}

/// A result that is older when it is first seen is history.
pub const HISTORY: Micros = Micros::from_secs(86_400);

/// The longest time between two messages of a storm.
const GAP_MAX: Micros = Micros::from_secs(1_800);

/// What goes to and fro is told after so many times the settling time.
const PATIENCE: i64 = 8;

impl Condition {
    /// How a test stands on a setup, by what it is called there and whether
    /// its last result was a failure. A flaky test that fails is no news.
    pub fn of_test(label: Label, failed: bool) -> Self {
        match label {
            Label::Flaky | Label::Recovering => Self::Flaky,
            Label::Broken => Self::Failing,
            _ if failed => Self::Failing,
            _ => Self::Well,
        }
    }

    /// How a setup stands. One that was silent speaks again only with its own
    /// word (`spoke`): a server that has just begun to listen presumes so of all.
    pub fn of_setup(activity: Activity, spoke: bool, before: Self) -> Self {
        match activity {
            Activity::Silent | Activity::Lost => Self::Silent,
            Activity::Running | Activity::Overdue if before == Self::Silent && !spoke => Self::Silent,
            _ => Self::Well,
        }
    }
}

impl ChangeKind {
    /// What it is when a subject comes to stand so.
    pub const fn of(now_is: Condition) -> Self {
        match now_is {
            Condition::Well => Self::Recovered,
            Condition::Failing => Self::NewFailure,
            Condition::Flaky => Self::NewlyFlaky,
            Condition::Silent => Self::SetupSilent,
        }
    }
}

/// What stands otherwise than at the last look. Both looks are at the same
/// setups; who is in neither is well.
pub fn changes(
    before: &BTreeMap<Subject, Condition>,
    after: &BTreeMap<Subject, Standing>,
    now: Timestamp,
) -> Vec<Change> {
    let is_old = |heard: Option<Timestamp>| heard.is_some_and(|heard| now.since(heard) > HISTORY);
    let stood = |subject: &Subject| before.get(subject).copied().unwrap_or(Condition::Well);
    let stand = after.iter().map(|(subject, standing)| Change {
        subject: *subject,
        was: stood(subject),
        now_is: standing.condition,
        is_old: is_old(standing.heard_at),
    });
    let gone = before.iter().filter(|(subject, _)| !after.contains_key(subject));
    let well =
        gone.map(|(subject, was)| Change { subject: *subject, was: *was, now_is: Condition::Well, is_old: false });
    stand.chain(well).filter(|change| change.was != change.now_is).collect()
}

impl Untold {
    /// What is not told yet after a change; none where things stand again as
    /// they were told.
    pub fn join(known: Option<Self>, change: &Change, now: Timestamp) -> Option<Self> {
        let Change { subject, was, now_is, .. } = *change;
        let joined = match known {
            Some(untold) => Self { now_is, since: now, ..untold },
            None => Self { subject, was, now_is, first: now, since: now },
        };
        (joined.was != joined.now_is).then_some(joined)
    }

    /// What is to be told.
    pub const fn kind(&self) -> ChangeKind {
        ChangeKind::of(self.now_is)
    }

    fn has_settled(&self, settle: Micros, now: Timestamp) -> bool {
        now.since(self.since) >= settle || now.since(self.first) >= Micros(settle.0.saturating_mul(PATIENCE))
    }
}

/// What a channel is to be told now: all that has settled, or nothing.
pub fn due<'a>(
    untold: impl IntoIterator<Item = &'a Untold>,
    rhythm: Rhythm,
    pace: Option<Pace>,
    is_quiet: bool,
    now: Timestamp,
) -> Vec<&'a Untold> {
    if is_quiet || pace.is_some_and(|pace| now.since(pace.told_at) < pace.gap) {
        return Vec::new();
    }
    untold.into_iter().filter(|one| one.has_settled(rhythm.settle, now)).collect()
}

impl Pace {
    /// After another message: the gap doubles while messages follow one
    /// another closely, and is the usual one after a calm.
    pub fn told(before: Option<Self>, rhythm: Rhythm, now: Timestamp) -> Self {
        let doubled = before.filter(|pace| now.since(pace.told_at).0 < pace.gap.0.saturating_mul(2));
        let longest = GAP_MAX.max(rhythm.gather);
        let gap = doubled.map_or(rhythm.gather, |pace| Micros(pace.gap.0.saturating_mul(2)).min(longest));
        Self { told_at: now, gap }
    }
}

impl Hours {
    /// Whether a minute of the day lies within.
    pub const fn contains(self, minute: u16) -> bool {
        if self.from < self.to {
            self.from <= minute && minute < self.to
        } else {
            self.from <= minute || minute < self.to
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const RHYTHM: Rhythm = Rhythm { settle: Micros::from_secs(120), gather: Micros::from_secs(60) };

    fn at(second: i64) -> Timestamp {
        Timestamp(second * 1_000_000)
    }

    fn test(number: u128) -> Subject {
        Subject { setup: SetupId(Uuid::from_u128(1)), test: Some(TestId(Uuid::from_u128(number))) }
    }

    fn stands(condition: Condition, heard: i64) -> Standing {
        Standing { condition, heard_at: Some(at(heard)) }
    }

    #[test]
    fn only_what_stands_otherwise_is_a_change() {
        use Condition::{Failing, Flaky, Well};
        let before = [(test(1), Failing), (test(2), Flaky), (test(3), Failing)].into();
        let after = [(test(1), stands(Failing, 9)), (test(3), stands(Flaky, 9)), (test(4), stands(Failing, 9))].into();
        let found = changes(&before, &after, at(10));
        let told: Vec<_> = found.iter().map(|change| (change.subject, change.was, change.now_is)).collect();
        assert_eq!(told, [(test(3), Failing, Flaky), (test(4), Well, Failing), (test(2), Flaky, Well)]);
        let kinds: Vec<_> = found.iter().map(|change| ChangeKind::of(change.now_is)).collect();
        assert_eq!(kinds, [ChangeKind::NewlyFlaky, ChangeKind::NewFailure, ChangeKind::Recovered]);
        assert!(changes(&before, &BTreeMap::new(), at(10)).iter().all(|change| change.now_is == Well));
    }

    #[test]
    fn history_that_is_told_afterwards_is_no_news() {
        let after = [(test(1), stands(Condition::Failing, 0)), (test(2), stands(Condition::Failing, 86_400))].into();
        let old: Vec<_> = changes(&BTreeMap::new(), &after, at(86_401)).iter().map(|change| change.is_old).collect();
        assert_eq!(old, [true, false]);
    }

    #[test]
    fn a_flaky_test_that_fails_is_no_news_and_a_broken_one_stays_one() {
        assert_eq!(Condition::of_test(Label::Flaky, true), Condition::Flaky);
        assert_eq!(Condition::of_test(Label::Recovering, false), Condition::Flaky);
        assert_eq!(Condition::of_test(Label::Healthy, true), Condition::Failing);
        assert_eq!(Condition::of_test(Label::New, true), Condition::Failing);
        assert_eq!(Condition::of_test(Label::Suspect, false), Condition::Well);
        assert_eq!(Condition::of_test(Label::Broken, false), Condition::Failing);
        assert_eq!(Condition::of_test(Label::Fixed, false), Condition::Well);
    }

    #[test]
    fn a_silent_setup_speaks_again_only_by_itself() {
        use Condition::{Silent, Well};
        let table = [
            (Activity::Silent, true, Well, Silent),
            (Activity::Lost, false, Well, Silent),
            // This server has only just begun to listen.
            (Activity::Running, false, Silent, Silent),
            (Activity::Running, true, Silent, Well),
            (Activity::Overdue, false, Well, Well),
            (Activity::Idle, false, Silent, Well),
        ];
        for (activity, spoke, before, expected) in table {
            assert_eq!(Condition::of_setup(activity, spoke, before), expected, "{activity} {spoke} {before}");
        }
    }

    fn change(was: Condition, now_is: Condition) -> Change {
        Change { subject: test(1), was, now_is, is_old: false }
    }

    #[test]
    fn what_reverts_is_not_told() {
        use Condition::{Failing, Flaky, Well};
        let failed = Untold::join(None, &change(Well, Failing), at(0));
        assert_eq!(Untold::join(failed, &change(Failing, Well), at(60)), None);
        let flaky = Untold::join(failed, &change(Failing, Flaky), at(60)).expect("it stands otherwise");
        assert_eq!((flaky.was, flaky.now_is, flaky.first, flaky.since), (Well, Flaky, at(0), at(60)));
        assert_eq!(flaky.kind(), ChangeKind::NewlyFlaky);
        assert!(due([&flaky], RHYTHM, None, false, at(179)).is_empty());
        assert_eq!(due([&flaky], RHYTHM, None, false, at(180)), [&flaky]);
    }

    #[test]
    fn what_goes_to_and_fro_is_told_in_the_end() {
        let restless =
            Untold { subject: test(1), was: Condition::Well, now_is: Condition::Failing, first: at(0), since: at(950) };
        assert!(due([&restless], RHYTHM, None, false, at(959)).is_empty());
        assert_eq!(due([&restless], RHYTHM, None, false, at(960)).len(), 1);
    }

    #[test]
    fn quiet_hours_keep_it_for_later() {
        let untold = Untold::join(None, &change(Condition::Well, Condition::Failing), at(0)).expect("a change");
        assert!(due([&untold], RHYTHM, None, true, at(999)).is_empty());
        let night = Hours::parse("22:00-06:30").expect("hours");
        assert!(night.contains(22 * 60) && night.contains(0) && night.contains(389) && !night.contains(390));
        let lunch = Hours::parse("12:00-13:00").expect("hours");
        assert!(lunch.contains(720) && !lunch.contains(780) && !lunch.contains(0));
    }

    /// A test begins to fail every ten seconds for an hour.
    #[test]
    fn a_storm_is_a_few_messages() {
        let (mut pace, mut untold, mut messages, mut told) = (None, Vec::new(), 0, 0);
        for second in 0..7_200 {
            if second % 10 == 0 && second < 3_600 {
                let subject = test(second as u128);
                let change = Change { subject, ..change(Condition::Well, Condition::Failing) };
                untold.extend(Untold::join(None, &change, at(second)));
            }
            let ready: Vec<Subject> =
                due(&untold, RHYTHM, pace, false, at(second)).iter().map(|one| one.subject).collect();
            if !ready.is_empty() {
                (messages, told) = (messages + 1, told + ready.len());
                pace = Some(Pace::told(pace, RHYTHM, at(second)));
                untold.retain(|one| !ready.contains(&one.subject));
            }
        }
        assert_eq!(told, 360);
        assert!(messages <= 8, "{messages}");
        // After a calm the next one is told as soon as ever.
        let calm = Pace::told(pace, RHYTHM, at(20_000));
        assert_eq!(calm.gap, RHYTHM.gather);
    }
}
