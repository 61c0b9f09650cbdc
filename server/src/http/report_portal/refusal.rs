//! Refusals in ReportPortal's shape: a number and a message.

use super::answer;
use crate::http::problem::Refusal;
use crate::intake::report_portal::Refused;
use crate::intake::report_portal::multipart::Broken;
use crate::service::Failure;
use crate::service::agents::AgentError;
use app::domain::problem::{Problem, ProblemKind};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal.
#[derive(Debug)]
pub struct Unwelcome {
    status: StatusCode,
    code: u32,
    message: String,
    retry_after: Option<u32>,
}

impl Unwelcome {
    fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None }
    }

    /// A request that cannot be understood.
    pub fn incorrect(detail: impl std::fmt::Display) -> Self {
        Refused::Incorrect(format!("[{detail}]")).into()
    }

    /// An address that is not text.
    pub fn address() -> Self {
        Self::new(StatusCode::NOT_FOUND, 4043, "this address is not text")
    }
}

impl From<Refused> for Unwelcome {
    fn from(refused: Refused) -> Self {
        let status = match refused {
            Refused::Incorrect(_) | Refused::TooMany => StatusCode::BAD_REQUEST,
            Refused::NoLaunch(_) | Refused::NoItem(_) => StatusCode::NOT_FOUND,
        };
        Self::new(status, refused.code(), refused.to_string())
    }
}

impl From<Problem> for Unwelcome {
    fn from(problem: Problem) -> Self {
        let code = match problem.kind {
            ProblemKind::Unauthenticated | ProblemKind::Forbidden => 4003,
            ProblemKind::NotFound => 4040,
            kind if kind.status() >= 500 => 5000,
            _ => 4001,
        };
        let status = StatusCode::from_u16(problem.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { retry_after: problem.retry_after, ..Self::new(status, code, problem.detail) }
    }
}

impl From<Failure> for Unwelcome {
    fn from(failure: Failure) -> Self {
        Problem::from(failure).into()
    }
}

impl From<Refusal> for Unwelcome {
    fn from(refusal: Refusal) -> Self {
        refusal.into_problem().into()
    }
}

impl From<AgentError> for Unwelcome {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::Refused(refused) => refused.into(),
            AgentError::Failed(failure) => failure.into(),
        }
    }
}

impl From<Broken> for Unwelcome {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::TooLarge => Self::new(StatusCode::PAYLOAD_TOO_LARGE, 4001, broken.to_string()),
            _ => Self::incorrect(broken),
        }
    }
}

impl IntoResponse for Unwelcome {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::warn!(status = self.status.as_u16(), detail = %self.message, "an agent was refused");
        }
        let mut response = answer(self.status, &json!({ "errorCode": self.code, "message": self.message }));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, axum::http::HeaderValue::from_static("Bearer"));
        }
        response
    }
}
