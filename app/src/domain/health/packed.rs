//! The form in which a state is kept: 160 bytes.
//!
//! Probabilities are `f32`, the two decayed event counts of the trend fixed
//! point; everything else is exact (the run as 32 bits of its hash, times of
//! labels in whole seconds, counters that end at their largest value). A
//! history that is packed after every result keeps its probabilities within
//! 1e-6 of one that never is, and the quantiles of the rate within 1e-5: those
//! are steep where a cell holds little. The tests hold it to that.
//!
//! The event counts are no `f32`, and the long one has 40 bits, because a sum
//! over thousands of results gathers a rounding error with each of them.

use super::filter::Filter;
use super::label::{Label, MOST_FIXED_RESULTS, Standing};
use super::parameters::{Model, TRAITS};
use super::state::{Episode, State};
use super::trend::Memory;
use crate::domain::time::Timestamp;

/// The first byte; another layout takes another number.
const FORMAT: u8 = 1;

/// How many bytes a state takes.
pub const PACKED_BYTES: usize = 160;

const COMMIT_KNOWN: u8 = 1;
const FAILED: u8 = 1 << 1;
const INCIDENT: u8 = 1 << 2;
const HELD: u8 = 1 << 3;
const STRONG: u8 = 1 << 4;
const COUNTED: u8 = 1 << 5;

/// Units of the two event counts, as fine as 32 and 40 bits allow: under its
/// memory of 289 or 7,214 results a count cannot grow beyond that number.
const FAST_UNIT: f64 = 1.0 / (1_u32 << 23) as f64;
const SLOW_UNIT: f64 = 1.0 / (1_u32 << 27) as f64;

/// A state at rest, little endian throughout:
///
/// | byte | what |
/// |---|---|
/// | 0 | format |
/// | 1 | flags |
/// | 2 | label (low 3 bits), results left to be called fixed (high 5 bits) |
/// | 3 | the lowest byte of the events under the long memory |
/// | 4 | version of the parameters, u32 |
/// | 8 | results, failures, second the label turned, run: u32 each |
/// | 24 | commit, u64; time of the last result in µs, i64 |
/// | 40 | flaky events under the short memory, in 2⁻²³; under the long memory, in 2⁻¹⁹: u32 each |
/// | 48 | episode: results, changes in a run, on a commit; streak: u16 each |
/// | 56 | 13 probabilities under good code, 13 under bad: f32 each |
#[derive(Clone, PartialEq, Eq)]
pub struct Packed([u8; PACKED_BYTES]);

/// Why bytes are no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackedProblem {
    /// Too many or too few bytes.
    #[error("a state has {PACKED_BYTES} bytes, not {0}")]
    Length(usize),
    /// Written by another release.
    #[error("the format is {0}, not {FORMAT}")]
    Format(u8),
    /// Kept under other parameters: replay the history to go on.
    #[error("the state was kept under parameters of version {0:08x}")]
    Parameters(u32),
    /// No state ever looked like this.
    #[error("the state is damaged: {0}")]
    Damaged(&'static str),
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packed({} bytes of format {})", self.0.len(), self.0[0])
    }
}

/// Writes one value after the other.
struct Writer {
    bytes: [u8; PACKED_BYTES],
    at: usize,
}

impl Writer {
    fn put<const N: usize>(&mut self, value: [u8; N]) {
        self.bytes[self.at..self.at + N].copy_from_slice(&value);
        self.at += N;
    }
}

/// Reads one value after the other.
struct Reader<'a> {
    bytes: &'a [u8; PACKED_BYTES],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut value = [0; N];
        value.copy_from_slice(&self.bytes[self.at..self.at + N]);
        self.at += N;
        value
    }

    fn f32(&mut self) -> f64 {
        f64::from(f32::from_le_bytes(self.take()))
    }
}

