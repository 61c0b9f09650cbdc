//! What stands where nothing is yet.

use super::erase::Erase;
use leptos::prelude::*;

/// Nothing here, and why.
#[component]
pub fn Empty(
    /// In a few words.
    title: &'static str,
    /// What to do about it.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="empty" data-test="empty">
            <svg class="empty-line" viewBox="0 0 400 60" aria-hidden="true" focusable="false">
                <path d="M0 36h150l8-6 8 6h12l6 8 10-40 12 50 8-18h14l10-9 10 9h152"></path>
            </svg>
            <h2>{title}</h2>
            {children()}
        </section>
    }
    .erased()
}

/// How to make a listener speak to this server.
#[component]
pub fn PointAListener(
    /// This server as the listener must address it.
    #[prop(into)]
    origin: Signal<String>,
) -> impl IntoView {
    let here = move || match origin.get() {
        origin if origin.is_empty() => "http://this-server".to_owned(),
        origin => origin,
    };
    view! {
        <p>"Point a listener at me. It costs your test run nothing, even while I am away."</p>
        <h3>"Robot Framework"</h3>
        <pre tabindex="0" data-test="paste-robot"><code>
            "curl -O "{move || here()}"/listeners/holter_robot.py\n"
            "export HOLTER_URL="{move || here()}"\n"
            "export HOLTER_TOKEN=…   # not needed with --dev\n"
            "robot --listener holter_robot.py tests/"
        </code></pre>
        <h3>"pytest"</h3>
        <pre tabindex="0" data-test="paste-pytest"><code>
            "curl -O "{move || here()}"/listeners/holter_pytest.py\n"
            "export HOLTER_URL="{move || here()}"\n"
            "export HOLTER_TOKEN=…   # not needed with --dev\n"
            "python -m pytest -p holter_pytest tests/"
        </code></pre>
        <p class="quiet">
            "Or call the API from anything else: "
            <a href=crate::paths::Page::Docs.to_string() rel="external">"how to"</a>"."
        </p>
    }
    .erased()
}
