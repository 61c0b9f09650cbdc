//! What a bench is known for. Twelve setups show every character once.

/// The character of a bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Character {
    /// Always passes, at its usual pace.
    Steady,
    /// Some tests fail now and then and pass when tried again.
    FlakyRetried,
    /// Some tests fail now and then; nobody tries again.
    Flaky,
    /// Commits break tests, later commits repair them.
    Regressing,
    /// Every incident of the infrastructure reaches it.
    Incident,
    /// Stops speaking in the middle of a run, and much later begins another.
    Dying,
    /// Now and then a suite takes several times its usual time.
    Slow,
    /// Two shards run side by side under one run key.
    Sharded,
    /// Runs rarely.
    LongIdle,
    /// Some runs are stopped before their time.
    Aborting,
    /// Some tests are skipped on purpose.
    Skipping,
    /// Its line delivers a few events late or twice.
    Unreliable,
}

impl Character {
    /// Every character, in the order in which setups get them.
    pub const ALL: [Character; 12] = [
        Self::Steady,
        Self::FlakyRetried,
        Self::Regressing,
        Self::Dying,
        Self::Slow,
        Self::Sharded,
        Self::Flaky,
        Self::Incident,
        Self::Aborting,
        Self::Skipping,
        Self::Unreliable,
        Self::LongIdle,
    ];

    /// The character of a setup, round robin.
    pub const fn of(setup: u32) -> Self {
        Self::ALL[setup as usize % Self::ALL.len()]
    }

    /// How likely an incident reaches it.
    pub const fn exposure(self) -> f64 {
        match self {
            Self::Incident => 1.0,
            // These two are what the others are compared with.
            Self::Steady | Self::LongIdle => 0.0,
            _ => 0.3,
        }
    }
}
