//! Reservations: a person keeps a setup for themselves for a while.
//!
//! Jobs for that setup wait meanwhile; what runs goes on. It ends by itself, or
//! is given back. The recorder writes it, as it does claims: it is on the
//! setup's tile at once.

use super::desk::Desk;
use super::failure::Failure;
use super::recorder::{Note, Recorder};
use crate::store::StoreError;
use crate::store::rows::ReservationRow;
use app::domain::account::Deed;
use app::domain::ids::SetupId;
use app::domain::name::{SetupName, tidy};
use app::domain::rights::Who;
use app::domain::time::{Micros, Timestamp};
use app::format;
use app::read::Reservation;
use std::collections::HashMap;
use tokio::sync::oneshot;

/// Letters of a person's name that are kept.
const HOLDER_KEPT: usize = 60;

/// Letters of a reason that are kept.
const REASON_KEPT: usize = 200;

/// Nobody keeps a setup for longer at a time.
pub const RESERVED_MOST: Micros = Micros::from_secs(31 * 86_400);

fn reservation_of(row: &ReservationRow) -> Reservation {
    Reservation { holder: row.holder.to_string(), reason: row.reason.to_string(), ends_at: row.ends_at }
}

impl Desk {
    /// Keeps a setup for whoever asks, until a time. Who is signed in does so
    /// under their own name; programs say for whom. Whoever has it already may
    /// change until when.
    pub async fn reserve(
        &self,
        setup: &str,
        holder: Option<&str>,
        reason: &str,
        ends_at: Timestamp,
    ) -> Result<Reservation, Failure> {
        let name = self.known_setup(setup)?;
        let now = self.now();
        if reason.trim().is_empty() {
            return Err(Failure::invalid("reason", "is missing: say what the setup is needed for"));
        }
        if ends_at <= now || ends_at.since(now) > RESERVED_MOST {
            return Err(Failure::invalid("until", "must be a time within the next 31 days"));
        }
        let said = holder.map(str::trim).filter(|holder| !holder.is_empty());
        let holder = match (self.who(), said) {
            (Who::Person(_), _) | (_, None) => self.asker_name(),
            (_, Some(said)) => said.to_owned(),
        };
        let row = ReservationRow {
            setup: name.as_str().into(),
            holder: tidy(&holder, HOLDER_KEPT),
            reason: tidy(reason.trim(), REASON_KEPT),
            at: now,
            ends_at,
        };
        let kept = reservation_of(&row);
        if !self.note_reservation(name, Some(row)).await? {
            return Err(self.kept_by_another(setup).await?);
        }
        let detail = format!("until {}: {}", format::utc(ends_at), kept.reason);
        self.note(Deed::SetupReserved, setup, Some(&detail)).await;
        Ok(kept)
    }

    async fn kept_by_another(&self, setup: &str) -> Result<Failure, Failure> {
        let row = self.inner.store.reservation_get(setup).await?;
        let who = row.map_or_else(String::new, |row| {
            format!(" by {} until {}: {}", row.holder, format::utc(row.ends_at), row.reason)
        });
        Ok(Failure::Conflict(format!("{setup} is reserved{who}")))
    }

    /// Gives a setup back before its time: whoever may keep one may do that for
    /// others too.
    pub async fn end_reservation(&self, setup: &str) -> Result<(), Failure> {
        let name = self.known_setup(setup)?;
        let held = self.inner.store.reservation_get(setup).await?.filter(|row| row.ends_at > self.now());
        let held = held.ok_or_else(|| Failure::NotFound(format!("nobody keeps the setup {setup:?}")))?;
        self.note_reservation(name, None).await?;
        self.note(Deed::SetupGivenBack, setup, Some(&format!("kept by {}", held.holder))).await;
        Ok(())
    }

    /// Who keeps which setup now, by name.
    pub async fn reservations(&self) -> Result<Vec<ReservationRow>, Failure> {
        let sight = self.reading().await?;
        let mut rows = self.inner.store.reservation_list(self.now()).await?;
        rows.retain(|row| self.inner.board.tile(&row.setup).is_some_and(|tile| sight.sees(&tile)));
        Ok(rows)
    }

    async fn note_reservation(&self, setup: SetupName, kept: Option<ReservationRow>) -> Result<bool, Failure> {
        let (done, told) = oneshot::channel();
        let note = Note::Reserve { setup, kept, done };
        self.inner.notes.send(note).await.map_err(|_| Failure::Closing)?;
        let is_kept = told.await.map_err(|_| Failure::Closing)??;
        // What waited for the setup may begin.
        self.inner.bus.job_waits();
        Ok(is_kept)
    }
}

impl Recorder {
    /// Writes a reservation, or its end, down and shows it. Tells whether it
    /// could be: not where somebody else keeps the setup.
    pub(super) async fn take_reservation(
        &mut self,
        name: SetupName,
        kept: Option<ReservationRow>,
    ) -> Result<bool, StoreError> {
        match &kept {
            Some(row) if !self.store.reservation_save(row).await? => return Ok(false),
            Some(_) => {}
            None => drop(self.store.reservation_end(name.as_str()).await?),
        }
        if let Some(hot) = self.hot.setups.get_mut(&name) {
            hot.reservation = kept.as_ref().map(reservation_of);
        }
        // The version must rise, or no page would take the tile.
        let since = self.since();
        self.pending.word(&name, since);
        self.try_to_tell(|_| vec![name]).await?;
        Ok(true)
    }

    /// Takes up the reservations of setups that are taken up.
    pub(super) async fn take_up_reservations(&mut self, names: &HashMap<SetupId, SetupName>) -> Result<(), StoreError> {
        let rows = self.store.reservation_list(self.clock.now()).await?;
        for name in names.values() {
            if let Some(setup) = self.hot.setups.get_mut(name) {
                setup.reservation = rows.iter().find(|row| &*row.setup == name.as_str()).map(reservation_of);
            }
        }
        Ok(())
    }
}
