//! Pages of a wall that take turns.
//!
//! A page turns after a while, unless something began to fail: then the page
//! with it stays until somebody was seen at the wall (a key, a touch), claimed
//! it, or it is well again.

use crate::domain::ids::SetupId;
use crate::domain::time::Micros;
use crate::pages::filter::Show;
use crate::pages::live_wall::LiveWall;
use crate::read::Look;
use leptos::prelude::*;
use std::collections::BTreeSet;

/// Seconds until the next page, where the wall does not say.
const TURN: u32 = 20;

/// The smallest tile that can be read, in pixels of CSS: a name, a sign and a
/// strip.
#[cfg(any(feature = "hydrate", test))]
const READABLE: (f64, f64) = (104.0, 62.0);

/// How a wall's pages take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The most tiles on a page; the screen decides where the wall does not.
    pub tiles: Option<usize>,
    /// How long a page stays.
    pub turn: Micros,
}

impl Rotation {
    /// As the wall has it.
    pub fn of(look: &Look) -> Self {
        let seconds = look.rotate_seconds.unwrap_or(TURN);
        Self { tiles: look.tiles.map(|tiles| tiles as usize), turn: Micros::from_secs(i64::from(seconds)) }
    }

    /// The page to show, from 0: the one with the first of `held` that is
    /// there, else the one whose turn it is.
    fn page(self, all: &[SetupId], per_page: usize, held: &BTreeSet<SetupId>, shown_for: Micros) -> usize {
        let pages = all.len().div_ceil(per_page.max(1)).max(1);
        match all.iter().position(|setup| held.contains(setup)) {
            Some(at) => at / per_page.max(1),
            None => (shown_for.0.max(0) / self.turn.0.max(1)) as usize % pages,
        }
    }
}

/// How many tiles a screen of this size can show.
#[cfg(any(feature = "hydrate", test))]
fn readable(width: f64, height: f64) -> usize {
    // The head of the wall takes a tenth.
    let across = (width / READABLE.0).floor().max(1.0);
    let down = (height * 0.9 / READABLE.1).floor().max(1.0);
    (across * down) as usize
}

/// Which page is shown, live.
#[derive(Clone, Copy)]
pub struct Turns {
    shown: Memo<Vec<SetupId>>,
    page: Memo<usize>,
    pages: Memo<usize>,
    held: RwSignal<BTreeSet<SetupId>>,
}

impl Turns {
    /// Takes turns through all tiles of the wall.
    pub fn new(rotation: Rotation, all: Memo<Vec<SetupId>>, live: LiveWall) -> Self {
        let now = live.now();
        let began = now.get_untracked();
        let held = RwSignal::new(BTreeSet::new());
        // Until the browser has measured its screen there is one page: it is
        // what a reader without scripts gets.
        let screen = RwSignal::new(usize::MAX);
        let per_page = move || rotation.tiles.unwrap_or(usize::MAX).min(screen.get());
        let pages = Memo::new(move |_| all.with(Vec::len).div_ceil(per_page().max(1)));
        let page = Memo::new(move |_| {
            all.with(|all| held.with(|held| rotation.page(all, per_page(), held, now.get().since(began))))
        });
        let shown = Memo::new(move |_| {
            let first = page.get().saturating_mul(per_page());
            all.with(|all| all.iter().skip(first).take(per_page()).copied().collect())
        });
        watch(live, all, held);
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| attend(screen, held));
        #[cfg(not(feature = "hydrate"))]
        let _: RwSignal<usize> = screen;
        Self { shown, page, pages, held }
    }

    /// The tiles of the page.
    pub fn shown(self) -> Memo<Vec<SetupId>> {
        self.shown
    }

    /// How many pages there are.
    pub fn pages(self) -> usize {
        self.pages.get()
    }

    /// Whether the page stays because something began to fail.
    pub fn is_held(self) -> bool {
        self.held.with(|held| !held.is_empty())
    }

    /// Which page it is, and why it stays.
    pub fn words(self) -> String {
        let page = format!("page {} of {}", self.page.get() + 1, self.pages.get());
        if self.is_held() { format!("{page}, stays: a new failure") } else { page }
    }
}

