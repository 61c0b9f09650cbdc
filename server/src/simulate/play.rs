//! Plays a world to a server, first its past, then live.

use super::SimulateError;
use super::batch::{Batch, Lane};
use super::bench::Bench;
use super::options::Options;
use super::poster::{Posted, Poster, Times};
use super::tally::{Summary, Tally};
use super::world::World;
use crate::clock::SystemClock;
use app::domain::clock::Clock;
use app::domain::time::{Micros, Timestamp};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Connections to the server; benches share them.
const LANES_MAX: usize = 8;
/// Events that fall due within this time travel together.
const GATHER: Duration = Duration::from_millis(50);
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// Plays benches until the duration is over, `shutdown` completes, or the
/// server refuses what it is sent. Tells its progress on standard error; the
/// summary is the caller's to tell.
pub async fn run(options: Options, shutdown: impl Future<Output = ()>) -> Result<Summary, SimulateError> {
    let clock = &SystemClock;
    options.check()?;
    let begun = Instant::now();
    let stop = CancellationToken::new();
    let tally = Arc::new(Tally::default());
    let poster = Poster::new(&options, Arc::clone(&tally), stop.clone())?;
    let world = World::new(options.shape(clock.now().as_millis().unsigned_abs()));
    let mut play = pin!(play(&options, &world, clock, &poster, &stop));
    let mut shutdown = pin!(shutdown);
    let mut progress = tokio::time::interval_at(begun + PROGRESS_EVERY, PROGRESS_EVERY);
    progress.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let result = loop {
        tokio::select! {
            result = &mut play => break result,
            () = &mut shutdown, if !stop.is_cancelled() => stop.cancel(),
            _ = progress.tick() => eprintln!("holter simulate: {}", tally.summary(begun.elapsed())),
        }
    };
    result.map(|()| tally.summary(begun.elapsed()))
}

async fn play(
    options: &Options,
    world: &Arc<World>,
    clock: &dyn Clock,
    poster: &Poster,
    stop: &CancellationToken,
) -> Result<(), SimulateError> {
    let lanes = lanes(world);
    if options.history > 0 {
        let mut tasks = JoinSet::new();
        for benches in lanes.clone() {
            tasks.spawn(play_history(benches, options.history, clock.now(), poster.clone(), stop.clone()));
        }
        join(tasks, stop).await?;
    }
    let start = Start { at: clock.now(), instant: Instant::now() };
    let mut tasks = JoinSet::new();
    for benches in lanes {
        let lane = Lane::new(benches.iter().map(|bench| bench.live(options.history)));
        tasks.spawn(play_live(lane, start, poster.clone(), stop.clone()));
    }
    let live = join(tasks, stop);
    match options.duration {
        None => live.await,
        Some(duration) => {
            let mut live = pin!(live);
            tokio::select! {
                result = &mut live => return result,
                () = tokio::time::sleep(duration) => stop.cancel(),
            }
            live.await
        }
    }
}

/// When the live stream begins, by the calendar and by the stopwatch.
#[derive(Clone, Copy)]
struct Start {
    at: Timestamp,
    instant: Instant,
}

fn lanes(world: &Arc<World>) -> Vec<Vec<Arc<Bench>>> {
    let benches = world.benches();
    let count = benches.len().clamp(1, LANES_MAX);
    let mut lanes = vec![Vec::new(); count];
    for (bench, lane) in benches.into_iter().zip((0..count).cycle()) {
        lanes[lane].push(bench);
    }
    lanes
}

/// Waits for all lanes; the first that fails stops the others.
async fn join(mut tasks: JoinSet<Result<(), SimulateError>>, stop: &CancellationToken) -> Result<(), SimulateError> {
    let mut outcome = Ok(());
    while let Some(joined) = tasks.join_next().await {
        let ended = joined.map_err(SimulateError::from).and_then(|ended| ended);
        if ended.is_err() && outcome.is_ok() {
            stop.cancel();
            outcome = ended;
        }
    }
    outcome
}

/// Slot by slot, so that the past of all benches grows together.
async fn play_history(
    benches: Vec<Arc<Bench>>,
    runs: u32,
    epoch: Timestamp,
    poster: Poster,
    stop: CancellationToken,
) -> Result<(), SimulateError> {
    let mut batch = Batch::default();
    let mut pasts: Vec<_> = benches.iter().map(|bench| (bench, bench.history(runs))).collect();
    while !pasts.is_empty() && !stop.is_cancelled() {
        let mut left = Vec::with_capacity(pasts.len());
        for (bench, mut past) in pasts {
            let Some(run) = past.next() else { continue };
            for moment in run.moments() {
                batch.push(bench, moment, epoch);
                if batch.is_full() && poster.post(&std::mem::take(&mut batch), Times::Past).await? == Posted::Stopped {
                    return Ok(());
                }
            }
            left.push((bench, past));
        }
        pasts = left;
    }
    if !batch.is_empty() {
        poster.post(&batch, Times::Past).await?;
    }
    Ok(())
}

async fn play_live(mut lane: Lane, start: Start, poster: Poster, stop: CancellationToken) -> Result<(), SimulateError> {
    let mut not_before = start.instant;
    while let Some(due) = lane.next_due() {
        let due = start.instant + Duration::from_micros(due.0.unsigned_abs());
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = tokio::time::sleep_until(due.max(not_before)) => {}
        }
        let now = i64::try_from(start.instant.elapsed().as_micros()).unwrap_or(i64::MAX);
        let batch = lane.take_due(Micros(now), start.at);
        if !batch.is_empty() && poster.post(&batch, Times::Now).await? == Posted::Stopped {
            break;
        }
        // A full batch means that more is waiting.
        not_before = Instant::now() + if batch.is_full() { Duration::ZERO } else { GATHER };
    }
    Ok(())
}
