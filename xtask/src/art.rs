//! The static art page, built by Trunk as any static site is.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::step::step;
use crate::{command, install, root, stand_in};

/// The last version that builds with our Rust.
const TRUNK: &str = "0.21.14";

/// Builds the page into `target/art`.
pub fn build() -> Result<()> {
    install::wasm_target()?;
    let trunk = trunk()?;
    step("build the art page", || {
        // Trunk works offline, so that it cannot fetch programs; its inputs come first.
        command::run_quietly(&mut command::cargo(&["fetch", "--quiet"]))?;
        let mut path = vec![stand_in::folder()?];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        command::run(
            command::program(&trunk)
                .args(["build", "--release", "--offline", "--locked"])
                .env("PATH", std::env::join_paths(path)?)
                .env_remove("RUSTFLAGS")
                .env_remove("CARGO_TARGET_DIR")
                // Trunk reads it as a flag of its own and knows no value but true or false.
                .env_remove("NO_COLOR"),
        )?;
        let page = root::path("target/art/index.html");
        ensure!(page.is_file(), "Trunk ended well but wrote no {}", page.display());
        println!("    {}", page.display());
        Ok(())
    })
}

/// Trunk, built once into `target/tools`.
///
/// A debug build without its network parts takes a third of the time of the
/// release build, and the page is far too small for the difference to be felt.
fn trunk() -> Result<PathBuf> {
    let program = root::path("target/tools/bin/trunk");
    let is_there = command::run_quietly(command::program(&program).arg("--version"))
        .is_ok_and(|printed| printed.trim().ends_with(TRUNK));
    if is_there {
        return Ok(program);
    }
    step("install Trunk (some minutes, once)", || {
        let version = format!("--version={TRUNK}");
        let mut install = command::cargo(&["install", "trunk", &version, "--locked", "--quiet"]);
        command::run(
            install
                .args(["--debug", "--no-default-features", "--root"])
                .arg(root::path("target/tools"))
                .env("CARGO_PROFILE_DEV_DEBUG", "0"),
        )
        .context("Trunk could not be built; try `cargo install trunk` by hand")
    })?;
    Ok(program)
}
