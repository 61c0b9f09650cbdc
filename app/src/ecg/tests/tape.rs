use super::*;
use crate::domain::test::Outcome;
use crate::ecg::commits::{self, Commit, CommitResult};
use crate::ecg::draw::{Rect, Scale};
use crate::ecg::results;
use proptest::prelude::*;

const AREA: Rect = Rect { x: 0.0, y: 0.0, width: 1200.0, height: 80.0 };
const MINUTE: i64 = 60_000_000;

fn commit(minute: i64, result: Option<CommitResult>) -> Commit {
    Commit { at: Timestamp(minute * MINUTE), result, changed_lines: Some(9), tests: None, is_tagged: false }
}

/// 100 000 commits, a minute to a day apart.
fn long() -> Tape {
    let mut at = 0;
    let commits = (0..100_000_u64).map(|n| {
        let chance = crate::domain::chance::split_mix(n);
        at += 1 + (chance % 1_440) as i64;
        let result = match chance >> 32 & 63 {
            0 => Some(CommitResult::Failed),
            1 => Some(CommitResult::Flaky),
            2 => None,
            _ => Some(CommitResult::Passed),
        };
        commit(at, result)
    });
    Tape::new(&commits::entries(&commits.collect::<Vec<_>>()))
}

#[test]
fn time_between_commits_is_paper_between_beats() {
    let rounded = |minutes| (interval(Micros(minutes * MINUTE)) * 1e3).round();
    assert_eq!([0, 1, 60, 1_440, 10_080, 1 << 30].map(rounded), [350.0, 425.0, 796.0, 1140.0, 1351.0, 2000.0]);
    assert_eq!(interval(Micros(-5)), 0.35);
    assert_eq!([None, Some(0), Some(99), Some(u32::MAX)].map(height), [1.1, 0.6, 1.0, 1.6]);
}

#[test]
fn the_first_pass_after_a_failure_is_an_escape_beat() {
    use CommitResult::{Failed, Flaky, Passed};
    let results =
        [Some(Passed), Some(Failed), None, Some(Passed), Some(Passed), Some(Failed), Some(Flaky), Some(Passed)];
    let commits: Vec<_> = results.iter().map(|result| commit(0, *result)).collect();
    let found: Vec<_> = commits::entries(&commits).iter().map(|entry| entry.finding.shape()).collect();
    let shape = |word| match word {
        'N' => Shape::Sinus,
        'V' => Shape::Ventricular,
        'E' => Shape::Escape,
        _ => Shape::Dropped,
    };
    assert_eq!(found, "NBBENBVN".chars().map(shape).collect::<Vec<_>>());
}

#[test]
fn a_test_without_a_result_has_no_beat() {
    let at = Timestamp(0);
    let all = [Outcome::Passed, Outcome::Running, Outcome::Failed, Outcome::Skipped, Outcome::Passed];
    let (entries, numbers) = results::entries(&all.map(|outcome| (at, outcome)));
    let findings: Vec<_> = entries.iter().map(|entry| entry.finding).collect();
    assert_eq!(findings, [Finding::Passed, Finding::Failed, Finding::Unknown, Finding::Recovered]);
    assert_eq!(numbers, [0, 2, 3, 4]);
}

#[test]
fn detail_follows_from_the_room_a_beat_has() {
    let (tape, scale) = (long(), Scale::fitting(4.0, AREA.height));
    let detail = |beats: usize| View::of(&tape, &(5_000..5_000 + beats), 1200.0).detail(&tape, &AREA, &scale);
    let Detail::Waves(waves) = detail(99) else { panic!("waves at 12 px") };
    assert_eq!((waves.len(), waves[1].beat), (101, 5_000));
    assert!(waves.iter().flat_map(|wave| &wave.points).all(|p| p.x.is_finite() && (0.0..=80.0).contains(&p.y)));
    for two in waves.windows(2) {
        let (end, start) = (two[0].points.last().expect("a point"), two[1].points[0]);
        assert!((end.x - start.x).abs() < 0.1 && (end.y - start.y).abs() < 1.0, "{end:?} {start:?}");
    }
    assert!(matches!(detail(101), Detail::Lines(lines) if lines.len() == 101));
    assert!(matches!(detail(399), Detail::Lines(_)));
    let Detail::Columns(columns) = detail(100_000) else { panic!("columns") };
    assert!(columns.len() <= 1200);
    assert_eq!(columns.iter().map(|column| column.beats.len()).sum::<usize>(), 95_000);
}

#[test]
fn a_hundred_thousand_commits_are_all_there() {
    let tape = long();
    let whole = tape.block(0..tape.len()).expect("beats");
    let failed = (0..tape.len()).filter(|n| tape.finding(*n) == Some(Finding::Failed)).count();
    assert_eq!((whole.worst, whole.worst_count as usize), (Finding::Failed, failed));
    let mut found = 0;
    let mut at = 0;
    while let Some(next) = tape.next_arrhythmia(at) {
        assert_eq!(tape.previous_arrhythmia(next), (found > 0).then_some(at));
        (found, at) = (found + 1, next);
    }
    assert!(found > 2_500 && tape.finding(at).is_some_and(Finding::is_arrhythmia));
    let rows: Vec<_> = tape.rows(3_000).collect();
    assert_eq!((rows.len(), rows.last().cloned()), (34, Some(99_000..100_000)));
    for beat in [0, 1, 77_777, 99_999] {
        let view = View { start: 0.0, px_per_second: 20.0, width: 1200.0 }.centred(&tape, beat);
        assert_eq!(view.hit(&tape, 600.0, 3.0), Some(beat));
        assert!(view.on(&tape).beats(&tape).contains(&beat));
        assert_eq!(view.zoomed(600.0, 3.0).hit(&tape, 600.0, 3.0), Some(beat));
    }
}

#[test]
fn a_long_silence_has_a_mark_and_a_tag_its_place() {
    let commits = [0, 10, 50_000, 50_001].map(|minute| Commit { is_tagged: minute == 10, ..commit(minute, None) });
    let tape = Tape::new(&commits::entries(&commits));
    let view = View::of(&tape, &(0..4), 400.0);
    assert_eq!((view.breaks(&tape, &AREA).len(), tape.tags(&(0..4))), (1, [1].as_slice()));
}

proptest! {
    #[test]
    fn a_block_is_what_its_beats_say(
        beats in proptest::collection::vec((0_usize..5, 0_u32..5_000, any::<i64>()), 0..200), a in 0_usize..220, b in 0_usize..220,
    ) {
        let all = [Finding::Passed, Finding::Unknown, Finding::Recovered, Finding::Flaky, Finding::Failed];
        let entry = |(finding, size, at): &(usize, u32, i64)| Entry {
            at: Timestamp(*at), finding: all[*finding], size: Some(*size), is_tagged: false,
        };
        let tape = Tape::new(&beats.iter().map(entry).collect::<Vec<_>>());
        let found = tape.block(a..b);
        let range = a.min(tape.len())..b.min(tape.len()).max(a.min(tape.len()));
        let worst = range.clone().filter_map(|n| tape.finding(n)).max();
        prop_assert_eq!(found.map(|block| block.worst), worst);
        let count = range.filter(|n| tape.finding(*n) == worst).count();
        prop_assert_eq!(found.map_or(0, |block| block.worst_count as usize), count);
        prop_assert!(tape.places.windows(2).all(|two| two[0] < two[1]));
        let view = View { start: 0.0, px_per_second: 1.0, width: 60.0 };
        view.detail(&tape, &AREA, &Scale::paper(3.0));
    }
}
