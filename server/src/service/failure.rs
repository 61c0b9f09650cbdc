//! Why the service could not do what was asked.

use crate::config::FieldFault;
use crate::files::FileError;
use crate::outgoing::channel::ChannelFault;
use crate::store::StoreError;
use app::domain::account::AccountFault;
use app::domain::problem::{Problem, ProblemKind};
use app::domain::time::Micros;
use app::domain::wall::WallFault;
use thiserror::Error;

/// A refusal or a failure, in the service's own words.
#[derive(Debug, Error)]
pub enum Failure {
    /// Nothing was lost; it may work in a moment.
    #[error("{reason}")]
    Busy {
        /// What is busy.
        reason: &'static str,
        /// When to try again, in seconds.
        retry_after: u32,
        /// What the store said, where it was the store.
        #[source]
        source: Option<StoreError>,
    },
    /// No token, or one we do not know.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The token may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// Too often.
    #[error("{detail}")]
    TooMany {
        /// What.
        detail: String,
        /// When to try again, in seconds.
        retry_after: u32,
    },
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// It does not fit with how things stand.
    #[error("{0}")]
    Conflict(String),
    /// More than is taken at once.
    #[error("{0}")]
    TooLarge(String),
    /// Files cannot be kept or read.
    #[error("files cannot be kept")]
    Files(#[source] FileError),
    /// A value in the request that cannot be.
    #[error("{detail}")]
    Invalid {
        /// Where.
        pointer: String,
        /// What is wrong.
        detail: String,
    },
    /// Another server.
    #[error("{0}")]
    Upstream(String),
    /// The store broke.
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// The recorder has stopped; the server is going down.
    #[error("the server is shutting down")]
    Closing,
}

impl Failure {
    /// A field whose value cannot be.
    pub(crate) fn invalid(field: &str, detail: impl ToString) -> Self {
        Self::Invalid { pointer: format!("/{field}"), detail: detail.to_string() }
    }

    /// Somebody has to wait this long, in whole seconds and never none.
    pub(super) fn too_many(detail: &str, wait: Micros) -> Self {
        let retry_after = u32::try_from(wait.as_secs().max(0) + 1).unwrap_or(u32::MAX);
        Self::TooMany { detail: detail.into(), retry_after }
    }
}

impl From<AccountFault> for Failure {
    fn from(fault: AccountFault) -> Self {
        Self::invalid(fault.field, fault.detail)
    }
}

impl From<WallFault> for Failure {
    fn from(fault: WallFault) -> Self {
        Self::invalid(fault.field, fault.detail)
    }
}

impl From<ChannelFault> for Failure {
    fn from(fault: ChannelFault) -> Self {
        Self::invalid(fault.field, fault.detail)
    }
}

impl From<FieldFault> for Failure {
    fn from(fault: FieldFault) -> Self {
        Self::invalid(fault.field, fault.detail)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            busy @ StoreError::Busy { .. } => {
                Self::Busy { reason: "the store cannot be reached just now", retry_after: 2, source: Some(busy) }
            }
            other => Self::Store(other),
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        match error {
            FileError::TooLarge { .. } => Self::TooLarge(error.to_string()),
            other => Self::Files(other),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        log(&failure);
        let detail = failure.to_string();
        match failure {
            Failure::Busy { retry_after, .. } => Problem::new(
                ProblemKind::Busy,
                format!("{detail}; nothing of this request was recorded, send it again"),
            )
            .retry_after(retry_after),
            Failure::Closing => Problem::new(ProblemKind::Busy, detail).retry_after(2),
            Failure::Unauthenticated(_) => Problem::new(ProblemKind::Unauthenticated, detail),
            Failure::Forbidden(_) => Problem::new(ProblemKind::Forbidden, detail),
            Failure::TooMany { retry_after, .. } => {
                Problem::new(ProblemKind::RateLimited, detail).retry_after(retry_after)
            }
            Failure::NotFound(_) => Problem::new(ProblemKind::NotFound, detail),
            Failure::Conflict(_) => Problem::new(ProblemKind::Conflict, detail),
            Failure::Invalid { pointer, detail } => {
                Problem::new(ProblemKind::Invalid, detail.clone()).at(pointer, detail)
            }
            Failure::TooLarge(_) => Problem::new(ProblemKind::TooLarge, detail),
            Failure::Files(error) if error.is_busy() => {
                Problem::new(ProblemKind::Busy, format!("{detail} just now: {error}")).retry_after(10)
            }
            Failure::Files(_) => Problem::new(ProblemKind::Internal, "the server cannot keep files; its log says why"),
            Failure::Upstream(_) => Problem::new(ProblemKind::Upstream, detail),
            Failure::Store(_) => Problem::new(ProblemKind::Internal, "the server could not do this; its log says why"),
        }
    }
}

/// Says the inside of a failure once, where it turns into what callers see.
fn log(failure: &Failure) {
    match failure {
        Failure::Store(source) => tracing::error!(error = %chain(source), "the store failed"),
        Failure::Busy { source: Some(source), .. } => {
            tracing::warn!(error = %chain(source), "the store is busy; callers are asked to try again");
        }
        Failure::Files(source) => tracing::error!(error = %chain(source), "files cannot be kept"),
        Failure::Upstream(detail) => tracing::warn!(%detail, "another server did not answer"),
        _ => {}
    }
}

/// An error and its sources on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
