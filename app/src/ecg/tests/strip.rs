use super::*;
use crate::ecg::{EventKind, Reading, Shape};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors.json")).expect("a fixture")
}

fn micros(seconds: &Value) -> Timestamp {
    Timestamp((seconds.as_f64().expect("seconds") * 1e6).round() as i64)
}

fn word(shape: Shape) -> &'static str {
    match shape {
        Shape::Sinus => "sinus",
        Shape::Ventricular => "ventricular",
        Shape::Escape => "escape",
        Shape::Dropped => "dropped",
    }
}

fn shape(word: &str) -> Shape {
    *[Shape::Sinus, Shape::Ventricular, Shape::Escape].iter().find(|s| self::word(**s) == word).expect("a shape")
}

/// The strip of one schedule of the vectors: seed 42, 72 beats a minute.
fn strip(schedule: &Value) -> Strip {
    let mut strip = Strip::new(42);
    let healthy = Reading { fibrillation: schedule["af"].as_f64().expect("a share"), ..Reading::healthy(72.0) };
    strip.set(Timestamp(0), 0, healthy);
    for (origin, event) in (0..).zip(schedule["events"].as_array().expect("events")) {
        let at = micros(&event[0]);
        match event[1].as_str().expect("a kind") {
            "flaky" => strip.tell(Event { at, kind: EventKind::Flaky, origin }),
            "failure" => strip.tell(Event { at, kind: EventKind::Failure, origin }),
            "flat" => strip.set(at, 0, Reading { conduction: Conduction::Standstill, ..healthy }),
            _ => strip.set(at, 0, healthy),
        };
    }
    strip
}

#[test]
fn waves_are_those_of_the_vectors() {
    for wave in vectors()["waves"].as_array().expect("waves") {
        let number = |key: &str| wave[key].as_f64().expect("a number");
        let shape = shape(wave["shape"].as_str().expect("a shape"));
        let mv = wave::value(shape, number("tau"), number("rr"), &wave::PLAIN);
        assert!((mv - number("mv")).abs() < 1.5e-9, "{wave}: {mv}");
    }
}

#[test]
fn beats_are_those_of_the_vectors() {
    for schedule in vectors()["schedules"].as_array().expect("schedules") {
        let mut strip = strip(schedule);
        let found: Vec<_> = strip.beats(Timestamp(0), Timestamp(10_000_000)).map(|b| (b.at, word(b.shape))).collect();
        let beats = schedule["beats"].as_array().expect("beats").iter();
        let expected: Vec<_> = beats.map(|b| (micros(&b[0]), b[1].as_str().expect("a shape"))).collect();
        assert_eq!(found, expected, "{}", schedule["name"]);
    }
}

#[test]
fn samples_are_those_of_the_vectors() {
    let vectors = vectors();
    let schedules = vectors["schedules"].as_array().expect("schedules");
    let schedule = schedules.iter().find(|s| s["name"] == "one_flaky_3.0").expect("a schedule");
    let mut samples = Vec::new();
    let first = strip(schedule).samples(0, 2500, &mut samples);
    let uv: Vec<i64> = samples.iter().map(|sample| sample.uv.into()).collect();
    let expected = &vectors["one_flaky"];
    assert_eq!((first, uv.len()), (0, 2500));
    assert_eq!(
        (uv.iter().max(), uv.iter().min()),
        (expected["max"].as_i64().as_ref(), expected["min"].as_i64().as_ref())
    );
    let some: Vec<_> = uv[800..900].iter().copied().step_by(10).collect();
    assert_eq!(serde_json::json!(some), expected["from_800_by_10"]);
    let exact = by_definition(&mut strip(schedule), 2500);
    assert_eq!(exact.iter().sum::<i64>(), expected["sum"].as_i64().expect("a sum"));
    assert!(exact.iter().zip(&uv).all(|(exact, uv)| (exact - uv).abs() <= 1), "tables round as the definition does");
}

/// The first samples in µV without any table.
fn by_definition(strip: &mut Strip, count: i64) -> Vec<i64> {
    let beats: Vec<Beat> = strip.beats(Timestamp(0), Timestamp(11_000_000)).copied().collect();
    let sample = |index: i64| {
        let at = sample::time_of(index);
        let tau = |beat: &Beat| at.since(beat.at).0 as f64 / 1e6;
        let beats: f64 = beats.iter().map(|beat| wave::value(beat.shape, tau(beat), beat.rr, &beat.form)).sum();
        let wander = 0.012 * (std::f64::consts::TAU * 0.25 * at.0 as f64 / 1e6).sin();
        ((beats + wander) * 1e3).round() as i64
    };
    (0..count).map(sample).collect()
}
