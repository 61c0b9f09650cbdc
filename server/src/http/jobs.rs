//! Jobs, for who wants to see what runs: where they stand, also live.

use super::extract::{Query, Segment};
use super::json;
use super::problem::Refusal;
use super::sse::{self, BEAT_EVERY, COMMENT, Frames};
use super::wire::work::JobBody;
use super::work::{job_named, no_job};
use super::{Door, body};
use crate::service::job_log::LogPart;
use crate::service::{Desk, Failure};
use app::domain::ids::JobId;
use app::domain::problem::Problem;
use app::domain::rights::Action;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, sleep, sleep_until};

/// A stream sends so much of a log at once: a page that is slow gets it piece
/// by piece, as it takes them.
const TEXT_AT_ONCE: usize = 128 * 1024;

/// Bytes of a letter.
const LETTER_MOST: usize = 4;

/// Growth of a log is told at most this often.
const CHANGE_EVERY: Duration = Duration::from_millis(50);

/// After the store refused, it is asked again this often.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// Tells about a job
#[utoipa::path(
    get, path = "/api/v1/jobs/{job}", tag = "Work", operation_id = "getJob",
    params(("job" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The job", body = JobBody)),
)]
pub async fn one(desk: Desk, Segment(job): Segment) -> Result<Response, Refusal> {
    let row = desk.job(job_named(&job)?).await?.ok_or_else(|| no_job(&job))?;
    Ok(json(&JobBody::from(&row)))
}

/// Ends a job
///
/// One that waits is over at once; one that runs is stopped by its worker. Needs a token of scope `admin`.
#[utoipa::path(
    post, path = "/api/v1/jobs/{job}/cancel", tag = "Work", operation_id = "cancelJob", security(("token" = [])),
    params(("job" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The job", body = JobBody)),
)]
pub async fn cancel(desk: Desk, Segment(job): Segment, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    body::drain(&headers, body).await;
    let id = job_named(&job)?;
    desk.cancel_job(id, &format!("cancelled by {}", desk.asker_name())).await?;
    let row = desk.job(id).await?.ok_or_else(|| no_job(&job))?;
    Ok(json(&JobBody::from(&row)))
}

/// `GET /live/jobs/{id}?from=`: how a job stands and what it puts out.
///
/// Events are `job` (how it stands), `log` (text, and where it ends) and
/// `over`, after which nothing comes.
pub async fn live(
    State(door): State<Door>,
    desk: Desk,
    Segment(job): Segment,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let id = job_named(&job)?;
    // Subscribed before the job is read.
    let rings = desk.bus().jobs();
    let row = desk.job(id).await?.ok_or_else(|| no_job(&job))?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let from = last.or(query.number("from")?).unwrap_or(0);
    let attempt = row.job.attempt;
    let follow = Follow {
        door,
        desk: desk.clone(),
        id,
        rings,
        attempt,
        from,
        read: LogPart::default(),
        told: String::new(),
        is_over: false,
        looked: Instant::now(),
    };
    Ok(sse::respond(desk, Action::Read, follow))
}

struct Follow {
    door: Door,
    desk: Desk,
    id: JobId,
    rings: broadcast::Receiver<JobId>,
    attempt: u32,
    from: u64,
    /// What was read of the log and is still to be told: it was unpacked in one.
    read: LogPart,
    /// How the job stood when it was last told.
    told: String,
    is_over: bool,
    looked: Instant,
}

impl Follow {
    /// The next thing to tell, if there is one now.
    async fn news(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(row) = self.desk.job(self.id).await? else {
            self.is_over = true;
            return Ok(None);
        };
        if row.job.attempt != self.attempt {
            (self.attempt, self.from, self.read) = (row.job.attempt, 0, LogPart::default());
        }
        let stands = serde_json::to_string(&JobBody::from(&row)).unwrap_or_default();
        if stands != self.told && !row.job.is_over() {
            self.told = stands;
            return Ok(Some(self.frame("job", &self.told)));
        }
        // Fewer bytes may be the beginning of a letter, whose rest is in the store.
        if self.rest().len() < LETTER_MOST {
            self.read = self.desk.job_log(self.id, Some(self.attempt), self.from).await?;
        }
        if let Some(text) = self.text() {
            return Ok(Some(text));
        }
        // All that it put out was told before it is said to be over.
        if row.job.is_over() {
            self.is_over = true;
            return Ok(Some(self.frame("over", &stands)));
        }
        Ok(None)
    }

    /// What was read and is still to be told.
    fn rest(&self) -> &[u8] {
        let told = self.from.checked_sub(self.read.start).and_then(|told| usize::try_from(told).ok());
        told.and_then(|told| self.read.text.get(told..)).unwrap_or_default()
    }

    /// The next text of what was read, if something of it is left.
    fn text(&mut self) -> Option<Bytes> {
        let (start, rest) = (self.from, self.rest());
        let text = whole(&rest[..rest.len().min(TEXT_AT_ONCE)]);
        if text.is_empty() {
            return None;
        }
        let end = start + text.len() as u64;
        let said = serde_json::json!({
            "start": start, "end": end, "attempt": self.attempt, "text": String::from_utf8_lossy(text),
        });
        self.from = end;
        Some(self.frame("log", &said.to_string()))
    }

    fn frame(&self, event: &str, json: &str) -> Bytes {
        sse::frame(self.from.cast_signed(), event, json).into()
    }

    /// Waits until something may be new.
    async fn changed(&mut self) -> Option<()> {
        loop {
            match self.rings.recv().await {
                Ok(id) if id == self.id => break,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return None,
            }
        }
        sleep_until(self.looked + CHANGE_EVERY).await;
        self.rings = self.rings.resubscribe();
        Some(())
    }
}

/// The text without a letter that was cut at its end, unless it is nothing else.
fn whole(text: &[u8]) -> &[u8] {
    let cut = (1..=3.min(text.len())).find(|back| text[text.len() - back] & 0b1100_0000 == 0b1100_0000);
    match cut {
        Some(back) if std::str::from_utf8(&text[text.len() - back..]).is_err() && back < text.len() => {
            &text[..text.len() - back]
        }
        _ => text,
    }
}

impl Frames for Follow {
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        let stop = self.door.stop.clone();
        let beat_at = Instant::now() + BEAT_EVERY;
        loop {
            self.looked = Instant::now();
            match self.news().await {
                Ok(Some(frame)) => return Some(frame),
                Ok(None) if self.is_over => return None,
                Ok(None) => {}
                Err(failure) => {
                    // It becomes a problem only to be said in the log.
                    drop(Problem::from(failure));
                    tokio::select! {
                        () = stop.cancelled() => return None,
                        () = sleep(RETRY_EVERY) => continue,
                    }
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                changed = self.changed() => changed?,
                // Also looks again, for what another server was told.
                () = sleep(RETRY_EVERY * 2) => {
                    if Instant::now() >= beat_at {
                        return Some(COMMENT);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn letters_are_not_cut() {
        let text = "aä€😀".as_bytes();
        for cut in 1..text.len() {
            let kept = whole(&text[..cut]);
            assert!(std::str::from_utf8(kept).is_ok(), "{cut}");
        }
        assert_eq!(whole(text), text);
        assert_eq!(whole(b"\xe2"), b"\xe2", "what is no text goes on all the same");
        assert_eq!(whole(b""), b"");
    }
}
