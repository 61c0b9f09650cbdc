//! (e) The first page: its HTML, what it loads, and how long until it is alive.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::wall;
use crate::http::Connection;
use crate::report::{Bar, Findings, Measure};
use crate::server::Server;
use crate::stats::{median, milliseconds, percentile};
use crate::{Setting, browser};

const SETUPS: usize = 200;

/// What browsers send.
const BROWSER: &str = "gzip, deflate, br";

const KIB: f64 = 1_024.0;

/// What the browser found, in milliseconds from the start of the navigation.
#[derive(Debug, Deserialize)]
struct Loaded {
    /// Until the first contents were painted.
    painted: Vec<f64>,
    /// Until the page was alive.
    alive: Vec<f64>,
    /// How it was seen that it was alive.
    sign: String,
}

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let holter = Server::start(setting).await?;
    wall::fill(&holter.target(), SETUPS).await?;
    let mut connection = Connection::open(holter.process.address).await?;
    html(setting, findings, &mut connection).await?;
    bundle(findings, &mut connection).await?;
    hydration(setting, findings, &holter).await?;
    holter.stop().await?;
    Ok(())
}

async fn html(setting: &Setting, findings: &mut Findings, connection: &mut Connection) -> Result<()> {
    let mut times = Vec::new();
    for encodings in ["", BROWSER] {
        let begin = Instant::now();
        let answer = connection.get("/", encodings).await?;
        ensure!(answer.status == 200, "the page answers {}", answer.status);
        let (encoding, bytes) = (answer.encoding.unwrap_or_else(|| "plain".into()), answer.body.len());
        findings.measure(Measure::new(format!("HTML, {SETUPS} setups, {encoding}"), bytes as f64 / KIB, "KiB"));
        times.push(milliseconds(begin.elapsed()));
    }
    for _ in 0..setting.pick(100, 20) {
        let begin = Instant::now();
        connection.get("/", BROWSER).await?;
        times.push(milliseconds(begin.elapsed()));
    }
    findings.measure(Measure::new("  time, median", median(&times), "ms"));
    findings.measure(Measure::new("  time, p95", percentile(&times, 95.0), "ms"));
    Ok(())
}

/// What the page loads, as it travels.
async fn bundle(findings: &mut Findings, connection: &mut Connection) -> Result<()> {
    let html = String::from_utf8_lossy(connection.get("/", "").await?.body).into_owned();
    let files = files(&html);
    ensure!(files.iter().any(|file| file.ends_with(".js")), "the page loads no script: it was built without a bundle");
    let mut whole = 0.0;
    for file in files {
        let answer = connection.get(&file, "br").await?;
        ensure!(answer.status == 200, "{file} answers {}", answer.status);
        let encoding = answer.encoding.unwrap_or_else(|| "not compressed".into());
        let size = answer.body.len() as f64 / KIB;
        whole += size;
        let kind = file.rsplit('.').next().unwrap_or_default().to_owned();
        findings.measure(Measure::new(format!("  {kind}, {encoding}"), size, "KiB"));
    }
    findings.measure(Measure::new("bundle in all", whole, "KiB").bar(Bar::AtMost(260.0)));
    Ok(())
}

/// Script, module and styles that a page names; the module also where only the
/// script names it.
fn files(html: &str) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for rest in html.split("/pkg/").skip(1) {
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
        if let Some(stem) = name.strip_suffix(".js") {
            files.insert(format!("/pkg/{stem}_bg.wasm"));
        }
        if [".js", ".wasm", ".css"].iter().any(|end| name.ends_with(end)) {
            files.insert(format!("/pkg/{name}"));
        }
    }
    files
}

async fn hydration(setting: &Setting, findings: &mut Findings, holter: &Server) -> Result<()> {
    let what = json!({ "url": holter.url(), "loads": setting.pick(9, 3) });
    let loaded: Loaded = browser::run(setting, "hydrate.mjs", &what).await?;
    ensure!(!loaded.alive.is_empty(), "the page never came alive");
    if !loaded.painted.is_empty() {
        findings.measure(Measure::new("first paint in Chromium, median", median(&loaded.painted), "ms"));
    }
    findings.measure(Measure::new("alive (hydrated), median", median(&loaded.alive), "ms"));
    let most = loaded.alive.iter().copied().max_by(f64::total_cmp).context("no load")?;
    findings.measure(Measure::new("  the longest", most, "ms"));
    findings.note(format!(
        "times in Chromium are from the start of a navigation with an empty cache; alive is seen by {}",
        loaded.sign
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_page_are_found_once_each() {
        let html = r#"<link href="/pkg/holter-1.css"><link href="/pkg/f-2.js"><script>import("/pkg/f-2.js")</script>"#;
        let found: Vec<_> = files(html).into_iter().collect();
        assert_eq!(found, ["/pkg/f-2.js", "/pkg/f-2_bg.wasm", "/pkg/holter-1.css"]);
    }
}
