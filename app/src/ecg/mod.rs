//! The ECG: the state of tests as a heart that beats.
//!
//! Everything here is a function of three things: the seed of a scope, the log
//! of what happened, and the server's time. Nothing is drawn at random and
//! nothing is kept that could not be found again, so two browsers show the same
//! picture, at whatever frame rate, and a strip that was hidden for an hour goes
//! on as if it had been watched.
//!
//! The way through: [`reading::Measures`] become a [`Reading`]; a [`Strip`] is
//! told readings and [`Event`]s and gives samples; a [`sweep::Sweep`] turns the
//! samples of many strips into lines to draw. A [`tape::Tape`] is the other
//! kind of strip: one beat per commit or per result, from the oldest to the
//! newest, to be scrubbed. What draws on the canvas is elsewhere and only loops
//! over what comes from here.
//!
//! What it is not: a simulation. ECGSYN integrates equations; here every wave
//! has a closed form ([`wave`]) and every beat is found from the last anchor
//! (module `anchor`).

pub mod chance;
pub mod commits;
pub mod draw;
pub mod pace;
pub mod reading;
pub mod results;
pub mod sample;
pub mod sweep;
pub mod tape;
pub mod throughput;
pub mod twin;
pub mod wave;

mod anchor;
mod ground;
mod log;
mod rhythm;
mod rr;
mod strip;
mod tape_view;

pub use log::{Event, EventKind};
pub use reading::{Alarm, Conduction, Measures, Reading, Rhythm};
pub use rhythm::Beat;
pub use strip::{DELAY, KEEP, Strip};
pub use wave::Shape;
