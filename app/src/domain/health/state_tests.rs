use super::histories::eventful;
use super::*;
use crate::domain::time::Timestamp;
use proptest::prelude::*;

const DAY: i64 = 86_400_000_000;

fn seen(failed: bool, commit: u64, run: u64) -> Observation {
    Observation { failed, commit: Some(commit), run, at: Timestamp(run.cast_signed() * 3_600_000_000), incident: false }
}

/// 100 passes, each of its own commit and run.
fn steady(model: &Model) -> State {
    let mut state = State::new(model);
    for i in 0..100 {
        state.observe(model, &seen(false, i, i));
    }
    state
}

fn sane(state: &State, model: &Model) -> Result<(), TestCaseError> {
    let (reading, rate) = (state.reading(model), state.rate(model));
    for p in [reading.p_flaky, reading.p_broken, reading.p_healthy, reading.p_next_fail, reading.phi] {
        prop_assert!((0.0..=1.0 + 1e-9).contains(&p), "{reading:?}");
    }
    prop_assert!(reading.var_phi >= 0.0 && reading.var_phi.is_finite());
    prop_assert!(0.0 < rate.q05 && rate.q05 <= rate.q95 && rate.q95 < 0.991, "{rate:?}");
    prop_assert!((0.001 - 1e-9..=0.9 + 1e-9).contains(&rate.mean), "{rate:?}");
    if let Some(trend) = state.trend() {
        prop_assert!(trend.z.is_finite() && (0.0..=1.0).contains(&trend.p_worse));
    }
    Ok(())
}

fn anything() -> impl Strategy<Value = Observation> {
    let gap = prop_oneof![Just(0), -DAY..DAY, Just(1_000_000 * DAY), Just(i64::MIN), Just(i64::MAX)];
    (any::<bool>(), prop::option::of(0..4_u64), 0..4_u64, gap, prop::bool::weighted(0.1)).prop_map(
        |(failed, commit, run, at, incident)| Observation { failed, commit, run, at: Timestamp(at), incident },
    )
}

proptest! {
    #[test]
    fn nothing_unsettles_the_filter(history in prop::collection::vec(anything(), 0..400)) {
        let model = Model::default();
        let mut state = State::new(&model);
        for seen in &history {
            let step = state.observe(&model, seen);
            prop_assert!(step.p_fail > 0.0 && step.p_fail < 1.0 + 1e-12, "{step:?}");
            sane(&state, &model)?;
            prop_assert_eq!(&state.pack(&model).unpack(&model)?.pack(&model), &state.pack(&model));
        }
        sane(&state, &model)?;
    }

    #[test]
    fn monotony_does_not_exhaust_the_filter(failed: bool, same_run: bool, results in 1..3_000_u64) {
        let model = Model::default();
        let mut state = State::new(&model);
        for i in 0..results {
            state.observe(&model, &seen(failed, i, if same_run { 0 } else { i }));
        }
        sane(&state, &model)?;
        for i in results..results + 40 {
            state.observe(&model, &seen(!failed, i, i));
        }
        prop_assert_eq!(state.reading(&model).p_broken > 0.5, !failed, "it still learns");
    }

    #[test]
    fn damaged_bytes_are_refused_or_harmless(at in 0..PACKED_BYTES, byte: u8) {
        let model = Model::default();
        let mut bytes = steady(&model).pack(&model).as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(mut state) = Packed::from_bytes(&bytes).and_then(|packed| packed.unpack(&model)) {
            state.observe(&model, &seen(true, 100, 100));
            sane(&state, &model)?;
        }
    }
}

#[test]
fn a_state_takes_160_bytes_and_says_when_it_does_not_fit() {
    let model = Model::default();
    assert_eq!(std::mem::size_of::<Packed>(), PACKED_BYTES);
    const { assert!(PACKED_BYTES <= 160) };
    let packed = steady(&model).pack(&model);
    assert_eq!(Packed::from_bytes(packed.as_bytes()), Ok(packed.clone()));
    assert_eq!(Packed::from_bytes(&[0; 3]), Err(PackedProblem::Length(3)));
    assert_eq!(Packed::from_bytes(&[9; PACKED_BYTES]), Err(PackedProblem::Format(9)));
    let other = Model::new(Parameters::quick_to_forgive()).expect("valid");
    assert_eq!(packed.unpack(&other), Err(PackedProblem::Parameters(model.version())));
    let mut bytes = packed.as_bytes().to_vec();
    bytes[56..60].copy_from_slice(&f32::NAN.to_le_bytes());
    let damaged = Packed::from_bytes(&bytes).and_then(|packed| packed.unpack(&model));
    assert_eq!(damaged, Err(PackedProblem::Damaged("probabilities")));
}

