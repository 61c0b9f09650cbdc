//! The loop that draws: a thin one, over the pure part.
//!
//! Each frame brings the traces up to the server's time less [`DELAY`]. What
//! costs more is done by looks, four a second: tiles are heard, words written,
//! the theme read. Where strips stand is read anew when the document changed,
//! and once a second for what no observer tells.
//!
//! It rests while the page is hidden (no frames come), while strips are paused
//! and where less motion is asked for; strips out of sight are not drawn. What
//! was missed is not caught up: a strip is a function of time.

use super::announcer::Announcer;
use super::lead::Lead;
use super::pen::Pen;
use super::places::{around, meets, paper, still_paper};
use super::words::Words;
use super::{Shared, Tiles};
use crate::domain::ids::SetupId;
use crate::domain::time::{Micros, Timestamp};
use crate::ecg::DELAY;
use crate::ecg::draw::{Rect, Scale};
use crate::ecg::pace::Pace;
use crate::ecg::sample::{Sample, index_at};
use crate::ecg::sweep::{Sweep, still};
use crate::link::{Timer, browser_now};
use crate::pages::clock::to_server_time;
use crate::read::Tile;
use leptos::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Element, MediaQueryList, MutationObserver, MutationObserverInit, Performance, ResizeObserver, Window};

/// From one look to the next.
const LOOK_EVERY: Micros = Micros::from_millis(250);

/// Every how many looks all words and places are gone through.
const LOOKS_A_ROUND: usize = 4;

/// A still strip is not drawn more often.
const STILL_EVERY: Micros = Micros::from_secs(5);

/// A judged time ticks once a second; one that lags by more stands still, and
/// so does the trace: of what nobody told nothing is drawn.
const TICK: Micros = Micros::from_millis(1_500);

/// A strip in the document.
pub(super) struct Place {
    pub element: Element,
    /// On the stage.
    pub area: Rect,
    pub is_near: bool,
    pub lead: Lead,
    words: Option<Words>,
    /// A result was heard that is not drawn yet.
    is_awaiting: bool,
}

/// How strips are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Sweeping,
    Still,
    Paused,
}

/// Everything there is.
pub(super) struct Monitor {
    pub shared: Shared,
    pub stage: Element,
    pub pen: Pen,
    pub places: BTreeMap<SetupId, Place>,
    pub sweep: Sweep,
    pub scale: Scale,
    pub mode: Mode,
    window: Window,
    performance: Performance,
    less_motion: Option<MediaQueryList>,
    pace: Pace,
    announcer: Announcer,
    /// The picture is not what it should be.
    is_stale: bool,
    /// Strips may stand elsewhere.
    is_moved: bool,
    looks: usize,
    looked_at: Timestamp,
    drawn_at: Timestamp,
    /// One past the newest sample on the canvas.
    pub until: i64,
    scratch: Vec<Sample>,
}

impl Monitor {
    fn new(shared: Shared) -> Option<Self> {
        let window = web_sys::window()?;
        let (stage, canvas) = (shared.stage.get_untracked()?, shared.canvas.get_untracked()?);
        let scale = Scale::paper(1.0);
        Some(Self {
            shared,
            stage: stage.unchecked_into(),
            pen: Pen::new(window.clone(), canvas.unchecked_into())?,
            places: BTreeMap::new(),
            sweep: Sweep::new(1.0, scale),
            scale,
            mode: Mode::Paused,
            performance: window.performance()?,
            less_motion: window.match_media("(prefers-reduced-motion: reduce)").ok().flatten(),
            window,
            pace: Pace::default(),
            announcer: Announcer::default(),
            is_stale: true,
            is_moved: true,
            looks: 0,
            looked_at: Timestamp(i64::MIN),
            drawn_at: Timestamp(i64::MIN),
            until: 0,
            scratch: Vec::new(),
        })
    }

