//! What a page asks for before it can be drawn.
//!
//! All pages ask through one resource of one type: Leptos compiles what it
//! does for a resource and for what waits on it once for each type.

use super::problem_page;
use crate::api;
use crate::domain::ids::{RunId, TestId};
use crate::domain::output::Level;
use crate::domain::problem::Problem;
use crate::read::{Look, OutputPage, RunPage, SetupPage, SickPage, TestPage, Wall};
use crate::ui::Erase;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// What a page asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// All setups.
    Wall,
    /// A saved wall by its name, with the token of a kiosk's link.
    NamedWall(String, Option<String>),
    /// A setup by its name, with the runs from a cursor on.
    Setup(String, Option<String>),
    /// A run.
    Run(RunId),
    /// Output of a run.
    Output {
        /// Which run.
        run: RunId,
        /// Of this test alone, by its number.
        test: Option<u32>,
        /// Only lines that are at least so grave.
        level: Option<Level>,
        /// Those before this number.
        before: Option<i64>,
    },
    /// Tests that are ill.
    Sick,
    /// A test over all its runs.
    Test(TestId),
    /// Nothing that can be: the address is no good.
    Nothing,
}

/// What the server knows of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// All setups.
    Wall(Wall),
    /// A saved wall, and how it looks.
    NamedWall(Wall, Box<Look>),
    /// A setup.
    Setup(Box<SetupPage>),
    /// A run.
    Run(Box<RunPage>),
    /// Output of a run.
    Output(Box<OutputPage>),
    /// Tests that are ill.
    Sick(SickPage),
    /// A test.
    Test(Box<TestPage>),
    /// There is no such thing.
    Nothing,
}

/// The answer, as it comes.
pub type Asked = Resource<Result<Answer, Problem>>;

/// Asks now, and again whenever the question changes.
pub fn ask(question: impl Fn() -> Question + Send + Sync + 'static) -> Asked {
    let question: Box<dyn Fn() -> Question + Send + Sync> = Box::new(question);
    Resource::new_blocking(question, answer)
}

async fn answer(question: Question) -> Result<Answer, Problem> {
    Ok(match question {
        Question::Wall => Answer::Wall(api::wall().await?),
        Question::NamedWall(name, kiosk) => api::named_wall(name, kiosk)
            .await?
            .map_or(Answer::Nothing, |(wall, look)| Answer::NamedWall(wall, Box::new(look))),
        Question::Setup(name, cursor) => {
            api::setup_page(name, cursor).await?.map_or(Answer::Nothing, |page| Answer::Setup(Box::new(page)))
        }
        Question::Run(run) => api::run_page(run).await?.map_or(Answer::Nothing, |page| Answer::Run(Box::new(page))),
        Question::Output { run, test, level, before } => api::output_page(run, test, level, before)
            .await?
            .map_or(Answer::Nothing, |page| Answer::Output(Box::new(page))),
        Question::Sick => Answer::Sick(api::sick_page().await?),
        Question::Test(test) => {
            api::test_page(test).await?.map_or(Answer::Nothing, |page| Answer::Test(Box::new(page)))
        }
        Question::Nothing => Answer::Nothing,
    })
}

/// Draws the answer once it is there; a refusal stands in its place. While
/// another answer is awaited the one before stays.
pub fn answered(asked: Asked, draw: impl Fn(Answer) -> AnyView + Send + Sync + 'static) -> AnyView {
    let draw: std::sync::Arc<dyn Fn(Answer) -> AnyView + Send + Sync> = std::sync::Arc::new(draw);
    view! {
        <Transition>
            {move || {
                let draw = draw.clone();
                Suspend::new(async move {
                    let answer = asked.await;
                    // Else the server draws the whole page twice, the first time only to see whether anything
                    // in it waits for more. Nothing does: all pages ask through one resource, and this is it.
                    Unsuspend::new(move || answer.map_or_else(problem_page, |answer| draw(answer)))
                })
            }}
        </Transition>
    }
    .erased()
}
