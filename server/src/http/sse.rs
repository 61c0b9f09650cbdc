//! Server-sent events as plain frames of bytes: no builder, no copy.

use crate::service::Desk;
use app::domain::rights::Action;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

/// Says nothing, and shows every proxy on the way that the stream is alive.
pub const COMMENT: Bytes = Bytes::from_static(b": alive\n\n");

/// How often a stream says that it is alive.
pub const BEAT_EVERY: Duration = Duration::from_micros(app::live::BEAT_EVERY.0.unsigned_abs());

/// Where the frames of a stream come from.
pub trait Frames: Send + 'static {
    /// The next frame; `None` ends the stream.
    fn next(&mut self) -> impl Future<Output = Option<Bytes>> + Send;
}

/// A stream as a response. It ends when whoever stands at the desk may not do
/// this any more.
pub fn respond(desk: Desk, action: Action, frames: impl Frames) -> Response {
    let departure: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move { desk.departure(action).await });
    let frames = stream::unfold((frames, departure), |(mut frames, mut departure)| async move {
        let frame = tokio::select! {
            biased;
            () = &mut departure => None,
            frame = frames.next() => frame,
        };
        frame.map(|frame| (Ok::<_, Infallible>(frame), (frames, departure)))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Or nginx would gather frames until its buffer is full.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(frames)).into_response()
}

/// Data as a frame. JSON has no line breaks of its own but between its parts,
/// where a space does as well, and in a frame they would end the data.
pub fn frame(id: i64, event: &str, json: &str) -> String {
    let json = json.replace(['\n', '\r'], " ");
    format!("id: {id}\nevent: {event}\ndata: {json}\n\n")
}
