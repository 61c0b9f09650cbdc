//! Files of runs: sent in, listed and handed out.
//!
//! They come from strangers' tests, so none of them is ever shown as what a
//! browser would run: its type decides how it is shown (see `domain::file`),
//! and a policy of its own puts it in a sandbox.

use super::extract::{Query, RunInPath, no_run};
use super::json;
use super::problem::Refusal;
use super::wire::attachment::{AttachmentBody, AttachmentList};
use crate::files::Incoming;
use crate::intake::attachment::Belongs;
use crate::service::Desk;
use crate::service::desk::Caller;
use app::domain::file::{Attachment, Showing};
use app::domain::ids::RunId;
use app::domain::problem::ProblemKind;
use app::paths::Segment;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::TypedHeader;
use axum_extra::headers::Range as RangeHeader;
use futures::StreamExt;
use std::ops::{Bound, Range};
use std::time::Duration;

/// Silence in the middle of a file after which it is given up.
const PIECE_WITHIN: Duration = Duration::from_secs(30);

/// Suites nest no deeper; a longer list is refused by the reader of events.
const SUITES_READ: usize = 64;

/// The policy of a file that is looked at by itself.
const POLICY: &str =
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'";

/// Sends a file
///
/// A picture, a film, a log: the body is the file as it is. It belongs to a run, to a suite where one is named, or
/// to a test in it, and is shown there. The same file sent again for the same place changes nothing.
#[utoipa::path(
    post, path = "/api/v1/attachments", tag = "Events", operation_id = "sendAttachment", security(("token" = [])),
    params(
        ("setup" = Option<String>, Query, description = "Where the tests ran; needed unless the token is for one setup"),
        ("run" = String, Query, description = "The sender's own key of the run"),
        ("name" = String, Query, description = "What the file is called; folders before it are dropped"),
        ("project" = Option<String>, Query, description = "The product under test"),
        ("suite" = Option<Vec<String>>, Query, description = "The suite: names from the root, repeated"),
        ("test" = Option<String>, Query, description = "The test in it"),
        ("parameters" = Option<String>, Query, description = "What tells the test from its likes of the same name"),
        ("attempt" = Option<u32>, Query, description = "The attempt at the test, from 1"),
        ("step" = Option<String>, Query, description = "The step in which it came"),
        ("level" = Option<String>, Query, description = "How grave it is; `info` where nobody says"),
        ("message" = Option<String>, Query, description = "What is to be said about it"),
    ),
    request_body(content = String, content_type = "application/octet-stream", description = "The file; its content type says what it is, else its name"),
    responses((status = 200, description = "It is kept", body = AttachmentBody)),
)]
pub async fn post(desk: Desk, query: Query, request: Request) -> Result<Response, Refusal> {
    let caller = desk.caller()?;
    let belongs = belongs(&query, &caller)?;
    let name = query.text("name").ok_or_else(|| Refusal::query("name", "is missing: say what the file is called"))?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    let mut incoming = desk.begin_file();
    let mut pieces = request.into_body().into_data_stream();
    if let Err(refusal) = take_in(&mut incoming, &mut pieces).await {
        super::body::discard(pieces).await;
        return Err(refusal);
    }
    let kept = desk.keep_file(incoming).await?;
    // What a browser calls a form without a type, or a tool a file, says nothing.
    let kind = kind.filter(|kind| !kind.starts_with("application/x-www-form-urlencoded"));
    let file = desk.attach(&caller, &belongs, kept, name, kind.as_deref()).await?;
    Ok(json(&AttachmentBody::new(&file)))
}

/// Takes in what is left of a body.
pub async fn take_in(incoming: &mut Incoming, pieces: &mut BodyDataStream) -> Result<(), Refusal> {
    loop {
        let piece = tokio::time::timeout(PIECE_WITHIN, pieces.next()).await;
        let piece = piece.map_err(|_| Refusal::new(ProblemKind::TooSlow, "the file stopped in the middle"))?;
        let Some(piece) = piece else { return Ok(()) };
        let piece = piece.map_err(|_| Refusal::new(ProblemKind::Malformed, "the file ended before its time"))?;
        incoming.write(&piece).await.map_err(crate::service::Failure::from)?;
    }
}

fn belongs(query: &Query, caller: &Caller) -> Result<Belongs, Refusal> {
    let text = |name: &str| query.text(name).map(str::to_owned);
    let bound = caller.setup.as_ref().map(|setup| setup.as_str().to_owned());
    let needed = |name: &str, value: Option<String>| value.ok_or_else(|| Refusal::query(name, "is missing"));
    Ok(Belongs {
        setup: needed("setup", text("setup").or(bound))?,
        run: needed("run", text("run"))?,
        project: text("project"),
        suite: query.all("suite").take(SUITES_READ).map(str::to_owned).collect(),
        test: text("test"),
        parameters: text("parameters"),
        attempt: query.number("attempt")?,
        step: text("step"),
        level: text("level"),
        message: text("message"),
    })
}

/// The files of a run
///
/// In the order in which they came.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/attachments", tag = "Reads", operation_id = "listAttachments",
    params(("id" = String, Path, description = "The run's id")),
    responses((status = 200, description = "Its files", body = AttachmentList)),
)]
pub async fn list(desk: Desk, RunInPath(id): RunInPath) -> Result<Response, Refusal> {
    let files = desk.run_files(id).await?.ok_or_else(|| no_run(id))?;
    Ok(json(&AttachmentList::of(id, &files)))
}

