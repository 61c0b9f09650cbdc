//! The live link: one event stream that never gives up.
//!
//! A browser's own `EventSource` gives up for good when a proxy answers with an
//! error, as it does while the server is replaced. So every error ends the
//! stream here and another one is begun after a pause that doubles up to
//! [`PAUSE_MAX`], with full jitter: a thousand kiosks must not come back in one
//! blow. Any message ends the doubling.
//!
//! The link keeps its closures and drops them with the streams they belong to,
//! since a kiosk reconnects for months. Dropping the link closes everything.
//!
//! Nothing pauses while the page is hidden. A hidden page's timers run late,
//! which only makes it slower to notice silence.

use crate::domain::time::{Micros, Timestamp};
use crate::live::STALE_AFTER;
use gloo_net::http::{Method, RequestBuilder};
use leptos::task::spawn_local;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Event, EventSource, MessageEvent, Window};

/// The first pause before another try is at most this.
const PAUSE_FIRST: Micros = Micros::from_millis(500);

/// No pause is longer.
const PAUSE_MAX: Micros = Micros::from_secs(30);

/// How often the silence is measured.
const WATCH_EVERY: Micros = Micros::from_secs(1);

/// How the link fares. Times are by the browser's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Messages arrive.
    Connected,
    /// The stream broke at this time.
    Reconnecting(Timestamp),
    /// No word since this time for [`STALE_AFTER`].
    Stale(Timestamp),
}

/// The browser's clock.
pub fn browser_now() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now() as i64)
}

/// How long to wait before try number `tries` (from 0), with `chance` in 0..1.
fn pause(tries: u32, chance: f64) -> Micros {
    let most = PAUSE_FIRST.0.saturating_mul(1 << tries.min(10)).min(PAUSE_MAX.0);
    // Never at once: a server that refuses must not be asked in a tight loop.
    Micros((most as f64 * chance) as i64 + 100_000)
}

/// An open link.
pub struct Link(Rc<Inner>);

struct Inner {
    window: Window,
    address: String,
    on_message: Box<dyn Fn(String)>,
    on_state: Box<dyn Fn(LinkState)>,
    stream: RefCell<Option<Stream>>,
    retry: RefCell<Option<Timer>>,
    watch: RefCell<Option<Timer>>,
    last_word: Cell<Timestamp>,
    /// Whether there was a word at all.
    was_heard: Cell<bool>,
    tries: Cell<u32>,
    state: Cell<LinkState>,
}

impl Link {
    /// Opens the stream at `address`. `on_message` takes the data of every
    /// message, `on_state` every change of state. `None` outside of a window.
    pub fn open(
        address: String,
        on_message: impl Fn(String) + 'static,
        on_state: impl Fn(LinkState) + 'static,
    ) -> Option<Self> {
        let inner = Rc::new(Inner {
            window: web_sys::window()?,
            address,
            on_message: Box::new(on_message),
            on_state: Box::new(on_state),
            stream: RefCell::default(),
            retry: RefCell::default(),
            watch: RefCell::default(),
            last_word: Cell::new(browser_now()),
            was_heard: Cell::new(false),
            tries: Cell::new(0),
            state: Cell::new(LinkState::Connected),
        });
        inner.connect();
        inner.watch();
        Some(Self(inner))
    }

    /// Begins another stream: the server opens each with a snapshot.
    pub fn reopen(&self) {
        self.0.retry_later();
    }
}

impl Inner {
    fn connect(self: &Rc<Self>) {
        // The old stream is closed by being dropped here, never inside of one
        // of its own closures: this runs from a timer or from `open`.
        *self.stream.borrow_mut() = None;
        let stream = Stream::open(&self.address, Rc::downgrade(self));
        if stream.is_none() {
            self.retry_later();
        }
        *self.stream.borrow_mut() = stream;
    }

    fn heard(&self, data: String) {
        self.last_word.set(browser_now());
        self.was_heard.set(true);
        self.tries.set(0);
        self.say(LinkState::Connected);
        (self.on_message)(data);
    }

    fn broke(self: &Rc<Self>) {
        self.say(self.state_when_broken());
        // A page whose stream was refused from the start would load for ever.
        if self.was_heard.get() {
            self.ask_why();
        }
        self.retry_later();
    }

