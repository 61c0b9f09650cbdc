//! The health of many tests together: of a suite, a setup, a project.
//!
//! Sums are kept in fixed point. Adding and taking away are then exact, in any
//! order and any number, so an aggregate that is corrected for years equals one
//! that is counted afresh, and two of them merge into what counting both would
//! give. What must hold for that: take away exactly the reading that was
//! added, which is the reading of the state as it was kept.

use super::filter::Reading;
use super::label::Label;

/// One unit of a sum: 2⁻⁶⁰, far below what a probability is known to. The
/// range is then ±1.5e20, out of reach.
const UNIT: f64 = 1.0 / (1_u64 << 60) as f64;

/// The normal quantile of the 90 % interval.
const Z_90: f64 = 1.645;

/// A failure rate of 1 would make a clean run impossible for ever; the model's
/// highest rate is 0.9.
const MOST_PHI: f64 = 0.999_999;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum(i128);

impl Sum {
    fn value(self) -> f64 {
        self.0 as f64 * UNIT
    }

    fn change(&mut self, by: f64, sign: i128) {
        self.0 += sign * (by / UNIT) as i128;
    }
}

/// The first byte of the kept form; another layout takes another number.
const FORMAT: u8 = 1;

/// Stored bytes that are no aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no aggregate of format {FORMAT}")]
pub struct AggregateProblem;

/// Tests summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aggregate {
    spurious: Sum,
    ln_clean: Sum,
    variance: Sum,
    broken: Sum,
    labels: [i64; Label::ALL.len()],
}

/// How likely a run of all the tests is not hit by a flake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clean {
    /// The probability.
    pub p: f64,
    /// The lower end of its 90 % interval.
    pub q05: f64,
    /// The upper end.
    pub q95: f64,
}

impl Aggregate {
    fn change(&mut self, reading: &Reading, label: Label, sign: i128) {
        let phi = reading.phi.clamp(0.0, MOST_PHI);
        let clean = 1.0 - phi;
        self.spurious.change(phi, sign);
        self.ln_clean.change((-phi).ln_1p(), sign);
        self.variance.change(reading.var_phi / (clean * clean), sign);
        self.broken.change(reading.p_broken, sign);
        self.labels[label.index()] += sign as i64;
    }

    /// Another test.
    pub fn add(&mut self, reading: &Reading, label: Label) {
        self.change(reading, label, 1);
    }

    /// One test less: exactly what was added for it.
    pub fn remove(&mut self, reading: &Reading, label: Label) {
        self.change(reading, label, -1);
    }

    /// The tests of another scope as well.
    pub fn merge(&mut self, other: &Self) {
        self.spurious.0 += other.spurious.0;
        self.ln_clean.0 += other.ln_clean.0;
        self.variance.0 += other.variance.0;
        self.broken.0 += other.broken.0;
        for (mine, others) in self.labels.iter_mut().zip(other.labels) {
            *mine += others;
        }
    }

    /// To be kept: the format, the four sums as little-endian `i128` in units of
    /// 2⁻⁶⁰, then the labels in their order as little-endian `i64`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let sums = [self.spurious, self.ln_clean, self.variance, self.broken];
        let mut bytes = vec![FORMAT];
        bytes.extend(sums.iter().flat_map(|sum| sum.0.to_le_bytes()));
        bytes.extend(self.labels.iter().flat_map(|count| count.to_le_bytes()));
        bytes
    }

    /// The aggregate that was kept.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AggregateProblem> {
        let Some((&[FORMAT], rest)) = bytes.split_first_chunk::<1>() else { return Err(AggregateProblem) };
        let (sums, rest) = rest.split_first_chunk::<64>().ok_or(AggregateProblem)?;
        let (sums, _) = sums.as_chunks::<16>();
        let (counts, odd) = rest.as_chunks::<8>();
        let (&[spurious, ln_clean, variance, broken], true) =
            (sums.first_chunk::<4>().ok_or(AggregateProblem)?, odd.is_empty())
        else {
            return Err(AggregateProblem);
        };
        let sum = |bytes| Sum(i128::from_le_bytes(bytes));
        let counts: Vec<i64> = counts.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect();
        Ok(Self {
            spurious: sum(spurious),
            ln_clean: sum(ln_clean),
            variance: sum(variance),
            broken: sum(broken),
            labels: counts.try_into().map_err(|_| AggregateProblem)?,
        })
    }

    /// How many tests there are.
    pub fn tests(&self) -> u64 {
        self.labels.iter().map(|count| count.cast_unsigned()).sum()
    }

    /// How many of them are called so.
    pub fn labelled(&self, label: Label) -> u64 {
        self.labels[label.index()].cast_unsigned()
    }

    /// E = Σφ, the expected spurious failures in a run of all the tests.
    pub fn expected_spurious(&self) -> f64 {
        self.spurious.value()
    }

    /// The expected number of broken tests.
    pub fn expected_broken(&self) -> f64 {
        self.broken.value()
    }

    /// P(clean) = exp(Σ ln(1-φ)), with the 90 % interval
    /// exp(Σ ln(1-φ) ± 1.645·√(Σ Var φ/(1-φ)²)) cut at 1.
    pub fn clean(&self) -> Clean {
        let ln_clean = self.ln_clean.value();
        let spread = Z_90 * self.variance.value().max(0.0).sqrt();
        let p = |ln: f64| ln.exp().min(1.0);
        Clean { p: p(ln_clean), q05: p(ln_clean - spread), q95: p(ln_clean + spread) }
    }

    /// F = 1 - P(clean), the chance that a run is hit by a flake.
    pub fn flake_chance(&self) -> f64 {
        -self.ln_clean.value().exp_m1()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reading(phi: f64, var_phi: f64, p_broken: f64) -> Reading {
        Reading { phi, var_phi, p_broken, ..Reading::default() }
    }

    #[test]
    fn nothing_is_clean() {
        let none = Aggregate::default();
        assert_eq!(none.clean(), Clean { p: 1.0, q05: 1.0, q95: 1.0 });
        assert_eq!((none.tests(), none.flake_chance()), (0, 0.0));
        for odd in [0, 1, 120, 122] {
            assert_eq!(Aggregate::from_bytes(&vec![FORMAT; odd]), Err(AggregateProblem));
        }
    }

    proptest! {
        #[test]
        fn taking_away_leaves_exactly_the_rest(
            members in prop::collection::vec((0.0..0.9_f64, 0.0..0.2_f64, 0.0..1.0_f64, 0..7_usize), 1..60),
            kept in 0..60_usize,
        ) {
            let (mut grown, mut counted, mut other) =
                (Aggregate::default(), Aggregate::default(), Aggregate::default());
            for (phi, var, broken, label) in &members {
                grown.add(&reading(*phi, *var, *broken), Label::ALL[*label]);
            }
            let all = grown;
            for (i, (phi, var, broken, label)) in members.iter().enumerate() {
                let (reading, label) = (reading(*phi, *var, *broken), Label::ALL[*label]);
                if i < kept {
                    counted.add(&reading, label);
                } else {
                    grown.remove(&reading, label);
                    other.add(&reading, label);
                }
            }
            prop_assert_eq!(grown, counted);
            counted.merge(&other);
            prop_assert_eq!(counted, all);
            prop_assert_eq!(Aggregate::from_bytes(&all.to_bytes()), Ok(all));
            prop_assert!(all.clean().q05 <= all.clean().p && all.clean().p <= all.clean().q95);
        }
    }
}
