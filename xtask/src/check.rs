//! Formatting and lints, for every crate in each form that it is built in.

use anyhow::{Context, Result, ensure};

use crate::step::step;
use crate::{command, install, root};

/// The browser's target, as an argument of cargo.
const WASM: &str = "--target=wasm32-unknown-unknown";

/// The crates in every combination of features and target that is ever built.
///
/// One call each: a call for several packages would unify the features of `app`,
/// which Leptos forbids.
const FORMS: [&[&str]; 9] = [
    &["--package=app", "--all-targets"],
    &["--package=app", WASM],
    &["--package=app", "--all-targets", "--features=ssr"],
    &["--package=reports", "--all-targets"],
    &["--package=server", "--all-targets"],
    &["--package=bench", "--all-targets"],
    &["--package=xtask", "--all-targets"],
    &["--package=frontend", WASM],
    &["--package=art", WASM],
];

/// What belongs to the server and must not reach the browser.
const SERVER_ONLY: [&str; 4] = ["sqlx", "tokio", "axum", "hyper"];

/// Whether every file is formatted.
pub fn formatting() -> Result<()> {
    step("check the formatting", || {
        command::run(&mut command::cargo(&["fmt", "--all", "--check"])).context("run `cargo fmt --all`")
    })
}

/// Whether clippy is content.
pub fn lints() -> Result<()> {
    install::wasm_target()?;
    // The server embeds this folder; lints need it to exist, not to be filled.
    std::fs::create_dir_all(root::path("target/site"))?;
    for form in FORMS {
        let name = form.join(" ").replace("--package=", "").replace("--", "");
        step(&format!("lint {name}"), || {
            let mut clippy = command::cargo(&["clippy", "--quiet"]);
            command::run(clippy.args(form).args(["--", "-Dwarnings"])).context("correct what clippy says above")
        })?;
    }
    Ok(())
}

/// Whether the pure part of `app` compiles for the browser, alone.
pub fn pure_part() -> Result<()> {
    install::wasm_target()?;
    step("compile the pure part for the browser", || {
        command::run(&mut command::cargo(&["check", "--package=app", WASM]))
    })
}

/// Whether the browser side is free of the server's crates.
pub fn browser_dependencies() -> Result<()> {
    step("look for server crates in the browser side", || {
        let mut tree = command::cargo(&["tree", "--package=frontend", WASM]);
        let tree = command::run_quietly(tree.args(["--edges=normal", "--prefix=none"]))?;
        let found: Vec<_> = tree.lines().filter(|line| is_server_only(line)).collect();
        ensure!(
            found.is_empty(),
            "the browser side depends on {}; `cargo tree -p frontend {WASM} -i NAME` tells why",
            found.join(", ")
        );
        Ok(())
    })
}

/// Whether a line of `cargo tree` names one of the server's crates or its family.
fn is_server_only(line: &str) -> bool {
    let name = line.split(' ').next().unwrap_or("");
    SERVER_ONLY
        .iter()
        .any(|family| name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_told_from_neighbours() {
        assert!(is_server_only("tokio v1.54.1"));
        assert!(is_server_only("sqlx-core v0.9.0"));
        assert!(!is_server_only("hyperlink v1.0.0"));
        assert!(!is_server_only("leptos v0.8.23"));
    }
}
