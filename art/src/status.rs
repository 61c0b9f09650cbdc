//! What a server says of a project: `GET /status` of Holter, or anything that
//! answers with a JSON object whose `status` is one of these words.

use crate::story::Scene;
use app::ecg::reading::{Latest, Measures};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Deserialize;
use std::time::Duration;

/// The server is asked this often.
const EVERY: Duration = Duration::from_secs(5);

/// What is known of the project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Nothing yet, or nothing that we know.
    #[default]
    Unknown,
    /// All is well.
    Passing,
    /// Something is running.
    Running,
    /// Something failed.
    Failing,
    /// The server does not answer.
    Gone,
}

impl Status {
    /// The words of those who answer: ours, and those of CI servers.
    fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "success" | "passed" | "passing" | "ok" | "green" => Self::Passing,
            "running" | "pending" | "created" | "preparing" => Self::Running,
            "failed" | "failure" | "failing" | "error" | "red" => Self::Failing,
            _ => Self::Unknown,
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    status: String,
}

/// The address to ask, as the page's own address gives it.
pub fn address() -> Option<String> {
    let search = window().location().search().ok()?;
    let query = web_sys::UrlSearchParams::new_with_str(&search).ok()?;
    query.get("status").filter(|address| !address.is_empty())
}

/// Asks for ever.
pub fn follow(address: String, status: RwSignal<Status>) {
    let ask = move || {
        let address = address.clone();
        spawn_local(async move {
            let answered = async { gloo_net::http::Request::get(&address).send().await?.json::<Answer>().await };
            status.set(answered.await.map_or(Status::Gone, |answer: Answer| Status::of(&answer.status)));
        });
    };
    ask();
    // It lives as long as the page.
    let _ = set_interval_with_handle(ask, EVERY);
}

/// How a project's status looks.
pub fn scene(status: Status) -> Scene {
    let calm = Measures { is_run_open: true, tests_per_minute: 10.0, ..Measures::default() };
    let failing = Latest { results: 12, failed: 12, failed_in_a_row: 12 };
    let (measures, said) = match status {
        Status::Passing => (calm, "passing"),
        Status::Running => (Measures { tests_per_minute: 40.0, ..calm }, "running"),
        Status::Failing => (Measures { latest: failing, ..calm }, "failing"),
        Status::Unknown => (Measures { is_run_open: false, ..calm }, "nothing is known yet"),
        Status::Gone => (Measures { is_agent_gone: true, ..calm }, "the server does not answer"),
    };
    Scene { measures, event: None, is_flat: status == Status::Failing, said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_several_servers_are_understood() {
        for (word, expected) in [
            ("success", Status::Passing),
            ("Failed", Status::Failing),
            ("pending", Status::Running),
            ("manual", Status::Unknown),
        ] {
            assert_eq!(Status::of(word), expected, "{word}");
        }
        assert!(scene(Status::Failing).is_flat && !scene(Status::Gone).is_flat);
    }
}
