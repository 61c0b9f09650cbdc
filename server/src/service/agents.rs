//! Agents of ReportPortal: their launches at hand, and what they may do.
//!
//! A launch is at hand while it is spoken of; its rows are written in the same
//! transaction as the events they belong to, and read again where it is not at
//! hand any more. A request is understood under the launch's own lock, which
//! is held for no longer than that, and answered when it is durable.

mod at_hand;

pub(super) use at_hand::Launches;

use super::Service;
use super::access::Asker;
use super::desk::{Caller, Desk};
use super::failure::Failure;
use super::ingest::SenderClock;
use crate::clock::new_id;
use crate::intake::native;
use crate::intake::report_portal::words::{Body, Finish, ItemStart, LaunchStart, LogLine};
use crate::intake::report_portal::{About, Clockwork, Kept, Launch, Refused, Told, number_of};
use crate::store::rows::ForeignRow;
use app::domain::name::ProjectName;
use app::domain::rights::Who;
use app::domain::time::Micros;
use at_hand::{Key, Shared, locked};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;
use thiserror::Error;

/// How long an item waits for the start of its launch: another process may
/// have chosen the launch's id and be about to begin it.
const START_COMES_WITHIN: Duration = Duration::from_secs(2);

/// Launches are forgotten when nothing was written of them for so long. Their
/// runs stay; a word about an item of such a launch is not understood.
const REMEMBERED: Micros = Micros::from_secs(14 * 86_400);

/// Launches among which the one is looked for that is run again.
const LOOKED_AT: u32 = 500;

/// How long is waited, and how often, before a request that finds the store or
/// the queue busy is refused: agents drop what is refused, and give up after
/// ten seconds at the earliest.
const AGAIN_AFTER: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(2)];

/// Why an agent's request was not done.
#[derive(Debug, Error)]
pub enum AgentError {
    /// It has no meaning.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It could not be recorded.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// An agent that speaks for a project.
pub struct Agent {
    service: Service,
    caller: Caller,
    project: ProjectName,
    /// It uses the second version, in which ReportPortal answers before it
    /// looks: there an unknown launch may begin later.
    lenient: bool,
}

impl Desk {
    /// An agent that may write.
    pub fn agent(&self, project: ProjectName, lenient: bool) -> Result<Agent, Failure> {
        let caller = match self.caller() {
            // Agents cannot be told to send no key; where everybody may write,
            // any key will do.
            Err(why) if matches!(self.who(), Who::Stranger(_)) => {
                Self::new(Service::clone(self), Asker::default()).caller().map_err(|_| why)?
            }
            other => other?,
        };
        if caller.projects.as_ref().is_some_and(|own| !own.contains(&project)) {
            return Err(Failure::Forbidden(caller.refusal()));
        }
        Ok(Agent { service: Service::clone(self), caller, project, lenient })
    }
}

impl Agent {
    fn key(&self, id: &str) -> Key {
        (self.project.clone(), id.into())
    }

    fn setup(&self) -> Option<&str> {
        self.caller.setup.as_ref().map(|setup| setup.as_str())
    }

    /// Begins a launch, or takes one up that is run again. Gives its id.
    pub async fn begin(&self, body: &Body) -> Result<Box<str>, AgentError> {
        let said = LaunchStart::read(body, self.service.now())?;
        self.forget_old().await;
        if said.is_rerun
            && let Some((id, launch)) = self.earlier(&said).await?
        {
            let told = locked(&launch).rerun(&said);
            self.say(&id, told).await?;
            return Ok(id);
        }
        let id = said.uuid.clone().unwrap_or_else(|| new_id().to_string().into());
        if let Some(launch) = self.at_hand(&id).await? {
            let told = locked(&launch).announce(&said);
            self.say(&id, told).await?;
            return Ok(id);
        }
        let (launch, told) = Launch::begin(id.clone(), self.project.as_str(), self.setup(), &said);
        let (launch, is_new) = self.service.inner.launches.put(self.key(&id), launch);
        let told = if is_new { told } else { locked(&launch).announce(&said) };
        self.say(&id, told).await.inspect_err(|_| self.unmake(&id, is_new))?;
        Ok(id)
    }

    /// The launch that is run again; none where it is not known any more: then
    /// its results are worth a launch of their own.
    async fn earlier(&self, said: &LaunchStart) -> Result<Option<(Box<str>, Shared)>, Failure> {
        if let Some(id) = &said.rerun_of {
            return Ok(self.at_hand(id).await?.map(|launch| (id.clone(), launch)));
        }
        let rows = self.service.inner.store.foreign_launches(self.project.as_str(), LOOKED_AT).await?;
        let known = rows.iter().filter_map(|row| serde_json::from_str::<About>(&row.body).ok());
        let latest = known.filter(|about| about.name == said.name).max_by_key(|about| about.started);
        let Some(latest) = latest else { return Ok(None) };
        Ok(self.at_hand(&latest.id).await?.map(|launch| (latest.id, launch)))
    }

