//! Tests that go on under another name.
//!
//! A test is known by its path and name, so whoever renames one cuts it off
//! from its history. What gives a rename away is the run in which one test
//! vanishes and another appears: [`renames`] pairs those that are alike. It only
//! offers; a person joins them, and [`Names`] is what was joined.
//!
//! It would rather say nothing than guess: of two that fit equally well none is
//! offered, and names that differ in numbers alone are names of different tests.

use super::ids::{ScriptId, TestId, lasting_path};
use super::test::words;
use std::collections::{BTreeMap, BTreeSet};

/// Tests of a kind that are compared. More of them vanish or appear where
/// another plan was run, and not where somebody renamed a test.
pub const COMPARED_MAX: usize = 200;

/// Names that one test may have had.
pub const NAMES_MAX: usize = 32;

/// How alike two names must be, in thousandths.
const NEAR: u16 = 600;

/// Letters of a name that are compared.
const COMPARED_LETTERS: usize = 120;

/// A tag that begins so is an identity, given by whoever wrote the test.
const ID_TAG: &str = "id:";

words! {
    /// What gives a rename away, the surest sign first.
    Sign {
        /// Both carry the same tag `id:…`.
        SameId = "same_id",
        /// Their scripts are the same, word for word.
        SameScript = "same_script",
        /// The name is the same, in another suite.
        Moved = "moved",
        /// The suite or the file is the same, and the names are near.
        NearName = "near_name",
    }
}

/// A test as it is compared.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Which.
    pub id: TestId,
    /// Its suite: names from the root.
    pub suite: &'a [Box<str>],
    /// Its name.
    pub name: &'a str,
    /// What tells it from its likes.
    pub parameters: Option<&'a str>,
    /// The file it is written in.
    pub source: Option<&'a str>,
    /// Its own script, where that is known.
    pub script: Option<ScriptId>,
    /// Its tags.
    pub tags: &'a [Box<str>],
}

/// Two tests that are likely one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rename {
    /// What it was.
    pub was: TestId,
    /// What it is now.
    pub now_is: TestId,
    /// What gives it away.
    pub sign: Sign,
    /// How alike they are, in thousandths.
    pub likeness: u16,
}

/// Which of the tests that vanished go on as one of those that appeared, the
/// surest first; each is named once at most.
pub fn renames(vanished: &[Candidate<'_>], appeared: &[Candidate<'_>]) -> Vec<Rename> {
    if vanished.len().max(appeared.len()) > COMPARED_MAX {
        return Vec::new();
    }
    let pairs = vanished.iter().flat_map(|was| appeared.iter().filter_map(move |now| compare(was, now)));
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_by_key(|pair| (pair.sign, u16::MAX - pair.likeness, pair.was, pair.now_is));
    let mut taken = BTreeSet::new();
    let mut found = Vec::new();
    for alike in pairs.chunk_by(|one, next| (one.sign, one.likeness) == (next.sign, next.likeness)) {
        let is_free = |pair: &&Rename| !taken.contains(&pair.was) && !taken.contains(&pair.now_is);
        let free: Vec<_> = alike.iter().filter(is_free).copied().collect();
        for pair in &free {
            let is_rival = |other: &&Rename| (other.was == pair.was) != (other.now_is == pair.now_is);
            if free.iter().find(is_rival).is_none() {
                found.push(*pair);
            }
        }
        // Those that were rivals are not given to somebody who fits worse.
        taken.extend(free.iter().flat_map(|pair| [pair.was, pair.now_is]));
    }
    found
}

fn compare(was: &Candidate<'_>, now: &Candidate<'_>) -> Option<Rename> {
    let (sign, likeness) = sign_of(was, now)?;
    Some(Rename { was: was.id, now_is: now.id, sign, likeness })
}

