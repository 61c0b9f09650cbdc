//! Log lines: one, several, or a batch with files.

use super::refusal::Unwelcome;
use super::{Admitted, created};
use crate::clock::new_id;
use crate::files::Incoming;
use crate::http::{Door, body};
use crate::intake::report_portal::multipart::{self, Batch, Scanner};
use crate::intake::report_portal::words::{Attached, Body as Words, LogLine, json};
use crate::service::files::Kept;
use crate::service::output::attachment_of;
use crate::service::{Failure, Service};
use app::domain::problem::{Problem, ProblemKind};
use app::domain::time::Timestamp;
use axum::body::{Body, BodyDataStream};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;

/// A batch at most, files and all.
const BATCH_MAX: u64 = 256 * 1024 * 1024;

/// Silence in the middle of a batch after which it is given up.
const PIECE_WITHIN: Duration = Duration::from_secs(30);

/// Lines in one request.
const LINES_MAX: usize = 10_000;

/// Keeps log lines.
pub async fn post(State(door): State<Door>, request: Request) -> Result<Response, Unwelcome> {
    let (mut parts, body) = request.into_parts();
    let by = match Admitted::from_request_parts(&mut parts, &door).await {
        Ok(by) => by,
        Err(unwelcome) => {
            body::drain(&parts.headers, body).await;
            return Err(unwelcome);
        }
    };
    let now = door.service.now();
    let (lines, is_batch) = match batch_boundary(&parts.headers)? {
        None => read(json(&body::read(&parts.headers, body).await?)?, &mut Gathered::default(), now)?,
        Some(boundary) => {
            let mut gathered = gather(&door.service, &boundary, body).await?;
            let lines = std::mem::take(&mut gathered.batch.lines);
            let (lines, _) = read(json(&lines)?, &mut gathered, now)?;
            (lines, true)
        }
    };
    let ids: Vec<_> = lines.iter().map(|(id, _)| json!({ "id": id })).collect();
    by.agent.log(lines).await?;
    Ok(created(&match ids.as_slice() {
        [only] if !is_batch => only.clone(),
        all => json!({ "responses": all }),
    }))
}

fn batch_boundary(headers: &HeaderMap) -> Result<Option<String>, Unwelcome> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_batch = kind.trim_start().to_ascii_lowercase().starts_with("multipart/");
    Ok(if is_batch { Some(multipart::boundary(kind)?) } else { None })
}

/// A batch and what became of its files, by their numbers.
#[derive(Default)]
struct Gathered {
    batch: Batch,
    kept: Vec<Result<Kept, String>>,
}

impl Gathered {
    /// The file of a line.
    fn take(&mut self, name: &str) -> Option<Attached> {
        let file = self.batch.take(name)?;
        Some(match self.kept.get(file.number)? {
            Ok(kept) => Attached::Kept(attachment_of(*kept, name, file.kind.as_deref())),
            Err(why) => Attached::Lost(why.clone()),
        })
    }
}

/// Files on their way in. One that cannot be kept costs neither its line nor
/// anything beside it.
struct Files<'a> {
    service: &'a Service,
    incoming: Vec<Result<Incoming, String>>,
}

impl Files<'_> {
    async fn take(&mut self, number: usize, bytes: &[u8]) {
        if number == self.incoming.len() {
            self.incoming.push(Ok(self.service.begin_file()));
        }
        let Some(file) = self.incoming.get_mut(number) else { return };
        let Ok(incoming) = file else { return };
        if let Err(error) = incoming.write(bytes).await {
            *file = Err(lost(error.into()));
        }
    }

    async fn keep(self) -> Vec<Result<Kept, String>> {
        let mut kept = Vec::with_capacity(self.incoming.len());
        for file in self.incoming {
            kept.push(match file {
                Ok(incoming) => self.service.keep_file(incoming).await.map_err(lost),
                Err(why) => Err(why),
            });
        }
        kept
    }
}

/// Why a file is not kept, for people.
fn lost(failure: Failure) -> String {
    Problem::from(failure).detail
}

/// Reads a batch piece by piece: its lines stay in memory, its files do not.
async fn gather(service: &Service, boundary: &str, body: Body) -> Result<Gathered, Unwelcome> {
    let mut scanner = Scanner::new(boundary);
    let mut files = Files { service, incoming: Vec::new() };
    let mut pieces = body.into_data_stream();
    if let Err(unwelcome) = feed(&mut scanner, &mut files, &mut pieces).await {
        // Who still writes would see a broken connection instead of our answer.
        body::discard(pieces).await;
        return Err(unwelcome);
    }
    Ok(Gathered { batch: scanner.end()?, kept: files.keep().await })
}

async fn feed(scanner: &mut Scanner, files: &mut Files<'_>, pieces: &mut BodyDataStream) -> Result<(), Unwelcome> {
    let mut size = 0;
    loop {
        let piece = tokio::time::timeout(PIECE_WITHIN, pieces.next()).await;
        let piece = piece.map_err(|_| Problem::new(ProblemKind::TooSlow, "the batch stopped in the middle"))?;
        let Some(piece) = piece else { return Ok(()) };
        let piece = piece.map_err(|_| Problem::new(ProblemKind::Malformed, "the batch ended before its time"))?;
        size += piece.len() as u64;
        if size > BATCH_MAX {
            let mebibytes = BATCH_MAX / 1024 / 1024;
            return Err(Problem::new(ProblemKind::TooLarge, format!("a batch may have {mebibytes} MiB")).into());
        }
        scanner.feed(&piece)?;
        for (number, bytes) in scanner.fresh() {
            files.take(number, &bytes).await;
        }
    }
}

/// The lines of a body with their ids, and whether they came as a list.
fn read(value: Value, gathered: &mut Gathered, now: Timestamp) -> Result<(Vec<(String, LogLine)>, bool), Unwelcome> {
    let (values, is_list) = match value {
        Value::Array(values) => (values, true),
        one => (vec![one], false),
    };
    if values.len() > LINES_MAX {
        return Err(Unwelcome::incorrect(format!("a request carries at most {LINES_MAX} log lines")));
    }
    let line = |value| {
        let mut line = LogLine::read(&Words::of(value)?, now)?;
        line.attached = line.file.as_deref().and_then(|name| gathered.take(name));
        let id = line.uuid.as_deref().map_or_else(|| new_id().to_string(), str::to_owned);
        Ok((id, line))
    };
    values.into_iter().map(line).collect::<Result<_, Unwelcome>>().map(|lines| (lines, is_list))
}