    /// The server's time, as far as what is shown can be trusted.
    fn now(&self) -> Timestamp {
        let source = self.shared.source;
        let judged = source.now.try_get_untracked().unwrap_or_default();
        to_server_time(source.clock, browser_now()).min(judged + TICK)
    }

    fn elapsed(&self) -> Micros {
        Micros((self.performance.now() * 1e3) as i64)
    }

    /// Strips may have come into sight.
    pub fn scrolled(&mut self) {
        self.is_moved = true;
    }

    /// One frame.
    fn frame(&mut self) {
        let began = self.elapsed();
        if !self.pace.is_due(began) {
            return;
        }
        let now = self.now();
        if self.is_moved || now.since(self.looked_at).abs() >= LOOK_EVERY {
            self.look(now);
        }
        match self.mode {
            Mode::Sweeping => self.sweep(now),
            Mode::Still if self.is_stale && now.since(self.drawn_at).abs() >= STILL_EVERY => self.stand(now),
            Mode::Paused if self.is_stale => self.sweep(now),
            Mode::Still | Mode::Paused => {}
        }
        self.pace.drew(began, Micros(self.elapsed().0 - began.0));
    }

    fn look(&mut self, now: Timestamp) {
        self.looked_at = now;
        self.looks += 1;
        let has_less_motion = self.less_motion.as_ref().is_some_and(MediaQueryList::matches);
        let mode = match self.shared.is_paused.try_get_untracked() {
            Some(true) => Mode::Paused,
            _ if has_less_motion => Mode::Still,
            _ => Mode::Sweeping,
        };
        let is_other = (mode == Mode::Still) != (self.mode == Mode::Still);
        self.mode = mode;
        let is_restyled = self.pen.refresh();
        if is_other || is_restyled || self.is_moved || self.looks % LOOKS_A_ROUND == 0 {
            self.arrange(is_other || is_restyled);
        }
        self.hear(now);
        let said = self.announcer.due(now);
        if let Some(said) = said {
            self.shared.said.try_set(said);
        }
    }

    /// Tiles speak to their strips, and strips in words.
    fn hear(&mut self, now: Timestamp) {
        let silent_after = self.shared.source.silent_after.try_get_untracked().unwrap_or_default();
        let (turn, until) = (self.looks % LOOKS_A_ROUND, now - DELAY);
        let (places, announcer) = (&mut self.places, &mut self.announcer);
        let (mut is_late, mut is_changed, mut number) = (false, false, 0);
        each_tile(self.shared.source.tiles, &mut |tile| {
            let Some(place) = places.get_mut(&tile.setup) else { return };
            number += 1;
            if place.is_near {
                is_late |= place.lead.hear(tile, now, silent_after);
                place.is_awaiting =
                    tile.pulse.marks.last().is_some_and(|mark| now.since(mark.at) < Micros(3 * DELAY.0));
            }
            if !place.is_awaiting && place.words.is_some() && number % LOOKS_A_ROUND != turn {
                return;
            }
            let drawn = place.is_near.then(|| place.lead.count(until));
            let words = Words::of(tile, now, silent_after, drawn);
            words.write(&place.element, place.words.as_ref());
            let before = place.words.replace(words.clone());
            is_changed |= before.as_ref().is_none_or(|before| !words.looks_like(before));
            if let Some(news) = before.and_then(|before| words.news(&before)) {
                announcer.changed(&tile.name, news);
            }
        });
        if is_late && self.mode != Mode::Paused {
            self.places.values_mut().for_each(|place| place.lead.begin_anew());
            self.sweep.begin_anew();
        }
        self.is_stale |= self.mode == Mode::Still && is_changed;
    }

