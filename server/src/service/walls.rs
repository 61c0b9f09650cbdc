//! Saved walls: from the configuration, and from the store.

use super::access::Shown;
use super::desk::Desk;
use super::failure::Failure;
use crate::store::rows::WallRow;
use app::domain::account::Deed;
use app::domain::rights::{Action, Pass, Who};
use app::domain::wall::{WallPlan, check_wall_name};
use app::read::{Look, Wall};

/// Walls that may be saved.
const WALLS_MAX: usize = 500;

/// A wall by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedWall {
    /// Its name, as in its address.
    pub name: String,
    /// What it shows.
    pub plan: WallPlan,
    /// It is written in the configuration, and changed there.
    pub is_configured: bool,
}

impl Desk {
    /// All walls, by name.
    pub async fn walls(&self) -> Result<Vec<NamedWall>, Failure> {
        self.reading().await?;
        let saved = self.inner.store.wall_list().await?;
        let configured = self.inner.walls.iter().map(|(name, plan)| NamedWall {
            name: name.clone(),
            plan: plan.clone(),
            is_configured: true,
        });
        let mut all: Vec<_> = configured.collect();
        // The configuration stands above what was saved under the same name.
        all.extend(saved.into_iter().filter(|row| !self.inner.walls.contains_key(&*row.name)).map(named));
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// A wall by its name.
    pub async fn wall_plan(&self, name: &str) -> Result<Option<NamedWall>, Failure> {
        self.reading().await?;
        self.plan_of(name).await
    }

    pub(super) async fn plan_of(&self, name: &str) -> Result<Option<NamedWall>, Failure> {
        if let Some(plan) = self.inner.walls.get(name) {
            return Ok(Some(NamedWall { name: name.into(), plan: plan.clone(), is_configured: true }));
        }
        Ok(self.inner.store.wall_get(name).await?.map(named))
    }

    /// Saves a wall; one of the same name is replaced.
    pub async fn wall_save(&self, name: &str, plan: &WallPlan) -> Result<(), Failure> {
        self.allow(Action::Configure)?;
        check_wall_name(name)?;
        self.refuse_configured(name)?;
        if let Some(fault) = plan.faults().into_iter().next() {
            return Err(fault.into());
        }
        let saved = self.inner.store.wall_list().await?;
        if saved.len() >= WALLS_MAX && saved.iter().all(|row| &*row.name != name) {
            return Err(Failure::invalid("name", format!("there are {WALLS_MAX} walls already")));
        }
        // A plan is plain values with text keys: writing it cannot fail.
        let body = serde_json::to_string(plan).unwrap_or_default().into();
        let row = WallRow { name: name.into(), body, changed_at: self.now() };
        self.inner.store.wall_save(&row).await?;
        self.note(Deed::WallSaved, name, None).await;
        Ok(())
    }

    /// Forgets a wall, and takes back the links to it. Tells whether it was there.
    pub async fn wall_delete(&self, name: &str) -> Result<bool, Failure> {
        self.allow(Action::Configure)?;
        self.refuse_configured(name)?;
        for link in self.links_to(name).await? {
            self.revoke(link.id).await?;
        }
        let was_there = self.inner.store.wall_delete(name).await?;
        self.note(Deed::WallDeleted, name, None).await;
        Ok(was_there)
    }

    fn refuse_configured(&self, name: &str) -> Result<(), Failure> {
        if self.inner.walls.contains_key(name) {
            return Err(Failure::Forbidden(format!("the wall {name} is written in holter.toml; change it there")));
        }
        Ok(())
    }

    /// The wall of all setups.
    pub async fn wall(&self) -> Result<Wall, Failure> {
        let sight = self.sight(Action::Show).await?;
        Ok(self.inner.board.wall(self.now(), |tile| sight.sees(tile)))
    }

    /// A saved wall as a page, with what it shows. Where the link of a kiosk
    /// was used, its rights count.
    pub async fn wall_page(&self, name: &str, kiosk: Option<&str>) -> Result<Option<(Wall, Look)>, Failure> {
        match kiosk {
            Some(secret) => self.desk(Shown::Kiosk(secret), self.asker().address).await?.shown_wall(name).await,
            None => self.shown_wall(name).await,
        }
    }

    async fn shown_wall(&self, name: &str) -> Result<Option<(Wall, Look)>, Failure> {
        if let Who::Pass(Pass { wall: Some(own), .. }) = self.who()
            && **own != *name
        {
            return Err(Failure::Forbidden("this link is for another wall".into()));
        }
        let wall = self.wall().await?;
        Ok(self.plan_of(name).await?.map(|found| (wall, Look::of(&found.plan))))
    }
}

/// A wall that cannot be read shows everything: it comes from another release.
fn named(row: WallRow) -> NamedWall {
    let plan = serde_json::from_str(&row.body).unwrap_or_else(|error| {
        tracing::warn!(wall = &*row.name, %error, "a saved wall cannot be read; it shows everything");
        WallPlan::default()
    });
    NamedWall { name: row.name.into(), plan, is_configured: false }
}
