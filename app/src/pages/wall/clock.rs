//! The time of day on the wall, in the viewer's zone.

use crate::domain::time::Timestamp;
use crate::format;
use crate::ui::Erase;
use leptos::prelude::*;

/// The time of day: in UTC from the server, then in the viewer's zone.
#[component]
pub fn WallClock(
    /// The page's clock.
    now: Signal<Timestamp>,
    /// The language it is told in; else by the 24 hours of the day.
    language: Option<String>,
) -> impl IntoView {
    let is_local = RwSignal::new(false);
    Effect::new(move |_| is_local.set(true));
    let text = move || {
        if is_local.get() { local_clock(now.get(), language.as_deref()) } else { format::utc_clock(now.get()) }
    };
    view! {
        <time class="wall-clock" data-test="clock" datetime=move || now.get().to_rfc3339()>
            {move || text()}
        </time>
    }
    .erased()
}

#[cfg(feature = "hydrate")]
fn local(now: Timestamp) -> js_sys::Date {
    js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(now.as_millis() as f64))
}

#[cfg(feature = "hydrate")]
fn local_clock(now: Timestamp, language: Option<&str>) -> String {
    let date = local(now);
    match language {
        None => format!("{:02}:{:02}", date.get_hours(), date.get_minutes()),
        // Without seconds, as the language writes it: "3:07 PM", "15:07".
        Some(language) => {
            let options = js_sys::Object::new();
            // Setting a field of a new object cannot fail.
            let _ = js_sys::Reflect::set(&options, &"timeStyle".into(), &"short".into());
            String::from(date.to_locale_string(language, &options))
        }
    }
}

#[cfg(not(feature = "hydrate"))]
fn local_clock(now: Timestamp, _: Option<&str>) -> String {
    format::utc_clock(now)
}

/// Whether it is a time of day between the two minutes, over midnight or not.
/// The server does not know the viewer's zone, and says no.
pub fn is_within(hours: Option<(u16, u16)>, now: Timestamp) -> bool {
    hours.zip(minute_of_day(now)).is_some_and(|(hours, minute)| contains(hours, minute))
}

fn contains((from, to): (u16, u16), minute: u16) -> bool {
    if from < to { (from..to).contains(&minute) } else { minute >= from || minute < to }
}

#[cfg(feature = "hydrate")]
fn minute_of_day(now: Timestamp) -> Option<u16> {
    let date = local(now);
    u16::try_from(date.get_hours() * 60 + date.get_minutes()).ok()
}

#[cfg(not(feature = "hydrate"))]
fn minute_of_day(_: Timestamp) -> Option<u16> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_goes_over_midnight() {
        let night = (1_320, 360);
        assert_eq!(
            [0, 359, 360, 1_319, 1_320, 1_439].map(|minute| contains(night, minute)),
            [true, true, false, false, true, true]
        );
        assert!(contains((60, 120), 60) && !contains((60, 120), 120));
    }
}
