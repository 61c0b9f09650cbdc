//! What makes a monitor run, and ends it with its page.

use super::Shared;
use super::monitor::{LOOK_EVERY, Mode, Monitor};
use super::pointer::Pointer;
use crate::link::Timer;
use leptos::prelude::*;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Element, MutationObserver, MutationObserverInit, ResizeObserver, Window};

/// A monitor that runs, and what makes it run. Dropping it stops everything.
struct Running {
    monitor: Rc<RefCell<Monitor>>,
    window: Window,
    frames: RefCell<Option<Closure<dyn FnMut()>>>,
    rest: RefCell<Option<Timer>>,
    handle: Cell<i32>,
    resized: RefCell<Option<ResizeObserver>>,
    mutated: RefCell<Option<MutationObserver>>,
    _moved: Closure<dyn FnMut()>,
    _pointer: Pointer,
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
        _pointer: Pointer::listen(&stage, &monitor),
        monitor,
        window,
        frames: RefCell::default(),
        rest: RefCell::default(),
        handle: Cell::new(0),
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
