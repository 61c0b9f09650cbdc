//! What the ECG costs: `cargo bench -p app --bench ecg`.

use app::domain::time::{Micros, Timestamp};
use app::ecg::commits::{self, Commit, CommitResult};
use app::ecg::draw::{Rect, Scale};
use app::ecg::sample::{self, RATE, Ring};
use app::ecg::sweep::Sweep;
use app::ecg::tape::{Tape, View};
use app::ecg::{Event, EventKind, Reading, Strip};
use std::hint::black_box;
use std::time::Instant;

const STRIPS: u64 = 200;
const SECONDS: i64 = 300;

/// Some moment far from the epoch, as every real one is.
const START: Timestamp = Timestamp(1_770_000_000_000_000);

fn report(what: &str, nanos: f64, per: &str) {
    println!("{what:<58}{:>12.1} µs per {per}", nanos / 1e3);
}

fn strip(seed: u64, reading: Reading, events: i64) -> Strip {
    let mut strip = Strip::new(app::domain::chance::split_mix(seed));
    strip.set(START - Micros::from_secs(120), 0, reading);
    for n in 0..events {
        let at = START + Micros(n * SECONDS * 1_000_000 / events + seed as i64 * 9_001);
        let kind = if n % 2 == 0 { EventKind::Flaky } else { EventKind::Failure };
        strip.tell(Event { at, kind, origin: n as u64 });
    }
    strip
}

/// All strips, for so long, asked `hertz` times a second.
fn run(reading: Reading, events: i64, hertz: i64) -> f64 {
    let mut strips: Vec<Strip> = (0..STRIPS).map(|seed| strip(seed, reading, events)).collect();
    let first = sample::index_at(START);
    let mut out = Vec::new();
    let began = Instant::now();
    for frame in 0..SECONDS * hertz {
        let (from, to) = (first + frame * RATE / hertz, first + (frame + 1) * RATE / hertz);
        for strip in &mut strips {
            out.clear();
            strip.samples(from, to, &mut out);
            black_box(&out);
        }
    }
    began.elapsed().as_nanos() as f64 / SECONDS as f64
}

fn rebuild() -> f64 {
    let mut strips: Vec<Strip> = (0..STRIPS).map(|seed| strip(seed, Reading::healthy(90.0), 60)).collect();
    let first = sample::index_at(START + Micros::from_secs(110));
    let mut out = Vec::new();
    let began = Instant::now();
    for strip in &mut strips {
        out.clear();
        strip.samples(first, first + 10 * RATE, &mut out);
        black_box(&out);
    }
    began.elapsed().as_nanos() as f64
}

fn sweep() -> f64 {
    let mut sweep = Sweep::new(300.0, Scale::fitting(4.0, 40.0));
    let first = sample::index_at(START);
    let mut strip = strip(1, Reading::healthy(90.0), 60);
    let mut samples = Vec::new();
    strip.samples(first, first + 10 * RATE, &mut samples);
    let mut ring = Ring::new(10 * RATE as usize);
    ring.push(first, &samples);
    let area = |n: u64| Rect { x: (n % 4 * 310) as f32, y: (n / 4 * 44) as f32, width: 300.0, height: 40.0 };
    let began = Instant::now();
    for frame in 0..600 {
        let strips = (0..STRIPS).map(|n| (area(n), &ring));
        black_box(sweep.frame(first + frame * RATE / 60, strips));
    }
    began.elapsed().as_nanos() as f64 / 600.0
}

fn tape() -> (f64, f64) {
    let commit = |n: u64| Commit {
        at: Timestamp(n as i64 * 3_600_000_000),
        result: Some(if app::domain::chance::split_mix(n).is_multiple_of(30) {
            CommitResult::Failed
        } else {
            CommitResult::Passed
        }),
        changed_lines: Some((n % 500) as u32),
        tests: None,
        is_tagged: false,
    };
    let commits: Vec<Commit> = (0..100_000).map(commit).collect();
    let began = Instant::now();
    let tape = Tape::new(&commits::entries(&commits));
    let layout = began.elapsed().as_nanos() as f64;
    let area = Rect { x: 0.0, y: 0.0, width: 1_920.0, height: 120.0 };
    let view = View::of(&tape, &(0..tape.len()), 1_920.0);
    let began = Instant::now();
    for _ in 0..100 {
        black_box(view.detail(&tape, &area, &Scale::paper(4.0)));
    }
    (layout, began.elapsed().as_nanos() as f64 / 100.0)
}

fn main() {
    let healthy = Reading::healthy(90.0);
    let worst = Reading { fibrillation: 0.7, st: 0.3, has_artefact: true, ..Reading::healthy(150.0) };
    let second = "second of 200 strips at 250 Hz";
    report("healthy, asked once a second", run(healthy, 0, 1), second);
    report("healthy, asked 60 times a second", run(healthy, 0, 60), second);
    report("30 events a minute, asked 60 times a second", run(healthy, 150, 60), second);
    report("fibrillating, ST, artefact at 150, asked 60 times", run(worst, 150, 60), second);
    report("200 strips of 10 s from nothing", rebuild(), "rebuild");
    report("lines and rectangles of 200 strips", sweep(), "frame at 60 Hz");
    let (layout, detail) = tape();
    report("100 000 commits laid out", layout, "tape");
    report("100 000 commits in 1 920 columns", detail, "drawing");
}
