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
use std::fs::{Permissions, set_permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

/// What the socket is called.
pub const SOCKET: &str = "socket";

/// Bytes that are taken at once.
const BODY_MOST: usize = 8 * 1024 * 1024;

struct Inner {
    office: Office,
    tells: Tells,
    was_heard: AtomicBool,
    was_ended: AtomicBool,
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
        let (was_heard, was_ended) = (AtomicBool::new(false), AtomicBool::new(false));
        let inner = Arc::new(Inner { office, tells, was_heard, was_ended });
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

    /// Ends the run where its listener could not: its programs are gone, so
    /// nothing will come any more.
    pub async fn end_run(&self, at: String) {
        let Inner { office, tells, was_heard, was_ended } = &*self.inner;
        if !was_heard.load(Ordering::Relaxed) || was_ended.load(Ordering::Relaxed) {
            return;
        }
        let mut event = Map::from_iter([("type".into(), json!("run.finished")), ("at".into(), json!(at))]);
        own(&mut event, tells);
        let line = Bytes::from(Value::Object(event).to_string());
        if let Err(error) = office.events(line).await {
            tracing::warn!(%error, "the run of a job that was cut off could not be ended");
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

/// The events of a body as lines, all of them the job's own.
fn owned(body: &[u8], tells: &Tells, ended: &AtomicBool) -> Option<Vec<u8>> {
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
        if event.get("type").is_some_and(|kind| kind == "run.finished") {
            ended.store(true, Ordering::Relaxed);
        }
        own(&mut event, tells);
        lines.extend(Value::Object(event).to_string().into_bytes());
        lines.push(b'\n');
    }
    Some(lines)
}

async fn events(State(inner): State<Arc<Inner>>, body: Bytes) -> Response {
    let Some(lines) = owned(&body, &inner.tells, &inner.was_ended) else {
        return (StatusCode::BAD_REQUEST, "these are no events").into_response();
    };
    inner.was_heard.store(true, Ordering::Relaxed);
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
        let ended = AtomicBool::new(false);
        let body = b"{\"type\":\"test.started\",\"setup\":\"other\",\"run\":\"r9\",\"project\":\"x\"}\n{\"type\":\"run.finished\"}\n";
        let lines = owned(body, &tells, &ended).expect("events");
        let lines: Vec<Value> =
            String::from_utf8_lossy(&lines).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for line in &lines {
            assert_eq!((&line["setup"], &line["run"], &line["project"]), (&json!("own"), &json!("r1"), &json!("p")));
        }
        assert!(ended.load(Ordering::Relaxed));
        assert!(owned(b"[1]", &tells, &ended).is_none() && owned(b"<x>", &tells, &ended).is_none());
        assert!(owned(br#"[{"type":"log"}]"#, &tells, &ended).is_some());
    }
}
