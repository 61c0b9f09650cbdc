//! Reads server-sent events.

use super::DEADLINE;
use reqwest::Response;
use serde_json::Value;

/// An open stream.
pub struct Stream {
    response: Response,
    read: String,
}

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// Its id.
    pub id: String,
    /// Its name.
    pub event: String,
    /// Its data.
    pub data: Value,
}

impl Frame {
    fn read(text: &str) -> Option<Self> {
        let mut frame = Self::default();
        for line in text.lines() {
            match line.split_once(": ") {
                Some(("id", id)) => frame.id = id.to_owned(),
                Some(("event", event)) => frame.event = event.to_owned(),
                Some(("data", data)) => frame.data = serde_json::from_str(data).expect("JSON on one line"),
                _ => {}
            }
        }
        (frame != Self::default()).then_some(frame)
    }
}

impl Stream {
    /// The stream that an answer is.
    pub fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        let header = |name: &str| response.headers().get(name).cloned().expect(name);
        assert_eq!(header("content-type"), "text/event-stream");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-accel-buffering"), "no");
        Self { response, read: String::new() }
    }

    async fn more(&mut self) -> Option<Frame> {
        loop {
            if let Some((text, rest)) = self.read.split_once("\n\n") {
                let frame = Frame::read(text);
                self.read = rest.to_owned();
                match frame {
                    Some(frame) => return Some(frame),
                    // A comment.
                    None => continue,
                }
            }
            let chunk = self.response.chunk().await.ok().flatten()?;
            self.read.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }

    /// The next event; `None` when the stream has ended.
    pub async fn next(&mut self, why: &str) -> Option<Frame> {
        tokio::time::timeout(DEADLINE, self.more()).await.unwrap_or_else(|_| panic!("waited in vain for {why}"))
    }

    /// Reads on until an event is the one.
    pub async fn until<T>(&mut self, why: &str, mut pick: impl FnMut(&Frame) -> Option<T>) -> T {
        let reading = async {
            loop {
                let frame = self.more().await.unwrap_or_else(|| panic!("the stream ended before {why}"));
                if let Some(picked) = pick(&frame) {
                    return picked;
                }
            }
        };
        tokio::time::timeout(DEADLINE, reading).await.unwrap_or_else(|_| panic!("waited in vain for {why}"))
    }
}
