//! The way of a job's listeners to the server: a socket in its folder.
//!
//! A job needs no network for it and is given no token. Whatever its listeners
//! say is said of the job's own setup and run, so tests cannot write into the
//! results of others.

use super::office::{Office, OfficeError};
use app::domain::job::Tells;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs::{Permissions, set_permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

/// What the socket is called.
pub const SOCKET: &str = "socket";

/// Bytes that are taken at once.
const BODY_MOST: usize = 8 * 1024 * 1024;

/// Open shards that are remembered. A job may name as many as it likes, and this
/// is memory of its worker.
const OPEN_MOST: usize = 10_000;

struct Inner {
    office: Office,
    tells: Mutex<Tells>,
    heard: Mutex<Heard>,
}

impl Inner {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tells(&self) -> Tells {
        self.tells.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What the listeners have said of the run.
#[derive(Debug, Default)]
struct Heard {
    /// Anything.
    is_begun: bool,
    /// Shards that began and have not ended.
    open: BTreeSet<u64>,
    /// The last word of an end.
    ended_at: Option<Value>,
}

impl Heard {
    fn hear(&mut self, event: &Map<String, Value>) {
        self.is_begun = true;
        let shard = event.get("shard").and_then(Value::as_u64);
        match (event.get("type").and_then(Value::as_str), shard) {
            (Some("run.started"), Some(shard)) if self.open.len() < OPEN_MOST => drop(self.open.insert(shard)),
            (Some("run.finished"), shard) => {
                if let Some(shard) = shard {
                    self.open.remove(&shard);
                }
                self.ended_at = event.get("at").cloned();
            }
            _ => {}
        }
    }

    /// What is left to be said once all programs are gone: nothing follows, and
    /// whatever did not end was cut off.
    fn rest(self, now: String) -> Vec<Map<String, Value>> {
        if !self.is_begun {
            return Vec::new();
        }
        let end = |at: Value| Map::from_iter([("type".to_owned(), json!("run.finished")), ("at".to_owned(), at)]);
        let cut_off = |shard: &u64| {
            let mut event = end(json!(now));
            event.extend([("shard".to_owned(), json!(shard)), ("aborted".to_owned(), json!(true))]);
            event
        };
        let at = self.ended_at.filter(|_| self.open.is_empty()).unwrap_or_else(|| json!(now));
        self.open.iter().map(cut_off).chain([end(at)]).collect()
    }
}

/// The way to the server, for as long as this lives.
pub struct Relay {
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// Opens it in a folder. Whoever may enter the folder may speak.
    pub fn open(folder: &Path, office: Office, tells: Tells) -> io::Result<Self> {
        let socket = folder.join(SOCKET);
        let listener = UnixListener::bind(&socket)?;
        set_permissions(&socket, Permissions::from_mode(0o666))?;
        let inner = Arc::new(Inner { office, tells: Mutex::new(tells), heard: Mutex::default() });
        let routes = Router::new()
            .route("/api/v1/events", post(events))
            .layer(DefaultBodyLimit::max(BODY_MOST))
            .with_state(inner.clone());
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::warn!(%error, "the way of a job's listeners ended");
            }
        });
        Ok(Self { inner, task })
    }

    /// What is said from now on is said of this run. The one before it has ended,
    /// with all its programs.
    pub fn turn(&self, tells: Tells) {
        *self.inner.tells.lock().unwrap_or_else(PoisonError::into_inner) = tells;
    }

    /// Whether anything was told of the run.
    pub fn is_begun(&self) -> bool {
        self.inner.heard().is_begun
    }

    /// Ends the run as a whole: its programs are gone, so nothing will come any
    /// more, from those that were counted or not.
    pub async fn end_run(&self, now: String) {
        let heard = std::mem::take(&mut *self.inner.heard());
        let (mut lines, tells) = (Vec::new(), self.inner.tells());
        for mut event in heard.rest(now) {
            own(&mut event, &tells);
            say(&mut lines, event);
        }
        if !lines.is_empty()
            && let Err(error) = self.inner.office.events(lines.into()).await
        {
            tracing::warn!(%error, "the run of a job could not be ended");
        }
    }
}

