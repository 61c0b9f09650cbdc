use super::*;
use crate::ecg::sample::RATE;
use crate::ecg::{EventKind, Reading, Shape};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Told {
    Event(Event),
    Reading(Timestamp, u64, Reading),
}

impl Told {
    fn to(self, strip: &mut Strip) {
        match self {
            Self::Event(event) => strip.tell(event),
            Self::Reading(at, version, reading) => strip.set(at, version, reading),
        };
    }

    fn at(&self) -> Timestamp {
        match self {
            Self::Event(event) => event.at,
            Self::Reading(at, ..) => *at,
        }
    }
}

fn a_kind() -> impl Strategy<Value = EventKind> {
    prop_oneof![Just(EventKind::Flaky), Just(EventKind::Failure)]
}

fn a_reading(may_stop: bool) -> impl Strategy<Value = Reading> {
    let beating = if may_stop { 6 } else { 1 };
    let conduction = (0..beating + 2).prop_map(move |n| match n {
        0 if may_stop => Conduction::Standstill,
        1 if may_stop => Conduction::LeadOff,
        _ => Conduction::Beating,
    });
    (0.0..200.0, 0.0..0.12, prop_oneof![Just(0.0), 0.0..1.0], 0.0..0.3, conduction, any::<bool>()).prop_map(
        |(rate, variability, fibrillation, st, conduction, has_artefact)| Reading {
            variability,
            fibrillation,
            st,
            conduction,
            has_artefact,
            ..Reading::healthy(rate)
        },
    )
}

/// Seconds to a moment; many of them equal, many close.
fn a_time(within: i64) -> impl Strategy<Value = Timestamp> {
    prop_oneof![(0..within).prop_map(|s| Timestamp(s * 1_000_000)), (0..within * 1_000_000).prop_map(Timestamp)]
}

/// A log of up to `within` seconds, in no order.
fn a_log(within: i64, may_stop: bool) -> impl Strategy<Value = Vec<Told>> {
    let events = vec((a_time(within), a_kind()), 0..120).prop_map(|events| {
        let told = (0..).zip(events).map(|(origin, (at, kind))| Told::Event(Event { at, kind, origin }));
        told.collect::<Vec<_>>()
    });
    let readings = vec((a_time(within), a_reading(may_stop)), 0..8).prop_map(|readings| {
        let told = (1..).zip(readings).map(|(version, (at, reading))| Told::Reading(at, version, reading));
        told.collect::<Vec<_>>()
    });
    (events, readings).prop_map(|(events, readings)| [readings, events].concat()).prop_shuffle()
}

fn strip(seed: u64, log: &[Told]) -> Strip {
    let mut strip = Strip::new(seed);
    strip.set(Timestamp(-100_000_000), 0, Reading::healthy(72.0));
    log.iter().for_each(|told| told.to(&mut strip));
    strip
}

/// Every beat up to `until` seconds, collected as a screen would: bit by bit.
fn all_beats(strip: &mut Strip, until: i64) -> Vec<Beat> {
    let mut beats = Vec::new();
    for second in (-10..until).step_by(7) {
        let second = Timestamp(second * 1_000_000);
        beats.extend(strip.beats(second, second + Micros::from_secs(7)).copied());
    }
    beats
}

