//! The classic form: theatre, not measurement. What happens follows from the
//! time alone, so that two screens in one room show the same.

use app::domain::chance::{share_of, split_mix};
use app::domain::time::{Micros, Timestamp};
use app::ecg::reading::{Latest, Measures, RECOVERY_RESULTS};
use app::ecg::{Event, EventKind};

/// What is on the screen at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// What the trace is made from.
    pub measures: Measures,
    /// A double beat.
    pub event: Option<Event>,
    /// The line is flat, and the tone sounds.
    pub is_flat: bool,
    /// The same in words.
    pub said: &'static str,
}

/// One act of the story.
const ACT: i64 = 20_000_000;

/// After a flat line the heart finds its pace again.
const RECOVERY: i64 = 8_000_000;

/// How a calm heart is measured: sixty beats a minute.
fn calm() -> Measures {
    Measures { is_run_open: true, tests_per_minute: 10.0, ..Measures::default() }
}

/// A number in [0, 1) for something in an act.
fn chance(act: i64, what: u64) -> f64 {
    share_of(split_mix(split_mix(act.cast_unsigned()) ^ what))
}

/// When the line is flat in an act, if it is.
fn flat(act: i64) -> Option<(i64, i64)> {
    if chance(act, 1) >= 0.25 {
        return None;
    }
    let begin = act * ACT + 1_000_000 + (chance(act, 2) * 4e6) as i64;
    Some((begin, begin + 3_000_000 + (chance(act, 3) * 5e6) as i64))
}

/// What happens at a moment.
pub fn scene(now: Timestamp) -> Scene {
    let act = now.0.div_euclid(ACT);
    if let Some((begin, end)) = flat(act) {
        if (begin..end).contains(&now.0) {
            let failing = Latest { results: 12, failed: 12, failed_in_a_row: 12 };
            let measures = Measures { latest: failing, ..calm() };
            return Scene { measures, event: None, is_flat: true, said: "flat line" };
        }
        if (end..end + RECOVERY).contains(&now.0) {
            let left = (f64::from(RECOVERY_RESULTS) * (end + RECOVERY - now.0) as f64 / RECOVERY as f64) as u32;
            let measures = Measures { recovery_left: left, ..calm() };
            return Scene { measures, event: None, is_flat: false, said: "recovering" };
        }
    } else if chance(act, 4) < 0.4 {
        let at = Timestamp(act * ACT) + Micros(3_000_000 + (chance(act, 5) * 14e6) as i64);
        if now >= at {
            let event = Event { at, kind: EventKind::Flaky, origin: act.cast_unsigned() };
            return Scene { measures: calm(), event: Some(event), is_flat: false, said: "beating calmly" };
        }
    }
    Scene { measures: calm(), event: None, is_flat: false, said: "beating calmly" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_calm_most_of_the_time_and_never_for_long_without_a_surprise() {
        let seconds = 40_000;
        let scenes: Vec<_> =
            (0..seconds).map(|second| scene(Timestamp(1_770_000_000_000_000 + second * 1_000_000))).collect();
        let flat = scenes.iter().filter(|scene| scene.is_flat).count() as f64 / seconds as f64;
        assert!((0.03..0.12).contains(&flat), "{flat}");
        let doubles: std::collections::BTreeSet<_> =
            scenes.iter().filter_map(|scene| scene.event.map(|event| event.origin)).collect();
        assert!(doubles.len() > 300, "{}", doubles.len());
        let longest =
            scenes.split(|scene| scene.said != "beating calmly" || scene.event.is_some()).map(<[_]>::len).max();
        assert!(longest < Some(400), "{longest:?}");
    }

    #[test]
    fn every_flat_line_ends_within_its_act_and_is_followed_by_a_recovery() {
        for act in 0..10_000 {
            let Some((begin, end)) = flat(act) else { continue };
            assert!(begin >= act * ACT && end + RECOVERY <= (act + 1) * ACT + 2_000_000);
            assert!(scene(Timestamp(begin)).is_flat && !scene(Timestamp(end)).is_flat);
        }
    }
}
