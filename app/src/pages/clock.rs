//! A page's clock: the server's time, ticking once a second.
//!
//! It begins with the time that came with the page's data, so that server and
//! browser first draw the same. In the browser it then follows the browser's
//! clock, corrected by what the server last said: a viewer whose clock is wrong
//! sees right timers. It rests while the page is hidden.

use crate::domain::time::{Micros, Timestamp};
use leptos::prelude::*;

/// The clock of one page.
#[derive(Clone, Copy)]
pub struct Clock {
    now: RwSignal<Timestamp>,
    /// The server's clock minus the browser's.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser has a clock of its own"))]
    offset: StoredValue<Micros>,
}

impl Clock {
    /// A clock that stands at `now` until it is started in the browser.
    pub fn new(now: Timestamp) -> Self {
        let clock = Self { now: RwSignal::new(now), offset: StoredValue::new(Micros(0)) };
        #[cfg(feature = "hydrate")]
        ticking::start(clock, now);
        clock
    }

    /// The server's time, by the second.
    pub fn now(self) -> Signal<Timestamp> {
        self.now.into()
    }
}

#[cfg(feature = "hydrate")]
pub use ticking::to_server_time;

#[cfg(feature = "hydrate")]
mod ticking {
    use super::Clock;
    use crate::domain::time::{Micros, Timestamp};
    use crate::link::{Timer, browser_now};
    use leptos::ev::visibilitychange;
    use leptos::prelude::*;

    /// Less than this the offset may be off: messages take their time, and a
    /// clock that jumps to and fro would be worse.
    const TOLERANCE: Micros = Micros::from_millis(400);

    const SECOND_MS: i64 = 1_000;

    impl Clock {
        /// The server says what time it is.
        pub fn sync(self, server: Timestamp) {
            let offset = server.since(browser_now());
            let known = self.offset.try_get_value().unwrap_or_default();
            if Micros(offset.0 - known.0).abs() > TOLERANCE {
                self.offset.try_set_value(offset);
                self.tick();
            }
        }

        fn tick(self) {
            let now = to_server_time(self, browser_now());
            self.now.try_set(now);
        }
    }

    /// A moment by the browser's clock, by the server's.
    pub fn to_server_time(clock: Clock, at: Timestamp) -> Timestamp {
        at + clock.offset.try_get_value().unwrap_or_default()
    }

    /// Starts to tick after hydration.
    pub(super) fn start(clock: Clock, server: Timestamp) {
        clock.offset.set_value(server.since(browser_now()));
        let timer = StoredValue::new_local(None::<Timer>);
        Effect::new(move |_| schedule(clock, timer));
        let seen = document_listener(move || {
            if !is_hidden() {
                clock.tick();
                schedule(clock, timer);
            }
        });
        on_cleanup(move || seen.remove());
    }

    /// Ticks at the next full second of the server; not while hidden.
    fn schedule(clock: Clock, timer: StoredValue<Option<Timer>, LocalStorage>) {
        let Some(window) = web_sys::window().filter(|_| !is_hidden()) else { return };
        let millis = to_server_time(clock, browser_now()).as_millis().rem_euclid(SECOND_MS);
        let next = Timer::once(&window, Micros::from_millis(SECOND_MS - millis + 5), move || {
            clock.tick();
            schedule(clock, timer);
        });
        timer.try_set_value(next);
    }

    pub(crate) fn is_hidden() -> bool {
        document().hidden()
    }

    /// `visibilitychange` bubbles up to the window.
    fn document_listener(call: impl Fn() + 'static) -> WindowListenerHandle {
        window_event_listener(visibilitychange, move |_| call())
    }
}