    fn sweep(&mut self, now: Timestamp) {
        let until = index_at(now - DELAY);
        let span = self.sweep.span();
        for place in self.places.values_mut().filter(|place| place.is_near) {
            place.lead.trace(until, span, &mut self.scratch);
        }
        let origin = self.pen.place();
        let near = self.places.values().filter(|place| place.is_near);
        let strips = near.map(|place| (on_canvas(place.area, origin), place.lead.ring()));
        self.pen.draw(self.sweep.frame(until, strips));
        (self.until, self.is_stale, self.drawn_at) = (until, false, now);
    }

    /// Strips that do not move.
    fn stand(&mut self, now: Timestamp) {
        let until = index_at(now - DELAY);
        let (span, origin) = (self.sweep.span(), self.pen.place());
        for place in self.places.values_mut().filter(|place| place.is_near) {
            place.lead.begin_anew();
            place.lead.trace(until, span, &mut self.scratch);
            self.pen.draw(&still(&on_canvas(place.area, origin), place.lead.ring(), &self.scale));
        }
        (self.until, self.is_stale, self.drawn_at) = (until, false, now);
    }

    /// Finds where strips stand and lays the canvas over those near the window.
    fn arrange(&mut self, is_other: bool) {
        let is_found = self.find();
        let stage = self.stage.get_bounding_client_rect();
        let height = self.window.inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(0.0);
        let (top, bottom) = ((-stage.top()) as f32, (height - stage.top()) as f32);
        let is_bare = |place: &Place| !place.is_near && meets(&place.area, top, bottom);
        if !is_other && !is_found && !self.places.values().any(is_bare) {
            return;
        }
        let screen = height as f32;
        for place in self.places.values_mut() {
            place.is_near = place.area.width > 0.0 && meets(&place.area, top - screen, bottom + screen);
        }
        let near = || self.places.values().filter(|place| place.is_near).map(|place| place.area);
        let Some(canvas) = around(near()) else { return };
        let width = near().map(|area| area.width).fold(f32::MAX, f32::min);
        let height = near().map(|area| area.height).fold(f32::MAX, f32::min);
        self.scale = if self.mode == Mode::Still { still_paper(width, height) } else { paper(width, height) };
        self.sweep = Sweep::new(width, self.scale);
        self.pen.lay(canvas, &self.scale);
        (self.is_stale, self.drawn_at) = (true, Timestamp(i64::MIN));
    }

    /// Reads the rectangles of all strips; whether any is new or has moved.
    fn find(&mut self) -> bool {
        self.is_moved = false;
        let stage = self.stage.get_bounding_client_rect();
        let Ok(found) = self.stage.query_selector_all("[data-strip]") else { return false };
        let mut before = std::mem::take(&mut self.places);
        let mut is_other = false;
        for at in 0..found.length() {
            let Some(element) = found.get(at).and_then(|node| node.dyn_into::<Element>().ok()) else { continue };
            let setup = element.get_attribute("data-strip").and_then(|setup| setup.parse::<SetupId>().ok());
            let Some(setup) = setup else { continue };
            let rect = element.get_bounding_client_rect();
            let (x, y) = ((rect.left() - stage.left()) as f32, (rect.top() - stage.top()) as f32);
            let [x, y, width, height] =
                [x, y, rect.width() as f32, rect.height() as f32].map(|length| self.pen.snapped(length));
            let area = Rect { x, y, width, height };
            let known = before.remove(&setup).filter(|place| place.element == element);
            is_other |= known.as_ref().is_none_or(|place| place.area != area);
            let place = known.map_or_else(|| Place::new(setup, element, area), |place| Place { area, ..place });
            self.places.insert(setup, place);
        }
        is_other || !before.is_empty()
    }
}

impl Place {
    fn new(setup: SetupId, element: Element, area: Rect) -> Self {
        Self { element, area, is_near: false, lead: Lead::new(setup), words: None, is_awaiting: false }
    }
}

/// An area of the stage, on the canvas.
pub(super) fn on_canvas(area: Rect, canvas: Rect) -> Rect {
    Rect { x: area.x - canvas.x, y: area.y - canvas.y, ..area }
}

