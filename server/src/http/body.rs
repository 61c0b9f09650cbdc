//! Bodies: bounded in size and time, unpacked where they are packed.

use super::problem::Refusal;
use app::domain::problem::{Problem, ProblemKind};
use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use futures::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use std::io::Read;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A body at most, unpacked.
pub const BODY_MAX: usize = 8 * 1024 * 1024;

/// A form at most.
const FORM_MAX: usize = 64 * 1024;

/// A body that has not arrived by then never will.
const ARRIVES_WITHIN: Duration = Duration::from_secs(30);

/// Of a refused body this much is read and thrown away, for this long: a
/// caller that still writes does not listen, and would see a broken connection
/// instead of our answer.
const DRAIN_MAX: usize = 256 * 1024 * 1024;
const DRAIN_FOR: Duration = Duration::from_secs(5);

fn too_large() -> Refusal {
    let mebibytes = BODY_MAX / 1024 / 1024;
    Refusal::new(
        ProblemKind::TooLarge,
        format!("a body may have at most {mebibytes} MiB unpacked; send the events in several requests"),
    )
}

/// Reads a body whole.
pub async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
    read_within(headers, body, (BODY_MAX, ARRIVES_WITHIN), too_large).await
}

/// Reads the body of a form whole.
pub async fn read_form(headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
    let too_large = || Refusal::new(ProblemKind::TooLarge, "a form has at most 64 KiB");
    read_within(headers, body, (FORM_MAX, ARRIVES_WITHIN), too_large).await
}

async fn read_within(
    headers: &HeaderMap,
    body: Body,
    (most, within): (usize, Duration),
    too_large: fn() -> Refusal,
) -> Result<Bytes, Refusal> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        drain(headers, body).await;
        return Err(too_large());
    }
    let mut chunks = body.into_data_stream();
    match tokio::time::timeout(within, collect(&mut chunks, most, too_large)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(refusal)) => {
            // It was told to send, whatever it had asked before.
            discard(chunks).await;
            Err(refusal)
        }
        Err(_) => {
            let seconds = within.as_secs();
            Err(Refusal::new(ProblemKind::TooSlow, format!("the body did not arrive within {seconds} seconds")))
        }
    }
}

/// Reads a body that is one JSON value.
pub async fn value<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Refusal> {
    let bytes = read(headers, body).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let detail = format!("the body is not what is wanted: {error}");
        Problem::new(ProblemKind::Malformed, detail.clone()).at("", detail).into()
    })
}

async fn collect(chunks: &mut BodyDataStream, most: usize, too_large: fn() -> Refusal) -> Result<Bytes, Refusal> {
    let cut_off = |_| Refusal::new(ProblemKind::Malformed, "the body ended before its time");
    let Some(first) = chunks.next().await.transpose().map_err(cut_off)? else { return Ok(Bytes::new()) };
    // Most bodies come in one piece, which is handed on as it is.
    let Some(second) = chunks.next().await.transpose().map_err(cut_off)? else {
        return if first.len() > most { Err(too_large()) } else { Ok(first) };
    };
    let mut whole = BytesMut::from(first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if whole.len() + chunk.len() > most {
            return Err(too_large());
        }
        whole.extend_from_slice(&chunk);
        next = chunks.next().await.transpose().map_err(cut_off)?;
    }
    Ok(whole.freeze())
}

/// Reads what is left of a body that is refused.
pub async fn drain(headers: &HeaderMap, body: Body) {
    // One who asked whether to send waits for our word, and sends nothing.
    if !headers.contains_key(header::EXPECT) {
        discard(body.into_data_stream()).await;
    }
}

/// Reads what is left of a body that was begun.
pub async fn discard(mut chunks: BodyDataStream) {
    let reading = async {
        let mut read = 0;
        while let Some(Ok(chunk)) = chunks.next().await {
            read += chunk.len();
            if read > DRAIN_MAX {
                break;
            }
        }
    };
    // Whether it ended or not, the answer is the same.
    let _ = tokio::time::timeout(DRAIN_FOR, reading).await;
}

