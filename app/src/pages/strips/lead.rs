//! One strip of a page: what the tiles of a setup say, told to the pure part.

use crate::domain::ids::SetupId;
use crate::domain::time::{Micros, Timestamp};
use crate::ecg::chance::seed_of;
use crate::ecg::sample::{Ring, Sample, time_of};
use crate::ecg::{Beat, DELAY, KEEP, Reading, Shape, Strip};
use crate::read::Tile;

/// A strip that was not followed for so long begins anew: what its setup did
/// meanwhile is not known.
const ABSENT: Micros = Micros::from_secs(5);

/// A strip that begins is taken to have been as it is now for this long, which
/// is what its beats may depend on.
const BEFORE: Micros = Micros::from_secs(95);

/// Results on the strip by the beats they were drawn as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Drawn {
    /// Told by ectopic beats.
    pub ectopic: u32,
    /// Told by dropped beats.
    pub dropped: u32,
}

/// One strip.
pub(super) struct Lead {
    setup: SetupId,
    strip: Strip,
    ring: Ring,
    version: u64,
    pulse_at: Timestamp,
    stated: Reading,
    stated_at: Timestamp,
    heard_at: Timestamp,
    /// One past the newest sample.
    drawn: i64,
}

impl Lead {
    pub fn new(setup: SetupId) -> Self {
        Self {
            setup,
            strip: Strip::new(seed_of(setup.0.as_bytes())),
            ring: Ring::new(1),
            version: 0,
            pulse_at: Timestamp(i64::MIN),
            stated: Reading::default(),
            stated_at: Timestamp(i64::MIN),
            heard_at: Timestamp(i64::MIN),
            drawn: 0,
        }
    }

    /// Takes what is known of the setup at `now`. Whether it came too late: all of
    /// the picture is to be drawn again then.
    pub fn hear(&mut self, tile: &Tile, now: Timestamp, silent_after: Micros) -> bool {
        if now.since(self.heard_at).abs() > ABSENT {
            let ring = std::mem::replace(&mut self.ring, Ring::new(1));
            *self = Self { ring, ..Self::new(self.setup) };
        }
        let is_first = self.heard_at == Timestamp(i64::MIN);
        let is_new = is_first || tile.version != self.version;
        self.heard_at = now;
        self.version = tile.version;
        let reading = stepped(tile.measures(now, silent_after).reading());
        if is_new || reading != self.stated {
            let since = if is_first { now - BEFORE } else { self.moment(tile, now, is_new) };
            self.strip.set(since, tile.version, reading);
            (self.stated, self.stated_at, self.pulse_at) = (reading, since, tile.pulse.at);
        }
        is_new && self.tell(tile)
    }

    /// From when on what a tile says holds: the server's own moment, so that
    /// two browsers agree, unless that has been drawn over or means another tile.
    fn moment(&self, tile: &Tile, now: Timestamp, is_new: bool) -> Timestamp {
        let at = tile.pulse.at;
        let is_fresh = is_new && at > self.pulse_at && at <= now && now.since(at) < DELAY;
        let second = Timestamp::from_millis(now.as_millis() - now.as_millis().rem_euclid(1_000));
        [at, second]
            .into_iter()
            .zip([is_fresh, true])
            .find(|(at, may)| *may && *at > self.stated_at)
            .map_or(now, |(at, _)| at)
    }

    fn tell(&mut self, tile: &Tile) -> bool {
        let mut is_late = false;
        for mark in &tile.pulse.marks {
            is_late |= self.strip.tell(mark.event()) && mark.at < time_of(self.drawn);
        }
        if is_late {
            self.begin_anew();
        }
        is_late
    }

    /// Brings the ring up to, not including, sample `until`; a strip's width is
    /// `span` samples.
    pub fn trace(&mut self, until: i64, span: usize, scratch: &mut Vec<Sample>) {
        let held = self.ring.range();
        let follows = (until - span as i64..=until).contains(&held.end) && !held.is_empty();
        let from = if follows { held.end } else { until - span as i64 };
        if !follows {
            self.ring = Ring::new(span);
        }
        scratch.clear();
        let first = self.strip.samples(from, until, scratch);
        self.ring.push(first, scratch);
        self.drawn = until;
    }

