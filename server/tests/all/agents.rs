//! Real test frameworks with the agents and listeners that people use, as they
//! come from their registries, against a whole server: the counts are exact.
//!
//! They run where `HOLTER_TEST_PYTHON` names an interpreter that has what
//! `server/tests/agents/requirements.txt` asks for, and `HOLTER_TEST_NODE` is
//! set when `npm ci` was done in that folder.

use crate::harness::{TestServer, eventually};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[allow(clippy::disallowed_methods, reason = "the test run says where programs are")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents").join(name)
}

fn listeners() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../listeners")
}

/// A program that runs tests, with an environment free of whatever runs us.
fn program(path: impl AsRef<Path>, folder: &Path, server: &TestServer) -> Command {
    let mut command = Command::new(path.as_ref());
    let own = path.as_ref().parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    let path = format!("{own}:{}", told("PATH").unwrap_or_default());
    command.env_clear().current_dir(folder).env("PATH", path).env("HOME", server.folder());
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONIOENCODING", "utf-8");
    // Agents like to tell their maker that they ran.
    command.env("AGENT_NO_ANALYTICS", "1").env("REPORTPORTAL_CLIENT_JS_NO_ANALYTICS", "1");
    command
}

fn python(server: &TestServer, name: &str) -> Option<Command> {
    let Some(python) = told("HOLTER_TEST_PYTHON") else {
        eprintln!("HOLTER_TEST_PYTHON is not set: agents in Python are left out");
        return None;
    };
    Some(program(python, &folder(name), server))
}

fn node(server: &TestServer, name: &str, tool: &str) -> Option<Command> {
    if told("HOLTER_TEST_NODE").is_none() {
        eprintln!("HOLTER_TEST_NODE is not set: agents in JavaScript are left out");
        return None;
    }
    let mut command = program(folder("node_modules/.bin").join(tool), &folder(name), server);
    command.env("RP_ENDPOINT", server.url("/api/v1")).env("RP_KEY", "a-key-of-some-length");
    Some(command)
}

/// Runs to its end, which is the code that this framework has for "some failed".
async fn ends(mut command: Command, code: i32) {
    let what = format!("{command:?}");
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("it is not cut off");
    let Output { status, stdout, stderr } = ran.unwrap_or_else(|error| panic!("{what}: {error}"));
    let said = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).join("\n");
    assert_eq!(status.code(), Some(code), "{what}: {said}");
}

/// The one run that there is, when it is over.
async fn the_run(server: &TestServer) -> Value {
    let run = eventually("the run is over", || async {
        let runs = server.get("/api/v1/runs").await.ok();
        let runs = runs["items"].as_array().expect("items").clone();
        assert!(runs.len() <= 1, "{runs:?}");
        runs.into_iter().next().filter(|run| run["state"] == "finished")
    });
    run.await
}

async fn counts(server: &TestServer, expected: [(&str, u32); 5]) {
    let run = the_run(server).await;
    for (name, count) in expected {
        assert_eq!(run["counts"][name], count, "{name} of {run}");
    }
}

