//! What Holter says to other servers: the one client that calls them.
//!
//! Addresses to call come from people (a hook on a settings page, a commit
//! status, an identity provider), so a call may be an attempt to reach what
//! only this machine can reach: its own loopback, the network around it, the
//! metadata service of a cloud. Three rules stand against that. A host is
//! called only where the operator allowed its name ([`Rules`]); the address
//! that its name resolves to is looked at in the very connection that is made,
//! and an inward one is refused unless its network is allowed too ([`Reach`]);
//! redirects are not followed, and no proxy is asked.
//!
//! Mail goes by the one server of the configuration, see [`mail`].
//!
//! Calls are bounded: so many at once, each with a time in all, and answers of
//! a size. What is told of a failed call names the host and never the path,
//! where other systems keep secrets.

mod address;
mod call;
pub mod channel;
mod client;
mod delivery;
pub mod forge;
pub mod mail;
pub mod notice;
pub mod openid;
pub mod retry;
mod rules;

pub use address::Reach;
pub use call::{Answer, Call, CallError};
pub use client::{Outgoing, OutgoingError};
pub use delivery::Delivery;
pub use rules::{HostRule, Refused, RuleError, Rules};
