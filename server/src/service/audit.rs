//! Who did what: a line for each deed that lets somebody in or out, or changes
//! what everybody sees.

use super::Service;
use super::desk::Desk;
use super::failure::Failure;
use crate::clock::new_id;
use crate::store::rows::AuditRow;
use app::domain::account::{Backoff, Deed};
use app::domain::rights::{Action, Who};
use uuid::Uuid;

/// Lines on a page.
pub const DEEDS_SHOWN: u32 = 100;

/// Deeds that are forgotten at once.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

impl Service {
    /// Forgets sessions, links and attempts that are over, and deeds older than
    /// they are kept. Tells how many rows it were.
    pub async fn forget_ended(&self) -> Result<u64, Failure> {
        let (store, now) = (&self.inner.store, self.now());
        let mut rows = store.sessions_forget(now).await? + store.links_forget(now).await?;
        rows += store.attempts_forget(now - Backoff::FORGOTTEN).await?;
        let Some(age) = self.inner.retention.audit() else { return Ok(rows) };
        loop {
            let forgotten = store.audit_forget(now - age, FORGOTTEN_AT_ONCE).await?;
            rows += forgotten;
            if forgotten < u64::from(FORGOTTEN_AT_ONCE) {
                return Ok(rows);
            }
        }
    }
}

impl Desk {
    /// Who stands here, as the log of deeds calls them.
    pub(super) fn actor(&self) -> Box<str> {
        match self.who() {
            Who::Person(person) => person.name.clone(),
            Who::Pass(pass) => {
                let label = pass.label.as_deref().map(|label| format!(" {label:?}")).unwrap_or_default();
                format!("token {}{label}", pass.id).into()
            }
            Who::Nobody | Who::Neighbour | Who::Stranger(_) => "somebody without an account".into(),
        }
    }

    /// Writes down what was done. It is done already: where it cannot be
    /// written, the log of the server says so, and the deed stands.
    pub(super) async fn note(&self, deed: Deed, subject: &str, detail: Option<&str>) {
        self.note_of(&self.actor(), deed, subject, detail).await;
    }

    /// As [`Self::note`], for who is not known by this desk yet.
    pub(super) async fn note_of(&self, actor: &str, deed: Deed, subject: &str, detail: Option<&str>) {
        let row = AuditRow {
            id: new_id(),
            at: self.now(),
            actor: actor.into(),
            action: deed.as_str().into(),
            subject: subject.into(),
            detail: detail.map(Into::into),
            address: self.asker().address.map(|address| address.to_canonical().to_string().into()),
        };
        if let Err(error) = self.inner.store.audit_insert(&row).await {
            tracing::error!(%error, actor, action = deed.as_str(), subject, "a deed was not written down");
        }
    }

    /// What was done before a deed, the newest first.
    pub async fn deeds(&self, before: Option<Uuid>) -> Result<Vec<AuditRow>, Failure> {
        self.allow(Action::Administer)?;
        Ok(self.inner.store.audit_page(before.unwrap_or(Uuid::max()), DEEDS_SHOWN).await?)
    }
}
