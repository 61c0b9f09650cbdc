//! Names the beat that is pointed at.

use super::beat_card::Named;
use super::monitor::{Mode, Monitor, each_tile, on_canvas};
use crate::domain::ids::SetupId;
use crate::domain::time::{Micros, Timestamp};
use crate::ecg::Beat;
use crate::ecg::draw::{Point, Rect};
use crate::ecg::sample::time_of;
use crate::read::Mark;
use leptos::prelude::*;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Element, Event, EventTarget, KeyboardEvent, MouseEvent};

/// A beat is hit this close to its R peak, px.
const REACH: f32 = 18.0;

/// The card stays until the pointer is this far from the beat, px.
const FAR: f64 = 90.0;

/// How wide the card is, px.
const CARD: f64 = 272.0;

/// How high it is at most.
const CARD_HEIGHT: f64 = 110.0;

const ON_STAGE: [&str; 3] = ["pointermove", "pointerleave", "click"];
const ON_WINDOW: [&str; 2] = ["keydown", "scroll"];

/// Listens as long as it lives.
pub(super) struct Pointer {
    stage: EventTarget,
    window: EventTarget,
    closure: Closure<dyn FnMut(Event)>,
}

impl Pointer {
    pub fn listen(stage: &Element, monitor: &Rc<RefCell<Monitor>>) -> Self {
        let weak = Rc::downgrade(monitor);
        let closure = Closure::<dyn FnMut(Event)>::new(move |event: Event| heard(&weak, &event));
        let stage: EventTarget = stage.clone().into();
        let pointer = Self { stage, window: window().into(), closure };
        let function = pointer.closure.as_ref().unchecked_ref();
        // Fails for no type of event used here.
        for event in ON_STAGE {
            let _ = pointer.stage.add_event_listener_with_callback(event, function);
        }
        for event in ON_WINDOW {
            let _ = pointer.window.add_event_listener_with_callback(event, function);
        }
        pointer
    }
}

impl Drop for Pointer {
    fn drop(&mut self) {
        let function = self.closure.as_ref().unchecked_ref();
        for event in ON_STAGE {
            let _ = self.stage.remove_event_listener_with_callback(event, function);
        }
        for event in ON_WINDOW {
            let _ = self.window.remove_event_listener_with_callback(event, function);
        }
    }
}

fn heard(monitor: &Weak<RefCell<Monitor>>, event: &Event) {
    let Some(monitor) = monitor.upgrade() else { return };
    let Ok(mut monitor) = monitor.try_borrow_mut() else { return };
    match event.type_().as_str() {
        "keydown" => {
            if event.dyn_ref::<KeyboardEvent>().is_some_and(|event| event.key() == "Escape") {
                monitor.hide();
            }
        }
        "pointerleave" => monitor.hide(),
        "scroll" => {
            monitor.hide();
            monitor.is_scrolled = true;
        }
        kind => {
            if let Some(mouse) = event.dyn_ref::<MouseEvent>() {
                monitor.pointed(mouse, kind == "click");
            }
        }
    }
}

impl Monitor {
    fn hide(&self) {
        if self.shared.named.with_untracked(Option::is_some) {
            self.shared.named.try_set(None);
        }
    }

    fn pointed(&mut self, mouse: &MouseEvent, is_click: bool) {
        let target = mouse.target().and_then(|target| target.dyn_into::<Element>().ok());
        let is_on_card = target.is_some_and(|target| target.closest(".beat-card").ok().flatten().is_some());
        if is_on_card {
            return;
        }
        let stage = self.stage.get_bounding_client_rect();
        let (x, y) = (f64::from(mouse.client_x()), f64::from(mouse.client_y()));
        let point = Point { x: (x - stage.left()) as f32, y: (y - stage.top()) as f32 };
        let Some((setup, area, at)) = self.hit(point) else { return self.hide_if_far(x, y) };
        let Some((mark, more)) = self.result_near(setup, at) else { return self.hide_if_far(x, y) };
        if is_click {
            // The strip stands in a link, but a beat was meant.
            mouse.prevent_default();
        }
        let width = self.stage.owner_document().and_then(|document| document.document_element());
        let (width, height) =
            width.map_or((0.0, 0.0), |root| (root.client_width().into(), root.client_height().into()));
        let left = (x - CARD / 2.0).clamp(8.0, f64::max(8.0, width - CARD - 8.0));
        let below = stage.top() + f64::from(area.y + area.height) + 4.0;
        let is_room_below = below + CARD_HEIGHT < height;
        let top = if is_room_below { below } else { stage.top() + f64::from(area.y) - CARD_HEIGHT - 4.0 };
        let is_same = |named: &Option<Named>| named.as_ref().is_some_and(|named| named.mark.origin == mark.origin);
        if !self.shared.named.with_untracked(is_same) {
            self.shared.named.try_set(Some(Named { mark, more, at: (left, top) }));
        }
    }

    fn hide_if_far(&self, x: f64, y: f64) {
        let is_far = |named: &Option<Named>| {
            named.as_ref().is_some_and(|Named { at: (left, top), .. }| {
                let aside = (left - x).max(x - left - CARD).max(0.0);
                let above = (top - y).max(y - top - CARD_HEIGHT).max(0.0);
                aside.max(above) > FAR
            })
        };
        if self.shared.named.with_untracked(is_far) {
            self.hide();
        }
    }

    /// Which strip, and which moment of it, is drawn at a point of the stage.
    fn hit(&self, point: Point) -> Option<(SetupId, Rect, Timestamp)> {
        let near = || self.places.iter().filter(|(_, place)| place.is_near);
        if self.mode == Mode::Still {
            let (setup, place) = near().find(|(_, place)| place.area.contains(point))?;
            let (rect, held) = (place.area, place.lead.ring().range());
            let column = ((point.x - rect.x) / self.scale.px_per_sample()).round() as i64;
            return Some((*setup, rect, time_of(held.start + column)));
        }
        let canvas = self.pen.place();
        let on = Point { x: point.x - canvas.x, y: point.y - canvas.y };
        let (at, moment) = self.sweep.hit(on, near().map(|(_, place)| on_canvas(place.area, canvas)))?;
        near().nth(at).map(|(setup, place)| (*setup, place.area, moment))
    }

    /// The result that a beat near `at` stands for, and how many more.
    fn result_near(&mut self, setup: SetupId, at: Timestamp) -> Option<(Mark, u32)> {
        let reach = Micros((REACH / self.scale.px_per_second * 1e6) as i64);
        let Beat { origin, count, .. } = self.places.get_mut(&setup)?.lead.beat_near(at, reach)?;
        let mut found = None;
        each_tile(self.shared.source.tiles, &mut |tile| {
            if tile.setup == setup {
                found = tile.pulse.marks.iter().find(|mark| Some(mark.origin) == origin).cloned();
            }
        });
        found.map(|mark| (mark, count.saturating_sub(1)))
    }
}
