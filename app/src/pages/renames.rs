//! Tests that go on under another name: offered, joined and parted.

use crate::api;
use crate::domain::ids::TestId;
use crate::domain::problem::Problem;
use crate::domain::rename::Sign;
use crate::domain::time::Timestamp;
use crate::format;
use crate::paths::Page;
use crate::read::{KnownName, RenameOffer};
use crate::ui::{Erase, Show, click};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// What became of a click.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Done {
    #[default]
    Nothing,
    Joined,
    Refused(String),
}

fn told(path: &[String]) -> String {
    path.join(" › ")
}

const fn reason(sign: Sign) -> &'static str {
    match sign {
        Sign::SameId => "both carry the same id",
        Sign::SameScript => "the script is the same",
        Sign::Moved => "the same name in another suite",
        Sign::NearName => "a near name in the same place",
    }
}

/// Likely renames, each with a button that joins it.
#[component]
pub fn RenameOffers(
    /// What is offered.
    offers: Vec<RenameOffer>,
    /// Called when tests were joined or parted.
    #[prop(optional)]
    on_change: Option<Callback<()>>,
) -> impl IntoView {
    if offers.is_empty() {
        return ().into_any();
    }
    let offers = offers.into_iter().map(|offer| one_offer(offer, on_change)).collect_view();
    view! {
        <section class="renames" aria-label="Likely renames" data-test="renames">
            <p>"New here, and like a test that the run before still had. Joined, they have one history."</p>
            <ul>{offers}</ul>
        </section>
    }
    .erased()
}

fn one_offer(offer: RenameOffer, on_change: Option<Callback<()>>) -> AnyView {
    let done = RwSignal::new(Done::Nothing);
    let RenameOffer { was, now_is, sign, .. } = offer;
    let (old, new) = (told(&offer.was_path), told(&offer.now_path));
    let join = move || say(async move { api::rename(was, now_is).await }, Done::Joined, done, on_change);
    let undo = move || say(async move { api::part(was).await }, Done::Nothing, done, on_change);
    view! {
        <li data-test="rename">
            <span class="rename-names">
                <a href=Page::Test(was).to_string()>{old}</a>
                <span class="quiet">" is now "</span>
                <a href=Page::Test(now_is).to_string()>{new}</a>
                <span class="quiet">{format!(" ({})", reason(sign))}</span>
            </span>
            <Show when=move || done.get() != Done::Joined>
                <button type="button" class="button needs-script" data-test="rename-join" on:click=click(join)>"Join"</button>
            </Show>
            <Show when=move || done.get() == Done::Joined>
                <span class="quiet" role="status">"Joined."</span>
                <button type="button" class="button needs-script" data-test="rename-undo" on:click=click(undo)>"Undo"</button>
            </Show>
            {refusal(done)}
        </li>
    }
    .erased()
}

fn refusal(done: RwSignal<Done>) -> AnyView {
    let refused = move || match done.get() {
        Done::Refused(why) => Some(why),
        _ => None,
    };
    view! {
        <Show when=move || refused().is_some()>
            <span class="rename-refused" role="alert">{move || refused()}</span>
        </Show>
    }
    .erased()
}

/// The other names of a test, with a button that takes a join back.
#[component]
pub fn OtherNames(
    /// The test.
    test: TestId,
    /// What it was called before.
    before: Vec<KnownName>,
    /// What it is called now, where that is something else.
    now_called: Option<KnownName>,
    /// The reader may part them.
    may_part: bool,
    /// The server's clock.
    now: Timestamp,
    /// Called when tests were parted.
    on_change: Callback<()>,
) -> impl IntoView {
    let when = move |name: &KnownName| format!(", joined by {} {}", name.by, format::ago(now.since(name.at)));
    let line = move |word: &'static str, name: KnownName, parts: TestId| {
        let done = RwSignal::new(Done::Nothing);
        let part = move || say(async move { api::part(parts).await }, Done::Nothing, done, Some(on_change));
        let button = may_part.then(|| {
            let label = "Part them";
            view! { <button type="button" class="button needs-script" data-test="rename-part" on:click=click(part)>{label}</button> }
        });
        view! {
            <li data-test="other-name">
                <span class="rename-names">
                    {word}<a href=Page::Test(name.id).to_string()>{told(&name.path)}</a><span class="quiet">{when(&name)}</span>
                </span>
                {button}
                {refusal(done)}
            </li>
        }
        .erased()
    };
    let is_any = now_called.is_some() || !before.is_empty();
    let lines = now_called.map(|name| line("It goes on as ", name, test)).into_iter();
    let lines: Vec<_> = lines
        .chain(before.into_iter().map(|name| (name.id, name)).map(|(id, name)| line("It was ", name, id)))
        .collect();
    is_any.then(|| view! { <ul class="renames" data-test="other-names">{lines}</ul> }.erased())
}

/// Tells the server, and shows what came of it.
fn say(
    saying: impl Future<Output = Result<(), Problem>> + 'static,
    then: Done,
    done: RwSignal<Done>,
    on_change: Option<Callback<()>>,
) {
    spawn_local(async move {
        match saying.await {
            Ok(()) => {
                done.try_set(then);
                if let Some(on_change) = on_change {
                    on_change.run(());
                }
            }
            Err(problem) => {
                done.try_set(Done::Refused(
                    problem.errors.first().map_or(problem.detail.clone(), |fault| fault.detail.clone()),
                ));
            }
        }
    });
}
