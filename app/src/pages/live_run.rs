//! One run as the page knows it, kept right by the live link.

use super::clock::Clock;
use crate::domain::time::Timestamp;
use crate::read::{RunHead, RunPage, TestLine};
use crate::ui::Freshness;
use leptos::prelude::*;
use std::collections::HashMap;

/// One run, live.
#[derive(Clone, Copy)]
pub struct LiveRun {
    page: StoredValue<RunPage>,
    head: RwSignal<RunHead>,
    /// Rises when suites or tests change.
    revision: RwSignal<u64>,
    /// The tests that are drawn; of ten thousand that is a few.
    drawn: StoredValue<HashMap<u32, ArcRwSignal<TestLine>>>,
    freshness: RwSignal<Freshness>,
    now: Memo<Timestamp>,
    /// The page's clock.
    pub clock: Clock,
}

impl LiveRun {
    /// Begins with what came with the page.
    pub fn new(page: RunPage) -> Self {
        let (clock, freshness) = (Clock::new(page.now), RwSignal::new(Freshness::Live));
        Self {
            clock,
            now: Memo::new(move |_| freshness.get().judged_at(clock.now().get())),
            head: RwSignal::new(page.head.clone()),
            revision: RwSignal::new(0),
            drawn: StoredValue::default(),
            freshness,
            page: StoredValue::new(page),
        }
    }

    /// Listens to the run's own stream, in the browser.
    pub fn listen(self) {
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| listening::start(self));
    }

    /// What stands above the tree.
    pub fn head(self) -> Signal<RunHead> {
        self.head.into()
    }

    /// How far the page can be trusted.
    pub fn freshness(self) -> RwSignal<Freshness> {
        self.freshness
    }

    /// The time by which what is shown is judged: the clock's, which stands
    /// still while the page is not live.
    pub fn now(self) -> Signal<Timestamp> {
        self.now.into()
    }

    /// A test that is drawn; `None` if there is none with this number.
    pub fn test(self, ordinal: u32) -> Option<Signal<TestLine>> {
        let known = self.drawn.with_value(|drawn| drawn.get(&ordinal).cloned());
        let signal = known.or_else(|| {
            let at = |page: &RunPage| page.tests.binary_search_by_key(&ordinal, |test| test.ordinal).ok();
            let test = self.page.with_value(|page| at(page).map(|at| page.tests[at].clone()))?;
            let signal = ArcRwSignal::new(test);
            self.drawn.update_value(|drawn| drop(drawn.insert(ordinal, signal.clone())));
            Some(signal)
        })?;
        Some(RwSignal::from(signal).into())
    }

    /// Asks something of the whole run as it is now, and never again.
    pub fn once<T>(self, ask: impl FnOnce(&RunPage) -> T) -> T {
        self.page.with_value(ask)
    }

    /// Asks something of the whole run, anew whenever it changes.
    pub fn with<T>(self, ask: impl FnOnce(&RunPage) -> T) -> T {
        self.revision.track();
        self.page.with_value(ask)
    }
}

#[cfg(feature = "hydrate")]
mod listening {
    use super::LiveRun;
    use crate::domain::ids::SetupId;
    use crate::link::Link;
    use crate::live::{Beat, RunMessage, digest};
    use crate::pages::live_wall::{Frame, freshness_of, parse, reload_for};
    use crate::paths::live_run;
    use leptos::prelude::*;
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    /// What the beats have said so far.
    #[derive(Default)]
    struct Beats {
        build: RefCell<Option<String>>,
        /// Asked for a snapshot because of this digest, at this version.
        asked: Cell<Option<(u64, u64)>>,
    }

    pub(super) fn start(live: LiveRun) {
        let slot = StoredValue::new_local(None::<Link>);
        let (frame, beats) = (Frame::default(), Rc::new(Beats::default()));
        let on_message = move |data: String| match parse::<RunMessage>(&data) {
            Some(RunMessage::Beat(beat)) => {
                live.clock.sync(beat.now);
                if heard(live, &beats, &beat) {
                    reopen(slot);
                }
            }
            Some(RunMessage::Change(change)) => {
                let changed = live.page.try_update_value(|page| page.take(*change));
                if changed == Some(true) {
                    frame.request(move || show(live));
                }
            }
            Some(RunMessage::Snapshot(fresh)) => {
                live.clock.sync(fresh.now);
                let is_newer = live.page.try_with_value(|page| page.head.version < fresh.head.version);
                if is_newer == Some(true) {
                    live.page.try_set_value(*fresh);
                    frame.request(move || show(live));
                }
            }
            None => reopen(slot),
        };
        let on_state = move |state| {
            live.freshness.try_set(freshness_of(live.clock, state));
        };
        let Some(run) = live.page.try_with_value(|page| page.head.card.id) else { return };
        slot.set_value(Link::open(live_run(run), on_message, on_state));
    }

    fn reopen(slot: StoredValue<Option<Link>, LocalStorage>) {
        slot.try_with_value(|link| link.as_ref().map(Link::reopen));
    }

    /// Whether something was missed. One and the same difference is asked
    /// about once, so that a page can never ask in circles.
    fn heard(live: LiveRun, beats: &Beats, beat: &Beat) -> bool {
        let first = beats.build.borrow_mut().get_or_insert_with(|| beat.build.clone()).clone();
        if first != beat.build {
            reload_for(&beat.build);
            return false;
        }
        let known = live.page.try_with_value(|page| (page.head.card.id, page.head.version));
        let Some((run, version)) = known else { return false };
        let is_same = digest(std::iter::once((SetupId(run.0), version))) == beat.digest;
        let was_asked = beats.asked.replace(Some((beat.digest, version))) == Some((beat.digest, version));
        !is_same && !was_asked
    }

    /// Shows what is newest: the head, the tests that are drawn and changed,
    /// and through the revision everything that is summed up.
    fn show(live: LiveRun) {
        live.page.try_with_value(|page| {
            live.head.try_set(page.head.clone());
            live.drawn.try_with_value(|drawn| {
                for (ordinal, signal) in drawn {
                    let at = page.tests.binary_search_by_key(ordinal, |test| test.ordinal);
                    let Some(test) = at.ok().map(|at| &page.tests[at]) else { continue };
                    if signal.with_untracked(|shown| shown != test) {
                        signal.set(test.clone());
                    }
                }
            })
        });
        live.revision.try_update(|revision| *revision += 1);
    }
}
