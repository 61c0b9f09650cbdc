//! `GET /docs`: the API, to be tried. Everything comes from this server.
//!
//! The page is ours because the one that Swagger UI brings names its files
//! relative to a folder, and its start is a script of ours because the policy
//! allows none inside the page.

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use std::sync::Arc;
use utoipa_swagger_ui::{Config, Url};

const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Try the API · Holter</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs scripts; <a href="/redoc">the reference</a> does not.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"#;

const START: &str = r##"window.addEventListener("load", () => {
  window.ui = SwaggerUIBundle({
    url: "/api/v1/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null,
    defaultModelsExpandDepth: 0,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
  });
});
"##;

/// Swagger UI sets styles on its elements and carries pictures in its own
/// style sheet; scripts come from files alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'self'";

/// The page and its files.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/docs", get(page))
        .route("/docs/", get(async || Redirect::permanent("/docs")))
        .route("/docs/start.js", get(async || file("text/javascript; charset=utf-8", START.into())))
        .route("/docs/swagger-ui-bundle.js", get(async || vendored("swagger-ui-bundle.js")))
        .route("/docs/swagger-ui.css", get(async || vendored("swagger-ui.css")))
}

async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    (headers, PAGE).into_response()
}

fn vendored(name: &str) -> Response {
    // The configuration is only read for the start script, which is ours.
    let found = utoipa_swagger_ui::serve(name, Arc::new(Config::new([Url::from("")])));
    match found {
        Ok(Some(found)) => file(&found.content_type, found.bytes.into_owned()),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn file(kind: &str, bytes: Vec<u8>) -> Response {
    let mut response = bytes.into_response();
    let kind = HeaderValue::from_str(kind).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}
