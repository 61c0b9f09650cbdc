//! All setups as the page knows them, kept right by the live link.
//!
//! Each setup has a signal of its own, so that a change draws one row and no
//! other. Messages are joined into the [`Board`] as they come and shown at most
//! once a frame: under a heavy stream the page draws what is newest and skips
//! what was overtaken.

use super::clock::Clock;
use crate::domain::ids::SetupId;
use crate::domain::time::{Micros, Timestamp};
use crate::live::Board;
use crate::read::{Tile, Wall};
use crate::ui::Freshness;
use leptos::prelude::*;
use std::collections::HashMap;

/// All setups, live.
#[derive(Clone, Copy)]
pub struct LiveWall {
    board: StoredValue<Board>,
    tiles: StoredValue<HashMap<SetupId, ArcRwSignal<Tile>>>,
    /// Rises when setups come or go.
    members: RwSignal<u64>,
    silent_after: RwSignal<Micros>,
    freshness: RwSignal<Freshness>,
    now: Memo<Timestamp>,
    /// The page's clock.
    pub clock: Clock,
}

impl LiveWall {
    /// Begins with what came with the page; in the browser it then listens.
    pub fn new(wall: Wall) -> Self {
        let (clock, freshness) = (Clock::new(wall.now), RwSignal::new(Freshness::Live));
        let live = Self {
            clock,
            now: Memo::new(move |_| freshness.get().judged_at(clock.now().get())),
            silent_after: RwSignal::new(wall.silent_after),
            freshness,
            members: RwSignal::new(0),
            tiles: StoredValue::new(signals(&wall.tiles)),
            board: StoredValue::new(Board::new(wall)),
        };
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| listening::start(live));
        live
    }

    /// How far the page can be trusted.
    pub fn freshness(self) -> Signal<Freshness> {
        self.freshness.into()
    }

    /// The time by which what is shown is judged: the clock's, which stands
    /// still while the page is not live.
    pub fn now(self) -> Signal<Timestamp> {
        self.now.into()
    }

    /// How long until silence is called so.
    pub fn silent_after(self) -> Signal<Micros> {
        self.silent_after.into()
    }

    /// A setup; `None` once it is gone.
    pub fn tile(self, setup: SetupId) -> Option<Signal<Tile>> {
        self.tiles.with_value(|tiles| tiles.get(&setup).cloned()).map(|tile| RwSignal::from(tile).into())
    }

    /// Asks something of all setups, anew every second and whenever setups
    /// come or go: often enough for orders and sums, and calm to look at.
    pub fn with<T>(self, ask: impl FnOnce(&[Tile]) -> T) -> T {
        self.members.track();
        self.now.track();
        self.board.with_value(|board| ask(&board.tiles))
    }

    /// Calls for each setup as it is known now.
    #[cfg(feature = "hydrate")]
    pub fn each(self, call: &mut dyn FnMut(&Tile)) {
        self.board.try_with_value(|board| board.tiles.iter().for_each(call));
    }
}

fn signals(tiles: &[Tile]) -> HashMap<SetupId, ArcRwSignal<Tile>> {
    tiles.iter().map(|tile| (tile.setup, ArcRwSignal::new(tile.clone()))).collect()
}

#[cfg(feature = "hydrate")]
pub use listening::{Frame, freshness_of, parse, reload_for};

#[cfg(feature = "hydrate")]
mod listening {
    use super::{LiveWall, signals};
    use crate::link::{Link, LinkState};
    use crate::live::{Message, Taken};
    use crate::pages::clock::{Clock, to_server_time};
    use crate::paths::LIVE_WALL;
    use crate::ui::Freshness;
    use leptos::prelude::*;
    use serde::de::DeserializeOwned;
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeSet;
    use std::rc::Rc;

    pub(super) fn start(live: LiveWall) {
        let slot = StoredValue::new_local(None::<Link>);
        let frame = Frame::default();
        let dirty = Rc::new(RefCell::new(BTreeSet::new()));
        let on_message = move |data: String| {
            let Some(message) = parse::<Message>(&data) else { return reopen(slot) };
            heard(live, &message);
            let build = build_of(&message);
            let taken = live.board.try_update_value(|board| board.take(message)).unwrap_or(Taken::Nothing);
            match taken {
                Taken::Nothing => {}
                Taken::Missed => reopen(slot),
                Taken::NewBuild => reload_for(&build),
                Taken::Redraw => redraw(live),
                Taken::Changed(changed) => {
                    dirty.borrow_mut().extend(changed);
                    let dirty = dirty.clone();
                    frame.request(move || show(live, std::mem::take(&mut *dirty.borrow_mut())));
                }
            }
        };
        let on_state = move |state| {
            live.freshness.try_set(freshness_of(live.clock, state));
        };
        slot.set_value(Link::open(LIVE_WALL.to_owned(), on_message, on_state));
    }