    async fn forget_old(&self) {
        let now = self.service.now();
        if !self.service.inner.launches.is_time_to_forget(now) {
            return;
        }
        match self.service.inner.store.foreign_forget(now - REMEMBERED).await {
            Ok(rows) => tracing::debug!(rows, "launches of long ago were forgotten"),
            Err(error) => tracing::warn!(%error, "launches of long ago could not be forgotten; will try again"),
        }
    }

    /// A launch, from memory or from the store. One on a setup that the token
    /// is not for is out of reach.
    async fn at_hand(&self, id: &str) -> Result<Option<Shared>, Failure> {
        let key = self.key(id);
        let launch = match self.service.inner.launches.get(&key) {
            Some(launch) => Some(launch),
            None => self.stored(key).await?,
        };
        let is_foreign = |setup: &str| self.setup().is_some_and(|own| own != setup);
        match launch {
            Some(launch) if is_foreign(&locked(&launch).about.setup) => Err(Failure::Forbidden(self.caller.refusal())),
            launch => Ok(launch),
        }
    }

    async fn stored(&self, key: Key) -> Result<Option<Shared>, Failure> {
        let rows = self.service.inner.store.foreign_load(self.project.as_str(), &key.1).await?;
        let kept: Vec<_> = rows.into_iter().map(|row| Kept { item: row.item, body: row.body.into() }).collect();
        Ok(Launch::restore(&kept).map(|launch| self.service.inner.launches.put(key, launch).0))
    }

    /// A launch that is known.
    pub async fn known(&self, id: &str) -> Result<Shared, AgentError> {
        let launch = self.at_hand(id).await?;
        launch.ok_or_else(|| Refused::NoLaunch(id.to_owned()).into())
    }

    /// The launch of an item. Where its start may still be on its way it is
    /// waited for, and then presumed.
    async fn launch_of(&self, id: Option<&str>) -> Result<(Box<str>, Shared), AgentError> {
        let id = id.ok_or_else(|| Refused::field("launchUuid", "should not be null"))?;
        if !self.lenient {
            return Ok((id.into(), self.known(id).await?));
        }
        let mut begun = self.service.inner.launches.begun();
        let wait = async {
            loop {
                if let Some(launch) = self.at_hand(id).await? {
                    return Ok(launch);
                }
                // The sender lives as long as the service.
                let _ = begun.changed().await;
            }
        };
        match tokio::time::timeout(START_COMES_WITHIN, wait).await {
            Ok(found) => found.map(|launch| (id.into(), launch)).map_err(|error: Failure| error.into()),
            Err(_) => self.presume(id).await,
        }
    }

    async fn presume(&self, id: &str) -> Result<(Box<str>, Shared), AgentError> {
        let now = self.service.now();
        let (launch, told) = Launch::presume(id.into(), self.project.as_str(), self.setup(), now);
        let (launch, is_new) = self.service.inner.launches.put(self.key(id), launch);
        if is_new {
            tracing::info!(launch = id, "items of a launch came whose start did not; it is taken as begun");
            self.say(id, told).await.inspect_err(|_| self.unmake(id, true))?;
        }
        Ok((id.into(), launch))
    }

    /// A launch whose beginning could not be recorded is none.
    fn unmake(&self, id: &str, is_new: bool) {
        if is_new {
            self.service.inner.launches.remove(&self.key(id));
        }
    }

    /// Begins an item, and gives its id.
    pub async fn start_item(&self, parent: Option<&str>, body: &Body) -> Result<Box<str>, AgentError> {
        let said = ItemStart::read(body, self.service.now())?;
        let (launch_id, launch) = self.launch_of(said.launch.as_deref()).await?;
        let id = said.uuid.clone().unwrap_or_else(|| new_id().to_string().into());
        let told = locked(&launch).start_item(parent, &id, &said, self.lenient)?;
        if let Err(error) = self.say(&launch_id, told).await {
            locked(&launch).forget(&id);
            return Err(error);
        }
        Ok(id)
    }

    /// Ends an item.
    pub async fn finish_item(&self, id: &str, body: &Body) -> Result<(), AgentError> {
        let said = Finish::read(body, self.service.now())?;
        let (launch_id, launch) = self.launch_of(said.launch.as_deref()).await?;
        let told = locked(&launch).finish_item(id, &said, self.lenient)?;
        self.say(&launch_id, told).await
    }

