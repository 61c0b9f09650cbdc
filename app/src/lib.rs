//! What both sides of Holter know.
//!
//! Without features only the pure modules exist, and they compile for any
//! target: the rules ([`domain`]), what screens draw ([`read`]), what travels
//! to them ([`live`]), the heart on them ([`ecg`]) and every address ([`paths`]).
//!
//! With `ssr` (the server) or `hydrate` (the browser) Leptos joins in, and
//! with it the questions a page may ask (`backend`, `api`, `codec`), the components
//! (`ui`), the pages (`pages`) and the live link (`link`).

pub mod domain;
pub mod ecg;
pub mod format;
pub mod highlight;
pub mod live;
pub mod order;
pub mod paths;
pub mod read;

#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod api;
#[cfg(feature = "ssr")]
pub mod backend;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod codec;
#[cfg(feature = "hydrate")]
pub mod link;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod pages;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod shell;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod ui;

#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub use shell::App;
