//! How healthy a test is: flaky, broken, or neither, and how sure that is.
//!
//! A test on a setup has a [`State`]. Each of its results is an
//! [`Observation`], which [`State::observe`] takes in at a fixed cost; the
//! [`Reading`] then says how likely the test is flaky and how likely it is
//! broken, and the [`Label`] says it in one word that does not flutter.
//! Between results a state is kept as [`Packed`] bytes.
//!
//! Two things cannot be seen by one test alone. When many tests fail at once
//! the cause is common, and none of them is to blame: a [`Gate`] per setup
//! notices and sets their states right. And a run is as clean as all of its
//! tests together: an [`Aggregate`] sums them up, for any scope.
//!
//! With retries the plain rule "failed, then passed on the same commit" finds
//! flaky tests just as well. What the filter adds then is a probability, an
//! interval, a ranking, and an end to the accusation once a test is mended.
//! Without retries it also tells a flake from a regression, with a fraction of
//! the false alarms that counting flips has.
//!
//! It cannot see: a test that is flaky only while it is broken; and tests that
//! depend on their order, unless the order varies.

mod aggregate;
mod calibration;
mod environment;
mod filter;
mod gate;
mod label;
mod packed;
mod parameters;
mod replay;
mod state;
mod trend;

#[cfg(test)]
mod gate_tests;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod replay_tests;
#[cfg(test)]
mod state_tests;
#[cfg(test)]
mod vectors;

pub use aggregate::{Aggregate, AggregateProblem, Clean};
pub use calibration::Calibration;
pub use environment::{EnvironmentDependent, depends_on_environment, p_flaky_anywhere};
pub use filter::{Rate, Reading};
pub use gate::{Base, BaseProblem, Corrected, Gate};
pub use label::{Label, LabelRule, Reason};
pub use packed::{PACKED_BYTES, Packed, PackedProblem};
pub use parameters::{GRID, Model, ParameterProblem, Parameters, Traits, hash_of};
pub use replay::{Answer, Judged, Refused, Replay, replay};
pub use state::{Observation, State, Step};
pub use trend::{Comparison, Events, Trend};
