//! What CI servers are answered.

use crate::service::ingest::Receipt;
use serde::Serialize;
use utoipa::ToSchema;

/// What was done with a delivery
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HookReceipt {
    /// It was taken; where it was not, the answer is a problem.
    pub success: bool,
    /// What was made of it.
    pub outcome: HookOutcome,
    /// The same for people.
    pub message: String,
    /// Events that it became.
    pub events: u32,
}

/// What was made of a delivery
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HookOutcome {
    /// It is durable.
    Recorded,
    /// It came before.
    Duplicate,
    /// It says nothing about tests.
    Ignored,
}

impl HookReceipt {
    /// A receipt.
    pub fn of(outcome: HookOutcome, message: impl Into<String>, events: u32) -> Self {
        Self { success: true, outcome, message: message.into(), events }
    }

    /// Of a delivery that is of no use here.
    pub fn ignored(why: &str) -> Self {
        Self::of(HookOutcome::Ignored, why, 0)
    }

    /// Of a delivery that is durable, or was before.
    pub fn recorded(receipt: &Receipt) -> Self {
        match receipt.rejected.first() {
            Some(first) if receipt.accepted == 0 => Self::ignored(&format!("{} {}", first.pointer, first.detail)),
            _ if receipt.accepted == 0 => Self::of(HookOutcome::Duplicate, "this delivery came before", 0),
            _ => Self::of(HookOutcome::Recorded, "recorded", receipt.accepted),
        }
    }
}
