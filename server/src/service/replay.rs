//! Reads the end of the log again: what was pending when a group failed, or
//! when the program ended without a word.

use super::hot::{HotRun, HotSetup};
use super::ids::Ids;
use super::recorder::Recorder;
use crate::intake::native::{self, Format};
use crate::store::StoreError;
use crate::store::rows::EventRow;
use app::domain::event::{Event, EventKind, RunEvent};
use app::domain::ids::RunId;
use app::domain::name::RunKey;
use app::domain::run::Run;

/// Events that are read at once.
const PAGE: u32 = 2_000;

impl Recorder {
    /// Brings to hand again what the log tells and the other tables do not yet.
    pub(super) async fn replay(&mut self) -> Result<(), StoreError> {
        self.know_setups().await?;
        let mut after = self.store.log_mark().await?;
        self.written_up_to = after;
        loop {
            let page = self.store.event_page(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.seq;
            for row in &page {
                self.replay_event(row).await?;
            }
        }
    }

    /// Setups that were forgotten.
    async fn know_setups(&mut self) -> Result<(), StoreError> {
        for row in self.store.setup_list().await? {
            let fresh = || HotSetup::new(row.id, row.version, row.heard_at);
            self.hot.setups.entry(row.name).or_insert_with(fresh);
        }
        Ok(())
    }

    async fn replay_event(&mut self, row: &EventRow) -> Result<(), StoreError> {
        // It was read once before it was kept.
        let read = native::parse(row.body.as_bytes(), Format::Json).ok().and_then(|mut read| read.events.pop());
        let Some(read) = read else {
            tracing::warn!(seq = row.seq, "an event of the log cannot be read again");
            return Ok(());
        };
        let event = Event { at: row.at, ..read.event };
        let since = self.since();
        self.pending.hear(&event, row.received_at, since);
        let setups = &mut self.hot.setups;
        let setup = setups.entry(event.setup.clone()).or_insert_with(|| HotSetup::new(row.setup, 0, None));
        setup.heard_at = setup.heard_at.max(Some(row.received_at));
        match (&event.kind, row.run) {
            (EventKind::Run(key, said), Some(run)) => self.replay_said(row, run, key, said, &event).await,
            _ => self.replay_id(row, &event).await,
        }
    }

    async fn replay_said(
        &mut self,
        row: &EventRow,
        run: RunId,
        key: &RunKey,
        said: &RunEvent,
        event: &Event,
    ) -> Result<(), StoreError> {
        let at = (row.setup, key.clone());
        if !self.hot.runs.contains_key(&at) {
            let created_at = self.store.run_get(run).await?.map_or(row.received_at, |row| row.created_at);
            let ids = Ids::stored(self.store.event_ids(run.0).await?);
            let known = self.store.run_load(run).await?.unwrap_or_else(|| Run::new(run, at.0, at.1.clone()));
            self.hot.insert(HotRun::new(known, created_at, ids));
        }
        self.pending.changed(&event.setup, at.clone());
        let Some(hot) = self.hot.used(&at) else { return Ok(()) };
        if let Some(id) = event.id {
            hot.ids.is_new(id.0);
        }
        hot.apply(said, row.at, row.received_at, row.delay, row.project.as_ref().or(event.project.as_ref()));
        Ok(())
    }

    async fn replay_id(&mut self, row: &EventRow, event: &Event) -> Result<(), StoreError> {
        let Some(setup) = self.hot.setups.get_mut(&event.setup) else { return Ok(()) };
        if setup.ids.is_none() {
            setup.ids = Some(Ids::stored(self.store.event_ids(row.setup.0).await?));
        }
        if let (Some(ids), Some(id)) = (&mut setup.ids, event.id) {
            ids.is_new(id.0);
        }
        Ok(())
    }
}
