use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// Writes `files` to a folder of their own and inlines the first.
fn inlined(files: &[(&str, &str)]) -> Result<String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("holter-css-{}-{number}", std::process::id()));
    for (name, text) in files {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().context("a file lies in a folder")?)?;
        std::fs::write(file, text)?;
    }
    let result = inline(&folder.join(files[0].0));
    std::fs::remove_dir_all(folder)?;
    result
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &str) {
    match inlined(files) {
        Ok(found) => assert_eq!(found, expected),
        Err(error) => panic!("{error:#}"),
    }
}

#[track_caller]
fn check_refused(files: &[(&str, &str)], reason: &str) {
    match inlined(files) {
        Ok(found) => panic!("accepted as {found}"),
        Err(error) => assert!(format!("{error:#}").contains(reason), "{error:#}"),
    }
}

#[test]
fn imports_become_layers() {
    check(
        &[
            (
                "main.css",
                "@charset \"utf-8\";\n@layer base, ui;\n@import \"base.css\" layer(base);\n\
                 @import url('ui/tile.css') layer( ui );\n@import \"free.css\";\nbody { margin: 0 }\n",
            ),
            ("base.css", "a { color: red }\n"),
            ("ui/tile.css", ".Tile { top: 0 }"),
            ("free.css", "b { left: 0 }"),
        ],
        "@layer base, ui;\n@layer base {\na { color: red }\n}\n@layer ui {\n.Tile { top: 0 }\n}\n\
         b { left: 0 }\nbody { margin: 0 }\n",
    );
}

#[test]
fn an_imported_file_imports_beside_itself() {
    check(
        &[
            ("main.css", "@import \"ui/all.css\" layer(ui);"),
            ("ui/all.css", "@import \"tile.css\" layer(tile);\ni { top: 0 }"),
            ("ui/tile.css", "b { top: 0 }"),
        ],
        "@layer ui {\n@layer tile {\nb { top: 0 }\n}\ni { top: 0 }\n}\n",
    );
}

#[test]
fn a_layer_block_is_left_as_it_is() {
    check(
        &[("main.css", "@layer base {\n  a { top: 0 }\n}\n@layer;x{}")],
        "@layer base {\n  a { top: 0 }\n}\n@layer;x{}\n",
    );
}

#[test]
fn comments_go_but_strings_stay() {
    check(
        &[("main.css", "/* @import \"no.css\"; */\n\na::before { content: \"/* kept \\\" */\" } /* 'gone */\nb{}")],
        "a::before { content: \"/* kept \\\" */\" }\nb{}\n",
    );
}

#[test]
fn what_a_browser_would_ignore_is_refused() {
    check_refused(&[("main.css", "a {}\n@import \"b.css\";"), ("b.css", "")], "before all rules");
}

#[test]
fn foreign_and_conditional_imports_are_refused() {
    check_refused(&[("main.css", "@import \"https://x.test/a.css\";")], "repository");
    check_refused(&[("main.css", "@import \"a.css\" print;")], "only layer");
    check_refused(&[("main.css", "@import a.css;")], "in quotes");
}

#[test]
fn circles_and_missing_files_name_the_file() {
    check_refused(&[("a.css", "@import \"b.css\";"), ("b.css", "@import \"a.css\";")], "in a circle");
    check_refused(&[("a.css", "@import \"none.css\";")], "none.css");
}

#[test]
fn addresses_start_at_the_top_of_the_site() {
    check(
        &[("a.css", "a{src:url(\"/f.woff2\"),url(data:x),url(#g)}")],
        "a{src:url(\"/f.woff2\"),url(data:x),url(#g)}\n",
    );
    check_refused(&[("a.css", "a{src:url(../f.woff2)}")], "must start with /");
    check_refused(&[("a.css", "a{src:url('//x.test/f')}")], "must start with /");
}
