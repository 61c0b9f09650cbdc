//! `GET /problems/{slug}`: what a problem's `type` leads to.

use super::extract::Segment;
use super::html::{self, Escaped};
use super::problem::Refusal;
use app::domain::problem::ProblemKind;
use axum::response::Response;

/// What a kind of problem means, and what to do about it.
pub const fn meaning(kind: ProblemKind) -> (&'static str, &'static str) {
    match kind {
        ProblemKind::Malformed => (
            "The body is not what its content type says: not JSON, not gzip, cut off, or empty.",
            "Compare the body with the content type. Several events are sent as an array, or as lines with application/x-ndjson.",
        ),
        ProblemKind::Unauthenticated => (
            "There was no token, or one that is not known, has expired or was revoked.",
            "Send Authorization: Bearer TOKEN. Make a token with: holter token create --scope ingest.",
        ),
        ProblemKind::Forbidden => (
            "The token is known, and may not do this: it is for another setup or project, or of another scope.",
            "Compare setup and project of the events with those of the token, or make one that fits.",
        ),
        ProblemKind::NotFound => (
            "There is nothing at this address.",
            "Compare the address with the reference. Names of setups are case-sensitive and percent-encoded.",
        ),
        ProblemKind::MethodNotAllowed => {
            ("The address is right, the method is not.", "The header Allow lists the methods that it takes.")
        }
        ProblemKind::Conflict => (
            "The request was right once, or will be: somebody else was quicker, or what it is about has moved on.",
            "Read how things stand now. A worker that is told so stops what it does: its results count for nothing.",
        ),
        ProblemKind::TooSlow => (
            "The body did not arrive in time.",
            "Send it again; where the line is slow, send fewer events at once, or pack them with gzip.",
        ),
        ProblemKind::TooLarge => (
            "The body is larger than 8 MiB unpacked, or holds more than 10,000 events.",
            "Send the events in several requests. Long texts may be cut: 64 KiB of a message are kept.",
        ),
        ProblemKind::Unsupported => (
            "The content type or the content encoding is not understood.",
            "Send application/json or application/x-ndjson, packed with gzip or not at all.",
        ),
        ProblemKind::Invalid => (
            "The request could be read, and a value in it cannot be. For events: every one of them is wrong.",
            "The list errors points at each fault. Nothing was recorded.",
        ),
        ProblemKind::RateLimited => {
            ("More requests came than are taken.", "Wait for as long as Retry-After says, then send again.")
        }
        ProblemKind::Internal => (
            "Something went wrong on the server's side.",
            "Send the request again later. The server's log knows it by the id in instance.",
        ),
        ProblemKind::Upstream => (
            "Another server, which this one had to ask, did not answer as it should.",
            "Look at that server, or try again later.",
        ),
        ProblemKind::Busy => (
            "The store or the queue before it takes nothing just now. Nothing of the request was recorded.",
            "Wait for as long as Retry-After says, then send the same again. With ids, nothing is counted twice.",
        ),
    }
}

/// Lists all problems.
pub async fn index() -> Response {
    let rows = ProblemKind::ALL.iter().map(|kind| {
        let (slug, status, title) = (kind.slug(), kind.status(), kind.title());
        format!("<tr><td>{status}</td><td><a href=\"/problems/{slug}\">{slug}</a></td><td>{}</td></tr>", Escaped(title))
    });
    let rows: String = rows.collect();
    let table = format!(
        "<table><thead><tr><th>Status</th><th>Type</th><th>Title</th></tr></thead><tbody>{rows}</tbody></table>"
    );
    html::respond(html::document("Problems", &format!("<h1>Problems</h1><p>Every refusal is one of these.</p>{table}")))
}

/// Explains one problem.
pub async fn one(Segment(slug): Segment) -> Result<Response, Refusal> {
    let kind = ProblemKind::ALL.iter().find(|kind| kind.slug() == slug);
    let kind = *kind.ok_or_else(|| Refusal::not_found("there is no such problem; /problems lists all of them"))?;
    let (meaning, remedy) = meaning(kind);
    let main = format!(
        "<p><a href=\"/problems\">Problems</a></p><h1>{}</h1><p>Status {}, type <code>/problems/{slug}</code></p>\
         <h2>What it means</h2><p>{}</p><h2>What to do</h2><p>{}</p>",
        Escaped(kind.title()),
        kind.status(),
        Escaped(meaning),
        Escaped(remedy)
    );
    Ok(html::respond(html::document(kind.title(), &main)))
}
