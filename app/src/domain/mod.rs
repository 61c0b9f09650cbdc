//! The rules, and nothing else.
//!
//! Everything here is a value or a function of values: no clock, no I/O, no
//! framework. Time, ids and chance come in as arguments, so each rule can be
//! tried in a test that takes microseconds, natively and in the browser alike.
//!
//! The way through: a listener says an [`event::Event`]; [`run::Run::apply`]
//! joins it into the run; [`counts::Counts`], [`test::Outcome`] and
//! [`run::RunResult`] are derived from what the run then knows;
//! [`activity::Activity`] and [`forecast`] say what to make of the time.

pub mod account;
pub mod activity;
pub mod batch;
pub mod build;
pub mod chance;
pub mod change;
pub mod clock;
pub mod commit;
pub mod counts;
pub mod event;
pub mod file;
pub mod forecast;
pub mod health;
pub mod ids;
pub mod job;
pub mod name;
pub mod output;
pub mod owners;
pub mod plan;
pub mod problem;
pub mod rate;
pub mod rename;
pub mod retention;
pub mod rights;
pub mod run;
pub mod steps;
pub mod suite;
pub mod test;
pub mod time;
pub mod wall;

mod run_facts;
#[cfg(test)]
mod run_tests;
