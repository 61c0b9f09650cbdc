//! Makes the embedded site folder exist, and has the program rebuilt when it
//! changes: the embedding macro alone does not notice new hashed files.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site");
    std::fs::create_dir_all(&site)?;
    println!("cargo::rerun-if-changed={}", site.display());
    println!("cargo::rerun-if-changed={}", site.join("manifest.json").display());
    Ok(())
}
