//! What a report says, whichever format said it.

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Moment = i64;

/// A length of time in microseconds.
pub type Span = i64;

/// A report, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Its own title, where it has one.
    pub name: Option<String>,
    /// The framework or tool that ran the tests, with its version where known.
    pub framework: Option<String>,
    /// When the run began.
    pub started: Option<Moment>,
    /// When the run ended.
    pub finished: Option<Moment>,
    /// The commit under test.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// Where more is to be seen.
    pub url: Option<String>,
    /// Anything else that is said of the run, in the order of the file.
    pub properties: Vec<(String, String)>,
    /// What is said of suites themselves; a suite of which nothing is known
    /// but its name is in the paths of its cases alone.
    pub suites: Vec<Suite>,
    /// The tests, in the order of the file.
    pub cases: Vec<Case>,
    /// What could not be read.
    pub losses: Vec<Loss>,
    /// The run was stopped before its end, or the file was cut off.
    pub is_aborted: bool,
}

/// A suite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suite {
    /// Names from the root, itself last; never empty.
    pub path: Vec<String>,
    /// The file or folder it is written in.
    pub source: Option<String>,
    /// When it began.
    pub started: Option<Moment>,
    /// How long it took.
    pub duration: Option<Span>,
    /// What it came to by itself: a set-up or teardown that failed, a build
    /// that broke. Not what its tests came to.
    pub verdict: Option<Verdict>,
    /// Why.
    pub message: Option<String>,
}

/// A test in a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// Names of its suites from the root; at least one.
    pub suite: Vec<String>,
    /// Its name, without parameters where the format keeps them apart.
    pub name: String,
    /// What tells it from its likes of the same name.
    pub parameters: Option<String>,
    /// The file it is written in.
    pub source: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// Tags, labels, markers.
    pub tags: Vec<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// Anything else that is said of it.
    pub properties: Vec<(String, String)>,
    /// Its attempts in the order in which they were made; at least one.
    pub attempts: Vec<Attempt>,
}

/// One attempt at a test.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attempt {
    /// What it came to.
    pub verdict: Verdict,
    /// When it began.
    pub started: Option<Moment>,
    /// How long it took.
    pub duration: Option<Span>,
    /// Why, in a line or a few.
    pub message: Option<String>,
    /// Where: the stack or the log of the failure.
    pub trace: Option<String>,
    /// What it wrote to its standard output and error.
    pub output: Option<String>,
    /// Files that belong to it.
    pub attachments: Vec<Attachment>,
}

/// A file that belongs to an attempt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attachment {
    /// What it is called.
    pub name: String,
    /// Its media type, where known.
    pub media_type: Option<String>,
    /// Where the report says that it lies.
    pub path: Option<String>,
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It passed.
    Passed,
    /// What it checks does not hold.
    Failed,
    /// It could not check: an exception, a crash, a broken fixture.
    Errored,
    /// It was not run, on purpose.
    Skipped,
    /// It took too long and was stopped.
    TimedOut,
    /// It passed, with a warning.
    Warned,
    /// It was stopped, or never got its turn.
    Cancelled,
    /// The report does not say.
    #[default]
    Unknown,
}

impl Verdict {
    /// Whether it counts as a failure.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Errored | Self::TimedOut)
    }
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Where: "line 12", a JSON pointer, or the name of a file in an archive.
    pub place: String,
    /// What is lost, and why.
    pub detail: String,
}

impl Report {
    /// Notes something that could not be read.
    pub fn lose(&mut self, place: impl Into<String>, detail: impl Into<String>) {
        self.losses.push(Loss { place: place.into(), detail: detail.into() });
    }

    /// Whether a test failed, or a suite by itself: one that was not even built
    /// has no test to fail.
    pub fn has_failed(&self) -> bool {
        self.cases.iter().any(|case| case.verdict().is_failure())
            || self.suites.iter().filter_map(|suite| suite.verdict).any(Verdict::is_failure)
    }
}

impl Case {
    /// What it came to in the end: the last attempt's verdict.
    pub fn verdict(&self) -> Verdict {
        self.attempts.last().map_or(Verdict::Unknown, |attempt| attempt.verdict)
    }

    /// Whether it failed, and passed when tried again.
    pub fn is_flaky(&self) -> bool {
        matches!(self.verdict(), Verdict::Passed | Verdict::Warned)
            && self.attempts.iter().any(|attempt| attempt.verdict.is_failure())
    }
}
