//! A script with line numbers, colours and one line marked.

use super::erase::Erase;
use crate::highlight::{Kind, Language, highlight};
use leptos::prelude::*;

/// The text of a script.
#[component]
pub fn ScriptText(
    /// The text.
    #[prop(into)]
    text: String,
    /// The file it comes from, which tells its language.
    #[prop(optional_no_strip)]
    source: Option<String>,
    /// The line to mark, from 1.
    #[prop(optional_no_strip)]
    line: Option<u32>,
) -> impl IntoView {
    let language = Language::of(source.as_deref(), &text);
    let lines = highlight(language, &text)
        .into_iter()
        .zip(1_u32..)
        .map(|(pieces, number)| {
            let pieces = pieces
                .into_iter()
                .map(|(kind, piece)| match kind {
                    Kind::Plain => piece.to_owned().into_any(),
                    kind => view! { <span data-kind=kind.as_str()>{piece.to_owned()}</span> }.erased(),
                })
                .collect_view();
            let is_marked = line == Some(number);
            view! {
                <li data-marked=is_marked.to_string() aria-current=is_marked.then_some("true")>
                    <code>{pieces}</code>
                </li>
            }
            .erased()
        })
        .collect_view();
    view! { <ol class="script" data-test="script" tabindex="0">{lines}</ol> }.erased()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_test_is_marked() {
        let html = Owner::new()
            .with(|| view! { <ScriptText text="*** Test Cases ***\nOpens" source=None line=Some(2) /> }.to_html())
            // Markers between views are of no interest here.
            .replace("<!>", "");
        assert!(html.contains(r#"data-marked="true""#), "{html}");
        assert!(html.contains(r#"<span data-kind="name">Opens</span>"#), "{html}");
    }
}
