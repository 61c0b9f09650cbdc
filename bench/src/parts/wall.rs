//! Setups to look at: each with a finished run and one that is going on.

use anyhow::Result;

use crate::load::{Target, drain};
use crate::story::Story;

/// Enough for a finished run and half of the next.
const EVENTS: usize = 306;

const CONNECTIONS: usize = 8;

/// Makes so many setups.
pub async fn fill(target: &Target, setups: usize) -> Result<()> {
    let mut queues = vec![Vec::new(); CONNECTIONS];
    for (number, mut story) in Story::many(setups, "past").into_iter().enumerate() {
        queues[number % CONNECTIONS].push(target.batch(&mut story, EVENTS));
    }
    drain(target, queues).await?;
    Ok(())
}
