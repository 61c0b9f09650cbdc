//! Who looks after a setup: said on its page, shown on the wall.

use crate::api;
use crate::domain::problem::Problem;
use crate::domain::time::Timestamp;
use crate::format;
use crate::paths::Page;
use crate::read::Tile;
use crate::ui::{Erase, Glyph, Icon, Show, click};
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Where the browser keeps the name of the person in front of it.
#[cfg(feature = "hydrate")]
const NAME_KEPT: &str = "holter-name";

/// Says who looks after a setup, and lets the reader be that.
#[component]
pub fn ClaimLine(
    /// The setup.
    tile: RwSignal<Tile>,
    /// The page's clock.
    now: Signal<Timestamp>,
) -> impl IntoView {
    let refused = RwSignal::new(None::<String>);
    let claim = Memo::new(move |_| tile.with(|tile| tile.claim.clone()));
    let is_ill = Memo::new(move |_| {
        tile.with(|tile| tile.run.as_ref().is_some_and(|run| run.counts.failed > 0) || tile.facts.lost)
    });
    let let_go = move || say(tile, None, None, refused);
    let words = move || {
        claim.get().map(|claim| {
            let note = claim.note.map(|note| format!(": {note}")).unwrap_or_default();
            format!("{} looks after it{note} ({})", claim.holder, format::ago(now.get().since(claim.at)))
        })
    };
    view! {
        <ReservationLine tile=tile now=now />
        <Show when=move || claim.with(Option::is_some)>
            <p class="claim" data-test="claim">
                <Icon glyph=Glyph::Person />
                <span>{move || words()}</span>
                <button type="button" class="button needs-script" data-test="claim-let-go" on:click=click(let_go)>"Let go"</button>
            </p>
        </Show>
        <Show when=move || claim.with(Option::is_none) && is_ill.get()>
            <ClaimForm tile=tile refused=refused />
        </Show>
        <Show when=move || refused.with(Option::is_some)>
            <p class="claim-refused" role="alert">{move || refused.get()}</p>
        </Show>
    }
    .into_any()
}

/// Says who keeps a setup for themselves, and leads to where one does that.
#[component]
fn ReservationLine(tile: RwSignal<Tile>, now: Signal<Timestamp>) -> impl IntoView {
    let reserved = move || {
        tile.with(|tile| tile.reserved(now.get()).cloned())
            .map(|kept| format!("{} keeps it until {}: {}", kept.holder, format::utc(kept.ends_at), kept.reason))
    };
    view! {
        <p class="claim" data-test="reservation">
            <Icon glyph=Glyph::Lock />
            <span data-test="reserved">{move || reserved().unwrap_or_else(|| "Nobody keeps it".into())}</span>
            <a href=move || tile.with(|tile| Page::Reserve(&tile.name).to_string()) rel="external" data-test="reserve">
                {move || if reserved().is_some() { "Give back" } else { "Reserve" }}
            </a>
        </p>
    }
    .erased()
}

#[component]
fn ClaimForm(tile: RwSignal<Tile>, refused: RwSignal<Option<String>>) -> impl IntoView {
    let (holder, note) = (NodeRef::<Input>::new(), NodeRef::<Input>::new());
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let kept = window().local_storage().ok().flatten().and_then(|kept| kept.get_item(NAME_KEPT).ok().flatten());
        if let Some((holder, name)) = holder.get().zip(kept) {
            holder.set_value(&name);
        }
    });
    let text = |field: NodeRef<Input>| field.get_untracked().map(|field| field.value()).unwrap_or_default();
    let submit: Box<dyn FnMut(SubmitEvent) + Send> = Box::new(move |event| {
        event.prevent_default();
        let name = text(holder);
        keep(&name);
        say(tile, Some(name), Some(text(note)), refused);
    });
    view! {
        <form class="claim needs-script" data-test="claim-form" on:submit=submit>
            <Icon glyph=Glyph::Person />
            <label class="claim-field">
                <span class="unseen">"Your name"</span>
                <input type="text" name="holder" required=true maxlength="60" placeholder="Your name" autocomplete="name" data-test="claim-holder" node_ref=holder />
            </label>
            <label class="claim-field claim-note">
                <span class="unseen">"What you know"</span>
                <input type="text" name="note" maxlength="200" placeholder="What you know (optional)" data-test="claim-note" node_ref=note />
            </label>
            <button type="submit" class="button" data-test="claim-take">"I look after it"</button>
        </form>
    }
    .erased()
}

/// Remembers the name for the next time; storage may be forbidden.
fn keep(name: &str) {
    #[cfg(feature = "hydrate")]
    if let Ok(Some(kept)) = window().local_storage() {
        let _ = kept.set_item(NAME_KEPT, name);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = name;
}

/// Tells the server, and shows what it then knows.
fn say(tile: RwSignal<Tile>, holder: Option<String>, note: Option<String>, refused: RwSignal<Option<String>>) {
    let setup = tile.with_untracked(|tile| tile.name.clone());
    refused.set(None);
    spawn_local(async move {
        let told = told(setup, holder, note).await;
        match told {
            Ok(fresh) => {
                if let Some(fresh) = fresh {
                    tile.try_set(fresh);
                }
            }
            Err(problem) => {
                refused.try_set(Some(problem.detail));
            }
        }
    });
}

async fn told(setup: String, holder: Option<String>, note: Option<String>) -> Result<Option<Tile>, Problem> {
    api::claim(setup.clone(), holder, note).await?;
    Ok(api::setup_page(setup, None).await?.map(|page| page.tile))
}
