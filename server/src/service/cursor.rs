//! Where the next page of a list begins, as a text that callers hand back.

use super::failure::Failure;
use app::domain::ids::RunId;
use app::domain::time::Timestamp;

/// After this run, in a list of runs.
pub(super) fn write_run(created_at: Timestamp, run: RunId) -> String {
    format!("{}_{run}", created_at.0)
}

/// Reads what [`write_run`] wrote.
pub(super) fn read_run(text: &str) -> Result<(Timestamp, RunId), Failure> {
    let parts = text.split_once('_').and_then(|(at, run)| Some((Timestamp(at.parse().ok()?), run.parse().ok()?)));
    parts.ok_or_else(not_ours)
}

/// Reads the number of a test as the place after which a page begins.
pub(super) fn read_ordinal(text: &str) -> Result<u32, Failure> {
    text.parse().map_err(|_| not_ours())
}

fn not_ours() -> Failure {
    Failure::Invalid {
        pointer: "/cursor".into(),
        detail: "this cursor was not handed out by this list; leave it out to begin anew".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let run = RunId(uuid::Uuid::from_u128(7));
        let read = read_run(&write_run(Timestamp(-5), run)).expect("our own");
        assert_eq!(read, (Timestamp(-5), run));
        assert!(read_run("5").is_err() && read_run("x_y").is_err());
    }
}
