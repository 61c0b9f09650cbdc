//! The embedded site: bundle, styles, icons.
//!
//! Files under `/pkg/` carry a hash of their content in their name and are
//! kept by browsers for ever. Compressed twins were made at build time.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Deserialize;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
struct Site;

/// What the build tool wrote about the bundle; paths from the site's root.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Manifest {
    js: String,
    css: String,
}

impl Manifest {
    /// Reads the manifest. Without one the program was built without a bundle:
    /// pages are then served unstyled and do not hydrate.
    pub fn read() -> Self {
        Site::get("manifest.json").and_then(|file| serde_json::from_slice(&file.data).ok()).unwrap_or_default()
    }

    /// The name from which Leptos derives script and module: `frontend-<hash>`.
    pub fn output_name(&self) -> Option<&str> {
        self.js.strip_prefix("pkg/")?.strip_suffix(".js")
    }

    /// The file name of the style sheet in `/pkg/`.
    pub fn css(&self) -> Option<&str> {
        self.css.strip_prefix("pkg/")
    }

    /// Names this build: pages of another one load themselves again.
    pub fn build(&self) -> String {
        let name = self.output_name().and_then(|name| name.rsplit('-').next()).unwrap_or("none");
        let style = self.css().and_then(|name| name.rsplit('-').next()).unwrap_or("none");
        let style = style.trim_end_matches(".css");
        format!("{}+{}.{}", env!("CARGO_PKG_VERSION"), &name[..name.len().min(8)], &style[..style.len().min(8)])
    }
}

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .any(|one| one.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(encoding)))
}

/// The smallest twin that the browser takes.
fn find(path: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    for (encoding, suffix) in [("br", ".br"), ("gzip", ".gz")] {
        if accepts(headers, encoding)
            && let Some(file) = Site::get(&format!("{path}{suffix}"))
        {
            return Some((file, Some(encoding)));
        }
    }
    Site::get(path).map(|file| (file, None))
}

/// Answers with a file of the site, or `None` where there is none.
pub fn serve(path: &str, headers: &HeaderMap) -> Option<Response> {
    let path = path.trim_start_matches('/');
    let hidden = path.is_empty() || path == "manifest.json" || path.ends_with(".br") || path.ends_with(".gz");
    if hidden {
        return None;
    }
    let (file, encoding) = find(path, headers)?;
    let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..8]));
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == etag.as_bytes());
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { Body::from(file.data).into_response() };
    let own = response.headers_mut();
    let kept = if path.starts_with("pkg/") { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    own.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    if let Ok(kind) = HeaderValue::from_str(kind.as_ref()) {
        own.insert(header::CONTENT_TYPE, kind);
    }
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        own.insert(header::ETAG, etag);
    }
    if let Some(encoding) = encoding {
        own.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_names_bundle_and_style() {
        let manifest =
            Manifest { js: "pkg/frontend-0123456789abcdef.js".into(), css: "pkg/holter-fedcba98.css".into() };
        assert_eq!(manifest.output_name(), Some("frontend-0123456789abcdef"));
        assert!(manifest.build().ends_with("+01234567.fedcba98"));
        assert!(Manifest::default().build().ends_with("+none.none"));
    }

    #[test]
    fn hidden_files_stay_hidden() {
        assert!(serve("/manifest.json", &HeaderMap::new()).is_none());
        assert!(serve("/", &HeaderMap::new()).is_none());
        assert!(serve("/../Cargo.toml", &HeaderMap::new()).is_none());
    }
}
