//! Everything that only the server knows.
//!
//! `http` is the front: it reads requests, asks the [`service`] and writes
//! answers. The service decides, with the pure rules of `app::domain`; the
//! [`store`] remembers, with [`files`] for what is large; the [`bus`] tells open
//! streams. [`intake`] turns what arrives into events; [`outgoing`] is the one
//! way to call other servers; [`work`] is done unasked; [`runner`] runs tests. [`config`], [`cli`] and
//! [`clock`] are the only doors to
//! the environment, the time and chance.

// The types of rendered pages nest as deeply as their elements.
#![recursion_limit = "512"]

pub mod bus;
pub mod cli;
pub mod clock;
pub mod config;
pub mod files;
mod front;
pub mod http;
pub mod import;
pub mod intake;
pub mod outgoing;
pub mod runner;
pub mod secret;
pub mod server;
pub mod service;
pub mod setups_file;
pub mod simulate;
pub mod store;
pub mod telemetry;
pub mod timetable;
pub mod work;
