//! The frame of the plain pages: text for people, without any script.

use super::assets::Manifest;
use crate::service::Desk;
use app::domain::rights::{Action, Who};
use app::domain::time::Timestamp;
use app::format;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use std::fmt::{self, Display, Write};

/// Text as it may stand in HTML.
pub struct Escaped<T>(pub T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string().chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// A moment as people read it, as HTML: to the minute, and to the second where
/// somebody points at it.
pub fn when(at: Timestamp) -> String {
    format!("<time datetime=\"{}\" title=\"{}\">{}</time>", at.to_rfc3339(), format::utc_exact(at), format::utc(at))
}

/// Begins a table that can be moved sideways where the screen is narrower, also
/// with keys. `label` says what it lists, `test` is what tests know it by; a head
/// without words is no head.
pub fn begin_table(main: &mut String, label: &str, test: &str, heads: &[&str]) {
    let head =
        |head: &&str| if head.is_empty() { "<td></td>".to_owned() } else { format!("<th>{}</th>", Escaped(head)) };
    let heads: String = heads.iter().map(head).collect();
    let (label, test) = (Escaped(label), Escaped(test));
    let _ = write!(
        main,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\"><table data-test=\"{test}\">\
         <thead><tr>{heads}</tr></thead><tbody>"
    );
}

/// Ends it.
pub fn end_table(main: &mut String) {
    main.push_str("</tbody></table></div>");
}

/// The end of a page of something that can be deleted. The first press says what
/// goes with it, the second one deletes; it needs no script. `fields` is HTML,
/// the rest is text; `test` is what tests know the last button by.
pub fn deletion(address: &str, fields: &str, what: &str, goes: &str, test: &str) -> String {
    let (address, what, goes) = (Escaped(address), Escaped(what), Escaped(goes));
    format!(
        "<h2>Delete</h2><details class=\"confirm\"><summary class=\"button\">Delete {what} …</summary><p>{goes}</p>\
         <form method=\"post\" action=\"{address}\">{fields}<button class=\"button\" data-test=\"{test}\">Delete {what} for \
         good</button></form></details>"
    )
}

/// A document: `main` is its content, as HTML.
pub fn document(title: &str, main: &str) -> String {
    document_with(title, main, &[])
}

/// A document with scripts of this server, by their addresses.
pub fn document_with(title: &str, main: &str, scripts: &[&str]) -> String {
    framed(title, main, scripts, &ways("", ""))
}

/// Where people go every day.
const WAYS: &str = r#"<a href="/batches">Batches</a><a href="/builds">Builds</a><a href="/workers">Workers</a><a href="/plan">Plan</a>"#;

/// Where all may go, and few go often.
const MORE: &str = r#"<a href="/settings/schedules">Schedules</a><a href="/settings/reservations">Reservations</a><a href="/settings/walls">Walls</a><a href="/settings/notifications">Notifications</a>"#;

/// Where only those may go who let people in.
const WAYS_IN: &str = r#"<a href="/settings/repositories">Repositories</a><a href="/settings/people">People</a><a href="/settings/tokens">Tokens</a><a href="/settings/audit">Audit</a>"#;

/// For people who write programs.
const API: &str = r#"<a href="/redoc">Reference</a><a href="/docs">Try it</a>"#;

/// All ways. The rare ones open by a press, also without scripts.
fn ways(ways_in: &str, own: &str) -> String {
    format!(r#"{WAYS}<details class="more"><summary>More</summary><div>{MORE}{ways_in}{API}</div></details>{own}"#)
}

/// A document for who asks: it says who that is.
pub fn page(desk: &Desk, title: &str, main: &str) -> String {
    page_with(desk, title, main, &[])
}

/// The same, with scripts of this server.
pub fn page_with(desk: &Desk, title: &str, main: &str, scripts: &[&str]) -> String {
    let ways_in = if desk.allow(Action::Administer).is_ok() { WAYS_IN } else { "" };
    let own = match desk.who() {
        Who::Person(person) => {
            format!(r#"<a href="/settings/account" data-test="person">{}</a>"#, Escaped(&person.name))
        }
        _ => r#"<a href="/login" data-test="sign-in">Sign in</a>"#.to_owned(),
    };
    framed(title, main, scripts, &ways(ways_in, &own))
}

fn framed(title: &str, main: &str, scripts: &[&str], ways: &str) -> String {
    let scripts: String =
        scripts.iter().map(|script| format!(r#"<script src="{}" defer></script>"#, Escaped(script))).collect();
    let style = Manifest::read().css().map(|css| format!(r#"<link rel="stylesheet" href="/pkg/{}">"#, Escaped(css)));
    format!(
        r##"<!DOCTYPE html>
<html lang="en" data-theme="system">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{} · Holter</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
{}
{scripts}
</head>
<body>
<a class="skip-link" href="#main">Skip to the content</a>
<header class="masthead"><a class="brand" href="/">Holter</a><nav class="ways" aria-label="Pages">{ways}</nav></header>
<main id="main" class="prose">
{main}
</main>
</body>
</html>
"##,
        Escaped(title),
        style.unwrap_or_default()
    )
}

/// A document that the browser itself reads again after a while: no script is
/// needed.
pub fn respond_again(document: impl Into<Bytes>, seconds: u16) -> Response {
    let mut response = respond(document);
    response.headers_mut().insert("refresh", seconds.into());
    response
}

/// A document as a response.
pub fn respond(document: impl Into<Bytes>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], document.into()).into_response()
}