const fn of(planned: u32, passed: u32, flaky: u32, failed: u32, skipped: u32) -> [(&'static str, u32); 5] {
    [("planned", planned), ("passed", passed), ("flaky", flaky), ("failed", failed), ("skipped", skipped)]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_for_robot_framework() {
    let server = TestServer::start().await;
    let Some(mut robot) = python(&server, "robot") else { return server.stop().await };
    robot.args(["-m", "robot", "--output", "NONE", "--log", "NONE", "--report", "NONE"]);
    robot.args(["--listener", "robotframework_reportportal.listener", "--variable"]);
    robot.arg(format!("RP_ENDPOINT:{}", server.url(""))).args(["--variable", "RP_API_KEY:a-key"]);
    robot.args(["--variable", "RP_PROJECT:agents", "--variable", "RP_LAUNCH:robot", "."]);
    ends(robot, 3).await;
    counts(&server, of(12, 6, 0, 3, 3)).await;
    let run = the_run(&server).await;
    assert_eq!((&run["setup"], &run["project"], &run["result"]), (&"robot".into(), &"agents".into(), &"failed".into()));
    let id = run["id"].as_str().expect("an id");
    let warned = server.get(&format!("/api/v1/runs/{id}/log?level=warn")).await.ok();
    let warned = warned["items"].as_array().expect("items");
    let openings = warned.iter().filter(|line| line["message"] == "opening").count();
    assert_eq!(openings, 3, "{warned:?}");
    server.stop().await;
}

fn pytest_agent(server: &TestServer) -> Option<Command> {
    let mut pytest = python(server, "pytest")?;
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "--reportportal", "-o"]);
    pytest.arg(format!("rp_endpoint={}", server.url("")));
    pytest.args(["-o", "rp_api_key=a-key", "-o", "rp_project=agents", "-o", "rp_launch=pytest", "."]);
    Some(pytest)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_for_pytest() {
    let server = TestServer::start().await;
    let Some(pytest) = pytest_agent(&server) else { return server.stop().await };
    ends(pytest, 1).await;
    counts(&server, of(20, 17, 0, 2, 1)).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_for_pytest_in_three_processes_makes_one_run() {
    let server = TestServer::start().await;
    let Some(mut pytest) = pytest_agent(&server) else { return server.stop().await };
    pytest.args(["-n", "3"]);
    ends(pytest, 1).await;
    counts(&server, of(20, 17, 0, 2, 1)).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_for_behave() {
    let server = TestServer::start().await;
    let Some(mut behave) = python(&server, "behave") else { return server.stop().await };
    behave.args(["-m", "behave", "-q", "-D"]).arg(format!("endpoint={}", server.url("")));
    behave.args(["-D", "api_key=a-key", "-D", "project=agents", "-D", "launch_name=behave"]);
    ends(behave, 1).await;
    counts(&server, of(4, 3, 0, 1, 0)).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_listener_under_pabot_makes_one_run_of_three_processes() {
    let server = TestServer::start().await;
    let Some(mut pabot) = python(&server, "robot") else { return server.stop().await };
    let results = server.folder().join("out");
    pabot.args(["-m", "pabot.pabot", "--processes", "3", "--outputdir"]).arg(&results);
    pabot.arg("--listener").arg(listeners().join("holter_robot.py")).arg(folder("robot"));
    pabot.env("HOLTER_URL", server.url("")).env("HOLTER_RUN", "nightly").env("HOLTER_SETUP", "bench");
    pabot.env("HOLTER_SPOOL_DIR", server.folder().join("spool")).env("PYTHONPATH", listeners());
    // It remembers there how long suites took.
    pabot.current_dir(server.folder());
    ends(pabot, 3).await;
    // Nobody said how many processes there would be: it waits for more.
    server.pass(30);
    counts(&server, of(12, 6, 0, 3, 3)).await;
    assert_eq!(the_run(&server).await["key"], "nightly");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_plugin_under_xdist_makes_one_run_of_three_processes() {
    let server = TestServer::start().await;
    let Some(mut pytest) = python(&server, "pytest") else { return server.stop().await };
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "holter_pytest", "-n", "3", "."]);
    pytest.env("HOLTER_URL", server.url("")).env("HOLTER_RUN", "nightly").env("HOLTER_SETUP", "bench");
    pytest.env("HOLTER_SPOOL_DIR", server.folder().join("spool")).env("PYTHONPATH", listeners());
    ends(pytest, 1).await;
    server.pass(30);
    counts(&server, of(20, 17, 0, 2, 1)).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_for_jest_and_mocha() {
    for tool in ["jest", "mocha"] {
        let server = TestServer::start().await;
        let Some(mut command) = node(&server, tool, tool) else { return server.stop().await };
        if tool == "jest" {
            command.arg("--cacheDirectory").arg(server.folder().join("cache"));
        }
        ends(command, 1).await;
        counts(&server, of(4, 2, 0, 1, 1)).await;
        assert_eq!(the_run(&server).await["setup"], tool);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_for_playwright_tells_attempts() {
    let server = TestServer::start().await;
    let Some(mut playwright) = node(&server, "playwright", "playwright") else { return server.stop().await };
    playwright.args(["test", "--output"]).arg(server.folder().join("results"));
    ends(playwright, 1).await;
    counts(&server, of(5, 2, 1, 1, 1)).await;
    server.stop().await;
}
