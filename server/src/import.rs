//! `holter import`: report files from a disk, into a server or into a store.

use crate::intake::archive::File;
use crate::intake::reports::Origin;
use crate::service::Service;
use crate::service::desk::Caller;
use crate::service::reports::{FileReceipt, ReportReceipt};
use reports::{Format, Loss};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use thiserror::Error;
use url::Url;

/// A file that is larger is not sent.
const FILE_MAX: u64 = 64 * 1024 * 1024;

/// Why nothing could be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// A file or folder is not there, or may not be read.
    #[error("{} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// The server did not answer, or not as it should.
    #[error("{url} does not take reports: {detail}")]
    Server {
        /// Its address.
        url: Url,
        /// What it said.
        detail: String,
    },
    /// The store did not take them.
    #[error(transparent)]
    Service(#[from] crate::service::Failure),
}

/// Where reports go.
pub enum Target {
    /// A server, with a token.
    Server(Url, Option<String>, reqwest::Client),
    /// This machine's store.
    Here(Service),
}

/// Files that make one run: one, or an Allure folder packed as one.
struct Parcel {
    name: String,
    bytes: Vec<u8>,
}

/// What came of all files.
#[derive(Debug, Default)]
pub struct Summary {
    formats: BTreeMap<&'static str, Line>,
    refused: Vec<(String, String)>,
    lost: Vec<(String, String, String)>,
}

#[derive(Debug, Default)]
struct Line {
    files: u32,
    tests: u32,
    passed: u32,
    flaky: u32,
    failed: u32,
    skipped: u32,
    salvaged: u32,
    duplicate: u32,
}

/// Imports files, and everything in folders.
pub async fn run(
    target: &Target,
    paths: &[PathBuf],
    origin: &Origin,
    format: Option<Format>,
) -> Result<Summary, ImportError> {
    let mut found = Vec::new();
    for path in paths {
        find(path, &mut found)?;
    }
    let mut summary = Summary::default();
    for parcel in found {
        let name = parcel.name.clone();
        match send(target, parcel, origin, format).await? {
            Ok(receipt) => summary.add(&name, &receipt),
            Err(why) => summary.refused.push((name, why)),
        }
    }
    Ok(summary)
}

fn find(path: &Path, found: &mut Vec<Parcel>) -> Result<(), ImportError> {
    let unreadable = |error| ImportError::Unreadable(path.into(), error);
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(unreadable)?;
        let mut inside: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        inside.sort();
        let is_allure = |path: &PathBuf| path.to_string_lossy().ends_with("-result.json");
        if inside.iter().any(is_allure) {
            found.push(pack(path, &inside)?);
            return Ok(());
        }
        return inside.iter().try_for_each(|path| find(path, found));
    }
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    let bytes = if size > FILE_MAX { Vec::new() } else { std::fs::read(path).map_err(unreadable)? };
    found.push(Parcel { name: path.display().to_string(), bytes });
    Ok(())
}

/// A folder of files that tell of each other, as one.
fn pack(folder: &Path, files: &[PathBuf]) -> Result<Parcel, ImportError> {
    let mut archive = tar::Builder::new(Vec::new());
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| ImportError::Unreadable(path, error)
    };
    for path in files.iter().filter(|path| path.is_file()) {
        let bytes = std::fs::read(path).map_err(unreadable(path))?;
        let name = path.file_name().map(PathBuf::from).unwrap_or_default();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, &*bytes).map_err(unreadable(path))?;
    }
    let bytes = archive.into_inner().map_err(unreadable(folder))?;
    Ok(Parcel { name: folder.display().to_string(), bytes })
}

/// What came of one parcel; the inner error is why it was refused.
async fn send(
    target: &Target,
    parcel: Parcel,
    origin: &Origin,
    format: Option<Format>,
) -> Result<Result<ReportReceipt, String>, ImportError> {
    if parcel.bytes.is_empty() {
        return Ok(Err("it is empty, or larger than 64 MiB".into()));
    }
    match target {
        Target::Here(service) => {
            let files = vec![File { name: parcel.name, bytes: parcel.bytes }];
            let receipt = service.take_reports(&Caller::default(), origin.clone(), format, files).await?;
            let refused = receipt.files.iter().all(|file| file.refused.is_some());
            let why = || receipt.files.iter().filter_map(|file| file.refused.clone()).next().unwrap_or_default();
            Ok(if refused { Err(why()) } else { Ok(receipt) })
        }
        Target::Server(url, token, client) => post(url, token.as_deref(), client, parcel, origin, format).await,
    }
}

#[derive(Deserialize)]
struct Body {
    run: String,
    files: Vec<BodyFile>,
    duplicate: u32,
}