/// A file of a run
///
/// Pictures, films, sounds and texts are shown; everything else is to be saved. `Range` is understood.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/attachments/{file}", tag = "Reads", operation_id = "getAttachment",
    params(
        ("id" = String, Path, description = "The run's id"),
        ("file" = String, Path, description = "The SHA-256 of the file's content"),
        ("save" = Option<String>, Query, description = "With any value: to be saved, whatever it is"),
    ),
    responses((status = 200, description = "The file", body = String, content_type = "application/octet-stream")),
)]
pub async fn one(
    desk: Desk,
    Path((run, file)): Path<(String, String)>,
    query: Query,
    range: Option<TypedHeader<RangeHeader>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let nothing = || Refusal::not_found("this run has no such file; /api/v1/runs/{id}/attachments lists its files");
    let run: RunId = run.parse().map_err(|_| no_run(&run))?;
    let file = file.parse().map_err(|_| nothing())?;
    let found = desk.run_file(run, file).await?.ok_or_else(nothing)?;
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag(&found).as_bytes());
    if is_known {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        describe(response.headers_mut(), &found, query.text("save").is_some());
        return Ok(response);
    }
    hand_out(&desk, &found, range.map(|TypedHeader(range)| range), query.text("save").is_some()).await
}

async fn hand_out(
    desk: &Desk,
    file: &Attachment,
    range: Option<RangeHeader>,
    to_save: bool,
) -> Result<Response, Refusal> {
    let whole = 0..file.size;
    let wanted = range.and_then(|range| part(&range, file.size));
    let mut response = match wanted {
        Some(None) => return Ok(unsatisfiable(file.size)),
        wanted => {
            let range = wanted.flatten().unwrap_or(whole.clone());
            let pieces = desk.file(file.file, range.clone()).await?;
            let gone = || Refusal::not_found("the content of this file is gone");
            let mut response = Body::from_stream(pieces.ok_or_else(gone)?).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
            if range != whole {
                let place = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), file.size);
                headers.extend(HeaderValue::try_from(place).map(|place| (header::CONTENT_RANGE, place)));
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            }
            response
        }
    };
    describe(response.headers_mut(), file, to_save);
    Ok(response)
}

/// The part that is asked for: `None` for all of it, as where several parts
/// are asked for; `Some(None)` where there is no such part.
fn part(range: &RangeHeader, size: u64) -> Option<Option<Range<u64>>> {
    let mut parts = range.satisfiable_ranges(size);
    let (first, second) = (parts.next(), parts.next());
    if second.is_some() {
        return None;
    }
    let Some((start, end)) = first else { return Some(None) };
    let start = match start {
        Bound::Included(start) => start,
        Bound::Excluded(start) => start + 1,
        Bound::Unbounded => 0,
    };
    let end = match end {
        Bound::Included(end) => end.saturating_add(1).min(size),
        Bound::Excluded(end) => end.min(size),
        Bound::Unbounded => size,
    };
    Some((start < end).then_some(start..end))
}

fn unsatisfiable(size: u64) -> Response {
    let place = format!("bytes */{size}");
    (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, place)]).into_response()
}

fn etag(file: &Attachment) -> String {
    format!("\"{}\"", file.file)
}

fn describe(headers: &mut HeaderMap, file: &Attachment, to_save: bool) {
    let showing = Showing::of(&file.media_type);
    let is_shown = showing != Showing::Save && !to_save;
    let disposition = format!(
        "{}; filename=\"{}\"; filename*=UTF-8''{}",
        if is_shown { "inline" } else { "attachment" },
        plain(&file.name),
        Segment(&file.name)
    );
    let told = [
        (header::CONTENT_TYPE, showing.served_as(&file.media_type).to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::ETAG, etag(file)),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        // The same address is the same bytes for ever.
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable".to_owned()),
        (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin".to_owned()),
    ];
    headers.extend(told.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?))));
}

/// A name for clients that know nothing beyond ASCII.
fn plain(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() && !"\"\\%".contains(c) || c == ' ';
    name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::domain::file::Digest;

    #[test]
    fn names_cannot_leave_their_header() {
        let mut headers = HeaderMap::new();
        let name = "a\"; x=\"\u{e4} b.html";
        let file = Attachment { file: Digest([0; 32]), name: name.into(), media_type: "text/html".into(), size: 0 };
        describe(&mut headers, &file, false);
        let disposition = headers[header::CONTENT_DISPOSITION].to_str().expect("plain");
        assert_eq!(
            disposition,
            "attachment; filename=\"a_; x=__ b.html\"; filename*=UTF-8''a%22%3B%20x%3D%22%C3%A4%20b.html"
        );
        assert_eq!(headers[header::CONTENT_TYPE], "text/html");
    }

    #[test]
    fn parts_are_within_the_file() {
        let part = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::try_from(text).expect("plain"));
            use axum_extra::headers::HeaderMapExt;
            part(&headers.typed_get::<RangeHeader>().expect("a range"), 10)
        };
        assert_eq!(part("bytes=2-4"), Some(Some(2..5)));
        assert_eq!(part("bytes=7-"), Some(Some(7..10)));
        assert_eq!(part("bytes=-3"), Some(Some(7..10)));
        assert_eq!(part("bytes=4-99"), Some(Some(4..10)));
        assert_eq!(part("bytes=10-"), Some(None));
        assert_eq!(part("bytes=0-1,4-5"), None);
    }
}
