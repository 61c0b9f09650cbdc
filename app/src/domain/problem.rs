//! The one list of refusals (RFC 9457).

use serde::{Deserialize, Serialize};

macro_rules! problems {
    ($($(#[$doc:meta])* $kind:ident = $slug:literal, $status:literal, $title:literal;)*) => {
        /// Every kind of refusal there is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum ProblemKind { $($(#[$doc])* $kind,)* }

        impl ProblemKind {
            /// All kinds.
            pub const ALL: &'static [ProblemKind] = &[$(ProblemKind::$kind),*];

            /// Names the kind in its `type` URI, `/problems/<slug>`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug),* }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$kind => $status),* }
            }

            /// The same few words for every problem of the kind.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title),* }
            }
        }
    };
}

problems! {
    /// The body is not what its content type says.
    Malformed = "malformed", 400, "The request could not be read";
    /// No token, or one we do not know.
    Unauthenticated = "unauthenticated", 401, "An account or a valid token is needed";
    /// A token that may not do this.
    Forbidden = "forbidden", 403, "You may not do that";
    /// Nothing here.
    NotFound = "not-found", 404, "There is nothing here";
    /// The path is right, the method is not.
    MethodNotAllowed = "method-not-allowed", 405, "This address does not take that method";
    /// It was so once, or is not yet: somebody else was quicker.
    Conflict = "conflict", 409, "This does not fit with how things stand";
    /// It did not arrive in time.
    TooSlow = "too-slow", 408, "The request took too long to arrive";
    /// More than we take at once.
    TooLarge = "too-large", 413, "The request is too large";
    /// A content type or encoding we do not read.
    Unsupported = "unsupported-media-type", 415, "This kind of content is not understood";
    /// Readable, and every part of it is wrong.
    Invalid = "invalid", 422, "The content is not valid";
    /// Too many requests.
    RateLimited = "rate-limited", 429, "Too many requests; wait a little";
    /// Our fault.
    Internal = "internal", 500, "Something went wrong on our side";
    /// Another server does not answer as it should.
    Upstream = "upstream", 502, "Another server did not answer";
    /// The store or the queue cannot take more just now; nothing was lost.
    Busy = "busy", 503, "Try again in a moment";
}

/// Where in the body a fault lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// A JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong there, for people.
    pub detail: String,
}

/// A refusal as the caller sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Which.
    pub kind: ProblemKind,
    /// What is wrong with this request, and what to do, for people.
    pub detail: String,
    /// The request it happened to, as it stands in our log.
    pub instance: Option<String>,
    /// Faults in the body.
    pub errors: Vec<Fault>,
    /// When to try again, in seconds.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem of a kind, with its detail.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), instance: None, errors: Vec::new(), retry_after: None }
    }

    /// With one fault.
    pub fn at(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.errors.push(Fault { pointer: pointer.into(), detail: detail.into() });
        self
    }

    /// With a time to wait.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.title(), self.detail)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_unique_and_statuses_are_errors() {
        for (i, kind) in ProblemKind::ALL.iter().enumerate() {
            assert!((400..600).contains(&kind.status()));
            assert!(ProblemKind::ALL[i + 1..].iter().all(|other| other.slug() != kind.slug()));
        }
    }
}