/// Holds the page of whatever begins to fail, and has it heard.
fn watch(live: LiveWall, all: Memo<Vec<SetupId>>, held: RwSignal<BTreeSet<SetupId>>) {
    let failing = Memo::new(move |_| failing(live, &all.get()));
    Effect::new(move |before: Option<BTreeSet<SetupId>>| {
        let failing = failing.get();
        // What fails when the wall is opened is no news.
        let new: BTreeSet<_> = before.map(|before| failing.difference(&before).copied().collect()).unwrap_or_default();
        if !new.is_empty() {
            announce();
        }
        held.update(|held| {
            held.retain(|setup| failing.contains(setup));
            held.extend(new);
        });
        failing
    });
}

/// Setups of the wall that fail, and that nobody looks after.
fn failing(live: LiveWall, all: &[SetupId]) -> BTreeSet<SetupId> {
    let (now, silent_after) = (live.now().get(), live.silent_after().get());
    let on: BTreeSet<_> = all.iter().collect();
    live.with(|tiles| {
        let ill = tiles.iter().filter(|tile| on.contains(&tile.setup) && tile.claim.is_none());
        ill.filter(|tile| Show::Failing.takes(tile, tile.activity(now, silent_after))).map(|tile| tile.setup).collect()
    })
}

/// Whoever plays sounds is told of a new failure.
fn announce() {
    #[cfg(feature = "hydrate")]
    if let Ok(event) = web_sys::Event::new("holter-failure") {
        // Nobody may be listening.
        let _ = document().dispatch_event(&event);
    }
}

#[cfg(feature = "hydrate")]
fn attend(screen: RwSignal<usize>, held: RwSignal<BTreeSet<SetupId>>) {
    let measure = move || {
        let side = |value: Result<wasm_bindgen::JsValue, _>| value.ok().and_then(|value| value.as_f64());
        let size = side(window().inner_width()).zip(side(window().inner_height()));
        if let Some((width, height)) = size {
            screen.set(readable(width, height));
        }
    };
    measure();
    let seen = move || held.update(BTreeSet::clear);
    let handles = [
        window_event_listener_untyped("resize", move |_| measure()),
        window_event_listener_untyped("keydown", move |_| seen()),
        window_event_listener_untyped("pointerdown", move |_| seen()),
    ];
    let handles = StoredValue::new_local(Some(handles));
    on_cleanup(move || {
        let handles = handles.try_update_value(Option::take).flatten();
        handles.into_iter().flatten().for_each(|handle| handle.remove());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn setups(count: u128) -> Vec<SetupId> {
        (0..count).map(|id| SetupId(Uuid::from_u128(id))).collect()
    }

    #[test]
    fn pages_take_turns_and_begin_again() {
        let rotation = Rotation { tiles: Some(4), turn: Micros::from_secs(10) };
        let page = |seconds| rotation.page(&setups(9), 4, &BTreeSet::new(), Micros::from_secs(seconds));
        assert_eq!([0, 9, 10, 20, 29, 30, -5].map(page), [0, 0, 1, 2, 2, 0, 0]);
        assert_eq!(rotation.page(&[], 4, &BTreeSet::new(), Micros(0)), 0);
    }

    #[test]
    fn a_new_failure_holds_its_page() {
        let rotation = Rotation { tiles: Some(4), turn: Micros::from_secs(10) };
        let all = setups(9);
        let held: BTreeSet<_> = [all[8]].into();
        for seconds in [0, 10, 20, 30] {
            assert_eq!(rotation.page(&all, 4, &held, Micros::from_secs(seconds)), 2);
        }
        let gone: BTreeSet<_> = [SetupId(Uuid::from_u128(77))].into();
        assert_eq!(rotation.page(&all, 4, &gone, Micros::from_secs(10)), 1);
    }

    #[test]
    fn a_screen_shows_as_many_tiles_as_can_be_read() {
        assert_eq!(readable(1_920.0, 1_080.0), 18 * 15);
        assert!(readable(3_840.0, 2_160.0) >= 500);
        assert!(readable(10.0, 10.0) == 1);
    }
}
