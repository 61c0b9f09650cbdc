//! The service as one asker finds it.
//!
//! Whatever may be refused is a method of [`Desk`], so nothing can be asked for
//! without an asker; what anybody may do is a method of [`Service`] itself.

use super::Service;
use super::access::Asker;
use super::failure::Failure;
use app::domain::name::{ProjectName, SetupName};
use app::domain::rights::{Action, Bounds, Denial, Extent, Policy, Who};
use app::read::{Look, Tile};
use std::collections::BTreeSet;
use std::future::pending;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// The service, for one asker. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    service: Service,
    asker: Asker,
    policy: Policy,
}

impl Deref for Desk {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Unknown(why) => Self::Unauthenticated(why),
            Denial::Forbidden(why) => Self::Forbidden(why),
        }
    }
}

/// For whom somebody may speak.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Only for this setup.
    pub setup: Option<SetupName>,
    /// Only for these projects.
    pub projects: Option<BTreeSet<ProjectName>>,
}

impl Caller {
    /// The one project for which it speaks, and which stands where an event
    /// names none.
    pub fn project(&self) -> Option<&ProjectName> {
        self.projects.as_ref().filter(|projects| projects.len() == 1)?.first()
    }
}

/// What somebody may see.
#[derive(Clone, Debug)]
pub(super) enum Sight {
    /// Everything.
    Everything,
    /// What is within bounds.
    Within(Bounds),
    /// What a wall shows.
    Wall(Box<Look>),
}

impl Sight {
    /// Whether a setup is seen. It is of the project of its newest run.
    pub(super) fn sees(&self, tile: &Tile) -> bool {
        match self {
            Self::Everything => true,
            Self::Within(bounds) => bounds.has(tile.run.as_ref().map(|run| &*run.project), Some(&tile.name)),
            Self::Wall(look) => look.takes(tile),
        }
    }

    /// Whether something of a project on a setup is seen.
    pub(super) fn sees_of(&self, project: &str, setup: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Within(bounds) => bounds.has(Some(project), Some(setup)),
            Self::Wall(_) => false,
        }
    }
}

impl Service {
    /// The desk of this program itself, at which everything is allowed: for
    /// what it has to know to understand what others may say.
    pub fn itself(&self) -> Desk {
        let policy = Policy { is_development: true, ..self.inner.policy };
        Desk { policy, ..Desk::new(self.clone(), Asker::default()) }
    }
}

impl Desk {
    pub(super) fn new(service: Service, asker: Asker) -> Self {
        let policy = service.inner.policy;
        Self { service, asker, policy }
    }

    /// Who asks, and from where.
    pub fn asker(&self) -> &Asker {
        &self.asker
    }

    /// Who asks.
    pub fn who(&self) -> &Who {
        &self.asker.who
    }

    /// What to call whoever asks, where people read it: so that one who may
    /// take a token back knows which.
    pub fn asker_name(&self) -> String {
        match self.who() {
            Who::Person(person) => person.name.to_string(),
            Who::Pass(pass) => {
                let label = pass.label.as_deref().map(|label| format!("{label:?} ")).unwrap_or_default();
                // Of an id the beginning is the time, which those of one day share.
                let id = pass.id.to_string();
                format!("token {label}…{}", id.get(id.len().saturating_sub(8)..).unwrap_or_default())
            }
            Who::Nobody | Who::Stranger(_) | Who::Neighbour => "somebody without an account".into(),
        }
    }

    /// What the operator decided.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// The same desk for a machine of a network that was opened to clients
    /// without tokens.
    pub(super) fn of_neighbour(&self) -> Self {
        Self { asker: Asker { who: Arc::new(Who::Neighbour), ..self.asker.clone() }, ..self.clone() }
    }

    /// Whether this may be done everywhere.
    pub fn allow(&self, action: Action) -> Result<(), Failure> {
        Ok(self.policy.allow(self.who(), action)?)
    }

    /// Whether this may be done to what is of a project, on a setup.
    pub fn allow_at(&self, action: Action, project: Option<&str>, setup: Option<&str>) -> Result<(), Failure> {
        Ok(self.policy.allow_at(self.who(), action, project, setup)?)
    }

    /// Whether this may be done somewhere at least; or why not. Asked before a
    /// body is looked at, so that what is wrong with it is told to nobody else.
    pub fn may(&self, action: Action) -> Result<(), Failure> {
        Ok(self.policy.extent(self.who(), action).map(drop)?)
    }

    /// Whether this may be done somewhere at least, so that it makes sense to
    /// offer it.
    pub fn may_somewhere(&self, action: Action) -> bool {
        self.policy.extent(self.who(), action).is_ok()
    }

    /// For whom the asker may send events.
    pub fn caller(&self) -> Result<Caller, Failure> {
        match self.policy.extent(self.who(), Action::Send)? {
            Extent::Everywhere => Ok(Caller::default()),
            Extent::Within(Bounds { projects, setup }) => Ok(Caller { setup, projects }),
            Extent::Wall(_) => Err(Failure::Forbidden("a link to a wall may not send events".into())),
        }
    }

    /// What the asker may see.
    pub(super) async fn sight(&self, action: Action) -> Result<Sight, Failure> {
        match self.policy.extent(self.who(), action)? {
            Extent::Everywhere => Ok(Sight::Everything),
            Extent::Within(bounds) => Ok(Sight::Within(bounds)),
            Extent::Wall(wall) => {
                let plan = self.plan_of(&wall).await?;
                let gone = || Failure::Forbidden(format!("the wall {wall} is no more, and this link was for it"));
                Ok(Sight::Wall(Box::new(Look::of(&plan.ok_or_else(gone)?.plan))))
            }
        }
    }

    /// What the asker may read.
    pub(super) async fn reading(&self) -> Result<Sight, Failure> {
        self.sight(Action::Read).await
    }

    /// Returns when the asker may not go on with what was begun: the token or
    /// session is over, or means something else now. Open streams end then.
    pub async fn departure(&self, action: Action) {
        if self.policy.extent(&Who::Nobody, action).is_ok() && *self.asker.who == Who::Nobody {
            return pending().await;
        }
        let Some(hash) = self.asker.hash else { return pending().await };
        let mut changes = self.service.inner.known.changes();
        let is_session = matches!(*self.asker.who, Who::Person(_));
        loop {
            // Looked at before the first ring too: what was taken away between
            // the answer and here did not ring for us.
            match self.service.asker(hash, is_session, self.asker.address, || Ok(())).await {
                Ok(Some(asker)) if asker.who == self.asker.who => {
                    let left = asker.expires_at.map(|at| at.since(self.service.now()).0.max(0).unsigned_abs());
                    let over = async {
                        match left {
                            Some(left) => tokio::time::sleep(Duration::from_micros(left)).await,
                            None => pending().await,
                        }
                    };
                    tokio::select! {
                        _ = changes.changed() => {}
                        () = over => {}
                    }
                }
                // Who cannot be known just now is asked to come again.
                Ok(_) | Err(_) => return,
            }
        }
    }
}
