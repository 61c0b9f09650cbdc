//! Items: begin, end, look at.

use super::refusal::Unwelcome;
use super::{Admitted, Asked, created, ok};
use axum::response::Response;
use serde_json::json;

/// Begins an item, under the one in the address or at the root.
pub async fn start(asked: Asked) -> Result<Response, Unwelcome> {
    let id = asked.by.agent.start_item(asked.by.id.as_deref(), &asked.body).await?;
    Ok(created(&json!({ "id": id, "uniqueId": id })))
}

/// Ends an item.
pub async fn finish(asked: Asked) -> Result<Response, Unwelcome> {
    let id = asked.by.id();
    asked.by.agent.finish_item(id, &asked.body).await?;
    Ok(ok(&json!({ "message": format!("TestItem with ID = '{id}' successfully finished.") })))
}

/// Tells more about an item.
pub async fn update(asked: Asked) -> Result<Response, Unwelcome> {
    let id = asked.by.id();
    asked.by.agent.update_item(id, &asked.body).await?;
    Ok(ok(&json!({ "message": format!("TestItem with ID = '{id}' successfully updated.") })))
}

/// An item.
pub async fn one(by: Admitted) -> Result<Response, Unwelcome> {
    Ok(ok(&by.agent.item(by.id(), by.clock)?))
}
