use super::*;
use crate::ecg::sample::{Ink, Look};
use proptest::prelude::*;

const AREA: Rect = Rect { x: 10.0, y: 100.0, width: 300.0, height: 40.0 };

fn sweep() -> Sweep {
    Sweep::new(AREA.width, Scale::fitting(4.0, AREA.height))
}

/// A trace that is dashed in its second second and red from its fourth on.
fn ring(until: i64) -> Ring {
    let look = |index: i64| match index {
        250..500 => Look { ink: Ink::Technical, is_dashed: true, is_dim: false },
        750.. => Look { ink: Ink::High, ..Look::default() },
        _ => Look::default(),
    };
    let samples: Vec<_> = (0..until).map(|n| Sample { uv: (n % 7 * 100) as i16, look: look(n) }).collect();
    let mut ring = Ring::new(4_000);
    ring.push(0, &samples);
    ring
}

/// Every stretch between two neighbouring points that a sweep draws.
fn strokes(sweep: &mut Sweep, ends: impl IntoIterator<Item = i64>) -> Vec<(Look, [u32; 4])> {
    let ring = ring(1_000);
    let mut strokes = Vec::new();
    for end in ends {
        let frame = sweep.frame(end, [(AREA, &ring)]);
        for path in &frame.paths {
            let lines = path.lines().flat_map(|line| line.windows(2));
            let bits = |p: Point| [p.x.to_bits(), p.y.to_bits()];
            strokes
                .extend(lines.map(|two| (path.look, [bits(two[0]), bits(two[1])].concat().try_into().expect("four"))));
        }
    }
    strokes.sort();
    strokes
}

proptest! {
    #[test]
    fn any_frame_rate_leaves_the_same_lines(cuts in proptest::collection::vec(1_i64..60, 1..40)) {
        let once = strokes(&mut sweep(), [1, 400, 800, 1_000]);
        let ends = cuts.into_iter().cycle().scan(1, |end, cut| { *end += cut; Some(*end) }).take_while(|end| *end < 1_000);
        let often = strokes(&mut sweep(), [1].into_iter().chain(ends).chain([1_000]));
        prop_assert_eq!(once, often);
    }
}

#[test]
fn the_bar_erases_each_column_once_before_it_is_drawn() {
    let mut sweep = sweep();
    let ring = ring(2_000);
    sweep.frame(100, [(AREA, &ring)]);
    let mut erased = Vec::new();
    for end in (103..=1_600).step_by(3) {
        let frame = sweep.frame(end, [(AREA, &ring)]);
        erased.extend(frame.erase.iter().map(|rect| (rect.x - AREA.x, rect.width)));
    }
    let whole: f32 = erased.iter().map(|(_, width)| width).sum();
    let expected = 1_500.0 * sweep.scale.px_per_sample();
    assert!((whole - expected).abs() < 0.1, "{whole} {expected}");
    assert!(erased.iter().all(|(x, width)| *x >= 0.0 && x + width <= AREA.width + 0.01));
    assert_eq!(sweep.head(), sweep.x(1_599));
}

#[test]
fn a_jump_draws_everything_and_a_still_frame_nothing() {
    let mut sweep = sweep();
    let ring = ring(3_000);
    sweep.frame(900, [(AREA, &ring)]);
    assert_eq!(sweep.frame(900, [(AREA, &ring)]), &Frame::default());
    for jump in [2_900, 10, i64::MAX, i64::MIN, 3_000] {
        let erase = &sweep.frame(jump, [(AREA, &ring)]).erase;
        assert_eq!(erase.as_slice(), [AREA]);
    }
    let points: usize = sweep.frame.paths.iter().flat_map(|path| path.lines()).map(<[Point]>::len).sum();
    assert!(points > 700, "{points}");
}

#[test]
fn dashes_are_gaps_and_an_alarm_begins_a_path_of_its_own() {
    let ring = ring(1_000);
    let mut sweep = Sweep::new(1_000.0, Scale::paper(4.0));
    let frame = sweep.frame(1_000, [(AREA, &ring)]);
    let lines: Vec<_> = frame.paths.iter().map(|path| (path.look.ink, path.lines().count())).collect();
    assert_eq!(lines, [(Ink::Plain, 2), (Ink::Technical, 7), (Ink::High, 1)]);
}

#[test]
fn a_point_is_named_by_the_moment_drawn_there() {
    let mut sweep = sweep();
    let ring = ring(2_000);
    sweep.frame(1_900, [(AREA, &ring)]);
    let at = |x: f32| sweep.hit(Point { x, y: 120.0 }, [AREA]);
    let x = AREA.x + sweep.x(1_800);
    assert_eq!(at(x), Some((0, time_of(1_800))));
    assert_eq!(at(AREA.x + sweep.head() + 5.0), None, "erased");
    assert_eq!(at(AREA.x + sweep.head() + 20.0).map(|(_, at)| at < time_of(1_899 - 600)), Some(true));
    assert_eq!(sweep.hit(Point { x, y: 99.0 }, [AREA]), None);
}

#[test]
fn a_still_strip_ends_with_the_newest_sample() {
    let frame = still(&AREA, &ring(1_000), &Scale::fitting(4.0, AREA.height));
    let last = frame.paths.iter().flat_map(|path| path.lines()).flatten().map(|p| p.x).fold(0.0, f32::max);
    assert!(last > AREA.x + AREA.width - 1.0 && last <= AREA.x + AREA.width, "{last}");
}
