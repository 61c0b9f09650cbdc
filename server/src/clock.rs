//! The server's own clock and its source of new ids: the one place where time
//! and chance enter.

use app::domain::clock::Clock;
use app::domain::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the Clock")]
    fn now(&self) -> Timestamp {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
            // A machine that believes in a time before 1970 gets the epoch.
            Err(_) => Timestamp(0),
        }
    }
}

/// A number from 0 to 1, by chance.
pub fn chance() -> f64 {
    // Where the system has no random numbers, the middle is as good as any.
    getrandom::u32().map_or(0.5, |bits| f64::from(bits) / f64::from(u32::MAX))
}

/// A new id; ids of later calls sort after those of earlier ones.
#[allow(clippy::disallowed_methods, reason = "this is where ids are made")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