/// Calls for each setup that the page knows.
pub(super) fn each_tile(tiles: Tiles, call: &mut dyn FnMut(&Tile)) {
    match tiles {
        Tiles::Wall(live) => live.each(call),
        Tiles::One(tile) => drop(tile.try_with_untracked(|tile| call(tile))),
    }
}

/// A monitor that runs, and what makes it run. Dropping it stops everything.
struct Running {
    monitor: Rc<RefCell<Monitor>>,
    window: Window,
    frames: RefCell<Option<Closure<dyn FnMut()>>>,
    rest: RefCell<Option<Timer>>,
    handle: std::cell::Cell<i32>,
    resized: RefCell<Option<ResizeObserver>>,
    mutated: RefCell<Option<MutationObserver>>,
    _moved: Closure<dyn FnMut()>,
    _pointer: super::pointer::Pointer,
}

/// Starts to draw.
pub(super) fn start(shared: Shared) {
    let Some(monitor) = Monitor::new(shared) else { return };
    let window = monitor.window.clone();
    let stage = monitor.stage.clone();
    let monitor = Rc::new(RefCell::new(monitor));
    let weak = Rc::downgrade(&monitor);
    let moved = Closure::<dyn FnMut()>::new(move || {
        if let Some(monitor) = weak.upgrade()
            && let Ok(mut monitor) = monitor.try_borrow_mut()
        {
            monitor.is_moved = true;
        }
    });
    let running = Rc::new(Running {
        _pointer: super::pointer::Pointer::listen(&stage, &monitor),
        monitor,
        window,
        frames: RefCell::default(),
        rest: RefCell::default(),
        handle: std::cell::Cell::new(0),
        resized: RefCell::new(observe_size(&stage, &moved)),
        mutated: RefCell::new(observe_children(&stage, &moved)),
        _moved: moved,
    });
    let weak = Rc::downgrade(&running);
    *running.frames.borrow_mut() = Some(Closure::new(move || Running::turn(&weak)));
    running.next();
    let kept = StoredValue::new_local(Some(running));
    on_cleanup(move || drop(kept.try_update_value(Option::take)));
}

impl Running {
    fn turn(this: &Weak<Self>) {
        let Some(running) = this.upgrade() else { return };
        running.monitor.borrow_mut().frame();
        let is_sweeping = running.monitor.borrow().mode == Mode::Sweeping;
        if is_sweeping {
            return running.next();
        }
        // Nothing moves: the screen's beat is not needed, a look now and then is.
        let weak = this.clone();
        let again = move || {
            if let Some(running) = weak.upgrade() {
                running.next();
            }
        };
        *running.rest.borrow_mut() = Timer::once(&running.window, LOOK_EVERY, again);
    }

    fn next(&self) {
        if let Some(frames) = self.frames.borrow().as_ref()
            && let Ok(handle) = self.window.request_animation_frame(frames.as_ref().unchecked_ref())
        {
            self.handle.set(handle);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails for a frame that has come.
        let _ = self.window.cancel_animation_frame(self.handle.get());
        self.resized.take().iter().for_each(ResizeObserver::disconnect);
        self.mutated.take().iter().for_each(MutationObserver::disconnect);
    }
}

fn observe_size(stage: &Element, moved: &Closure<dyn FnMut()>) -> Option<ResizeObserver> {
    let observer = ResizeObserver::new(moved.as_ref().unchecked_ref()).ok()?;
    observer.observe(stage);
    Some(observer)
}

/// Told of strips that come, go or change places, not of texts.
fn observe_children(stage: &Element, moved: &Closure<dyn FnMut()>) -> Option<MutationObserver> {
    let observer = MutationObserver::new(moved.as_ref().unchecked_ref()).ok()?;
    let init = MutationObserverInit::new();
    init.set_child_list(true);
    init.set_subtree(true);
    observer.observe_with_options(stage, &init).ok()?;
    Some(observer)
}
