//! One test on several setups.
//!
//! A test that is broken on one setup and healthy on another is not flaky: it
//! depends on its environment, and the answer is to look at the setup. That is
//! said only if it lasts, and only of setups that have spoken since.

use super::label::{Label, seconds};
use super::state::State;

/// So many failures in a row make "broken" last.
const LASTING_FAILURES: u16 = 5;

/// A test that works here and does not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentDependent<K> {
    /// The setups on which it is broken, for a while already.
    pub broken: Vec<K>,
    /// The setups on which it has been healthy in the meantime.
    pub healthy: Vec<K>,
}

/// Whether one test depends on its environment, from its states on its setups.
///
/// It does if it is broken on one with at least five failures in a row, and
/// healthy on another whose last result is no older than that breaking.
pub fn depends_on_environment<'a, K: Copy>(
    on: impl IntoIterator<Item = (K, &'a State)>,
) -> Option<EnvironmentDependent<K>> {
    let (mut broken, mut candidates) = (Vec::new(), Vec::new());
    let mut broken_since = u32::MAX;
    for (setup, state) in on {
        let lasts = state.failed && !state.incident && state.streak >= LASTING_FAILURES;
        match state.label() {
            Label::Broken if lasts => {
                broken.push(setup);
                broken_since = broken_since.min(state.standing.turned);
            }
            Label::Healthy => candidates.push((setup, seconds(state.at))),
            _ => {}
        }
    }
    let healthy: Vec<K> =
        candidates.into_iter().filter(|(_, at)| *at >= broken_since).map(|(setup, _)| setup).collect();
    (!broken.is_empty() && !healthy.is_empty()).then_some(EnvironmentDependent { broken, healthy })
}

/// How likely a test is flaky on any of its setups: 1 - Π(1 - p).
pub fn p_flaky_anywhere(p_flaky: impl IntoIterator<Item = f64>) -> f64 {
    1.0 - p_flaky.into_iter().map(|p| 1.0 - p.clamp(0.0, 1.0)).product::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::{Model, Observation};
    use crate::domain::time::Timestamp;

    fn state(verdicts: &str, from: i64) -> State {
        let model = Model::default();
        let mut state = State::new(&model);
        for (run, verdict) in (0_u32..).zip(verdicts.chars()) {
            let at = Timestamp((from + i64::from(run)) * 1_000_000);
            let failed = verdict == 'F';
            state.observe(
                &model,
                &Observation { failed, commit: Some(run.into()), run: run.into(), at, incident: false },
            );
        }
        state
    }

    #[test]
    fn broken_here_and_healthy_there_is_the_environment() {
        let (broken, healthy) = (state("PPPPPPPPFFFFF", 0), state("PPPPPPPPPPPPP", 0));
        let found = depends_on_environment([("a", &broken), ("b", &healthy), ("c", &healthy)]);
        assert_eq!(found, Some(EnvironmentDependent { broken: vec!["a"], healthy: vec!["b", "c"] }));
        assert_eq!(depends_on_environment([("b", &healthy), ("c", &healthy)]), None);
        assert_eq!(depends_on_environment([("a", &broken), ("b", &broken)]), None);
    }

    #[test]
    fn neither_a_short_failure_nor_a_setup_silent_since_counts() {
        let (short, healthy) = (state("PPPPPPPPPFFFF", 0), state("PPPPPPPPPPPPP", 0));
        assert_eq!(depends_on_environment([(1, &short), (2, &healthy)]), None);
        let (later, silent) = (state("PPPPPPPPFFFFF", 1_000), state("PPPP", 0));
        assert_eq!(depends_on_environment([(1, &later), (2, &silent)]), None);
    }

    #[test]
    fn anywhere_is_at_least_the_worst() {
        assert!((p_flaky_anywhere([0.5, 0.5]) - 0.75).abs() < 1e-15);
        assert_eq!(p_flaky_anywhere([]), 0.0);
    }
}
