//! Builds of pushed commits: made when a push is told, one job each, and said
//! to the forge it came from.

use super::Service;
use super::desk::Desk;
use super::failure::{Failure, chain};
use super::jobs::{JobRow, NewJob};
use crate::clock::new_id;
use crate::config::RepositoryConfig;
use crate::intake::hooks::Pushed;
use crate::outgoing::forge::CommitStatus;
use app::domain::build::is_skipped;
use app::domain::commit::{CommitState, is_full_commit};
use app::domain::ids::{BuildId, JobId};
use app::domain::job::{Checkout, JobKind, JobResult, JobState, Labels, Limits, Task, Tells};
use app::domain::name::tidy;
use app::domain::rights::Action;
use app::domain::wall::matches;

pub use crate::store::rows::{BuildFilter, BuildRow};

/// What tells the statuses of builds from others of a commit.
pub(super) const CONTEXT: &str = "holter/build";

/// Characters of a message that are kept.
const MESSAGE_KEPT: usize = 200;

/// Builds among which those of an older commit are looked for.
const LOOKED_AT: u32 = 50;

/// A build with its job.
#[derive(Clone, Debug)]
pub struct Build {
    /// What is kept of it.
    pub row: BuildRow,
    /// What runs it.
    pub job: Option<JobRow>,
}

impl Service {
    /// A build's job moved: its forge is told, where one is configured. It
    /// never fails the build.
    pub(super) async fn say_build(&self, job: &JobRow) {
        if job.kind != JobKind::Build {
            return;
        }
        let saying = async {
            let Some(build) = self.inner.store.build_get(BuildId(job.parent)).await? else { return Ok(()) };
            self.say_status(&build, job).await
        };
        if let Err(failure) = saying.await {
            tracing::warn!(error = %chain(&failure), build = %job.parent, "the status of a build was not written down");
        }
    }

    async fn say_status(&self, build: &BuildRow, job: &JobRow) -> Result<(), Failure> {
        // The head of a branch is known when a worker has fetched it.
        if build.commit.is_empty() {
            return Ok(());
        }
        let Some(repository) = self.inner.statuses.repository_named(&build.repository) else { return Ok(()) };
        let (state, description) = standing(job);
        let status = CommitStatus {
            commit: build.commit.to_string(),
            context: CONTEXT.into(),
            state,
            description,
            url: self.link(&format!("/builds/{}", build.id)),
        };
        self.say_commit_status(&repository, status).await
    }
}

impl Service {
    /// A build of the head of a branch; which commit that is, its worker finds out.
    pub(super) fn head_build(&self, repository: &RepositoryConfig, branch: &str, by: &str) -> BuildRow {
        BuildRow {
            id: BuildId(new_id()),
            repository: repository.name.as_str().into(),
            branch: tidy(branch, MESSAGE_KEPT),
            commit: "".into(),
            author: Some(tidy(by, MESSAGE_KEPT)),
            message: None,
            created_at: self.now(),
            reference: None,
            fork: None,
            held: None,
            note: None,
        }
    }

    /// The jobs of a build; nothing is kept yet.
    pub(super) fn build_jobs(&self, row: &BuildRow, repository: &RepositoryConfig) -> Result<Vec<JobRow>, Failure> {
        self.job_rows(vec![job_of(row, repository)])
    }

    /// A worker found out which commit a build is of. The first word stands.
    pub(super) async fn build_is_of(&self, job: JobId, commit: &str) -> Result<(), Failure> {
        let Some(job) = self.inner.store.job_get(job).await?.filter(|job| job.kind == JobKind::Build) else {
            return Ok(());
        };
        let build = self.inner.store.build_get(BuildId(job.parent)).await?;
        if !is_full_commit(commit) || build.is_none_or(|build| !build.commit.is_empty()) {
            return Ok(());
        }
        self.inner.store.build_commit(BuildId(job.parent), &commit.to_ascii_lowercase()).await?;
        self.say_build(&job).await;
        Ok(())
    }
}

