//! All a bench says from now on.

use super::bench::Bench;
use super::chance::{Chance, Channel};
use super::moment::{Moment, What, after};
use app::domain::time::Micros;
use std::collections::VecDeque;
use std::sync::Arc;
use uuid::{Builder, Uuid};

/// The id of an event.
pub(super) fn event_id(chance: Chance, index: u64) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&chance.bits(index, Channel::IdHigh).to_be_bytes());
    bytes[8..].copy_from_slice(&chance.bits(index, Channel::IdLow).to_be_bytes());
    Builder::from_random_bytes(bytes).into_uuid()
}

/// The endless stream of a bench. It holds one run at a time, so what is not
/// taken costs nothing.
#[derive(Debug)]
pub struct Live {
    bench: Arc<Bench>,
    number: u32,
    start: Micros,
    queue: VecDeque<Moment>,
}

impl Live {
    pub(super) fn new(bench: Arc<Bench>, history: u32) -> Self {
        let described = Moment {
            due: Micros(0),
            at: Micros(0),
            // Numbers of runs stay far below.
            id: event_id(bench.chance_of_ids(u64::MAX), 0),
            run: None,
            what: What::Described,
        };
        let start = bench.first_pause();
        Self { bench, number: history, start, queue: [described].into() }
    }

    /// The bench that speaks.
    pub fn bench(&self) -> &Arc<Bench> {
        &self.bench
    }
}

impl Iterator for Live {
    type Item = Moment;

    fn next(&mut self) -> Option<Moment> {
        if self.queue.is_empty() {
            let run = self.bench.run(self.number, self.start);
            self.number = self.number.wrapping_add(1);
            self.start = after(run.end(), self.bench.pause(run.head()));
            self.queue = run.into_moments().into();
        }
        self.queue.pop_front()
    }
}
