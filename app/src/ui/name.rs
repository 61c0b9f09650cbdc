//! Names that are wider than their column.

use leptos::prelude::*;

/// What joins the words of a name that has no spaces.
const JOINTS: [char; 5] = ['_', '.', '/', ':', '-'];

/// A name that may go on in the next line after each of its joints. Marks of
/// HTML and not of the text, so that whoever copies the name gets the name.
pub fn breakable(name: &str) -> AnyView {
    let parts = name.split_inclusive(JOINTS).map(|part| view! { {part.to_owned()}<wbr /> }.into_any());
    parts.collect::<Vec<_>>().into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_name_breaks_after_its_joints_and_stays_as_it_is() {
        let html = breakable("api/test_refunds.py").to_html();
        assert_eq!(html.matches("<wbr>").count(), 4, "{html}");
        let text = html.replace("<wbr>", "").replace("<!>", "");
        assert_eq!(text, "api/test_refunds.py");
    }
}
