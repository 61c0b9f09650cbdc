//! Where the lines of a log lie, so that a page shows any part of it without
//! reading what is before.

use super::{elsewhere, unpack};
use crate::service::desk::Desk;
use crate::service::failure::Failure;
use crate::service::jobs::JobRow;
use crate::store::rows::LogSpan;
use app::domain::ids::JobId;
use app::domain::job::{Progress, StepState};

/// Neighbouring pieces are told as one up to this size: a step that puts out a
/// little now and then makes thousands of pieces of a few bytes.
const STRETCH: u64 = 256 * 1024;

/// Neighbouring pieces of a log, as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogStretch {
    /// The bytes before it.
    pub start: u64,
    /// Its bytes.
    pub size: u64,
    /// Lines that end before it.
    pub first_line: u64,
    /// Lines that end in it.
    pub lines: u64,
}

/// A step that began, in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStep {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: StepState,
    /// The bytes before it.
    pub log_start: u64,
    /// Lines that end before it.
    pub first_line: u64,
}

/// Where everything lies in a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogIndex {
    /// Its bytes.
    pub end: u64,
    /// Lines that end in it; what is behind the last of them is one more.
    pub lines: u64,
    /// All of it, in its order.
    pub stretches: Vec<LogStretch>,
    /// The steps that began, in their order; of the last attempt alone, since of
    /// no other it is known.
    pub steps: Vec<LogStep>,
}

fn merged(spans: &[LogSpan]) -> Vec<LogStretch> {
    let mut stretches: Vec<LogStretch> = Vec::new();
    for span in spans {
        let (size, lines) = (u64::from(span.size), u64::from(span.lines));
        match stretches.last_mut() {
            Some(last) if last.size + size <= STRETCH => {
                last.size += size;
                last.lines += lines;
            }
            last => {
                let first_line = last.map_or(0, |last| last.first_line + last.lines);
                stretches.push(LogStretch { start: span.start, size, first_line, lines });
            }
        }
    }
    stretches
}

/// The steps that began, with the places where they did. One that claims to have
/// begun before the one before it is left out: a worker said so, and it cannot be.
fn begun(row: &JobRow) -> Vec<LogStep> {
    let progress: Progress = serde_json::from_str(&row.progress).unwrap_or_default();
    let mut steps: Vec<LogStep> = Vec::new();
    for step in progress.steps {
        let is_begun = !matches!(step.state, StepState::Waiting | StepState::Skipped);
        if is_begun && steps.last().is_none_or(|last| last.log_start <= step.log_start) {
            steps.push(LogStep { name: step.name, state: step.state, log_start: step.log_start, first_line: 0 });
        }
    }
    steps
}

impl Desk {
    /// Where everything lies in the log of a job.
    pub async fn job_log_index(&self, row: &JobRow, attempt: u32) -> Result<LogIndex, Failure> {
        self.reading().await?;
        let spans = self.inner.store.log_index(row.job.id, attempt).await?;
        let stretches = merged(&spans);
        let (end, lines) =
            stretches.last().map_or((0, 0), |last| (last.start + last.size, last.first_line + last.lines));
        let mut steps = if attempt == row.job.attempt { begun(row) } else { Vec::new() };
        let mut held = None;
        for step in &mut steps {
            step.first_line = self.lines_before((row.job.id, attempt), &spans, step.log_start, &mut held).await?;
        }
        Ok(LogIndex { end, lines, stretches, steps })
    }

    /// Lines that end before a place. The piece that holds the place is read only
    /// where it begins before it: a step mostly begins with a piece. `held` is the
    /// one that was read last: short steps stand in one piece together.
    async fn lines_before(
        &self,
        (id, attempt): (JobId, u32),
        spans: &[LogSpan],
        place: u64,
        held: &mut Option<(u64, Vec<u8>)>,
    ) -> Result<u64, Failure> {
        let before = spans.partition_point(|span| span.start + u64::from(span.size) <= place);
        let lines: u64 = spans[..before].iter().map(|span| u64::from(span.lines)).sum();
        let Some(start) = spans.get(before).map(|span| span.start).filter(|start| *start < place) else {
            return Ok(lines);
        };
        let text = match held.take().filter(|(of, _)| *of == start) {
            Some((_, text)) => text,
            None => self.unpacked(id, attempt, place).await?,
        };
        let within = usize::try_from(place - start).unwrap_or(usize::MAX).min(text.len());
        let counted = memchr::memchr_iter(b'\n', &text[..within]).count();
        *held = Some((start, text));
        Ok(lines + counted as u64)
    }

    /// The text of the piece that holds a place.
    async fn unpacked(&self, id: JobId, attempt: u32, place: u64) -> Result<Vec<u8>, Failure> {
        let pieces = self.inner.store.log_read(id, attempt, place..u64::MAX, 1).await?;
        let read = elsewhere(move || pieces.first().map_or(Ok(Vec::new()), |piece| unpack(&piece.packed)));
        read.await?.map_err(|why| Failure::Upstream(format!("a piece of this log {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_neighbours_are_one() {
        let spans: Vec<_> =
            (0..10_000_u32).map(|at| LogSpan { start: u64::from(at) * 100, size: 100, lines: 2 }).collect();
        let stretches = merged(&spans);
        assert_eq!(stretches.len(), 4);
        assert_eq!(stretches[0], LogStretch { start: 0, size: 262_100, first_line: 0, lines: 5_242 });
        assert_eq!((stretches[3].start, stretches[3].first_line), (786_300, 15_726));
        assert_eq!(stretches.iter().map(|one| one.size).sum::<u64>(), 1_000_000);
        let large = [(0, 4_194_304), (4_194_304, 9)].map(|(start, size)| LogSpan { start, size, lines: 1 });
        assert_eq!(merged(&large).len(), 2);
        assert_eq!(merged(&[]), []);
    }
}