    fn reopen(slot: StoredValue<Option<Link>, LocalStorage>) {
        slot.try_with_value(|link| link.as_ref().map(Link::reopen));
    }

    /// What a message says about the server itself.
    fn heard(live: LiveWall, message: &Message) {
        match message {
            Message::Beat(beat) => live.clock.sync(beat.now),
            Message::Snapshot(wall) => {
                live.clock.sync(wall.now);
                if live.silent_after.try_get_untracked() != Some(wall.silent_after) {
                    live.silent_after.try_set(wall.silent_after);
                }
            }
            Message::Tiles(_) => {}
        }
    }

    fn build_of(message: &Message) -> String {
        match message {
            Message::Beat(beat) => beat.build.clone(),
            Message::Snapshot(wall) => wall.build.clone(),
            Message::Tiles(_) => String::new(),
        }
    }

    fn show(live: LiveWall, changed: BTreeSet<usize>) {
        live.board.try_with_value(|board| {
            live.tiles.try_with_value(|tiles| {
                for tile in changed.into_iter().filter_map(|at| board.tiles.get(at)) {
                    if let Some(signal) = tiles.get(&tile.setup) {
                        signal.set(tile.clone());
                    }
                }
            })
        });
    }

    /// Setups came or went, so indices have moved: everything is shown anew.
    fn redraw(live: LiveWall) {
        let fresh = live.board.try_with_value(|board| signals(&board.tiles)).unwrap_or_default();
        live.tiles.try_update_value(|tiles| {
            tiles.retain(|setup, _| fresh.contains_key(setup));
            for (setup, tile) in fresh {
                match tiles.get(&setup) {
                    Some(known) => known.set(tile.get_untracked()),
                    None => drop(tiles.insert(setup, tile)),
                }
            }
        });
        live.members.try_update(|members| *members += 1);
    }

    /// The message in a stream's data. One that cannot be read comes from
    /// another build; the next beat will say so.
    pub fn parse<T: DeserializeOwned>(data: &str) -> Option<T> {
        serde_json::from_str(data).ok()
    }

    /// What a link's state means on the page, in the server's time.
    pub fn freshness_of(clock: Clock, state: LinkState) -> Freshness {
        match state {
            LinkState::Connected => Freshness::Live,
            LinkState::Reconnecting(since) => Freshness::Reconnecting(to_server_time(clock, since)),
            LinkState::Stale(since) => Freshness::Stale(to_server_time(clock, since)),
        }
    }

    const RELOADED_FOR: &str = "holter-reloaded-for";

    /// Loads the page again, once for each build: should the server's pages
    /// and streams disagree about its build, the page must not spin.
    pub fn reload_for(build: &str) {
        let storage = window().session_storage().ok().flatten();
        let before = storage.as_ref().and_then(|storage| storage.get_item(RELOADED_FOR).ok().flatten());
        if before.as_deref() == Some(build) {
            return;
        }
        let is_kept = storage.is_some_and(|storage| storage.set_item(RELOADED_FOR, build).is_ok());
        if is_kept {
            // Fails only where scripts may not navigate; then the page stays.
            let _ = window().location().reload();
        }
    }

    /// At most one drawing per frame.
    #[derive(Clone, Default)]
    pub struct Frame {
        is_requested: Rc<Cell<bool>>,
    }

    impl Frame {
        /// Draws in the next frame, together with everything else that asks
        /// until then. A hidden page has no frames, so there it is done at once.
        pub fn request(&self, draw: impl FnOnce() + 'static) {
            if document().hidden() {
                return draw();
            }
            if self.is_requested.replace(true) {
                return;
            }
            let is_requested = self.is_requested.clone();
            request_animation_frame(move || {
                is_requested.set(false);
                draw();
            });
        }
    }
}
