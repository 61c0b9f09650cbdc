//! Python in environments of its own, for the listeners' tests and the fixtures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::step::step;
use crate::{command, install, root};

/// The interpreter of `target/venv`, with what the listeners' tests require.
pub fn environment() -> Result<PathBuf> {
    environment_of("target/venv", "listeners/tests/requirements.txt")
}

/// The interpreter of an environment in `folder`, with what a file requires.
/// Programs that the tests talk to have environments of their own, so that what
/// they need never changes what the tests themselves run with.
pub fn environment_of(folder: &str, requirements: &str) -> Result<PathBuf> {
    let python = install::found_or_installed("Python", &["python3", "python3-venv"], || command::find("python3"))?;
    let (folder, requirements) = (root::path(folder), root::path(requirements));
    let interpreter = folder.join("bin/python");
    let wanted =
        fs::read_to_string(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    // Written when all is installed, so a broken install is not taken for a whole one.
    let installed = folder.join("installed.txt");
    if interpreter.exists() && fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(interpreter);
    }
    step(&format!("set up the Python environment of {}", requirements.display()), || {
        create(&python, &folder)?;
        command::run_quietly(
            command::program(&interpreter)
                .args(["-m", "pip", "install", "--quiet", "--requirement"])
                .arg(&requirements),
        )?;
        Ok(fs::write(&installed, &wanted)?)
    })?;
    Ok(interpreter)
}

fn create(python: &Path, folder: &Path) -> Result<()> {
    let make = || {
        let mut command = command::program(python);
        command::run_quietly(command.args(["-m", "venv", "--clear"]).arg(folder))
    };
    if make().is_err() {
        // Debian splits a part that `venv` needs from Python itself.
        install::packages("Python's venv", &["python3-venv"])?;
        make()?;
    }
    Ok(())
}
