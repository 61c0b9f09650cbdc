//! The parts, a module each.

mod agent;
mod batch;
mod builds;
mod claims;
mod grid;
mod login;
mod memory;
mod page;
mod pixel;
mod report;
mod rights;
mod single;
mod streams;
mod talk;
mod wall;

use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Serialize;
use tokio::time::timeout;

use crate::Setting;
use crate::report::Findings;

/// No part takes longer on a machine that is worth measuring.
const PART_WITHIN: Duration = Duration::from_secs(900);

/// A part of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Single events against parsing alone
    A,
    /// Batches against bare inserts
    B,
    /// From a post to the page
    C,
    /// Two thousand live streams
    D,
    /// The first page
    E,
    /// Memory
    F,
    /// A large report
    G,
    /// An agent that waits for each answer
    H,
    /// What a token costs
    I,
    /// The grid of somebody who is signed in
    J,
    /// Whether a wrong name is told by the time it takes
    K,
    /// From a push to its build
    L,
    /// Taking a job from a long queue
    M,
    /// What a job puts out
    N,
}

/// Those asked for, in their order; all where none was named.
pub fn chosen(only: &[Part]) -> impl Iterator<Item = Part> {
    Part::value_variants().iter().copied().filter(move |part| only.is_empty() || only.contains(part))
}

impl Part {
    /// Its letter.
    pub fn letter(self) -> char {
        match self {
            Self::A => 'a',
            Self::B => 'b',
            Self::C => 'c',
            Self::D => 'd',
            Self::E => 'e',
            Self::F => 'f',
            Self::G => 'g',
            Self::H => 'h',
            Self::I => 'i',
            Self::J => 'j',
            Self::K => 'k',
            Self::L => 'l',
            Self::M => 'm',
            Self::N => 'n',
        }
    }

    /// What it measures.
    pub fn title(self) -> &'static str {
        match self {
            Self::A => "a: single events against parsing alone",
            Self::B => "b: batches against bare inserts",
            Self::C => "c: from a post to the page",
            Self::D => "d: two thousand live streams",
            Self::E => "e: the first page",
            Self::F => "f: memory",
            Self::G => "g: a large report",
            Self::H => "h: an agent that waits for each answer",
            Self::I => "i: what a token costs",
            Self::J => "j: the grid of somebody who is signed in",
            Self::K => "k: whether a wrong name is told by the time it takes",
            Self::L => "l: from a push to its build",
            Self::M => "m: taking a job from a long queue",
            Self::N => "n: what a job puts out",
        }
    }

    /// Measures. What was found before a failure is given too.
    pub async fn measure(self, setting: &Setting) -> (Findings, Result<()>) {
        let mut findings = Findings::default();
        let measured = async {
            match self {
                Self::A => single::measure(setting, &mut findings).await,
                Self::B => batch::measure(setting, &mut findings).await,
                Self::C => pixel::measure(setting, &mut findings).await,
                Self::D => streams::measure(setting, &mut findings).await,
                Self::E => page::measure(setting, &mut findings).await,
                Self::F => memory::measure(setting, &mut findings).await,
                Self::G => report::measure(setting, &mut findings).await,
                Self::H => agent::measure(setting, &mut findings).await,
                Self::I => rights::measure(setting, &mut findings).await,
                Self::J => grid::measure(setting, &mut findings).await,
                Self::K => login::measure(setting, &mut findings).await,
                Self::L => builds::measure(setting, &mut findings).await,
                Self::M => claims::measure(setting, &mut findings).await,
                Self::N => talk::measure(setting, &mut findings).await,
            }
        };
        let outcome = timeout(PART_WITHIN, Box::pin(measured)).await.context("it does not come to an end");
        (findings, outcome.and_then(|inner| inner))
    }
}
