//! What runs in Chromium: the end-to-end tests and the screenshots.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::bundle::Profile;
use crate::step::step;
use crate::tally::Tally;
use crate::{command, install, python, root, serve};

/// Everything that the tests in the browser are started with.
pub struct Setting {
    binary: PathBuf,
    python: PathBuf,
    chromium: PathBuf,
}

impl Setting {
    /// Installs and builds whatever is missing.
    pub fn prepare(profile: Profile) -> Result<Self> {
        let chromium = chromium()?;
        packages("end2end")?;
        Ok(Self { chromium, python: python::environment()?, binary: serve::build(profile)? })
    }

    /// A program of `end2end` that is told where everything is.
    fn command(&self, name: &str) -> Command {
        let mut command = command::program(name);
        command
            .current_dir(root::path("end2end"))
            .env("HOLTER_BIN", &self.binary)
            .env("HOLTER_PYTHON", &self.python)
            .env("HOLTER_CHROMIUM", &self.chromium);
        command
    }
}

/// The verb: the tests against a quickly built bundle.
pub fn end_to_end(args: &[String]) -> Result<()> {
    let setting = Setting::prepare(Profile::Dev)?;
    let (_, result) = test(&setting, args);
    result
}

/// Runs the tests; the count is there also when some fail.
pub fn test(setting: &Setting, args: &[String]) -> (Tally, Result<()>) {
    let report = root::path("target/e2e.json");
    // An old report must not be read in the place of one that was never written.
    let _ = fs::remove_file(&report);
    let result = step("test in the browser", || {
        command::run(setting.command("npx").args(["playwright", "test"]).args(args))
            .context("the traces of failed tests lie in target/e2e; `npx playwright show-trace` opens one")
    });
    let tally = fs::read(&report)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .map_or_else(Tally::default, |report| Tally::of_playwright(&report));
    (tally, result)
}

/// Takes the screenshots.
pub fn shots(args: &[String]) -> Result<()> {
    let setting = Setting::prepare(Profile::Release)?;
    step("take screenshots", || command::run(setting.command("node").arg("shots.mjs").args(args)))
}

fn chromium() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("HOLTER_CHROMIUM") {
        return Ok(named.into());
    }
    install::found_or_installed("Chromium", &["chromium", "fonts-dejavu-core"], || {
        let debian = PathBuf::from("/usr/bin/chromium");
        debian
            .is_file()
            .then_some(debian)
            .or_else(|| ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| command::find(name)))
    })
}

/// Installs what the `package-lock.json` of a folder names, unless that is done.
pub fn packages(folder: &str) -> Result<()> {
    install::found_or_installed("Node.js", &["nodejs", "npm"], || command::find("npm"))?;
    let folder = root::path(folder);
    let lock = fs::read_to_string(folder.join("package-lock.json"))?;
    let installed = folder.join("node_modules/.installed-lock.json");
    if fs::read_to_string(&installed).is_ok_and(|text| text == lock) {
        return Ok(());
    }
    step(&format!("install the packages of {}", folder.display()), || install_packages(&folder, &installed, &lock))
}

fn install_packages(folder: &Path, installed: &Path, lock: &str) -> Result<()> {
    command::run_quietly(
        command::program("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(folder)
            // The tests drive the system's Chromium.
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
    )?;
    Ok(fs::write(installed, lock)?)
}