#[derive(Deserialize)]
struct BodyFile {
    name: String,
    format: Option<String>,
    tests: u32,
    passed: u32,
    flaky: u32,
    failed: u32,
    skipped: u32,
    lost: Vec<BodyLoss>,
    refused: Option<String>,
}

#[derive(Deserialize)]
struct BodyLoss {
    place: String,
    detail: String,
}

#[derive(Deserialize)]
struct Refused {
    detail: String,
    #[serde(default)]
    errors: Vec<RefusedPart>,
}

#[derive(Deserialize)]
struct RefusedPart {
    detail: String,
}

async fn post(
    base: &Url,
    token: Option<&str>,
    client: &reqwest::Client,
    parcel: Parcel,
    origin: &Origin,
    format: Option<Format>,
) -> Result<Result<ReportReceipt, String>, ImportError> {
    let failed = |detail: String| ImportError::Server { url: base.clone(), detail };
    let mut url = base.join("api/v1/reports").map_err(|error| failed(error.to_string()))?;
    let Origin { setup, project, run, commit, branch, .. } = origin;
    let told = [("setup", Some(setup)), ("project", project.as_ref()), ("run", run.as_ref())];
    let told = told.into_iter().chain([("commit", commit.as_ref()), ("branch", branch.as_ref())]);
    url.query_pairs_mut().extend_pairs(told.filter_map(|(name, value)| Some((name, value?))));
    if let Some(format) = format {
        url.query_pairs_mut().append_pair("format", format.as_str());
    }
    let mut request = client.post(url).body(parcel.bytes);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.map_err(|error| failed(crate::service::failure::chain(&error)))?;
    let status = answer.status();
    let text = answer.bytes().await.map_err(|error| failed(error.to_string()))?;
    if status.is_success() {
        let body: Body = serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
        return Ok(Ok(body.into()));
    }
    let refused: Refused = serde_json::from_slice(&text).map_err(|_| failed(status.to_string()))?;
    match status.as_u16() {
        413 | 422 => Ok(Err(refused.errors.into_iter().next().map_or(refused.detail, |part| part.detail))),
        _ => Err(failed(refused.detail)),
    }
}

impl From<Body> for ReportReceipt {
    fn from(body: Body) -> Self {
        let file = |file: BodyFile| FileReceipt {
            name: file.name,
            format: file.format.as_deref().and_then(Format::named),
            tests: file.tests,
            passed: file.passed,
            flaky: file.flaky,
            failed: file.failed,
            skipped: file.skipped,
            lost: file.lost.into_iter().map(|loss| Loss { place: loss.place, detail: loss.detail }).collect(),
            refused: file.refused,
        };
        let events = crate::service::ingest::Receipt { duplicate: body.duplicate, ..Default::default() };
        Self { run: body.run, files: body.files.into_iter().map(file).collect(), events, owners: None }
    }
}

impl Summary {
    fn add(&mut self, name: &str, receipt: &ReportReceipt) {
        for file in &receipt.files {
            if let Some(why) = &file.refused {
                self.refused.push((name.into(), why.clone()));
                continue;
            }
            let line = self.formats.entry(file.format.map_or("?", Format::as_str)).or_default();
            line.files += 1;
            line.tests += file.tests;
            line.passed += file.passed;
            line.flaky += file.flaky;
            line.failed += file.failed;
            line.skipped += file.skipped;
            line.salvaged += u32::from(!file.lost.is_empty());
            line.duplicate += u32::from(receipt.events.duplicate > 0);
            self.lost.extend(file.lost.iter().map(|loss| (name.to_owned(), loss.place.clone(), loss.detail.clone())));
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        let heads = ["format", "files", "tests", "passed", "flaky", "failed", "skipped", "salvaged", "known already"];
        let [format, files, tests, passed, flaky, failed, skipped, salvaged, known] = heads;
        writeln!(
            text,
            "{format:<12}{files:>7}{tests:>9}{passed:>9}{flaky:>7}{failed:>8}{skipped:>9}{salvaged:>10}{known:>15}"
        )?;
        for (format, line) in &self.formats {
            let Line { files, tests, passed, flaky, failed, skipped, salvaged, duplicate } = line;
            writeln!(
                text,
                "{format:<12}{files:>7}{tests:>9}{passed:>9}{flaky:>7}{failed:>8}{skipped:>9}{salvaged:>10}{duplicate:>15}"
            )?;
        }
        for (name, place, detail) in &self.lost {
            writeln!(text, "lost in {name}, {place}: {detail}")?;
        }
        for (name, why) in &self.refused {
            writeln!(text, "refused {name}: {why}")?;
        }
        f.write_str(text.trim_end())
    }
}
