//! When a call that failed is made again. Pure: chance comes as a number.

use std::time::Duration;

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(15);

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(3_600);

/// How long is waited after the `tries`-th try, from 1.
///
/// `chance` is a number from 0 to 1: between half of the pause and all of it is
/// waited, so that what failed together does not come back together. What the
/// other server asks for is the least that is waited, up to the longest pause.
pub fn pause(tries: u32, chance: f64, asked_for: Option<Duration>) -> Duration {
    let doubled = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(16));
    let longest = doubled.min(LONGEST);
    let jittered = longest.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
    jittered.max(asked_for.unwrap_or_default().min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_differ() {
        let seconds = |tries, chance| pause(tries, chance, None).as_secs_f64();
        assert_eq!([1, 2, 3, 4].map(|tries| seconds(tries, 1.0)), [15.0, 30.0, 60.0, 120.0]);
        assert_eq!((seconds(1, 0.0), seconds(1, 0.5)), (7.5, 11.25));
        assert_eq!((seconds(9, 1.0), seconds(u32::MAX, 0.0)), (3_600.0, 1_800.0));
    }

    #[test]
    fn the_other_server_is_given_the_time_it_asks_for() {
        let asked = |seconds| pause(1, 1.0, Some(Duration::from_secs(seconds))).as_secs();
        assert_eq!((asked(1), asked(100), asked(1_000_000)), (15, 100, 3_600));
    }
}