fn standing(row: &JobRow) -> (CommitState, String) {
    let note = || row.job.note.as_deref().map(str::to_owned);
    match (row.job.state(), row.job.result()) {
        (JobState::Waiting, _) => (CommitState::Pending, "waiting for a worker".into()),
        (JobState::Running, _) => (CommitState::Running, "running".into()),
        (_, Some(JobResult::Passed)) => (CommitState::Success, "passed".into()),
        (_, Some(JobResult::Failed)) => (CommitState::Failure, note().unwrap_or_else(|| "failed".into())),
        (_, Some(JobResult::Cancelled)) => (CommitState::Cancelled, note().unwrap_or_else(|| "cancelled".into())),
        _ => (CommitState::Error, note().unwrap_or_else(|| "could not be run".into())),
    }
}

impl Desk {
    /// A push is built, where its repository and branch are configured; so is a
    /// request for such a branch, which waits for somebody where it comes from a
    /// fork. What a hook says is never where the commit is got from.
    pub async fn build_pushed(&self, pushed: &Pushed) -> Result<Option<BuildId>, Failure> {
        let Some(repository) = self.built_repository(&pushed.repository).await? else { return Ok(None) };
        if !is_wanted(pushed, &repository) {
            return Ok(None);
        }
        self.allow(Action::Launch)?;
        let fork = pushed.pull.as_ref().and_then(|pull| pull.fork.as_deref());
        let line = pushed.message.as_deref().and_then(|text| text.lines().next());
        let row = BuildRow {
            id: BuildId(new_id()),
            repository: repository.name.as_str().into(),
            branch: tidy(&pushed.branch, MESSAGE_KEPT),
            commit: pushed.commit.to_ascii_lowercase().into(),
            author: pushed.user.as_deref().map(|user| tidy(user, MESSAGE_KEPT)),
            message: line.map(|line| tidy(line, MESSAGE_KEPT)),
            created_at: self.now(),
            reference: pushed.pull.as_ref().map(|pull| pull.reference.as_str().into()),
            fork: fork.map(|fork| tidy(fork, MESSAGE_KEPT)),
            held: fork.map(|fork| tidy(&format!("it comes from the fork {fork}"), MESSAGE_KEPT)),
            note: None,
        };
        self.call_off_older(&row).await?;
        if row.held.is_none() {
            return self.build_keep(row, &repository).await.map(Some);
        }
        self.inner.store.build_insert(&row, &[]).await?;
        self.say_held(&row, CommitState::Pending, "waits for somebody to approve it").await;
        Ok(Some(row.id))
    }

    async fn build_keep(&self, row: BuildRow, repository: &RepositoryConfig) -> Result<BuildId, Failure> {
        self.queue_has_room(1).await?;
        let jobs = self.build_jobs(&row, repository)?;
        self.inner.store.build_insert(&row, &jobs).await?;
        self.inner.bus.job_waits();
        for job in &jobs {
            self.say_build(job).await;
        }
        Ok(row.id)
    }