impl Packed {
    /// The bytes, to be stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Stored bytes. Whether they make sense is seen when they are unpacked.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PackedProblem> {
        let bytes = <[u8; PACKED_BYTES]>::try_from(bytes).map_err(|_| PackedProblem::Length(bytes.len()))?;
        if bytes[0] != FORMAT {
            return Err(PackedProblem::Format(bytes[0]));
        }
        Ok(Self(bytes))
    }

    /// The version of the parameters the state was kept under.
    pub fn version(&self) -> u32 {
        let [.., a, b, c, d] = *self.0.first_chunk::<8>().unwrap_or(&[0; 8]);
        u32::from_le_bytes([a, b, c, d])
    }

    fn has(&self, flag: u8) -> bool {
        self.0[1] & flag != 0
    }

    /// The state, to go on from.
    pub fn unpack(&self, model: &Model) -> Result<State, PackedProblem> {
        if self.version() != model.version {
            return Err(PackedProblem::Parameters(self.version()));
        }
        let label = self.0[2];
        let mut reader = Reader { bytes: &self.0, at: 8 };
        let [results, failures, turned, run] = std::array::from_fn(|_| u32::from_le_bytes(reader.take()));
        let commit = u64::from_le_bytes(reader.take());
        let at = Timestamp(i64::from_le_bytes(reader.take()));
        let fast = u32::from_le_bytes(reader.take());
        let slow = u64::from(u32::from_le_bytes(reader.take())) << 8 | u64::from(self.0[3]);
        let memory = Memory { fast: f64::from(fast) * FAST_UNIT, slow: slow as f64 * SLOW_UNIT };
        let [episode_results, in_run, on_commit, streak] = std::array::from_fn(|_| u16::from_le_bytes(reader.take()));
        let good = std::array::from_fn(|_| reader.f32());
        let bad = std::array::from_fn(|_| reader.f32());
        let known = Label::ALL.get(usize::from(label & 7)).copied();
        Ok(State {
            filter: Filter::restored(good, bad).ok_or(PackedProblem::Damaged("probabilities"))?,
            standing: Standing {
                label: known.ok_or(PackedProblem::Damaged("the label"))?,
                held: self.has(HELD),
                strong: self.has(STRONG),
                fixed_left: label >> 3,
                turned,
            },
            memory,
            episode: Episode { results: episode_results, in_run, on_commit },
            results,
            failures,
            streak,
            run,
            commit: self.has(COMMIT_KNOWN).then_some(commit),
            at,
            failed: self.has(FAILED),
            incident: self.has(INCIDENT),
            counted: self.has(COUNTED),
        })
    }
}

impl State {
    fn flags(&self) -> u8 {
        [
            (self.commit.is_some(), COMMIT_KNOWN),
            (self.failed, FAILED),
            (self.incident, INCIDENT),
            (self.standing.held, HELD),
            (self.standing.strong, STRONG),
            (self.counted, COUNTED),
        ]
        .iter()
        .fold(0, |flags, (is_set, flag)| if *is_set { flags | flag } else { flags })
    }

    /// The form to keep. What it loses is said at [`Packed`]; readings that go
    /// into sums that are corrected later must be taken from what was kept.
    pub fn pack(&self, model: &Model) -> Packed {
        let label = self.standing.label.index() as u8 | (self.standing.fixed_left.min(MOST_FIXED_RESULTS) << 3);
        let mut writer = Writer { bytes: [0; PACKED_BYTES], at: 0 };
        let fast = (self.memory.fast / FAST_UNIT).round() as u32;
        let slow = (self.memory.slow / SLOW_UNIT).round() as u64;
        writer.put([FORMAT, self.flags(), label, slow as u8]);
        for word in [model.version, self.results, self.failures, self.standing.turned, self.run] {
            writer.put(word.to_le_bytes());
        }
        writer.put(self.commit.unwrap_or_default().to_le_bytes());
        writer.put(self.at.0.to_le_bytes());
        for count in [fast, (slow >> 8) as u32] {
            writer.put(count.to_le_bytes());
        }
        for count in [self.episode.results, self.episode.in_run, self.episode.on_commit, self.streak] {
            writer.put(count.to_le_bytes());
        }
        for k in 0..TRAITS {
            writer.put((self.filter.good[k] as f32).to_le_bytes());
        }
        for k in 0..TRAITS {
            writer.put((self.filter.bad[k] as f32).to_le_bytes());
        }
        Packed(writer.bytes)
    }
}