fn sign_of(was: &Candidate<'_>, now: &Candidate<'_>) -> Option<(Sign, u16)> {
    if let Some((old, new)) = was.own_id().zip(now.own_id()) {
        return (old == new).then_some((Sign::SameId, 1_000));
    }
    let is_same_source = was.source.is_some() && was.source == now.source;
    let is_same_suite = lasting_path(was.suite) == lasting_path(now.suite);
    if was.script.is_some() && was.script == now.script {
        return Some((Sign::SameScript, if is_same_suite { 1_000 } else { 900 }));
    }
    if was.title() == now.title() {
        let place = |candidate: &Candidate<'_>| lasting_path(candidate.suite).join(" ");
        let likeness = if is_same_source { 1_000 } else { likeness(&place(was), &place(now)) };
        return Some((Sign::Moved, likeness));
    }
    let (old, new) = (was.title(), now.title());
    if !(is_same_suite || is_same_source) || without_numbers(&old) == without_numbers(&new) {
        return None;
    }
    Some((Sign::NearName, likeness(&old, &new))).filter(|(_, likeness)| *likeness >= NEAR)
}

impl Candidate<'_> {
    fn own_id(&self) -> Option<&str> {
        self.tags.iter().find_map(|tag| tag.strip_prefix(ID_TAG)).map(str::trim).filter(|id| !id.is_empty())
    }

    fn title(&self) -> String {
        match self.parameters {
            Some(parameters) => format!("{} [{parameters}]", self.name),
            None => self.name.to_owned(),
        }
    }
}

fn without_numbers(title: &str) -> String {
    title.chars().filter(|letter| !letter.is_numeric()).collect()
}

/// How alike two texts are in thousandths: by their letters, or by their words
/// in whatever order; the better of the two.
pub fn likeness(one: &str, other: &str) -> u16 {
    let letters = |text: &str| -> Vec<char> {
        let lower = text.chars().flat_map(char::to_lowercase);
        lower.map(|letter| if letter.is_alphanumeric() { letter } else { ' ' }).take(COMPARED_LETTERS).collect()
    };
    let (one, other) = (letters(one), letters(other));
    by_letters(&one, &other).max(by_words(&one, &other))
}

fn share(part: usize, whole: usize) -> u16 {
    u16::try_from((1_000 * part).checked_div(whole).unwrap_or(1_000)).unwrap_or(1_000)
}

/// By the edits that lead from one to the other.
fn by_letters(one: &[char], other: &[char]) -> u16 {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let cost = (corner + usize::from(a != b)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    let longest = one.len().max(other.len());
    share(longest - row[other.len()].min(longest), longest)
}

/// By the words that both have.
fn by_words(one: &[char], other: &[char]) -> u16 {
    let words = |text: &[char]| -> Vec<String> {
        let words = text.split(|letter| *letter == ' ').filter(|word| !word.is_empty());
        words.map(|word| word.iter().collect()).collect()
    };
    let (one, mut rest) = (words(one), words(other));
    let all = one.len() + rest.len();
    let common = one.iter().filter(|word| {
        let place = rest.iter().position(|other| other == *word);
        place.map(|place| rest.swap_remove(place)).is_some()
    });
    let common = common.count();
    if all == 0 { 0 } else { share(2 * common, all) }
}

/// What tests are called now that were called otherwise before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<TestId, TestId>);

impl FromIterator<(TestId, TestId)> for Names {
    /// From pairs of what a test was and what it is.
    fn from_iter<I: IntoIterator<Item = (TestId, TestId)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl Names {
    /// What a test is called now.
    pub fn now(&self, mut test: TestId) -> TestId {
        // Names may come from two servers that did not know of each other: a
        // circle must not be walked for ever.
        for _ in 0..NAMES_MAX {
            let Some(next) = self.0.get(&test) else { break };
            test = *next;
        }
        test
    }

    /// Whether it goes on under another name.
    pub fn is_past(&self, test: TestId) -> bool {
        self.0.contains_key(&test)
    }

    /// All names that a test had and has, its present one first.
    pub fn all(&self, test: TestId) -> Vec<TestId> {
        let mut all = vec![test];
        let mut at = 0;
        while let Some(known) = all.get(at).copied().filter(|_| all.len() < NAMES_MAX) {
            let before = self.0.iter().filter(|(_, now)| **now == known).map(|(was, _)| *was);
            let before: Vec<_> = before.filter(|was| !all.contains(was)).collect();
            all.extend(before);
            at += 1;
        }
        all.truncate(NAMES_MAX);
        all
    }
}

#[cfg(test)]
#[path = "rename_tests.rs"]
mod tests;
