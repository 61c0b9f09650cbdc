//! Pages: they ask, listen and compose; what things look like is up to `ui`.
//!
//! Tests find their way by data attributes, never by classes:
//!
//! | attribute | where |
//! |---|---|
//! | `data-test="tile"` with `data-setup`, `data-activity`, `data-result` | a setup, as a row of the grid or a tile of the wall |
//! | `activity`, `suite`, `suite-timer`, `progress`, `progress-done`, `progress-percent`, `progress-late`, `test`, `test-timer`, `eta`, `counts-failed`, `counts-flaky`, `builds-button` | inside of a tile |
//! | `show-all`, `show-failing`, `show-running`, … | the vital signs above the grid, which filter it |
//! | `filter`, `order-sick`, `order-name`, `summary`, `no-match`, `empty` | the rest of the grid |
//! | `builds-dialog`, `builds`, `build`, `builds-loading`, `builds-error`, `builds-empty` | the latest builds |
//! | `run-head`, `result`, `counts-passed` (and every other outcome), `late-events`, `wrong-clock`, `last-good` | above the tree of a run |
//! | `tree`, `suite-node` with `data-suite`, `test-row` with `data-ordinal` and `data-outcome`, `message`, `all-attempts`, `attempt-texts`, `script-button`, `script-dialog`, `script`, `test-took` | the tree |
//! | `setup-head`, `attributes`, `runs`, `run-line`, `older-runs` | the page of a setup |
//! | `flaky`, `sick-test` and `on-setup` with `data-label`, `label`, `test-page`, `tape`, `result-row`, `environment`, `broke` | the health of tests |
//! | `clock`, `stale-banner` with `data-freshness`; `data-stale` on the page | liveness |
//! | `strip` with `data-strip`, `data-rhythm`, `data-alarm`, `data-word`, `data-ectopic`, `data-dropped` (results told by such beats in the last minute) | the strip of a setup |
//! | `pause`, `beat` with `data-kind`, `strips-said` | and `rhythm`, `numerals`, `beats` around strips: the pause button, the card that names a beat, what readers are told |
//! | `claim`, `claim-form`, `claim-holder`, `claim-note`, `claim-take`, `claim-let-go` | who looks after a setup |
//! | `reservation`, `reserve`, and `reserved` on tiles | who keeps a setup for themselves |
//! | `output-page`, `output`, `output-line` with `data-kind`, `data-level` and `data-depth`, `files`, `picture`, `file`, `level-all` (and every level), `older`, `newest`, `no-output`; `output-link` in the tree, `all-output` above it, `last-failure` on the page of a test | what tests put out |
//! | `renames`, `rename` with `rename-join` and `rename-undo`; `other-names`, `other-name` with `rename-part` | tests that go on under another name |
//! | `wall-pages` with `data-held`, `all-well`; `data-theme`, `data-palette`, `data-night`, `data-sound` on the wall | a saved wall |
//! | `theme`, `help`, `person` (who is signed in, or the way to that), `problem`, `not-found` | everywhere |

#![allow(clippy::redundant_closure, reason = "only a closure written inside of `view!` is erased, see `ui::erase`")]

mod builds_dialog;
mod claim;
mod clock;
mod filter;
mod flaky;
mod grid;
mod keys;
mod live_run;
mod live_wall;
mod masthead;
mod not_found;
mod output;
mod question;
mod renames;
mod run;
mod run_filter;
mod run_head;
mod run_tests;
mod run_tree;
mod script_dialog;
mod setup;
mod setup_strip;
mod strips;
mod test;
mod tree;
mod wall;

pub use flaky::FlakyPage;
pub use grid::GridPage;
pub use keys::listen_to_keys;
pub use masthead::{KeyHelp, Masthead};
pub use not_found::NotFound;
pub use output::ResultPage;
pub use run::RunPage;
pub use setup::SetupPage;
pub use strips::provide_pause;
pub use test::TestPage;
pub use wall::WallPage;

use crate::domain::problem::{Problem, ProblemKind};
use crate::shell::StatusSink;
use crate::ui::{Erase, ProblemView};
use leptos::prelude::*;

/// A refusal in the place of a page, with its status.
fn problem_page(problem: Problem) -> AnyView {
    StatusSink::say(problem.kind.status());
    match problem.kind {
        ProblemKind::NotFound => view! { <NotFound what="page" /> }.erased(),
        _ => view! { <div class="page"><ProblemView problem=problem /></div> }.erased(),
    }
}
