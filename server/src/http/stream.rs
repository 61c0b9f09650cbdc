//! `GET /api/v1/stream`: the event log, live, for everybody.

use super::Door;
use super::extract::Query;
use super::problem::Refusal;
use super::sse::{self, BEAT_EVERY, COMMENT, Frames};
use crate::service::log::LogEntry;
use crate::service::{Desk, Failure};
use app::domain::name::tidy;
use app::domain::problem::Problem;
use app::domain::rights::Action;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::time::Duration;
use tokio::sync::watch;

/// Events that are read at once.
const PAGE: u32 = 500;

/// After news this passes before the log is read, so that a busy log is read
/// in pages and not event by event.
const GATHER: Duration = Duration::from_millis(25);

/// After the store refused, it is asked again this often.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// Streams the event log
///
/// Server-sent events. `id` is the event's number in the log, `event` its type, `data` a JSON object
/// `{"seq", "received_at", "late", "event"}` with the event as it was sent. The stream begins after
/// `Last-Event-ID`, else after `after`, else with what comes from now on; `after=0` replays everything
/// that is kept. A comment every 15 seconds shows that it is alive.
#[utoipa::path(
    get, path = "/api/v1/stream", tag = "Events", operation_id = "streamEvents",
    params(
        ("after" = Option<i64>, Query, description = "Begin after this number"),
        ("Last-Event-ID" = Option<i64>, Header, description = "Begin after this number; browsers send it by themselves when they reconnect"),
    ),
    responses((status = 200, description = "The stream", body = String, content_type = "text/event-stream")),
)]
pub async fn get(State(door): State<Door>, desk: Desk, headers: HeaderMap, query: Query) -> Result<Response, Refusal> {
    desk.allow(Action::Read)?;
    let log = desk.bus().log();
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let after = match last {
        Some(last) => last,
        None => match query.number("after")? {
            Some(after) => after,
            None => desk.log_end().await?,
        },
    };
    let frames = Log { door, desk: desk.clone(), log, after, is_at_end: false, has_begun: false };
    Ok(sse::respond(desk, Action::Read, frames))
}

struct Log {
    door: Door,
    desk: Desk,
    log: watch::Receiver<u64>,
    after: i64,
    is_at_end: bool,
    has_begun: bool,
}

/// The `type` of an event, wherever it stands in its text.
#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

fn write(entry: &LogEntry) -> String {
    let kind = serde_json::from_str::<Typed<'_>>(&entry.body).map(|typed| tidy(&typed.kind, 100));
    let body: Cow<'_, str> = match serde_json::from_str::<&RawValue>(&entry.body) {
        Ok(_) => (&*entry.body).into(),
        // From a foreign report: its text is carried as text.
        Err(_) => serde_json::Value::from(&*entry.body).to_string().into(),
    };
    let data = format!(
        r#"{{"seq":{},"received_at":"{}","late":{},"event":{body}}}"#,
        entry.seq,
        entry.received_at.to_rfc3339(),
        entry.late
    );
    sse::frame(entry.seq, kind.as_deref().unwrap_or("unknown"), &data)
}

impl Log {
    async fn page(&mut self) -> Result<Option<Bytes>, Failure> {
        let entries = self.desk.log_after(self.after, PAGE).await?;
        self.is_at_end = entries.len() < PAGE as usize;
        let Some(last) = entries.last() else { return Ok(None) };
        self.after = last.seq;
        Ok(Some(entries.iter().map(write).collect::<String>().into()))
    }

    /// Waits for news; a frame if there are none for too long.
    async fn wait(&mut self) -> Option<Bytes> {
        match tokio::time::timeout(BEAT_EVERY, self.log.changed()).await {
            Ok(_) => {
                tokio::time::sleep(GATHER).await;
                self.is_at_end = false;
                None
            }
            Err(_) => Some(COMMENT),
        }
    }

    async fn step(&mut self) -> Bytes {
        loop {
            if self.is_at_end {
                if let Some(comment) = self.wait().await {
                    return comment;
                }
                continue;
            }
            self.log.mark_unchanged();
            match self.page().await {
                Ok(Some(page)) => return page,
                Ok(None) => {}
                Err(failure) => {
                    // It becomes a problem only to be said in the log.
                    drop(Problem::from(failure));
                    tokio::time::sleep(RETRY_EVERY).await;
                }
            }
        }
    }
}

impl Frames for Log {
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.has_begun, true) {
            // Lets callers know at once that they are connected.
            return Some(COMMENT);
        }
        let stop = self.door.stop.clone();
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            frame = self.step() => Some(frame),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::domain::time::Timestamp;

    #[test]
    fn an_event_of_many_lines_is_one_frame() {
        let body = "{\n  \"at\": 0,\r\n  \"type\": \"log\"\n}".to_owned();
        let entry = LogEntry { seq: 7, body: body.into(), received_at: Timestamp(0), late: false };
        let frame = write(&entry);
        assert!(frame.starts_with("id: 7\nevent: log\ndata: {\"seq\":7,") && frame.ends_with("}}\n\n"), "{frame}");
        assert_eq!(frame.lines().count(), 4);
        let foreign = LogEntry { body: "<xml>\n".into(), ..entry };
        assert!(write(&foreign).contains(r#""event":"<xml>\n"}"#));
    }
}
