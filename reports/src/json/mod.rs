//! Formats that are one JSON document.
//!
//! Every parser reads loosely ([`node`], [`read`]): a number where a text
//! should be, one name where a list of them should be, a missing field. A case
//! that cannot be read is a loss, and costs its neighbours nothing.

pub mod allure;
pub mod ctrf;
pub mod cucumber;
pub mod jest;
pub mod lava;
pub mod ltp;
pub mod mocha;
pub mod node;
pub mod playwright;
pub mod read;
pub mod robot;
pub mod rspec;
pub mod squad;