    /// Nobody waits for what an older commit of the branch comes to.
    async fn call_off_older(&self, row: &BuildRow) -> Result<(), Failure> {
        let (repository, branch) = (Some(&*row.repository), Some(&*row.branch));
        let same = BuildFilter { repository, branch, ..BuildFilter::default() };
        for older in &self.inner.store.build_list(&same, LOOKED_AT).await? {
            if older.held.is_some() {
                match self.drop_held(older, "a newer commit was pushed").await {
                    Ok(()) | Err(Failure::Conflict(_)) => {}
                    Err(other) => return Err(other),
                }
            }
            for job in self.inner.store.jobs_of(older.id.0).await?.iter().filter(|job| !job.job.is_over()) {
                match self.cancel_job(job.job.id, "a newer commit was pushed").await {
                    Ok(_) | Err(Failure::Conflict(_)) => {}
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(())
    }

    /// The same commit once more, as a new build.
    pub async fn build_again(&self, id: BuildId) -> Result<BuildId, Failure> {
        self.allow(Action::Launch)?;
        let none = || Failure::NotFound(format!("there is no build {id}; builds are listed under /api/v1/builds"));
        let row = self.inner.store.build_get(id).await?.ok_or_else(none)?;
        if row.held.is_some() {
            return Err(Failure::Conflict("the build waits for somebody to approve it".into()));
        }
        let repository = self.still_built_repository(&row.repository).await?;
        let row = BuildRow { id: BuildId(new_id()), created_at: self.now(), note: None, ..row };
        self.build_keep(row, &repository).await
    }

    /// A build.
    pub async fn commit_build(&self, id: BuildId) -> Result<Option<Build>, Failure> {
        self.reading().await?;
        let Some(row) = self.inner.store.build_get(id).await? else { return Ok(None) };
        let job = self.inner.store.jobs_of(id.0).await?.into_iter().next();
        Ok(Some(Build { row, job }))
    }

    /// Builds made before one, the newest first.
    pub async fn commit_builds(
        &self,
        filter: BuildFilter<'_>,
        before: Option<BuildId>,
        limit: u32,
    ) -> Result<Vec<Build>, Failure> {
        self.reading().await?;
        let store = &self.inner.store;
        let last = match before {
            Some(id) => store.build_get(id).await?,
            None => None,
        };
        let before = last.map_or(filter.before, |row| (row.created_at, row.id));
        let mut builds = Vec::new();
        for row in store.build_list(&BuildFilter { before, ..filter }, limit).await? {
            let job = store.jobs_of(row.id.0).await?.into_iter().next();
            builds.push(Build { row, job });
        }
        Ok(builds)
    }
}

/// Whether somebody wants a push built. A request from a branch of the
/// repository itself that is built anyway is not built a second time.
fn is_wanted(pushed: &Pushed, repository: &RepositoryConfig) -> bool {
    let among = |branch: &str| repository.branches.iter().any(|known| matches(known, branch));
    let is_for_us = match &pushed.pull {
        Some(pull) => among(&pull.base) && (pull.fork.is_some() || !among(&pull.head)),
        None => among(&pushed.branch),
    };
    is_for_us && is_full_commit(&pushed.commit) && !pushed.message.as_deref().is_some_and(is_skipped)
}

fn reference(row: &BuildRow) -> String {
    row.reference.as_deref().map_or_else(|| format!("refs/heads/{}", row.branch), str::to_owned)
}

/// Its own reference, and the main branch, where the repository names one: what
/// that left is good for all.
fn cached_for(row: &BuildRow, repository: &RepositoryConfig) -> Vec<String> {
    let own = reference(row);
    let main = repository.branches.iter().find(|branch| !branch.contains('*'));
    let main = main.map(|branch| format!("refs/heads/{branch}")).filter(|main| *main != own);
    std::iter::once(own).chain(main).collect()
}

fn job_of(row: &BuildRow, repository: &RepositoryConfig) -> NewJob {
    let short = row.short_commit();
    let number = &row.id.0.simple().to_string()[24..];
    NewJob {
        kind: JobKind::Build,
        parent: row.id.0,
        ordinal: 0,
        name: format!("{} {short}", row.repository),
        priority: 0,
        labels: Labels::parse(&repository.labels).unwrap_or_default(),
        concurrency: None,
        attempts_max: 2,
        task: Task {
            checkout: Some(Checkout {
                url: repository.url.clone(),
                commit: row.commit.to_string(),
                reference: reference(row),
            }),
            cached_for: cached_for(row, repository),
            // What others wrote could tell them to anybody.
            secrets: if row.fork.is_some() { Vec::new() } else { repository.secrets.clone() },
            limits: Limits {
                seconds: repository.timeout_seconds.unwrap_or(Limits::default().seconds),
                ..Limits::default()
            },
            has_network: repository.network,
            tells: Tells {
                setup: repository.setup(),
                run: format!("{} {short} ({number})", row.branch),
                project: repository.project.clone(),
                commit: Some(row.commit.to_string()).filter(|commit| !commit.is_empty()),
                branch: Some(row.branch.to_string()),
            },
            ..Task::default()
        },
    }
}
