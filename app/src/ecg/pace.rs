//! How often to draw: on every frame, or thirty times a second where that is
//! too much for the machine.

use crate::domain::time::Micros;

/// A frame that takes longer is slow.
const SLOW: Micros = Micros::from_millis(12);

/// Slow frames for so long halve the rate.
const SLOW_FOR: Micros = Micros::from_secs(2);

/// A frame that takes less is quick.
const QUICK: Micros = Micros::from_millis(6);

/// Quick frames for so long restore the rate.
const QUICK_FOR: Micros = Micros::from_secs(10);

/// From one frame to the next at 30 a second, less half a frame of a 120 Hz
/// screen: frames never come at the very microsecond.
const CAPPED_EVERY: Micros = Micros(33_333 - 4_166);

/// Decides which frames are drawn. Times are of the page's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    drawn_at: Option<Micros>,
    slow_since: Option<Micros>,
    quick_since: Option<Micros>,
    is_slow: bool,
    is_on_battery: bool,
}

impl Pace {
    /// On battery the rate is halved.
    pub fn on_battery(&mut self, is_on_battery: bool) {
        self.is_on_battery = is_on_battery;
    }

    /// Whether only every other frame is drawn.
    pub fn is_capped(&self) -> bool {
        self.is_slow || self.is_on_battery
    }

    /// Whether the frame at `now` is to be drawn.
    pub fn is_due(&self, now: Micros) -> bool {
        let since = |at: Micros| now.0.saturating_sub(at.0);
        !self.is_capped() || self.drawn_at.is_none_or(|at| since(at) >= CAPPED_EVERY.0 || since(at) < 0)
    }

    /// The frame at `now` was drawn in `took`.
    pub fn drew(&mut self, now: Micros, took: Micros) {
        self.drawn_at = Some(now);
        self.slow_since = (took > SLOW).then(|| self.slow_since.unwrap_or(now));
        self.quick_since = (took < QUICK).then(|| self.quick_since.unwrap_or(now));
        let lasts = |since: Option<Micros>, long: Micros| since.is_some_and(|at| now.0.saturating_sub(at.0) >= long.0);
        if lasts(self.slow_since, SLOW_FOR) {
            self.is_slow = true;
        } else if lasts(self.quick_since, QUICK_FOR) {
            self.is_slow = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames drawn in `seconds` of a 60 Hz screen, from `start` on.
    fn drawn(pace: &mut Pace, start: i64, seconds: i64, took: i64) -> usize {
        let frames = (0..seconds * 60).map(|n| Micros(start * 1_000_000 + n * 1_000_000 / 60));
        frames.filter(|now| pace.is_due(*now).then(|| pace.drew(*now, Micros::from_millis(took))).is_some()).count()
    }

    #[test]
    fn two_seconds_of_slow_frames_halve_the_rate_and_ten_of_quick_ones_restore_it() {
        let mut pace = Pace::default();
        assert_eq!(drawn(&mut pace, 0, 1, 13), 60);
        assert_eq!(drawn(&mut pace, 1, 1, 12), 60, "not slow");
        assert!(!pace.is_capped());
        drawn(&mut pace, 2, 3, 13);
        assert!(pace.is_capped());
        assert_eq!(drawn(&mut pace, 5, 1, 8), 30, "neither slow nor quick");
        assert!(pace.is_capped());
        drawn(&mut pace, 6, 11, 3);
        assert_eq!(drawn(&mut pace, 17, 1, 3), 60);
    }

    #[test]
    fn a_battery_halves_the_rate_and_a_clock_that_jumps_back_draws() {
        let mut pace = Pace::default();
        pace.on_battery(true);
        assert_eq!(drawn(&mut pace, 10, 1, 1), 30);
        assert!(pace.is_due(Micros(0)));
    }
}