    /// Ends a launch; `status` stands where the body has none. Gives its setup.
    pub async fn finish(&self, id: &str, body: &Body, status: Option<&str>) -> Result<Box<str>, AgentError> {
        let mut said = Finish::read(body, self.service.now())?;
        said.status = said.status.or(status.map(str::to_owned));
        let launch = self.known(id).await?;
        let (told, setup) = {
            let mut launch = locked(&launch);
            (launch.finish(&said), launch.about.setup.clone())
        };
        self.say(id, told).await?;
        Ok(setup)
    }

    /// Keeps log lines, each with the id that it is given.
    pub async fn log(&self, lines: Vec<(String, LogLine)>) -> Result<(), AgentError> {
        let mut by_launch: HashMap<Box<str>, Vec<(String, LogLine)>> = HashMap::new();
        for (id, line) in lines {
            let launch = line.launch.clone().ok_or_else(|| Refused::field("launchUuid", "should not be null"))?;
            by_launch.entry(launch).or_default().push((id, line));
        }
        for (id, lines) in by_launch {
            let (id, launch) = self.launch_of(Some(&id)).await?;
            let told = locked(&launch).log_lines(&lines);
            self.say(&id, told).await?;
        }
        Ok(())
    }

    /// Tells more about a launch.
    pub async fn update(&self, id: &str, body: &Body) -> Result<(), AgentError> {
        let launch = self.by_number(id).await?;
        let (id, told) = {
            let mut launch = locked(&launch);
            let told = launch.update(body.text(&["description"]).as_deref(), &body.attributes(), self.service.now());
            (launch.about.id.clone(), told)
        };
        self.say(&id, told).await
    }

    /// Tells more about an item.
    pub async fn update_item(&self, id: &str, body: &Body) -> Result<(), AgentError> {
        for launch in self.service.inner.launches.of_project(&self.project) {
            let found = {
                let mut launch = locked(&launch);
                launch.find(id).and_then(|item| {
                    let told = launch.update_item(&item, body.text(&["description"]).as_deref(), &body.attributes())?;
                    Some((launch.about.id.clone(), told))
                })
            };
            if let Some((launch, told)) = found {
                return self.say(&launch, told).await;
            }
        }
        Err(Refused::NoItem(id.to_owned()).into())
    }

    async fn by_number(&self, id: &str) -> Result<Shared, AgentError> {
        let all = self.service.inner.launches.of_project(&self.project);
        let number = id.parse();
        match all.into_iter().find(|launch| number == Ok(number_of(&locked(launch).about.id))) {
            Some(launch) => Ok(launch),
            None => self.known(id).await,
        }
    }

    /// A launch as ReportPortal shows it.
    pub async fn launch(&self, id: &str, clock: Clockwork) -> Result<Value, AgentError> {
        Ok(locked(&*self.by_number(id).await?).resource(clock))
    }

    /// The launches at hand, the most recently used first.
    pub fn launches(&self, clock: Clockwork) -> Vec<Value> {
        let all = self.service.inner.launches.of_project(&self.project);
        all.iter().map(|launch| locked(launch).resource(clock)).collect()
    }

    /// An item as ReportPortal shows it; of the launches at hand.
    pub fn item(&self, id: &str, clock: Clockwork) -> Result<Value, AgentError> {
        let all = self.service.inner.launches.of_project(&self.project);
        let shown = all.iter().find_map(|launch| {
            let launch = locked(launch);
            launch.item_resource(&launch.find(id)?, clock)
        });
        shown.ok_or_else(|| Refused::NoItem(id.to_owned()).into())
    }

    /// Records what follows from a request; returns when it is durable.
    async fn say(&self, launch: &str, told: Told) -> Result<(), AgentError> {
        let parsed = native::told(told.events);
        for rejected in &parsed.rejected {
            tracing::warn!(launch, pointer = %rejected.pointer, detail = %rejected.detail, "a word of an agent could not be told");
        }
        let now = self.service.now();
        let row = |kept: Kept| ForeignRow {
            project: self.project.as_str().into(),
            launch: launch.into(),
            item: kept.item,
            at: now,
            body: kept.body.into(),
        };
        let rows: Vec<_> = told.kept.into_iter().map(row).collect();
        let record = |parsed, rows| self.service.record_with(&self.caller, SenderClock::default(), parsed, rows);
        for pause in AGAIN_AFTER {
            match record(parsed.clone(), rows.clone()).await {
                Err(Failure::Busy { .. }) => tokio::time::sleep(pause).await,
                done => return Ok(done.map(drop)?),
            }
        }
        Ok(record(parsed, rows).await.map(drop)?)
    }
}
