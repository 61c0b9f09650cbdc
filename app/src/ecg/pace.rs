//! How often to draw: on every frame, or thirty times a second where that is
//! too much for the machine.

use crate::domain::time::Micros;

/// A frame that takes longer is slow.
const SLOW: Micros = Micros::from_millis(12);

/// Slow frames for so long halve the rate.
const SLOW_FOR: Micros = Micros::from_secs(2);

/// A frame that takes less is quick.
const QUICK: Micros = Micros::from_millis(6);

/// Quick frames for so long restore the rate; each time that was too soon, for
/// twice as long …
const QUICK_FOR: Micros = Micros::from_secs(10);

/// … up to this.
const QUICK_FOR_MOST: Micros = Micros::from_secs(640);

/// A frame that comes later than this after one that was drawn is late: making the
/// picture of what was drawn is the browser's, and nothing else tells of it.
const LATE: Micros = Micros::from_millis(25);

/// A pause that is longer is somebody's will.
const RESTED: Micros = Micros::from_millis(200);

/// From one frame to the next at 30 a second, less half a frame of a 120 Hz
/// screen: frames never come at the very microsecond.
const CAPPED_EVERY: Micros = Micros(33_333 - 4_166);

/// Decides which frames are drawn. Times are of the page's own clock.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    drawn_at: Option<Micros>,
    /// What the last frame took, where it was drawn.
    took: Option<Micros>,
    slow_since: Option<Micros>,
    quick_since: Option<Micros>,
    quick_for: Micros,
    is_slow: bool,
    is_on_battery: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            drawn_at: None,
            took: None,
            slow_since: None,
            quick_since: None,
            quick_for: QUICK_FOR,
            is_slow: false,
            is_on_battery: false,
        }
    }
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

    /// A frame came at `now`: whether it is to be drawn.
    pub fn is_due(&mut self, now: Micros) -> bool {
        let since = self.drawn_at.map(|at| now.0.saturating_sub(at.0));
        if let (Some(took), Some(since)) = (self.took.take(), since) {
            let is_late = (LATE.0..RESTED.0).contains(&since);
            self.judge(now, took > SLOW || is_late, took < QUICK && !is_late);
        }
        !self.is_capped() || since.is_none_or(|since| !(0..CAPPED_EVERY.0).contains(&since))
    }

    /// The frame at `now` was drawn in `took`.
    pub fn drew(&mut self, now: Micros, took: Micros) {
        (self.drawn_at, self.took) = (Some(now), Some(took));
    }

    fn judge(&mut self, now: Micros, is_slow: bool, is_quick: bool) {
        self.slow_since = is_slow.then(|| self.slow_since.unwrap_or(now));
        self.quick_since = is_quick.then(|| self.quick_since.unwrap_or(now));
        let lasts = |since: Option<Micros>, long: Micros| since.is_some_and(|at| now.0.saturating_sub(at.0) >= long.0);
        if !self.is_slow && lasts(self.slow_since, SLOW_FOR) {
            self.is_slow = true;
        } else if self.is_slow && lasts(self.quick_since, self.quick_for) {
            self.is_slow = false;
            self.quick_for = Micros(self.quick_for.0 * 2).min(QUICK_FOR_MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames drawn in `seconds` of a screen of this rate, from `start` on.
    fn drawn_at(rate: i64, pace: &mut Pace, start: i64, seconds: i64, took: i64) -> usize {
        let frames = (0..seconds * rate).map(|n| Micros(start * 1_000_000 + n * 1_000_000 / rate));
        frames.filter(|now| pace.is_due(*now).then(|| pace.drew(*now, Micros::from_millis(took))).is_some()).count()
    }

    fn drawn(pace: &mut Pace, start: i64, seconds: i64, took: i64) -> usize {
        drawn_at(60, pace, start, seconds, took)
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
        drawn(&mut pace, 18, 3, 13);
        drawn(&mut pace, 21, 12, 3);
        assert!(pace.is_capped(), "ten seconds were too short");
        drawn(&mut pace, 33, 9, 3);
        assert!(!pace.is_capped());
    }

    #[test]
    fn frames_that_come_late_halve_the_rate_though_drawing_is_quick() {
        let mut pace = Pace::default();
        drawn_at(30, &mut pace, 0, 3, 1);
        assert!(pace.is_capped(), "33 ms between frames: the machine is not quick enough");
        let mut pace = Pace::default();
        drawn_at(4, &mut pace, 0, 10, 1);
        assert!(!pace.is_capped(), "who looks four times a second rests");
    }

    #[test]
    fn a_battery_halves_the_rate_and_a_clock_that_jumps_back_draws() {
        let mut pace = Pace::default();
        pace.on_battery(true);
        assert_eq!(drawn(&mut pace, 10, 1, 1), 30);
        assert!(pace.is_due(Micros(0)));
    }
}
