//! Work that is run here: jobs, and the workers that take them.

use app::domain::build::BuildStatus;
use app::domain::file::Digest;
use app::domain::ids::{BatchId, BuildId, WorkerId};
use app::domain::job::{Job, JobKind, Labels};
use app::domain::time::Timestamp;
use uuid::Uuid;

/// A job with what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// How it stands.
    pub job: Job,
    /// What it is a piece of.
    pub kind: JobKind,
    /// The batch or the build.
    pub parent: Uuid,
    /// Its place there, from 0.
    pub ordinal: u32,
    /// A name for people.
    pub name: Box<str>,
    /// A higher one is taken first.
    pub priority: i32,
    /// What it needs of a worker.
    pub labels: Labels,
    /// Of jobs that share it, one runs at a time.
    pub concurrency: Option<Box<str>>,
    /// The setup that its tests are told of.
    pub setup: Option<Box<str>>,
    /// What is to be done, as JSON.
    pub definition: Box<str>,
    /// How far it is, as JSON.
    pub progress: Box<str>,
    /// Grows with every change that was decided on what it was before.
    pub version: i64,
}

/// A program that takes jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerRow {
    /// Its identity, over all its starts.
    pub id: WorkerId,
    /// A name of its own.
    pub name: Box<str>,
    /// Which start of it.
    pub instance: Uuid,
    /// What it has.
    pub labels: Labels,
    /// Jobs it runs at once.
    pub slots: u32,
    /// What else it says of itself, as JSON.
    pub about: Box<str>,
    /// Whether it is given jobs: a word of [`app::domain::job`].
    pub stance: Box<str>,
    /// When it was first heard of.
    pub created_at: Timestamp,
    /// When it last spoke.
    pub seen_at: Timestamp,
}

/// Jobs of one parent that stand alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobCount {
    /// The parent.
    pub parent: Uuid,
    /// Where they stand.
    pub state: app::domain::job::JobState,
    /// What they came to.
    pub result: Option<app::domain::job::JobResult>,
    /// How many.
    pub jobs: u32,
}

/// A piece of what a job put out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPiece {
    /// The bytes before it.
    pub start: u64,
    /// Its bytes, unpacked.
    pub size: u32,
    /// Lines that end in it.
    pub lines: u32,
    /// The bytes themselves, packed with gzip.
    pub packed: Vec<u8>,
}

/// Where a piece lies in what a job put out, without its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSpan {
    /// The bytes before it.
    pub start: u64,
    /// Its bytes, unpacked.
    pub size: u32,
    /// Lines that end in it.
    pub lines: u32,
}

/// Test files that somebody had run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRow {
    /// Its identity.
    pub id: BatchId,
    /// A name for people, or of one.
    pub name: Box<str>,
    /// When it was made, by our clock.
    pub created_at: Timestamp,
    /// How it is to be run, as JSON.
    pub plan: Box<str>,
}

/// A file of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchFileRow {
    /// Of which.
    pub batch: BatchId,
    /// Its place there, from 0.
    pub ordinal: u32,
    /// Its path, with `/` between folders.
    pub name: Box<str>,
    /// Its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A repository that was added on the page.
#[derive(Clone, PartialEq, Eq)]
pub struct RepositoryRow {
    /// What its forge calls it.
    pub name: Box<str>,
    /// How it is built, as JSON; it holds a secret.
    pub body: Box<str>,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

impl std::fmt::Debug for RepositoryRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RepositoryRow({})", self.name)
    }
}

/// The last delivery of a forge about a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The repository.
    pub repository: Box<str>,
    /// The kind of forge.
    pub kind: Box<str>,
    /// When it came, by our clock.
    pub at: Timestamp,
}

/// What was made of a pushed commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildRow {
    /// Its identity.
    pub id: BuildId,
    /// The repository, as its forge calls it.
    pub repository: Box<str>,
    /// The branch.
    pub branch: Box<str>,
    /// The commit, in full.
    pub commit: Box<str>,
    /// Who pushed it.
    pub author: Option<Box<str>>,
    /// The first line of what it says.
    pub message: Option<Box<str>>,
    /// Where the commit is found, where that is no branch of the repository.
    pub reference: Option<Box<str>>,
    /// The repository that it comes from, where that is another one.
    pub fork: Option<Box<str>>,
    /// It waits for somebody to approve it, for this reason.
    pub held: Option<Box<str>>,
    /// What became of that.
    pub note: Option<Box<str>>,
    /// When it was made, by our clock.
    pub created_at: Timestamp,
}

/// Which builds are asked for: those before one, of a repository, a branch, with
/// a status; all where nothing is said.
#[derive(Clone, Copy, Debug)]
pub struct BuildFilter<'a> {
    /// Made before this time and id.
    pub before: (Timestamp, BuildId),
    /// Of this repository.
    pub repository: Option<&'a str>,
    /// Of this branch.
    pub branch: Option<&'a str>,
    /// That stand so.
    pub status: Option<BuildStatus>,
}

impl Default for BuildFilter<'_> {
    fn default() -> Self {
        let newest = (Timestamp(i64::MAX), BuildId(Uuid::max()));
        Self { before: newest, repository: None, branch: None, status: None }
    }
}

impl BuildRow {
    /// The beginning of its commit; the word `head` while nobody knows which it is.
    pub fn short_commit(&self) -> &str {
        self.commit.get(..8).unwrap_or("head")
    }
}