    /// A stream does not tell why it was refused. Who may not read any more
    /// loads the page again, which says so.
    fn ask_why(&self) {
        let (window, address) = (self.window.clone(), self.address.clone());
        spawn_local(async move {
            let request = RequestBuilder::new(&address).method(Method::HEAD);
            if let Ok(answer) = request.send().await
                && matches!(answer.status(), 401 | 403)
            {
                let _ = window.location().reload();
            }
        });
    }

    fn state_when_broken(&self) -> LinkState {
        let (now, last) = (browser_now(), self.last_word.get());
        match self.state.get() {
            _ if now.since(last) > STALE_AFTER => LinkState::Stale(last),
            // Another try failed: it broke when it broke first.
            LinkState::Reconnecting(since) => LinkState::Reconnecting(since),
            _ => LinkState::Reconnecting(now),
        }
    }

    fn say(&self, state: LinkState) {
        if self.state.replace(state) != state {
            (self.on_state)(state);
        }
    }

    fn retry_later(self: &Rc<Self>) {
        if let Some(stream) = self.stream.borrow().as_ref() {
            stream.source.close();
        }
        let tries = self.tries.get();
        self.tries.set(tries.saturating_add(1));
        let weak = Rc::downgrade(self);
        let again = move || {
            if let Some(inner) = weak.upgrade() {
                inner.connect();
            }
        };
        *self.retry.borrow_mut() = Timer::once(&self.window, pause(tries, js_sys::Math::random()), again);
    }

    /// A connection can die without an error: a machine on the way is gone and
    /// nobody tells. Then silence is the only sign.
    fn watch(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let look = move || {
            let Some(inner) = weak.upgrade() else { return };
            let is_silent = browser_now().since(inner.last_word.get()) > STALE_AFTER;
            if !is_silent {
                return;
            }
            let was_connected = inner.state.get() == LinkState::Connected;
            inner.say(LinkState::Stale(inner.last_word.get()));
            if was_connected {
                inner.retry_later();
            }
        };
        *self.watch.borrow_mut() = Timer::every(&self.window, WATCH_EVERY, look);
    }
}

/// One connection with its closures.
struct Stream {
    source: EventSource,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(Event)>,
}

impl Stream {
    fn open(address: &str, link: Weak<Inner>) -> Option<Self> {
        let source = EventSource::new(address).ok()?;
        let for_errors = link.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let (Some(inner), Some(data)) = (link.upgrade(), event.data().as_string()) {
                inner.heard(data);
            }
        });
        let on_error = Closure::<dyn FnMut(Event)>::new(move |_| {
            if let Some(inner) = for_errors.upgrade() {
                inner.broke();
            }
        });
        source.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Some(Self { source, _on_message: on_message, _on_error: on_error })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.set_onmessage(None);
        self.source.set_onerror(None);
        self.source.close();
    }
}

/// A timer with its closure; dropping it stops it.
pub(crate) struct Timer {
    window: Window,
    handle: i32,
    repeats: bool,
    _closure: Closure<dyn FnMut()>,
}

impl Timer {
    /// Calls once, after `length`.
    pub(crate) fn once(window: &Window, length: Micros, call: impl FnMut() + 'static) -> Option<Self> {
        let closure = Closure::<dyn FnMut()>::new(call);
        let millis = length.as_millis().clamp(0, i64::from(i32::MAX)) as i32;
        let function = closure.as_ref().unchecked_ref();
        let handle = window.set_timeout_with_callback_and_timeout_and_arguments_0(function, millis).ok()?;
        Some(Self { window: window.clone(), handle, repeats: false, _closure: closure })
    }

    /// Calls again and again.
    pub(crate) fn every(window: &Window, length: Micros, call: impl FnMut() + 'static) -> Option<Self> {
        let closure = Closure::<dyn FnMut()>::new(call);
        let millis = length.as_millis().clamp(1, i64::from(i32::MAX)) as i32;
        let function = closure.as_ref().unchecked_ref();
        let handle = window.set_interval_with_callback_and_timeout_and_arguments_0(function, millis).ok()?;
        Some(Self { window: window.clone(), handle, repeats: true, _closure: closure })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if self.repeats {
            self.window.clear_interval_with_handle(self.handle);
        } else {
            self.window.clear_timeout_with_handle(self.handle);
        }
    }
}
