//! Dumb components: props in, view out.
//!
//! None of them fetches, reads a clock or knows the live link; what changes
//! after mount arrives as a `Signal`. State goes out as `data-*` attributes,
//! and CSS alone decides what it looks like. Nothing here writes a `style`
//! attribute: the pages are served with a policy that forbids them.

#![allow(clippy::redundant_closure, reason = "only a closure written inside of `view!` is erased, see `ui::erase`")]

mod badge;
mod bar;
mod builds;
mod counts;
mod empty;
mod erase;
mod facts;
mod grid_row;
mod health;
mod icon;
mod name;
mod output;
mod problem;
mod run_line;
mod script;
mod stale;
mod strip;
mod test_row;
mod time;
mod wall_tile;

pub use badge::{ActivityBadge, OutcomeMark, ResultBadge};
pub use bar::{Progress, Stack, segments};
pub use builds::{BuildsState, BuildsTable};
pub use counts::{Counters, Vital};
pub use empty::{Empty, PointAListener};
pub use erase::{Each, Erase, Show, click};
pub use facts::{Fact, Notice};
pub use grid_row::GridRow;
pub use health::{LabelBadge, TapeView, Uncalibrated, percent, rate, reason, trend};
pub use icon::{Glyph, Icon};
pub use output::{FileList, OutputLines};
pub use problem::ProblemView;
pub use run_line::RunRow;
pub use script::ScriptText;
pub use stale::{Freshness, StaleBanner};
pub use strip::StripPlace;
pub use test_row::TestRow;
pub use time::{Timer, When};
pub use wall_tile::WallTile;

/// Tiles for tests.
#[cfg(test)]
pub(crate) mod tests {
    pub use super::grid_row::tests::tile;
}
