//! `GET /listeners/…`: what runs beside the tests, each as one file to save.

use super::json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::LazyLock;
use utoipa::ToSchema;

/// What every listener is built on, in the order in which it is read.
const MODULES: [&str; 4] = [
    include_str!("../../../listeners/holter_facts.py"),
    include_str!("../../../listeners/holter_spool.py"),
    include_str!("../../../listeners/holter_wire.py"),
    include_str!("../../../listeners/holter_sender.py"),
];

/// Where a listener imports the modules, and where they import each other.
const SENDER: [&str; 2] = ["# holter_sender: begin", "# holter_sender: end"];
const IMPORT: [&str; 2] = ["# holter_import: begin", "# holter_import: end"];

static ROBOT: LazyLock<String> = LazyLock::new(|| whole(include_str!("../../../listeners/holter_robot.py")));
static PYTEST: LazyLock<String> = LazyLock::new(|| whole(include_str!("../../../listeners/holter_pytest.py")));

/// The text with the lines from one mark to the other replaced.
fn replace(text: &str, [begin, end]: [&str; 2], by: &str) -> String {
    let mut written = String::with_capacity(text.len() + by.len());
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        match line.trim_end() {
            mark if mark == begin => {
                inside = true;
                written.push_str(by);
            }
            mark if mark == end => inside = false,
            _ if inside => {}
            _ => written.push_str(line),
        }
    }
    written
}

/// Puts the modules in the place where a listener imports them: what is handed
/// out needs no second file.
fn whole(listener: &str) -> String {
    let modules: String = MODULES.iter().map(|module| replace(module, IMPORT, "")).collect();
    replace(listener, SENDER, &modules)
}

/// Each file, by the name under which a framework looks for it.
pub fn files() -> [(&'static str, &'static str); 2] {
    [("holter_robot.py", &ROBOT), ("holter_pytest.py", &PYTEST)]
}

fn python(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/x-python; charset=utf-8"))], text).into_response()
}

/// A listener that this server hands out
#[derive(Serialize, ToSchema)]
pub struct Listener {
    /// What it listens to.
    framework: &'static str,
    /// Where it is fetched.
    url: &'static str,
    /// How it is used, once saved.
    command: &'static str,
}

/// The listeners
#[derive(Serialize, ToSchema)]
pub struct Listeners {
    /// All of them.
    items: [Listener; 2],
}

/// Lists the listeners that this server hands out
#[utoipa::path(
    get, path = "/listeners", tag = "Listeners", operation_id = "listListeners",
    responses((status = 200, description = "The listeners", body = Listeners)),
)]
pub async fn index() -> Response {
    let robot = Listener {
        framework: "Robot Framework",
        url: "/listeners/holter_robot.py",
        command: "robot --listener holter_robot.py …",
    };
    let pytest =
        Listener { framework: "pytest", url: "/listeners/holter_pytest.py", command: "pytest -p holter_pytest …" };
    json(&Listeners { items: [robot, pytest] })
}

/// The listener for Robot Framework
#[utoipa::path(
    get, path = "/listeners/holter_robot.py", tag = "Listeners", operation_id = "getRobotListener",
    responses((status = 200, description = "One Python file", body = String, content_type = "text/x-python")),
)]
pub async fn robot() -> Response {
    python(&ROBOT)
}

/// The plug-in for pytest
#[utoipa::path(
    get, path = "/listeners/holter_pytest.py", tag = "Listeners", operation_id = "getPytestListener",
    responses((status = 200, description = "One Python file", body = String, content_type = "text/x-python")),
)]
pub async fn pytest() -> Response {
    python(&PYTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_out_is_whole() {
        for text in [&*ROBOT, &*PYTEST] {
            for left in ["# holter_sender:", "# holter_import:", "from holter_", "import holter_"] {
                assert!(!text.lines().any(|line| line.starts_with(left)), "{left} is left");
            }
            assert!(text.contains("class HolterSender") && text.contains("class HolterSpool"));
        }
    }
}