    /// Forgets the picture, which is another one now.
    pub fn begin_anew(&mut self) {
        self.ring = Ring::new(1);
    }

    /// The samples at hand.
    #[cfg(feature = "hydrate")]
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// The results on the strip in the [`KEEP`] before `until`.
    pub fn count(&mut self, until: Timestamp) -> Drawn {
        let mut drawn = Drawn::default();
        for beat in self.strip.beats(until - KEEP, until).filter(|beat| beat.origin.is_some()) {
            match beat.shape {
                Shape::Ventricular => drawn.ectopic += beat.count,
                Shape::Dropped => drawn.dropped += beat.count,
                Shape::Sinus | Shape::Escape => {}
            }
        }
        drawn
    }

    /// The beat nearest to `at` that stands for a result.
    pub fn beat_near(&mut self, at: Timestamp, reach: Micros) -> Option<Beat> {
        let told = self.strip.beats(at - reach, at + reach).filter(|beat| beat.origin.is_some());
        told.min_by_key(|beat| beat.at.since(at).abs()).copied()
    }
}

/// The rate in whole beats: it fades all the time, and each change costs.
fn stepped(reading: Reading) -> Reading {
    Reading { rate: reading.rate.round(), ..reading }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::RunId;
    use crate::ecg::EventKind;
    use crate::ecg::sample::index_at;
    use crate::read::Mark;
    use crate::ui::tests::tile;
    use uuid::Uuid;

    const PATIENCE: Micros = Micros::from_secs(60);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    fn mark(at: Timestamp, kind: EventKind) -> Mark {
        Mark { at, kind, origin: 7, test: "Boot".into(), ordinal: 0, attempt: 2, run: RunId(Uuid::nil()) }
    }

    /// Follows a setup for ten seconds; at 3 s it tells of a result.
    fn followed(kind: EventKind) -> (Lead, Drawn) {
        let mut setup = tile(None);
        let mut lead = Lead::new(setup.setup);
        let mut scratch = Vec::new();
        for frame in 0..200 {
            let now = at(frame * 50);
            if frame == 60 {
                setup.version += 1;
                setup.pulse.at = now;
                setup.pulse.marks.push(mark(now, kind));
            }
            assert!(!lead.hear(&setup, now, PATIENCE), "nothing comes late here");
            lead.trace(index_at(now - DELAY), 1_000, &mut scratch);
        }
        let drawn = lead.count(at(10_000) - DELAY);
        (lead, drawn)
    }

    #[test]
    fn one_result_is_one_beat_and_can_be_pointed_at() {
        let (mut lead, drawn) = followed(EventKind::Flaky);
        assert_eq!(drawn, Drawn { ectopic: 1, dropped: 0 });
        let beat = lead.beat_near(at(3_000), Micros::from_secs(2)).expect("the ectopic beat");
        assert_eq!((beat.origin, beat.shape), (Some(7), Shape::Ventricular));
        assert_eq!(followed(EventKind::Failure).1, Drawn { ectopic: 0, dropped: 1 });
    }

    #[test]
    fn what_comes_late_says_so_and_is_drawn_all_the_same() {
        let (mut lead, _) = followed(EventKind::Flaky);
        let mut setup = tile(None);
        setup.version = 9;
        setup.pulse.marks.push(Mark { origin: 8, ..mark(at(6_000), EventKind::Flaky) });
        assert!(lead.hear(&setup, at(10_050), PATIENCE));
        assert_eq!(lead.count(at(10_050) - DELAY).ectopic, 2);
    }

    #[test]
    fn after_an_absence_it_begins_anew() {
        let (mut lead, _) = followed(EventKind::Flaky);
        lead.hear(&tile(None), at(60_000), PATIENCE);
        assert_eq!(lead.count(at(60_000) - DELAY), Drawn::default());
    }
}
