//! Answers in the place of the `wasm-bindgen` program when Trunk calls for it.
//!
//! Trunk insists on a program of exactly the version in `Cargo.lock` and would
//! else download one. This tool holds the same code as a library, so a link to it
//! under that name is enough, and no second copy can be of another version.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::root;

/// The name by which Trunk calls.
const NAME: &str = "wasm-bindgen";

/// The version of the library, and so of the program it stands in for.
pub const VERSION: &str = "0.2.130";

/// Whether this process was started under the other program's name.
pub fn is_asked_for() -> bool {
    std::env::args_os().next().is_some_and(|name| Path::new(&name).file_stem() == Some(OsStr::new(NAME)))
}

/// A folder, to be put first on the PATH, in which this tool goes by the other name.
pub fn folder() -> Result<PathBuf> {
    let folder = root::path("target/tools/stand-in");
    std::fs::create_dir_all(&folder)?;
    let link = folder.join(NAME);
    if link.symlink_metadata().is_ok() {
        std::fs::remove_file(&link)?;
    }
    std::os::unix::fs::symlink(std::env::current_exe()?, &link)
        .with_context(|| format!("cannot create {}", link.display()))?;
    Ok(folder)
}

/// Does what the program would do with the arguments that Trunk gives.
pub fn run(args: impl Iterator<Item = String>) -> Result<()> {
    let mut bindgen = Bindgen::new();
    // The one default in which the program differs from the library.
    bindgen.omit_default_module_path(false);
    let mut out_dir = None;
    for arg in args {
        match arg.split_once('=').unwrap_or((&arg, "")) {
            ("--version", _) => {
                println!("{NAME} {VERSION}");
                return Ok(());
            }
            ("--target", "web") => {
                bindgen.web(true)?;
            }
            ("--out-dir", folder) => out_dir = Some(PathBuf::from(folder)),
            ("--out-name", name) => {
                bindgen.out_name(name);
            }
            ("--no-typescript", _) => {
                bindgen.typescript(false);
            }
            ("--debug", _) => {
                bindgen.debug(true);
            }
            ("--keep-debug", _) => {
                bindgen.keep_debug(true);
            }
            ("--no-demangle", _) => {
                bindgen.demangle(false);
            }
            (input, _) if !input.starts_with('-') => {
                bindgen.input_path(&arg);
            }
            _ => bail!("the stand-in for {NAME} does not know {arg}; add it in xtask"),
        }
    }
    bindgen.generate(out_dir.context("--out-dir is missing")?)
}