/// A body of at most so many bytes has arrived with its head, or nearly so.
const SHORT: u64 = 64 * 1024;

/// The body of a request, while a handler reads it: what the handler leaves
/// of it can still be read.
pub struct Lent {
    chunks: Arc<Mutex<(BodyDataStream, bool)>>,
    waits_for_word: bool,
}

/// Lends the body of a request to its handler. `None` where it is so short that
/// nothing would be left of it.
pub fn lend(request: Request) -> (Request, Option<Lent>) {
    if request.body().size_hint().exact().is_some_and(|length| length <= SHORT) {
        return (request, None);
    }
    let (parts, body) = request.into_parts();
    let chunks = Arc::new(Mutex::new((body.into_data_stream(), false)));
    let lent = Lent { chunks: chunks.clone(), waits_for_word: parts.headers.contains_key(header::EXPECT) };
    let read = futures::stream::poll_fn(move |context| {
        let mut chunks = chunks.lock().unwrap_or_else(PoisonError::into_inner);
        chunks.1 = true;
        Pin::new(&mut chunks.0).poll_next(context)
    });
    (Request::from_parts(parts, Body::from_stream(read)), Some(lent))
}

impl Lent {
    /// Reads what was left of it by a handler that refused it.
    pub async fn discard(self) {
        let (chunks, was_begun) = {
            let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
            (std::mem::replace(&mut chunks.0, Body::empty().into_data_stream()), chunks.1)
        };
        // One who asked whether to send waits for our word, and sends nothing.
        if was_begun || !self.waits_for_word {
            discard(chunks).await;
        }
    }
}

/// Unpacks a gzip body, and stops where it grows beyond the bound.
pub fn gunzip(packed: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut unpacked = Vec::with_capacity((packed.len() * 8).min(BODY_MAX));
    let bound = BODY_MAX as u64 + 1;
    MultiGzDecoder::new(packed)
        .take(bound)
        .read_to_end(&mut unpacked)
        .map_err(|error| Refusal::new(ProblemKind::Malformed, format!("the body is not valid gzip: {error}")))?;
    if unpacked.len() > BODY_MAX { Err(too_large()) } else { Ok(unpacked) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    }

    #[test]
    fn a_bomb_is_defused() {
        let bomb = gzip(&vec![b'['; BODY_MAX + 1]);
        assert!(bomb.len() < 20_000);
        assert_eq!(gunzip(&bomb).expect_err("refused").into_response().status(), 413);
        assert_eq!(gunzip(&gzip(b"[]")).ok().as_deref(), Some(&b"[]"[..]));
        assert_eq!(gunzip(b"[]").expect_err("refused").into_response().status(), 400);
    }

    #[tokio::test]
    async fn a_form_is_small_and_does_not_drip() {
        let form = |length: usize| async move { read_form(&HeaderMap::new(), Body::from(vec![b'x'; length])).await };
        assert_eq!(form(FORM_MAX).await.map(|body| body.len()).ok(), Some(FORM_MAX));
        assert_eq!(form(FORM_MAX + 1).await.expect_err("refused").into_response().status(), 413);
        let drops = futures::stream::repeat_with(|| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok::<_, std::io::Error>(Bytes::from_static(b"x"))
        });
        let within = Duration::from_secs(3);
        let body = Body::from_stream(drops.buffered(1));
        let slow = read_within(&HeaderMap::new(), body, (FORM_MAX, within), too_large).await;
        assert_eq!(slow.expect_err("refused").into_response().status(), 408);
    }

    #[tokio::test]
    async fn a_body_in_pieces_is_joined_and_bounded() {
        let pieces = |n: usize| {
            Body::from_stream(futures::stream::iter(
                (0..n).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1 << 20]))),
            ))
        };
        let read_pieces = |n: usize| async move { read(&HeaderMap::new(), pieces(n)).await };
        assert_eq!(read_pieces(8).await.map(|body| body.len()).ok(), Some(BODY_MAX));
        assert!(read_pieces(9).await.is_err());
        assert_eq!(read_pieces(0).await.map(|body| body.len()).ok(), Some(0));
    }
}
