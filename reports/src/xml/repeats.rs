//! Cases that a file names more than once.

use super::{keep_property, keep_tag};
use crate::{Case, Verdict};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// Which cases were seen, and how often.
#[derive(Default)]
pub struct Repeats {
    seen: HashMap<u64, Seen, BuildHasherDefault<Ready>>,
    /// Makes the keys such as nobody can foretell.
    seed: Seed,
}

struct Seen {
    /// The latest of this name.
    case: usize,
    /// The suite element that it stood in.
    group: usize,
    count: u32,
}

impl Repeats {
    /// Makes room for so many cases more.
    pub fn expect(&mut self, cases: &mut Vec<Case>, count: usize) {
        cases.reserve(count);
        self.seen.reserve(count);
    }

    /// Adds a case that stands in a suite element of this number. Named again
    /// there after it failed it is the next attempt; otherwise it is another
    /// case of the same name, and is given a parameter to tell it by.
    pub fn add(&mut self, cases: &mut Vec<Case>, group: usize, mut case: Case) {
        let next = cases.len();
        let first = Seen { case: next, group, count: 1 };
        let seen = match self.seen.entry(self.seed.key(&case)) {
            Entry::Vacant(vacant) => {
                vacant.insert(first);
                return cases.push(case);
            }
            Entry::Occupied(seen) => seen.into_mut(),
        };
        if !is_same(&cases[seen.case], &case) {
            *seen = first;
            return cases.push(case);
        }
        let earlier = &mut cases[seen.case];
        if seen.group == group && is_retry(earlier, &case) {
            return join(earlier, case);
        }
        seen.group = group;
        seen.count += 1;
        seen.case = next;
        case.parameters = Some(match case.parameters {
            Some(parameters) => format!("{parameters} #{}", seen.count),
            None => format!("#{}", seen.count),
        });
        cases.push(case);
    }

    /// Adds a case of a format that never tells of the same test twice.
    pub fn add_distinct(&mut self, cases: &mut Vec<Case>, case: Case) {
        let group = cases.len();
        self.add(cases, group, case);
    }

    /// The latest case of this suite and name in this suite element.
    pub fn latest<'c>(&self, cases: &'c mut [Case], group: usize, case: &Case) -> Option<&'c mut Case> {
        let seen = self.seen.get(&self.seed.key(case)).filter(|seen| seen.group == group)?;
        Some(&mut cases[seen.case]).filter(|earlier| is_same(earlier, case))
    }
}

struct Seed(u64);

impl Default for Seed {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl Seed {
    /// A number for a case's names. It is made for speed: two cases may have
    /// one, and the names themselves are compared then.
    fn key(&self, case: &Case) -> u64 {
        let names = case.suite.last().into_iter().chain([&case.name]).chain(&case.parameters);
        names.fold(self.0, |key, name| {
            let (words, rest) = name.as_bytes().as_chunks::<8>();
            let key = mix(key, name.len() as u64);
            let key = words.iter().fold(key, |key, word| mix(key, u64::from_le_bytes(*word)));
            rest.iter().fold(key, |key, byte| mix(key, u64::from(*byte)))
        })
    }
}

/// Takes one word in. Both halves of the product count, so that every bit of a
/// key depends on every bit before it.
fn mix(key: u64, word: u64) -> u64 {
    let product = u128::from(key ^ word) * 0x9e37_79b9_7f4a_7c15_u128;
    (product as u64) ^ ((product >> 64) as u64).rotate_left(32)
}

/// Passes on a number that is a hash already.
#[derive(Default)]
struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |key, byte| mix(key, u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// Whether they have one name; parameters may have been added to one of them.
fn is_same(one: &Case, other: &Case) -> bool {
    one.name == other.name && one.suite == other.suite
}

/// A test that is skipped after it failed, or stands on another line, is not
/// the same one tried again.
fn is_retry(earlier: &Case, later: &Case) -> bool {
    let differs = earlier.line.is_some() && later.line.is_some() && earlier.line != later.line;
    let was_run = !matches!(later.verdict(), Verdict::Skipped | Verdict::Cancelled | Verdict::Unknown);
    earlier.verdict().is_failure() && was_run && !differs
}

fn join(earlier: &mut Case, later: Case) {
    earlier.attempts.extend(later.attempts);
    for (name, value) in later.properties {
        keep_property(&mut earlier.properties, name, value);
    }
    later.tags.into_iter().for_each(|tag| keep_tag(&mut earlier.tags, tag));
    earlier.owner = earlier.owner.take().or(later.owner);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attempt;
    use Verdict::{Errored, Failed, Passed, Skipped};

    fn case(verdict: Verdict, line: Option<u32>) -> Case {
        let attempts = vec![Attempt { verdict, ..Attempt::default() }];
        Case { suite: vec!["S".into()], name: "t".into(), line, attempts, ..Case::default() }
    }

    /// What (group, verdict, line) in a row come to: parameters and attempts.
    #[track_caller]
    fn check(row: &[(usize, Verdict, Option<u32>)], expected: &[(Option<&str>, &[Verdict])]) {
        let (mut repeats, mut cases) = (Repeats::default(), Vec::new());
        row.iter().for_each(|(group, verdict, line)| repeats.add(&mut cases, *group, case(*verdict, *line)));
        let verdicts = |case: &Case| case.attempts.iter().map(|attempt| attempt.verdict).collect::<Vec<_>>();
        let got: Vec<_> = cases.iter().map(|case| (case.parameters.as_deref(), verdicts(case))).collect();
        let expected: Vec<_> = expected.iter().map(|(name, verdicts)| (*name, verdicts.to_vec())).collect();
        assert_eq!(got, expected, "{row:?}");
    }

    #[test]
    fn a_name_again_is_an_attempt_only_after_a_failure() {
        check(&[(1, Failed, None), (1, Errored, None), (1, Passed, None)], &[(None, &[Failed, Errored, Passed])]);
        check(&[(1, Passed, None), (1, Passed, None)], &[(None, &[Passed]), (Some("#2"), &[Passed])]);
        check(&[(1, Failed, None), (1, Skipped, None)], &[(None, &[Failed]), (Some("#2"), &[Skipped])]);
        check(&[(1, Failed, Some(3)), (1, Passed, Some(9))], &[(None, &[Failed]), (Some("#2"), &[Passed])]);
        check(&[(1, Failed, None), (2, Passed, None)], &[(None, &[Failed]), (Some("#2"), &[Passed])]);
        let row = [(1, Passed, None), (1, Failed, None), (1, Passed, None), (1, Passed, None)];
        check(&row, &[(None, &[Passed]), (Some("#2"), &[Failed, Passed]), (Some("#3"), &[Passed])]);
    }
}