fn own(event: &mut Map<String, Value>, tells: &Tells) {
    event.insert("setup".into(), json!(tells.setup));
    event.insert("run".into(), json!(tells.run));
    if let Some(project) = &tells.project {
        event.insert("project".into(), json!(project));
    }
}

fn say(lines: &mut Vec<u8>, event: Map<String, Value>) {
    lines.extend(Value::Object(event).to_string().into_bytes());
    lines.push(b'\n');
}

/// The events of a body as lines, all of them the job's own.
fn owned(body: &[u8], tells: &Tells, heard: &mut Heard) -> Option<Vec<u8>> {
    let values: Vec<Value> = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Array(values)) => values,
        Ok(value) => vec![value],
        Err(_) => {
            let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
            lines.map(serde_json::from_slice).collect::<Result<_, _>>().ok()?
        }
    };
    let mut lines = Vec::with_capacity(body.len() + 64 * values.len());
    for value in values {
        let Value::Object(mut event) = value else { return None };
        heard.hear(&event);
        own(&mut event, tells);
        say(&mut lines, event);
    }
    Some(lines)
}

async fn events(State(inner): State<Arc<Inner>>, body: Bytes) -> Response {
    let lines = owned(&body, &inner.tells(), &mut inner.heard());
    let Some(lines) = lines else {
        return (StatusCode::BAD_REQUEST, "these are no events").into_response();
    };
    match inner.office.events(lines.into()).await {
        Ok(answer) => (answer.status, [(header::CONTENT_TYPE, "application/json")], answer.body).into_response(),
        Err(OfficeError::Away(_)) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_speaks_for_itself_alone() {
        let tells = Tells { setup: "own".into(), run: "r1".into(), project: Some("p".into()), ..Tells::default() };
        let mut heard = Heard::default();
        let body = b"{\"type\":\"test.started\",\"setup\":\"other\",\"run\":\"r9\",\"project\":\"x\"}\n{\"type\":\"run.finished\"}\n";
        let lines = owned(body, &tells, &mut heard).expect("events");
        let lines: Vec<Value> =
            String::from_utf8_lossy(&lines).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for line in &lines {
            assert_eq!((&line["setup"], &line["run"], &line["project"]), (&json!("own"), &json!("r1"), &json!("p")));
        }
        assert!(heard.is_begun && heard.ended_at.is_none());
        assert!(owned(b"[1]", &tells, &mut heard).is_none() && owned(b"<x>", &tells, &mut heard).is_none());
        assert!(owned(br#"[{"type":"log"}]"#, &tells, &mut heard).is_some());
    }

    #[test]
    fn what_did_not_end_by_itself_was_cut_off() {
        let rest = |lines: &str| {
            let mut heard = Heard::default();
            owned(lines.as_bytes(), &Tells::default(), &mut heard).expect("events");
            heard.rest("now".into()).into_iter().map(|event| Value::Object(event).to_string()).collect::<Vec<_>>()
        };
        assert!(rest("").is_empty());
        let whole = |at: &str| format!(r#"{{"at":"{at}","type":"run.finished"}}"#);
        assert_eq!(rest(r#"{"type":"test.started"}"#), [whole("now")]);
        let first = r#"{"type":"run.started","shard":7}"#;
        assert_eq!(rest(&format!("{first}\n{}", r#"{"type":"run.finished","shard":7,"at":"then"}"#)), [whole("then")]);
        let cut_off = r#"{"aborted":true,"at":"now","shard":7,"type":"run.finished"}"#;
        assert_eq!(rest(first), [cut_off.to_owned(), whole("now")]);
    }
}
