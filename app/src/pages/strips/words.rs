//! The words of a strip in the document: its label, and what tests and style
//! sheets read.

use super::lead::Drawn;
use crate::domain::time::{Micros, Timestamp};
use crate::ecg::DELAY;
use crate::ecg::reading::{Alarm, Rhythm};
use crate::read::Tile;
use web_sys::Element;

/// What a strip says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Words {
    rhythm: Rhythm,
    alarm: Alarm,
    warning: String,
    drawn: Drawn,
    label: String,
}

impl Words {
    /// What is to be said at `now`; `drawn` is what can be seen on the strip,
    /// if it is drawn.
    pub fn of(tile: &Tile, now: Timestamp, silent_after: Micros, drawn: Option<Drawn>) -> Self {
        let measures = tile.measures(now, silent_after);
        let mut recent = tile.pulse.recent(now - DELAY);
        let drawn = drawn.unwrap_or(Drawn { ectopic: recent.flaky, dropped: recent.failed });
        (recent.flaky, recent.failed) = (drawn.ectopic, drawn.dropped);
        let label = tile.twin(now, silent_after, recent).sentence();
        Self { rhythm: measures.rhythm(), alarm: measures.alarm(), warning: measures.warning(), drawn, label }
    }

    /// Writes what differs from `before`.
    pub fn write(&self, element: &Element, before: Option<&Self>) {
        let put = |name: &str, is_same: bool, value: &dyn Fn() -> String| {
            if !is_same {
                // Fails for no name used here.
                let _ = element.set_attribute(name, &value());
            }
        };
        let same = |is_same: fn(&Self, &Self) -> bool| before.is_some_and(|before| is_same(before, self));
        put("data-rhythm", same(|a, b| a.rhythm == b.rhythm), &|| self.rhythm.as_str().into());
        put("data-alarm", same(|a, b| a.alarm == b.alarm), &|| self.alarm.as_str().into());
        put("data-word", same(|a, b| a.warning == b.warning), &|| self.warning.clone());
        put("data-ectopic", same(|a, b| a.drawn.ectopic == b.drawn.ectopic), &|| self.drawn.ectopic.to_string());
        put("data-dropped", same(|a, b| a.drawn.dropped == b.drawn.dropped), &|| self.drawn.dropped.to_string());
        put("aria-label", same(|a, b| a.label == b.label), &|| self.label.clone());
    }

    /// What is told to readers when `before` has become this.
    pub fn news(&self, before: &Self) -> Option<String> {
        let is_news = (self.rhythm, self.alarm) != (before.rhythm, before.alarm);
        let is_grave = self.alarm >= Alarm::Medium || before.alarm >= Alarm::Medium || self.rhythm == Rhythm::LeadOff;
        let said =
            if self.warning.is_empty() { self.rhythm.as_str() } else { self.warning.trim_start_matches(['*', ' ']) };
        (is_news && is_grave).then(|| said.to_owned())
    }

    /// Whether the same is to be seen, for strips that stand still.
    pub fn looks_like(&self, other: &Self) -> bool {
        (self.rhythm, self.alarm, self.drawn) == (other.rhythm, other.alarm, other.drawn)
    }
}
