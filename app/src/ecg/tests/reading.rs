use super::*;

fn running() -> Measures {
    Measures { is_run_open: true, tests_per_minute: 28.0, ..Measures::default() }
}

fn chance(mean: f64) -> Option<Estimate> {
    Some(Estimate { mean, low: mean - 0.1, high: mean + 0.1, results: 400 })
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 5e-4
}

#[test]
fn throughput_gives_the_rate() {
    for (x, beats) in [(0.0, 45.0), (4.0, 60.0), (12.0, 75.0), (28.0, 90.0), (60.0, 105.0), (124.0, 120.0)] {
        assert_eq!(rate(x), beats, "{x} tests per minute");
    }
    assert_eq!((rate(508.0), rate(1e300), rate(f64::NAN), rate(-7.0)), (150.0, 150.0, 45.0, 45.0));
}

#[test]
fn flake_chance_makes_the_rhythm_irregular_then_fibrillating() {
    assert!(near(variability(0.172), 0.112) && fibrillation(0.172) == 0.0);
    assert!(near(fibrillation(0.45), 0.684));
    let word = |mean| Measures { flake: chance(mean), ..running() }.rhythm();
    assert_eq!(
        [0.0, 0.05, 0.172, 0.45].map(word),
        [Rhythm::Sinus, Rhythm::Sinus, Rhythm::Irregular, Rhythm::Fibrillation]
    );
}

#[test]
fn broken_tests_raise_st_and_mended_ones_turn_t() {
    assert_eq!(st_elevation(0.0), 0.0);
    assert!(near(st_elevation(0.001), 0.111) && near(st_elevation(0.01), 0.178) && near(st_elevation(0.2), 0.30));
    let inversion = |left| Measures { recovery_left: left, ..running() }.reading().inversion;
    assert_eq!([0, 10, 20, 90].map(inversion), [0.0, 0.45, 0.9, 0.9]);
}

#[test]
fn a_suite_fails_until_its_first_pass() {
    let latest = |results, failed, failed_in_a_row| Latest { results, failed, failed_in_a_row };
    assert!(!latest(4, 4, 4).is_failing(), "too few results");
    assert!(latest(5, 4, 4).is_failing());
    assert!(!latest(10, 9, 0).is_failing(), "the last one passed");
    assert!(!latest(10, 7, 7).is_failing(), "too many passed before");
}

#[test]
fn a_lost_lead_is_never_taken_for_a_failing_suite() {
    let failing = Latest { results: 9, failed: 9, failed_in_a_row: 9 };
    let silent = Measures { latest: failing, silence: Micros::from_secs(121), ..running() };
    assert_eq!((silent.rhythm(), silent.alarm()), (Rhythm::LeadOff, Alarm::Low));
    assert_eq!(silent.reading().conduction, Conduction::LeadOff);
    assert_eq!(silent.reading().look, Look { ink: Ink::Technical, is_dashed: true, is_dim: false });
    let heard = Measures { silence: Micros::from_secs(120), ..silent };
    assert_eq!((heard.rhythm(), heard.alarm()), (Rhythm::Asystole, Alarm::High));
    let idle = Measures { is_run_open: false, latest: Latest::default(), ..silent };
    assert_eq!((idle.rhythm(), idle.alarm()), (Rhythm::Resting, Alarm::None));
    assert!(idle.reading().look.is_dim);
}

#[test]
fn the_graver_rhythm_is_said_and_the_alarm_follows() {
    let all = Measures {
        flake: chance(0.7),
        has_incident: true,
        flaky_in_10_s: 5,
        is_classic_red: true,
        is_agent_gone: true,
        ..running()
    };
    let mut words = Vec::new();
    let mut measures = all;
    let steps: [fn(&mut Measures); 6] = [
        |m| m.is_agent_gone = false,
        |m| m.is_classic_red = false,
        |m| m.flaky_in_10_s = 2,
        |m| m.has_incident = false,
        |m| m.flake = chance(0.2),
        |m| m.flake = None,
    ];
    for step in steps {
        words.push((measures.rhythm().as_str(), measures.alarm().stars()));
        step(&mut measures);
    }
    words.push((measures.rhythm().as_str(), measures.alarm().stars()));
    assert_eq!(
        words,
        [
            ("lead off", "*"),
            ("asystole", "***"),
            ("ventricular tachycardia", "***"),
            ("artefact", "**"),
            ("fibrillation", "**"),
            ("irregular", "*"),
            ("sinus rhythm", "*"),
        ]
    );
}

#[test]
fn little_evidence_greys_the_trace_unless_there_is_an_alarm() {
    let unsure = Measures { flake: Some(Estimate { results: 19, ..chance(0.1).expect("some") }), ..running() };
    assert_eq!(unsure.reading().look.ink, Ink::Uncertain);
    assert_eq!(Measures { has_regression: true, ..unsure }.reading().look.ink, Ink::Medium);
}
