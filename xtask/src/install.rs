//! Installs what a verb needs, where it may, or says how a person does it.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command;
use crate::step::step;

/// A program that is not there and that this tool may not install.
///
/// It is a type so that a test run can tell it from a failed test: away from
/// continuous integration the tests that need the program are left out.
#[derive(Debug)]
pub struct Missing {
    what: String,
    how: String,
}

impl Missing {
    pub fn new(what: &str, how: &str) -> Self {
        Self { what: what.to_owned(), how: how.to_owned() }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is missing; {}", self.what, self.how)
    }
}

impl Error for Missing {}

/// Looks for a program with `look`, installs Debian's `packages` when it is not
/// there, and looks again.
pub fn found_or_installed(what: &str, packages: &[&str], look: impl Fn() -> Option<PathBuf>) -> Result<PathBuf> {
    if let Some(found) = look() {
        return Ok(found);
    }
    self::packages(what, packages)?;
    look().with_context(|| format!("{what} was installed but is not where it is looked for"))
}

/// Installs Debian's `packages`, or says that a person must.
pub fn packages(what: &str, packages: &[&str]) -> Result<()> {
    if is_root() && command::find("apt-get").is_some() {
        return step(&format!("install {what}"), || apt_get(packages));
    }
    let how = format!("install it (on Debian: apt-get install {})", packages.join(" "));
    Err(Missing::new(what, &how).into())
}

/// Whether this process runs as root: then it may install, and may not run `PostgreSQL`.
pub fn is_root() -> bool {
    id(&["-u"]).is_ok_and(|user| user == 0)
}

/// Asks the system's `id` for a number: the standard library has no such call.
pub fn id(args: &[&str]) -> Result<u32> {
    let printed = command::run_quietly(Command::new("id").args(args))?;
    Ok(printed.trim().parse()?)
}

fn apt_get(packages: &[&str]) -> Result<()> {
    let install = || {
        command::run_quietly(
            Command::new("apt-get")
                .args(["install", "-y", "--no-install-recommends"])
                .args(packages)
                .env("DEBIAN_FRONTEND", "noninteractive")
                // What the tests need is not what the machine is to serve.
                .env("RUNLEVEL", "1"),
        )
    };
    if install().is_err() {
        // A fresh machine has no package lists, and an old list names files
        // that are gone.
        command::run_quietly(Command::new("apt-get").arg("update"))?;
        install()?;
    }
    Ok(())
}

/// Makes sure that Rust can build for the browser.
pub fn wasm_target() -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let library =
        command::run_quietly(command::program("rustc").args(["--print", "target-libdir", "--target", TARGET]))?;
    if Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    if command::find("rustup").is_none() {
        let how = "install it with your system's Rust packages, or install rustup";
        return Err(Missing::new("the Rust target wasm32-unknown-unknown", how).into());
    }
    step("install the wasm target", || command::run(command::program("rustup").args(["target", "add", TARGET])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_known_under_the_names_of_its_steps() {
        let error = step("outer", || step("inner", no_thing)).err();
        let missing = error.as_ref().and_then(|e| e.downcast_ref::<Missing>());
        let said = missing.map(ToString::to_string);
        assert_eq!(said.as_deref(), Some("A thing is missing; make it"));
    }

    fn no_thing() -> Result<()> {
        Err(Missing::new("A thing", "make it").into())
    }
}
