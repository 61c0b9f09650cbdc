//! What readers are told of strips: changes alone, and not more often than
//! they can be listened to.

use crate::domain::time::{Micros, Timestamp};

/// From one word to the next, at least.
const EVERY: Micros = Micros::from_secs(30);

/// More changes than this are counted, not said.
const MOST: usize = 3;

/// Gathers changes until they may be said.
#[derive(Default)]
pub(super) struct Announcer {
    waiting: Vec<(String, String)>,
    said_at: Option<Timestamp>,
}

impl Announcer {
    /// A setup's strip changed to this. Only its last change is worth a word.
    pub fn changed(&mut self, setup: &str, to: String) {
        self.waiting.retain(|(other, _)| other != setup);
        self.waiting.push((setup.to_owned(), to));
    }

    /// What is to be said at `now`.
    pub fn due(&mut self, now: Timestamp) -> Option<String> {
        let is_early = self.said_at.is_some_and(|at| now.since(at).abs() < EVERY);
        if self.waiting.is_empty() || is_early {
            return None;
        }
        self.said_at = Some(now);
        let more = self.waiting.len().saturating_sub(MOST);
        let said: Vec<_> = self.waiting.drain(..).take(MOST).map(|(setup, to)| format!("{setup}: {to}.")).collect();
        let rest = if more > 0 { format!(" And {more} more.") } else { String::new() };
        Some(said.join(" ") + &rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_said_together_and_half_a_minute_apart() {
        let at = |second: i64| Timestamp::from_millis(second * 1_000);
        let mut announcer = Announcer::default();
        assert_eq!(announcer.due(at(0)), None);
        announcer.changed("a", "asystole".into());
        assert_eq!(announcer.due(at(1)).as_deref(), Some("a: asystole."));
        announcer.changed("a", "lead off".into());
        announcer.changed("a", "sinus rhythm".into());
        announcer.changed("b", "irregular".into());
        assert_eq!(announcer.due(at(20)), None);
        assert_eq!(announcer.due(at(31)).as_deref(), Some("a: sinus rhythm. b: irregular."));
        for setup in ["a", "b", "c", "d", "e"] {
            announcer.changed(setup, "x".into());
        }
        assert_eq!(announcer.due(at(61)).as_deref(), Some("a: x. b: x. c: x. And 2 more."));
    }
}