fn at_rate(strip: &mut Strip, hertz: i64, from: i64, to: i64) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut next = from;
    let mut frame = 0;
    while next < to {
        frame += 1;
        let end = (from + frame * RATE / hertz).clamp(next, to);
        if end > next {
            strip.samples(next, end, &mut samples);
            next = end;
        }
    }
    samples
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_telling_and_asking_gives_the_same_samples(
        seed: u64, log in a_log(150, true), from in 0_i64..120 * RATE, count in 1_i64..20 * RATE, cuts in vec(1_i64..900, 40),
    ) {
        let mut expected = Vec::new();
        strip(seed, &log).samples(from, from + count, &mut expected);

        // A screen that asks from the beginning, bit by bit, and is told each thing a
        // little before it is shown, or seconds too late.
        let mut live = strip(seed, &[]);
        let mut log = log;
        log.sort_by_key(|told| told.at() + Micros((told.at().0 * 7) % 9_000_000));
        let mut log = log.into_iter().peekable();
        let mut found = Vec::new();
        let mut next = (from - 50 * RATE).max(0);
        for cut in cuts.into_iter().cycle() {
            let end = if next < from { (next + cut).min(from) } else { (next + cut).min(from + count) };
            let now = sample::time_of(end) + DELAY;
            if next >= from {
                log.by_ref().for_each(|told| told.to(&mut live));
            }
            while let Some(told) = log.next_if(|told| told.at() + Micros((told.at().0 * 7) % 9_000_000) <= now) {
                told.to(&mut live);
            }
            let mut samples = Vec::new();
            live.samples(next, end, &mut samples);
            if next >= from {
                found.append(&mut samples);
            }
            next = end;
            if next == from + count {
                break;
            }
        }
        let differs = found.iter().zip(&expected).position(|(one, other)| one != other);
        prop_assert_eq!(differs.map(|n| (n, found[n], expected[n])), None);
        prop_assert_eq!(found.len(), expected.len());
    }

    #[test]
    fn two_seconds_of_delay_are_enough_to_draw_nothing_twice(seed: u64, log in a_log(90, true), step in 1_i64..200) {
        let mut expected = Vec::new();
        strip(seed, &log).samples(30 * RATE, 89 * RATE, &mut expected);
        let mut live = strip(seed, &[]);
        let mut log = log;
        log.sort_by_key(Told::at);
        let mut log = log.into_iter().peekable();
        let mut found = Vec::new();
        let mut next = 30 * RATE;
        while next < 89 * RATE {
            let end = (next + step).min(89 * RATE);
            while let Some(told) = log.next_if(|told| told.at() <= sample::time_of(end - 1) + DELAY) {
                told.to(&mut live);
            }
            live.samples(next, end, &mut found);
            next = end;
        }
        let differs = found.iter().zip(&expected).position(|(one, other)| one != other);
        prop_assert_eq!(differs.map(|n| (n, found[n], expected[n])), None);
    }

    #[test]
    fn samples_are_equal_at_any_frame_rate(seed: u64, log in a_log(30, true)) {
        let [slow, usual, fast] = [30, 60, 144].map(|hertz| at_rate(&mut strip(seed, &log), hertz, 0, 40 * RATE));
        prop_assert_eq!(&slow, &usual);
        prop_assert_eq!(&usual, &fast);
    }

    #[test]
    fn every_event_is_shown_once(seed: u64, log in a_log(130, false)) {
        let beats = all_beats(&mut strip(seed, &log), 210);
        let shown = |shape| beats.iter().filter(|beat| beat.shape == shape).map(|beat| beat.count).sum::<u32>();
        let told = |wanted| log.iter().filter(|told| matches!(told, Told::Event(event) if event.kind == wanted)).count();
        prop_assert_eq!(shown(Shape::Ventricular) as usize, told(EventKind::Flaky));
        prop_assert_eq!(shown(Shape::Dropped) as usize, told(EventKind::Failure));
        for run in beats.chunk_by(|a, b| a.shape == b.shape) {
            let most = if matches!(run[0].shape, Shape::Sinus | Shape::Escape) { usize::MAX } else { 8 };
            prop_assert!(run.len() <= most, "{} {:?} in a row", run.len(), run[0].shape);
        }
        for beat in beats.iter().filter(|beat| beat.shape == Shape::Sinus) {
            prop_assert_eq!((beat.count, beat.origin), (0, None));
        }
    }

    #[test]
    fn ectopic_beats_keep_their_distance_and_their_pause(seed: u64, log in a_log(130, false)) {
        let beats = all_beats(&mut strip(seed, &log), 210);
        for three in beats.windows(3) {
            let [before, ectopic, after] = [three[0], three[1], three[2]];
            if ectopic.shape == Shape::Ventricular && before.shape != Shape::Ventricular {
                let coupling = ectopic.at.since(before.at).0;
                prop_assert!(coupling >= 300_000, "{coupling} after {before:?}");
                if after.shape != Shape::Ventricular && coupling > 300_001 {
                    let pause = after.at.since(before.at).0;
                    let intervals = pause as f64 * 0.58 / coupling as f64;
                    prop_assert!((intervals - 2.0).abs() < 1e-4, "{intervals} intervals around {ectopic:?}");
                }
            }
        }
    }

    #[test]
    fn beats_are_in_order_wherever_the_clock_jumps(
        seed: u64, log in a_log(60, true), jumps in vec((any::<i64>(), -500_000_000_i64..500_000_000), 1..12),
    ) {
        let mut strip = strip(seed, &log);
        for (number, (far, near)) in (0..).zip(jumps) {
            let at = Timestamp(if number % 3 == 0 { far } else { near });
            strip.tell(Event { at, kind: EventKind::Flaky, origin: 1_000 + number });
            let beats: Vec<Beat> = strip.beats(at - Micros::from_secs(5), at + Micros::from_secs(5)).copied().collect();
            prop_assert!(beats.windows(2).all(|two| two[0].at < two[1].at || far.abs() > 1 << 52), "{beats:?}");
            prop_assert!(beats.iter().all(|beat| beat.rr.is_finite()));
            let mut samples = Vec::new();
            let index = sample::index_at(at);
            strip.samples(index.saturating_sub(500), index, &mut samples);
            prop_assert!(samples.iter().all(|sample| sample.uv.abs() < 5_000));
        }
    }
}
