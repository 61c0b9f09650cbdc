//! `/api/v1/tokens`: what programs are let in by, for programs.

use super::body;
use super::extract::Segment;
use super::json;
use super::problem::Refusal;
use super::wire::tokens::{NewToken, TokenBody, TokenItem, TokenList};
use crate::service::Desk;
use app::domain::ids::TokenId;
use app::domain::rights::Action;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Lists tokens
///
/// The newest first, also those that do not hold any more. Needs a token of scope `admin`, or an administrator.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "Tokens", operation_id = "listTokens", security(("token" = [])),
    responses((status = 200, description = "Every token, without its secret", body = TokenList)),
)]
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    let items = desk.tokens().await?.into_iter().map(TokenItem::from).collect();
    Ok(json(&TokenList { items, next: None }))
}

/// Makes a token
///
/// Its secret is told once. Needs a token of scope `admin`, or an administrator.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "Tokens", operation_id = "makeToken", security(("token" = [])),
    request_body(content = TokenBody, description = "What it is for"),
    responses((status = 200, description = "The token and its secret", body = NewToken)),
)]
pub async fn make(desk: Desk, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    desk.allow(Action::Administer)?;
    let said: TokenBody = body::value(&headers, body).await?;
    let (secret, token) = desk.token_make(&said.text()?).await?;
    let mut response = json(&NewToken { secret: secret.expose().to_owned(), token: token.into() });
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Takes a token back
///
/// It is refused at once, and streams that were opened with it end. Needs a token of scope `admin`, or an administrator.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", tag = "Tokens", operation_id = "revokeToken", security(("token" = [])),
    params(("id" = String, Path, description = "The token's id", example = "0195f2b0-7c1a-7000-8000-000000000001")),
    responses((status = 204, description = "It does not hold any more")),
)]
pub async fn revoke(desk: Desk, Segment(id): Segment) -> Result<Response, Refusal> {
    let gone = || Refusal::not_found("there is no such token, or it was taken back before");
    desk.allow(Action::Administer)?;
    let id = id.parse().map(TokenId).map_err(|_| gone())?;
    if desk.token_revoke(id).await? { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(gone()) }
}
