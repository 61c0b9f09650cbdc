//! Makes `target/site`, the folder that the server embeds: the application, and
//! the art page beside it.
//!
//! Cargo compiles the browser side, bindgen (as a library, so its version is the
//! one in `Cargo.lock`) writes the JavaScript that loads it, the style sheets
//! become one file, `public/` is copied beside them, and everything is compressed.
//! Names carry a hash of the content so that browsers may keep the files for ever.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::step::step;
use crate::{command, compress, css, install, root, stand_in};

/// Counts up whenever this module writes other files from the same inputs.
const FORMAT: &str = "2";

/// How the browser side is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build: for working on it.
    Dev,
    /// Small: as it ships.
    Release,
}

impl Profile {
    pub fn of(release: bool) -> Self {
        if release { Self::Release } else { Self::Dev }
    }

    /// The cargo profile, which is also the folder under the target folder.
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "wasm-dev",
            Self::Release => "wasm-release",
        }
    }

    fn brotli_quality(self) -> u32 {
        match self {
            Self::Dev => 5,
            Self::Release => 11,
        }
    }
}

/// The names of the files that a page loads, relative to the top of the site.
pub struct Bundle {
    pub js: String,
    pub wasm: String,
    pub css: String,
    /// The script of the art page, which no other page loads.
    pub art: String,
}

impl Bundle {
    fn files(&self) -> [&String; 4] {
        [&self.js, &self.wasm, &self.css, &self.art]
    }
}

/// Everything that decides what the site holds.
struct Inputs {
    profile: Profile,
    wasm: Vec<u8>,
    art: Vec<u8>,
    css: String,
    public: Vec<PathBuf>,
}

/// Builds the site unless it is there already, made from the same inputs.
pub fn make(profile: Profile) -> Result<Bundle> {
    install::wasm_target()?;
    let inputs = Inputs::gather(profile)?;
    let bundle = inputs.names();
    let site = root::path("target/site");
    let stamp_file = root::path("target/site.stamp");
    let stamp = inputs.stamp()?;
    let is_same = fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp);
    if is_same && bundle.files().iter().all(|name| site.join(name).is_file()) {
        println!("    the bundle is up to date");
        return Ok(bundle);
    }
    step(&format!("write the bundle ({})", profile.name()), || {
        let fresh = root::path("target/site.new");
        inputs.write(&bundle, &fresh)?;
        replace(&fresh, &site)?;
        Ok(fs::write(&stamp_file, stamp)?)
    })?;
    Ok(bundle)
}

impl Inputs {
    fn gather(profile: Profile) -> Result<Self> {
        let name = profile.name();
        // One after the other: built together, each would get the other's features.
        let wasm = compile("frontend", "the browser side", name)?;
        let art = compile("art", "the art page", name)?;
        let mut public = Vec::new();
        collect_files(&root::path("public"), &mut public)?;
        public.sort();
        Ok(Self { profile, wasm, art, css: css::inline(&root::path("style/main.css"))?, public })
    }

    /// The glue names the module, so both carry one hash: that of what bindgen reads.
    fn names(&self) -> Bundle {
        let code = hash([self.wasm.as_slice(), stand_in::VERSION.as_bytes()]);
        let style = hash([self.css.as_bytes()]);
        Bundle {
            js: format!("pkg/frontend-{code}.js"),
            wasm: format!("pkg/frontend-{code}_bg.wasm"),
            css: format!("pkg/holter-{style}.css"),
            art: format!("pkg/art-{}.js", hash([self.art.as_slice(), stand_in::VERSION.as_bytes()])),
        }
    }

    /// A hash of all inputs. Cargo is asked about the Rust part by building it:
    /// it knows better than any list of files kept here.
    fn stamp(&self) -> Result<String> {
        let names = self.names();
        let mut parts = vec![FORMAT.into(), self.profile.name().into()];
        parts.extend(names.files().map(|name| name.clone().into_bytes()));
        for file in &self.public {
            parts.push(file.as_os_str().as_encoded_bytes().to_vec());
            parts.push(fs::read(file)?);
        }
        Ok(hash(parts))
    }