#[test]
fn a_state_packed_after_every_result_goes_the_same_way() {
    let model = Model::default();
    let (mut worst, mut worst_rate) = (0.0_f64, 0.0_f64);
    for seed in 0..20 {
        let mut exact = State::new(&model);
        let mut packed = State::new(&model).pack(&model);
        for (i, seen) in eventful(seed, 4_000).iter().enumerate() {
            let mut state = packed.unpack(&model).expect("we packed it");
            let (one, other) = (exact.observe(&model, seen), state.observe(&model, seen));
            packed = state.pack(&model);
            let state = packed.unpack(&model).expect("we packed it");
            assert_eq!((one.after, one.is_flaky_event), (other.after, other.is_flaky_event), "{seed} {i}");
            assert_eq!(exact.reasons(&model), state.reasons(&model), "{seed} {i}");
            let (a, b) = (exact.reading(&model), state.reading(&model));
            let (r, s) = (exact.rate(&model), state.rate(&model));
            for (one, other) in [
                (a.p_flaky, b.p_flaky),
                (a.p_broken, b.p_broken),
                (a.p_healthy, b.p_healthy),
                (a.p_next_fail, b.p_next_fail),
                (a.phi, b.phi),
                (a.var_phi, b.var_phi),
            ] {
                worst = worst.max((one - other).abs());
            }
            for (one, other) in [(r.mean, s.mean), (r.q05, s.q05), (r.q95, s.q95)] {
                worst_rate = worst_rate.max((one - other).abs());
            }
            let (one, other) = (exact.trend().expect("results"), state.trend().expect("results"));
            worst = worst.max((one.p_worse - other.p_worse).abs());
        }
    }
    assert!(worst < 1e-6, "{worst:e}");
    assert!(worst_rate < 1e-5, "{worst_rate:e}");
}

#[test]
fn a_flake_is_one_event_however_it_shows() {
    let model = Model::default();
    let mut state = steady(&model);
    let events = |state: &mut State, results: &[Observation]| {
        results.iter().filter(|seen| state.observe(&model, seen).is_flaky_event).count()
    };
    assert_eq!(events(&mut state, &[seen(true, 100, 100), seen(false, 100, 100)]), 1, "passed on retry");
    assert_eq!(state.label(), Label::Flaky);
    assert_eq!(events(&mut state, &[seen(true, 101, 101), seen(false, 101, 101)]), 1, "known by now");
    let mut state = steady(&model);
    assert_eq!(events(&mut state, &[seen(true, 100, 100), seen(false, 101, 101)]), 0, "perhaps a regression");
    let hit = Observation { incident: true, ..seen(true, 102, 102) };
    assert_eq!(events(&mut state, &[hit, seen(false, 102, 102)]), 0, "an incident is nobody's flake");
}

#[test]
fn reasons_are_numbers_about_what_happened() {
    let model = Model::default();
    let mut state = State::new(&model);
    state.observe(&model, &seen(false, 0, 0));
    assert_eq!(state.reasons(&model), [Reason::TooFewResults { results: 1, needed: 3 }]);
    let mut state = steady(&model);
    for (i, failed) in [true, false, false, false, true, false].into_iter().enumerate() {
        state.observe(&model, &seen(failed, 100 + i as u64 / 2, 100 + i as u64));
    }
    assert_eq!(
        state.reasons(&model),
        [Reason::ChangedOnCommit { times: 2, results: 6 }, Reason::PassingInARow { passes: 1 }]
    );
    state.observe(&model, &seen(true, 200, 200));
    state.observe(&model, &seen(false, 200, 200));
    assert_eq!(state.reasons(&model)[0], Reason::ChangedInRun { times: 1, results: 8 });
    let mut state = steady(&model);
    for i in 100..104 {
        state.observe(&model, &seen(true, i, i));
    }
    assert_eq!(state.reasons(&model), [Reason::FailingInARow { failures: 4 }]);
    let json = serde_json::to_string(&state.reasons(&model)).expect("plain");
    assert_eq!(json, r#"[{"reason":"failing_in_a_row","failures":4}]"#);
}

#[test]
fn an_unknown_commit_on_either_side_is_a_new_one() {
    let model = Model::default();
    let after = |first: Option<u64>, second: Option<u64>| {
        let mut state = steady(&model);
        state.observe(&model, &Observation { commit: first, ..seen(true, 100, 100) });
        state.observe(&model, &Observation { commit: second, ..seen(false, 100, 101) });
        state.reading(&model).p_flaky
    };
    let changed = after(Some(1), Some(2));
    assert_eq!([after(None, Some(2)), after(Some(1), None), after(None, None)], [changed; 3]);
    assert!(after(Some(1), Some(1)) > 2.0 * changed);
}
