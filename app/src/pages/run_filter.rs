//! Which tests of a run are shown, as the address has it.

use super::tree::TestFilter;
use crate::domain::test::Outcome;
use crate::paths::Segment;
use crate::ui::{Erase, Glyph, Icon};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{query_signal_with_options, use_query_map};
use leptos_router::params::ParamsMap;

/// Reads an address; what is not understood counts as not said.
pub fn filter_of(query: &ParamsMap) -> TestFilter {
    let words = query.get_str("q").unwrap_or_default();
    TestFilter {
        outcome: query.get_str("show").and_then(Outcome::parse),
        words: words.split_whitespace().map(str::to_lowercase).collect(),
    }
}

/// The filter of this page's address.
pub fn use_test_filter() -> Memo<TestFilter> {
    let query = use_query_map();
    Memo::new(move |_| query.with(filter_of))
}

/// The query that shows one outcome, words and place in lists kept.
pub fn outcome_query(query: &ParamsMap, outcome: Option<Outcome>) -> String {
    let kept = ["q", "before"].into_iter().filter_map(|name| Some((name, query.get_str(name)?)));
    let shown = outcome.map(|outcome| ("show", outcome.as_str()));
    let parts: Vec<_> = kept.chain(shown).map(|(name, value)| format!("{name}={}", Segment(value))).collect();
    format!("?{}", parts.join("&"))
}

/// The field to search the tests of a run.
#[component]
pub fn TestSearch() -> impl IntoView {
    let replace = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
    let (words, set_words) = query_signal_with_options::<String>("q", replace);
    let on_input = move |event| {
        let words = event_target_value(&event);
        set_words.set((!words.is_empty()).then_some(words));
    };
    view! {
        <form class="filter" role="search" method="get">
            <label class="filter-box">
                <Icon glyph=Glyph::Search />
                <span class="unseen">"Filter tests"</span>
                <input
                    type="search"
                    name="q"
                    data-test="filter"
                    data-key="filter"
                    placeholder="Test, suite, tag or message"
                    autocomplete="off"
                    spellcheck="false"
                    value=words.get_untracked().unwrap_or_default()
                    on:input=on_input
                />
                <kbd>"/"</kbd>
            </label>
        </form>
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_joins_the_words_already_there() {
        let query = ParamsMap::from_iter([("q", "door bell"), ("show", "passed")]);
        assert_eq!(outcome_query(&query, Some(Outcome::Failed)), "?q=door%20bell&show=failed");
        assert_eq!(outcome_query(&query, None), "?q=door%20bell");
        assert_eq!(filter_of(&query).words, ["door", "bell"]);
    }
}