    fn write(&self, bundle: &Bundle, site: &Path) -> Result<()> {
        remove_folder(site)?;
        fs::create_dir_all(site.join("pkg"))?;
        self.copy_public(site)?;
        fs::write(site.join(&bundle.css), &self.css)?;
        bind(&self.wasm, &bundle.js, site)?;
        bind(&self.art, &bundle.art, site)?;
        // The policy of pages allows no script inside of one.
        fs::write(site.join("art.js"), format!("import begin from \"/{}\";\nawait begin();\n", bundle.art))?;
        fs::copy(root::path("art/style.css"), site.join("art.css"))?;
        let mut files = Vec::new();
        collect_files(site, &mut files)?;
        for file in &files {
            compress::beside(file, self.profile.brotli_quality())?;
        }
        // Written last and not compressed: the server reads it, no browser does.
        let manifest = serde_json::json!({
            "js": bundle.js,
            "wasm": bundle.wasm,
            "css": bundle.css,
            "profile": self.profile.name(),
        });
        Ok(fs::write(site.join("manifest.json"), format!("{manifest:#}\n"))?)
    }

    fn copy_public(&self, site: &Path) -> Result<()> {
        let public = root::path("public");
        for file in &self.public {
            let inside = file.strip_prefix(&public)?;
            let is_taken = inside == Path::new("manifest.json") || inside.starts_with("pkg");
            ensure!(!is_taken, "public/{} is a name of the bundle's own", inside.display());
            let target = site.join(inside);
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::copy(file, target)?;
        }
        Ok(())
    }
}

/// Compiles a package for the browser, and reads what came of it.
fn compile(package: &str, what: &str, profile: &str) -> Result<Vec<u8>> {
    step(&format!("compile {what} ({profile})"), || {
        let package = format!("--package={package}");
        let target = "--target=wasm32-unknown-unknown";
        command::run(&mut command::cargo(&["build", &package, target, "--profile", profile]))
    })?;
    let wasm = root::path(&format!("target/wasm32-unknown-unknown/{profile}/{package}.wasm"));
    fs::read(&wasm).with_context(|| format!("cannot read {}", wasm.display()))
}

/// Writes a module and the script that loads it, which is named `js`.
fn bind(wasm: &[u8], js: &str, site: &Path) -> Result<()> {
    let name = Path::new(js).file_stem().and_then(|stem| stem.to_str()).context("the script has no name")?;
    Bindgen::new()
        .input_bytes(name, wasm.to_vec())
        .web(true)?
        .typescript(false)
        // The glue finds the module beside itself, also when no page names it.
        .omit_default_module_path(false)
        .generate(site.join("pkg"))
        .context("bindgen cannot read the module; is `wasm-bindgen` of the same version as its library in xtask?")?;
    for file in [js.to_owned(), format!("pkg/{name}_bg.wasm")] {
        ensure!(site.join(&file).is_file(), "bindgen did not write {file}");
    }
    Ok(())
}

/// The first 16 hexadecimal digits of a hash over `parts`, each with its length
/// before it so that bytes cannot wander from one part to the next.
fn hash<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn collect_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect_files(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Puts `fresh` in the place of `old` by renaming, so that a server reading the
/// folder in a debug build misses it for an instant at most, and old hashed files go.
fn replace(fresh: &Path, old: &Path) -> Result<()> {
    let aside = old.with_extension("old");
    remove_folder(&aside)?;
    if old.exists() {
        fs::rename(old, &aside)?;
    }
    fs::rename(fresh, old)?;
    remove_folder(&aside)
}

fn remove_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_sixteen_digits_and_keeps_parts_apart() {
        let one = hash(["ab", "c"]);
        assert_eq!(one.len(), 16);
        assert_ne!(one, hash(["a", "bc"]));
        assert_eq!(one, hash(["ab", "c"]));
    }
}
