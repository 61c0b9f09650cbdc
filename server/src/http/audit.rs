//! `/settings/audit`: who did what.

use super::extract::Query;
use super::html::{self, Escaped};
use super::problem::Refusal;
use crate::service::Desk;
use crate::service::audit::DEEDS_SHOWN;
use axum::response::Response;
use std::fmt::Write;

/// What was done, the newest first, a page at a time.
pub async fn page(desk: Desk, query: Query) -> Result<Response, Refusal> {
    let before = query.text("before").map(|text| text.parse().map_err(|_| Refusal::query("before", "is no deed")));
    let deeds = desk.deeds(before.transpose()?).await?;
    let mut main = String::from("<h1>Audit</h1><p>Who let somebody in or out, or changed what everybody sees.</p>");
    if deeds.is_empty() {
        main.push_str("<p>Nothing is written down here.</p>");
    } else {
        html::begin_table(&mut main, "Deeds", "deeds", &["When", "Who", "Did what", "How", "From"]);
        for deed in &deeds {
            let _ = write!(
                main,
                "<tr><td>{}</td><td>{}</td><td>{} {}</td><td>{}</td><td>{}</td></tr>",
                html::when(deed.at),
                Escaped(&deed.actor),
                Escaped(&deed.action),
                Escaped(&deed.subject),
                Escaped(deed.detail.as_deref().unwrap_or_default()),
                Escaped(deed.address.as_deref().unwrap_or_default()),
            );
        }
        html::end_table(&mut main);
    }
    if let Some(last) = deeds.last().filter(|_| deeds.len() == DEEDS_SHOWN as usize) {
        let _ = write!(main, "<p><a href=\"/settings/audit?before={}\" data-test=\"older\">Older</a></p>", last.id);
    }
    Ok(html::respond(html::page(&desk, "Audit", &main)))
}
