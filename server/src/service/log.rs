//! The event log, as it is read from outside.

use super::Failure;
use super::desk::Desk;
use app::domain::rights::Action;
use app::domain::time::Timestamp;
use std::sync::Arc;

/// An event of the log.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// Its number.
    pub seq: i64,
    /// Its text, as sent.
    pub body: Arc<str>,
    /// When it arrived, by our clock.
    pub received_at: Timestamp,
    /// Its run was already over.
    pub late: bool,
}

impl Desk {
    /// The event log after a number. It is of all projects, and so is the right
    /// to it.
    pub async fn log_after(&self, seq: i64, limit: u32) -> Result<Vec<LogEntry>, Failure> {
        self.allow(Action::Read)?;
        let events = self.inner.store.event_page(seq, limit).await?;
        let entries = events.into_iter().map(|event| LogEntry {
            seq: event.seq,
            body: event.body,
            received_at: event.received_at,
            late: event.late,
        });
        Ok(entries.collect())
    }

    /// The number of the newest event.
    pub async fn log_end(&self) -> Result<i64, Failure> {
        self.allow(Action::Read)?;
        Ok(self.inner.store.event_last().await?)
    }
}
