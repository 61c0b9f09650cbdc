//! Fewer types, so that the browser downloads less.
//!
//! Whatever is generic in a view is compiled once for each type it meets, and
//! each closure, element and wrapper of one is a type of its own. So
//! views lose their types early, by which the module went from 1790 to 1461 kB
//! (346 to 313 kB under brotli, with the one JSON reader of `codec`):
//!
//! - a component ends with [`Erase::erased`];
//! - [`Show`] and [`Each`] stand in for Leptos' own, which keep the types of
//!   their closures;
//! - a closure is written inside of `view!`, where it is erased, never handed
//!   to it by a variable.

use leptos::children::ViewFn;
use leptos::either::Either;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos::tachys::view::keyed::SerializableKey;
use std::hash::Hash;

/// The end of a component.
pub trait Erase {
    /// The view without its type. Like `into_any`, but of what is in the
    /// wrapper that `view!` puts around it: inside of other views the same
    /// elements stand without one, and both forms were compiled.
    fn erased(self) -> AnyView;
}

impl<T: IntoView + 'static> Erase for View<T> {
    fn erased(self) -> AnyView {
        self.into_inner().into_any()
    }
}

/// What a click does, given to `on:click`.
pub fn click(mut act: impl FnMut() + Send + 'static) -> Box<dyn FnMut(MouseEvent) + Send> {
    Box::new(move |_| act())
}

/// Children while `when` is so, else `fallback`.
#[component(transparent)]
pub fn Show<W: Fn() -> bool + Send + Sync + 'static>(
    /// What is shown.
    children: ChildrenFn,
    /// Whether it is.
    when: W,
    /// What is shown instead.
    #[prop(optional, into)]
    fallback: ViewFn,
) -> impl IntoView {
    show(Box::new(when), children, fallback)
}

fn show(when: Box<dyn Fn() -> bool + Send + Sync>, children: ChildrenFn, fallback: ViewFn) -> AnyView {
    let when = Memo::new(move |_| when());
    let shown = move || if when.get() { Either::Left(children()) } else { Either::Right(fallback.run()) };
    shown.into_any()
}

/// One view for each key; those that stay keep what they drew.
#[component(transparent)]
pub fn Each<K, E, R>(
    /// The keys, in order.
    keys: E,
    /// The view of a key.
    view: R,
) -> impl IntoView
where
    K: Clone + Eq + Hash + SerializableKey + Send + 'static,
    E: Fn() -> Vec<K> + Send + 'static,
    R: Fn(K) -> AnyView + Send + Sync + 'static,
{
    each(Box::new(keys), std::sync::Arc::new(view))
}

fn each<K>(keys: Box<dyn Fn() -> Vec<K> + Send>, view: std::sync::Arc<dyn Fn(K) -> AnyView + Send + Sync>) -> AnyView
where
    K: Clone + Eq + Hash + SerializableKey + Send + 'static,
{
    view! { <For each=keys key=K::clone children=move |key| view(key) /> }.erased()
}
