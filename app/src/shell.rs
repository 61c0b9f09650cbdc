//! The document around every page, and which page stands at which address.

use crate::pages::{
    FlakyPage, GridPage, KeyHelp, Masthead, NotFound, ResultPage, RunPage, SetupPage, TestPage, WallPage,
    listen_to_keys, provide_pause,
};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{SsrMode, path};
use std::sync::Arc;

/// What the document needs to know of the bundle.
#[derive(Clone, Debug)]
pub struct ShellAssets {
    /// The name of the style sheet under `/pkg/`.
    pub css: String,
    /// Whether the page comes to life; without, it is plain HTML.
    pub hydrate: bool,
}

/// Takes the HTTP status of the page being rendered. The server puts one into
/// the context of each request; in the browser there is none.
#[derive(Clone)]
pub struct StatusSink(Arc<dyn Fn(u16) + Send + Sync>);

impl StatusSink {
    /// A sink that calls `take` with the status.
    pub fn new(take: impl Fn(u16) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    /// Says the status, where anybody listens.
    pub fn say(status: u16) {
        if let Some(sink) = use_context::<Self>() {
            (sink.0)(status);
        }
    }
}

/// This server's address as its callers write it, for texts to paste: scheme,
/// host and port. The server puts it into the context of each request.
#[derive(Clone, Debug)]
pub struct Origin(pub String);

/// The name of who is signed in. The server puts it into the context of each
/// request.
#[derive(Clone, Debug)]
pub struct SignedIn(pub String);

/// The document. Neither styles nor scripts stand in it but the ones that
/// carry the nonce: the policy forbids all others.
#[cfg(feature = "ssr")]
pub fn shell(options: LeptosOptions, assets: ShellAssets) -> impl IntoView {
    use leptos::nonce::use_nonce;
    use leptos_meta::MetaTags;
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme="system">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
                <meta name="color-scheme" content="light dark" />
                <meta name="description" content="Holter records the heartbeat of your tests." />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="manifest" href="/manifest.webmanifest" />
                <link rel="stylesheet" href=format!("/pkg/{}", assets.css) />
                <script src="/theme.js" nonce=use_nonce()></script>
                <script src="/wall.js" nonce=use_nonce() defer></script>
                {assets.hydrate.then(|| view! { <HydrationScripts options=options.clone() /> })}
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The title of a page. On the server it is written into the document as it is,
/// so what could end the element is escaped here; in the browser it is text.
fn titled(title: String) -> String {
    let title = if title.is_empty() { "Holter".to_owned() } else { format!("{title} · Holter") };
    if cfg!(feature = "ssr") { title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") } else { title }
}

/// The whole application.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    listen_to_keys();
    provide_pause();
    // For styles and tests that must know that buttons answer now.
    #[cfg(feature = "hydrate")]
    Effect::new(|_| {
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-hydrated", "");
        }
    });
    view! {
        <Title formatter=titled text="" />
        <Router>
            <a class="skip-link" href="#main" rel="external">"Skip to the content"</a>
            <Masthead />
            <main id="main" tabindex="-1">
                <FlatRoutes fallback=|| view! { <NotFound what="page" /> }>
                    <Route path=path!("/") view=GridPage ssr=SsrMode::Async />
                    <Route path=path!("/setups/:name") view=SetupPage ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id") view=RunPage ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id/output") view=ResultPage ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id/tests/:test") view=ResultPage ssr=SsrMode::Async />
                    <Route path=path!("/tests/:id") view=TestPage ssr=SsrMode::Async />
                    <Route path=path!("/flaky") view=FlakyPage ssr=SsrMode::Async />
                    <Route path=path!("/wall") view=WallPage ssr=SsrMode::Async />
                    <Route path=path!("/wall/:name") view=WallPage ssr=SsrMode::Async />
                </FlatRoutes>
            </main>
            <KeyHelp />
        </Router>
    }
}
