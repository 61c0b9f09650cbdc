//! What agents ask before they begin.

use super::refusal::Unwelcome;
use super::{Admitted, ok};
use axum::response::{Redirect, Response};
use serde_json::{Value, json};

/// The version of ReportPortal that is answered: from 5.13.2 on agents tell
/// microseconds, before it milliseconds, and steps lose their order.
const VERSION: &str = "5.15.1";

/// The version, and that nobody collects statistics here. Asked for without a
/// key too.
pub async fn info() -> Response {
    ok(&json!({
        "build": { "version": VERSION, "name": "API Service", "description": "Holter" },
        "environment": {},
        "extensions": { "result": { "server.details.instance": "holter", "server.analytics.all": "false" } },
    }))
}

/// A person follows a link that an agent printed. What it named stands after
/// the `#`, which browsers keep to themselves.
pub async fn ui() -> Redirect {
    Redirect::to("/")
}

/// Kinds of defects: the ones that a new project of ReportPortal has.
pub async fn settings(_: Admitted) -> Result<Response, Unwelcome> {
    let kinds = [
        ("TO_INVESTIGATE", "ti001", "To Investigate", "TI", "#ffb743"),
        ("AUTOMATION_BUG", "ab001", "Automation Bug", "AB", "#f7d63e"),
        ("PRODUCT_BUG", "pb001", "Product Bug", "PB", "#ec3900"),
        ("NO_DEFECT", "nd001", "No Defect", "ND", "#777777"),
        ("SYSTEM_ISSUE", "si001", "System Issue", "SI", "#0274d1"),
    ];
    let mut groups = serde_json::Map::new();
    for (number, (group, locator, long, short, color)) in (1..).zip(kinds) {
        let kind: Value = json!([{
            "id": number, "locator": locator, "typeRef": group, "longName": long, "shortName": short, "color": color,
        }]);
        groups.insert(group.into(), kind);
    }
    Ok(ok(&json!({ "project": 1, "subTypes": groups })))
}
