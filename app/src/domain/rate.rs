//! How often somebody may come: a steady rate, with some in advance.

use super::time::{Micros, Timestamp};

/// A rate. What is remembered of somebody is one point in time: until when
/// their share is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What one request uses of their time.
    each: Micros,
    /// How far their time may run ahead of ours.
    ahead: Micros,
}

impl Rate {
    /// So many requests a second, and so many seconds' worth at once.
    pub fn new(per_second: u32, seconds_at_once: u32) -> Self {
        let each = Micros(1_000_000 / i64::from(per_second.clamp(1, 1_000_000)));
        Self { each, ahead: Micros::from_secs(i64::from(seconds_at_once)) }
    }

    /// Takes one request: until when their share is used up now. Or how long
    /// they have to wait.
    pub fn take(&self, used_until: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Micros> {
        let used_until = used_until.unwrap_or(now).max(now);
        let over = used_until.since(now).0 - self.ahead.0;
        if over > 0 { Err(Micros(over)) } else { Ok(used_until + self.each) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_come_at_once_and_then_each_in_its_time() {
        let rate = Rate::new(10, 2);
        let (mut used, mut taken, now) = (None, 0, Timestamp(7_000_000));
        let wait = loop {
            match rate.take(used, now) {
                Ok(until) => (used, taken) = (Some(until), taken + 1),
                Err(wait) => break wait,
            }
        };
        assert_eq!((taken, wait), (21, Micros(100_000)));
        let later = now + wait;
        let until = rate.take(used, later).expect("its time has come");
        assert!(rate.take(Some(until), later).is_err());
        assert!(rate.take(Some(until), later + Micros::from_secs(60)).is_ok());
    }
}
