//! What a beat stands for, beside the pointer.

use crate::ecg::EventKind;
use crate::paths::Page;
use crate::read::Mark;
use leptos::html::Div;
use leptos::prelude::*;

/// A beat that is named.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named {
    /// The result it stands for.
    pub mark: Mark,
    /// How many more results it stands for.
    pub more: u32,
    /// Where the card stands in the window, px.
    pub at: (f64, f64),
}

impl Named {
    /// Why there is such a beat.
    fn why(&self) -> String {
        let attempt = self.mark.attempt;
        let why = match self.mark.kind {
            EventKind::Flaky if attempt > 1 => format!("Flaky: failed, then passed (attempt {attempt})"),
            EventKind::Flaky => "Flaky: fails and passes on the same code".to_owned(),
            EventKind::Failure if attempt > 1 => format!("Failed, with all {attempt} attempts used up"),
            EventKind::Failure => "Failed, with no attempt left".to_owned(),
        };
        if self.more == 0 { why } else { format!("{why}. And {} more in this beat", self.more) }
    }

    fn address(&self) -> String {
        format!("{}#t-{}", Page::Run(self.mark.run), self.mark.ordinal)
    }
}

/// Names the beat under the pointer. It takes no focus: who cannot point finds
/// the same in the words of the strip and on the page of the setup.
#[component]
pub(super) fn BeatCard(named: RwSignal<Option<Named>>) -> impl IntoView {
    let card = NodeRef::<Div>::new();
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| place(card, named));
    let of = move |pick: fn(&Named) -> String| {
        Signal::derive(move || named.with(|named| named.as_ref().map(pick).unwrap_or_default()))
    };
    let (test, why, address) = (of(|named| named.mark.test.clone()), of(Named::why), of(Named::address));
    let kind = of(|named| format!("{:?}", named.mark.kind).to_lowercase());
    view! {
        <div class="beat-card" data-test="beat" data-kind=kind node_ref=card hidden=move || named.with(Option::is_none)>
            <strong>{test}</strong>
            <span>{why}</span>
            <a href=address>"Open the run"</a>
        </div>
    }
    .into_any()
}

#[cfg(feature = "hydrate")]
fn place(card: NodeRef<Div>, named: RwSignal<Option<Named>>) {
    let at = named.with(|named| named.as_ref().map(|named| named.at));
    if let (Some(card), Some((left, top))) = (card.get(), at) {
        let style = leptos::web_sys::HtmlElement::style(&card);
        // Neither can fail: both are names and values that CSS knows.
        let _ = style.set_property("left", &format!("{left:.0}px"));
        let _ = style.set_property("top", &format!("{top:.0}px"));
    }
}
