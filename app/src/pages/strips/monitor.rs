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
use crate::link::browser_now;
use crate::pages::clock::to_server_time;
use crate::read::Tile;
use leptos::prelude::*;
use std::collections::BTreeMap;
use wasm_bindgen::JsCast;
use web_sys::{DomRect, Element, MediaQueryList, Performance, Window};

/// From one look to the next.
pub(super) const LOOK_EVERY: Micros = Micros::from_millis(250);

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
    /// Nothing of it is on the canvas, or something else is.
    is_fresh: bool,
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
    /// Of a strip.
    width: f32,
    pub mode: Mode,
    pub window: Window,
    performance: Performance,
    less_motion: Option<MediaQueryList>,
    pace: Pace,
    announcer: Announcer,
    /// The picture is not what it should be.
    is_stale: bool,
    /// Strips may stand elsewhere.
    pub is_moved: bool,
    /// Strips may have come into sight.
    pub is_scrolled: bool,
    looks: usize,
    looked_at: Timestamp,
    drawn_at: Timestamp,
    /// One past the newest sample on the canvas.
    pub until: i64,
    scratch: Vec<Sample>,
}

impl Monitor {
    pub fn new(shared: Shared) -> Option<Self> {
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
            width: 0.0,
            mode: Mode::Paused,
            performance: window.performance()?,
            less_motion: window.match_media("(prefers-reduced-motion: reduce)").ok().flatten(),
            window,
            pace: Pace::default(),
            announcer: Announcer::default(),
            is_stale: true,
            is_moved: true,
            is_scrolled: false,
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

    /// One frame.
    pub fn frame(&mut self) {
        let began = self.elapsed();
        if !self.pace.is_due(began) {
            return;
        }
        let now = self.now();
        if self.is_moved || now.since(self.looked_at).abs() >= LOOK_EVERY {
            self.look(now);
        }
        if std::mem::take(&mut self.is_scrolled) {
            self.arrange(false);
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
        if self.is_moved || self.looks.is_multiple_of(LOOKS_A_ROUND) {
            self.find();
            self.is_scrolled = true;
        }
        if is_other || is_restyled || std::mem::take(&mut self.is_scrolled) {
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
        let (mut is_changed, mut number) = (false, 0);
        each_tile(self.shared.source.tiles, &mut |tile| {
            let Some(place) = places.get_mut(&tile.setup) else { return };
            number += 1;
            if place.is_near {
                place.is_fresh |= place.lead.hear(tile, now, silent_after);
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
        self.draw_fresh(until);
        (self.until, self.is_stale, self.drawn_at) = (until, false, now);
    }

    /// Draws the whole of strips that came, moved or changed their past.
    fn draw_fresh(&mut self, until: i64) {
        let origin = self.pen.place();
        let mut whole = self.sweep.clone();
        whole.begin_anew();
        let fresh = self.places.values().filter(|place| place.is_near && place.is_fresh);
        self.pen.draw(whole.frame(until, fresh.map(|place| (on_canvas(place.area, origin), place.lead.ring()))));
        self.places.values_mut().for_each(|place| place.is_fresh = false);
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

    /// Lays the canvas over the strips near the window, unless it lies well.
    fn arrange(&mut self, is_other: bool) {
        let stage = self.stage.get_bounding_client_rect();
        let screen = self.window.inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(0.0) as f32;
        let top = -stage.top() as f32;
        let is_bare = |place: &Place| !place.is_near && place.area.width > 0.0 && meets(&place.area, top, top + screen);
        if is_other || self.places.values().any(is_bare) {
            for place in self.places.values_mut() {
                place.is_near = place.area.width > 0.0 && meets(&place.area, top - screen, top + 2.0 * screen);
            }
        }
        let near = || self.places.values().filter(|place| place.is_near).map(|place| place.area);
        let canvas = around(near()).unwrap_or_default();
        let width = near().map(|area| area.width).fold(canvas.width, f32::min);
        let height = near().map(|area| area.height).fold(canvas.height, f32::min);
        let scale = if self.mode == Mode::Still { still_paper(width, height) } else { paper(width, height) };
        if !is_other && canvas == self.pen.place() && scale == self.scale && width == self.width {
            return;
        }
        (self.width, self.scale, self.sweep) = (width, scale, Sweep::new(width, scale));
        self.pen.lay(canvas, &scale);
        (self.is_stale, self.drawn_at) = (true, Timestamp(i64::MIN));
    }

    /// Reads the rectangles of all strips. What stood elsewhere is erased there.
    fn find(&mut self) {
        self.is_moved = false;
        let stage = self.stage.get_bounding_client_rect();
        let Ok(found) = self.stage.query_selector_all("[data-strip]") else { return };
        let mut before = std::mem::take(&mut self.places);
        for at in 0..found.length() {
            let Some(element) = found.get(at).and_then(|node| node.dyn_into::<Element>().ok()) else { continue };
            let setup = element.get_attribute("data-strip").and_then(|setup| setup.parse::<SetupId>().ok());
            let Some(setup) = setup else { continue };
            let area = self.area_of(&element, &stage);
            let known = before.get(&setup).is_some_and(|place| place.element == element && place.area == area);
            let place = match before.remove(&setup).filter(|place| place.element == element) {
                Some(place) if known => place,
                Some(place) => {
                    self.erase(&place);
                    Place { area, is_fresh: true, ..place }
                }
                None => Place::new(setup, element, area),
            };
            self.places.insert(setup, place);
        }
        before.values().for_each(|place| self.erase(place));
    }

    fn area_of(&self, element: &Element, stage: &DomRect) -> Rect {
        let rect = element.get_bounding_client_rect();
        let (x, y) = (rect.left() - stage.left(), rect.top() - stage.top());
        let [x, y, width, height] = [x, y, rect.width(), rect.height()].map(|length| self.pen.snapped(length));
        Rect { x, y, width, height }
    }

    /// Erased strips are drawn again after all were: what stands there now is fresh.
    fn erase(&mut self, place: &Place) {
        if place.is_near {
            self.pen.erase(&on_canvas(place.area, self.pen.place()));
            self.is_stale = true;
        }
    }
}

impl Place {
    fn new(setup: SetupId, element: Element, area: Rect) -> Self {
        Self { element, area, is_near: false, lead: Lead::new(setup), words: None, is_awaiting: false, is_fresh: true }
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
