//! Who did what: a line for each deed that lets somebody in or out, or changes
//! what everybody sees.

use super::Service;
use super::desk::Desk;
use super::failure::Failure;
use crate::clock::new_id;
use crate::store::rows::AuditRow;
use app::domain::account::{Backoff, Deed};
use app::domain::rights::Action;
use app::domain::time::Timestamp;
use uuid::Uuid;

/// Lines on a page.
pub const DEEDS_SHOWN: u32 = 100;

/// Deeds that are forgotten at once.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

/// A deed that was done from nowhere in particular.
fn row(actor: &str, deed: Deed, subject: &str, detail: Option<&str>, at: Timestamp) -> AuditRow {
    AuditRow {
        id: new_id(),
        at,
        actor: actor.into(),
        action: deed.as_str().into(),
        subject: subject.into(),
        detail: detail.map(Into::into),
        address: None,
    }
}

/// A deed of who has the store anyway, and asks nobody.
pub fn by_command(deed: Deed, subject: &str, detail: Option<&str>, at: Timestamp) -> AuditRow {
    row("the command line", deed, subject, detail, at)
}

impl Service {
    /// Forgets sessions, links, attempts and reservations that are over, and deeds older than
    /// they are kept. Tells how many rows it were.
    pub async fn forget_ended(&self) -> Result<u64, Failure> {
        let (store, now) = (&self.inner.store, self.now());
        let mut rows = store.sessions_forget(now).await? + store.links_forget(now).await?;
        rows += store.attempts_forget(now - Backoff::FORGOTTEN).await? + store.reservation_forget(now).await?;
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
    /// Writes down what was done. It is done already: where it cannot be
    /// written, the log of the server says so, and the deed stands.
    pub(super) async fn note(&self, deed: Deed, subject: &str, detail: Option<&str>) {
        self.note_of(&self.asker_name(), deed, subject, detail).await;
    }

    /// As [`Self::note`], for who is not known by this desk yet.
    pub(super) async fn note_of(&self, actor: &str, deed: Deed, subject: &str, detail: Option<&str>) {
        let address = self.asker().address.map(|address| address.to_canonical().to_string().into());
        let row = AuditRow { address, ..row(actor, deed, subject, detail, self.now()) };
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
