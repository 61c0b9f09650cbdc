//! Who may do what, and where.
//!
//! One function decides: [`Policy::extent`] says how far somebody's right to an
//! [`Action`] reaches. Doing something at one place, listing what may be seen
//! and sending events are the same question, so none of them can forget a rule.
//!
//! A [`Person`] has a role everywhere, roles in single projects, or both; the
//! higher one counts. A [`Pass`] (a token that was made for a program) has one
//! scope, and may be bound to a project or a setup. What is of no single
//! project, such as people and walls, needs a right that reaches everywhere.

use super::ids::{SessionId, TokenId, UserId};
use super::name::{ProjectName, SetupName};
use super::test::words;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

words! {
    /// What a person may do. Each may do what those before it may.
    Role {
        /// Read.
        Viewer = "viewer",
        /// Look after tests and setups, and order runs.
        Engineer = "engineer",
        /// Everything.
        Administrator = "administrator",
    }
}

words! {
    /// What a token is for. Each stands alone; `admin` may do everything.
    Scope {
        /// Send events and reports.
        Ingest = "ingest",
        /// Read, where reading needs it.
        Read = "read",
        /// Take jobs, and send what comes of them.
        Worker = "worker",
        /// Show walls.
        Kiosk = "kiosk",
        /// Everything.
        Admin = "admin",
    }
}

words! {
    /// What somebody may want to do.
    Action {
        /// Look at a wall.
        Show = "look at walls",
        /// Read what was recorded.
        Read = "read",
        /// Send events and reports.
        Send = "send events",
        /// Say who looks after what, and what is to be thought of it.
        Care = "look after setups and tests",
        /// Order runs, and call them off.
        Launch = "order runs",
        /// Take jobs.
        Work = "take jobs",
        /// Change what everybody sees.
        Configure = "change settings",
        /// Let people and programs in.
        Administer = "manage people and tokens",
    }
}

impl Action {
    /// The least role that may do it.
    pub const fn role(self) -> Role {
        match self {
            Self::Show | Self::Read => Role::Viewer,
            Self::Send | Self::Care | Self::Launch => Role::Engineer,
            Self::Work | Self::Configure | Self::Administer => Role::Administrator,
        }
    }

    /// The scopes that may do it, beside `admin`.
    pub const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Show => &[Scope::Read, Scope::Kiosk],
            Self::Read => &[Scope::Read],
            Self::Send => &[Scope::Ingest, Scope::Worker],
            Self::Care => &[Scope::Ingest],
            Self::Work => &[Scope::Worker],
            Self::Launch | Self::Configure | Self::Administer => &[],
        }
    }
}

/// What the operator decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Reading needs no account.
    pub reading_is_open: bool,
    /// Everybody may do everything: a server for development, on loopback.
    pub is_development: bool,
}

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub id: UserId,
    /// Its name.
    pub name: Box<str>,
    /// The session in which the person asks.
    pub session: SessionId,
    /// The role everywhere; none where the person only has a part in projects.
    pub role: Option<Role>,
    /// Roles in single projects.
    pub grants: BTreeMap<ProjectName, Role>,
}

/// A token that was shown, as far as rights go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The token.
    pub id: TokenId,
    /// What it is for, in a person's words.
    pub label: Option<Box<str>>,
    /// What it is for.
    pub scope: Scope,
    /// The one project that it is for.
    pub project: Option<ProjectName>,
    /// The one setup that it is for.
    pub setup: Option<SetupName>,
    /// The one wall that it shows.
    pub wall: Option<Box<str>>,
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Who {
    /// Nobody that was told.
    #[default]
    Nobody,
    /// Somebody whose token does not hold, and why: no right at all, not even
    /// what nobody may.
    Stranger(&'static str),
    /// A machine in a network that was opened for clients without tokens.
    Neighbour,
    /// Somebody with an account.
    Person(Person),
    /// A program with a token.
    Pass(Pass),
}

/// Why somebody may not.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Denial {
    /// Whoever it is, they have to say so first.
    #[error("{0}")]
    Unknown(&'static str),
    /// It is known who it is, and they may not.
    #[error("{0}")]
    Forbidden(String),
}

/// How far a right reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everywhere.
    Everywhere,
    /// What is within all of these bounds.
    Within(Bounds),
    /// What the wall of this name shows.
    Wall(Box<str>),
}

/// Where a right ends; what is none does not bound it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Only in these projects.
    pub projects: Option<BTreeSet<ProjectName>>,
    /// Only on this setup.
    pub setup: Option<SetupName>,
}

impl Bounds {
    /// Whether something of a project on a setup is within. What is of no
    /// project, or on no setup, is not within bounds that name some.
    pub fn has(&self, project: Option<&str>, setup: Option<&str>) -> bool {
        let is_of_project = self.projects.as_ref().is_none_or(|own| project.is_some_and(|it| contains(own, it)));
        is_of_project && self.setup.as_ref().is_none_or(|own| setup == Some(own.as_str()))
    }

    /// Whether something of a project may be within, on whatever setup.
    pub fn has_project(&self, project: &str) -> bool {
        self.projects.as_ref().is_none_or(|own| contains(own, project))
    }
}

fn contains(projects: &BTreeSet<ProjectName>, project: &str) -> bool {
    projects.iter().any(|own| own.as_str() == project)
}

impl Extent {
    fn within(projects: Option<BTreeSet<ProjectName>>, setup: Option<SetupName>) -> Self {
        if projects.is_none() && setup.is_none() {
            return Self::Everywhere;
        }
        Self::Within(Bounds { projects, setup })
    }
}

/// What to do where nobody said who they are.
const SAY_WHO: &str =
    "this needs an account or a token: sign in at /login, or send the token as Authorization: Bearer …";
const SEND_TOKEN: &str = "send a token: Authorization: Bearer …; make one with: holter token create --scope ingest";

impl Policy {
    /// How far somebody's right to do something reaches; or why there is none.
    pub fn extent(&self, who: &Who, action: Action) -> Result<Extent, Denial> {
        let is_for_all = self.reading_is_open && matches!(action, Action::Read | Action::Show);
        match who {
            Who::Stranger(why) => Err(Denial::Unknown(why)),
            _ if self.is_development || is_for_all => Ok(Extent::Everywhere),
            Who::Neighbour if matches!(action, Action::Read | Action::Send) => Ok(Extent::Everywhere),
            Who::Nobody | Who::Neighbour if action == Action::Send => Err(Denial::Unknown(SEND_TOKEN)),
            Who::Nobody | Who::Neighbour => Err(Denial::Unknown(SAY_WHO)),
            Who::Person(person) => person.extent(action),
            Who::Pass(pass) => pass.extent(action),
        }
    }

    /// Whether somebody may do something that is of no single project.
    pub fn allow(&self, who: &Who, action: Action) -> Result<(), Denial> {
        match self.extent(who, action)? {
            Extent::Everywhere => Ok(()),
            Extent::Within(bounds) => Err(Denial::Forbidden(bounds.refusal(action))),
            Extent::Wall(wall) => Err(Denial::Forbidden(format!("this link is for the wall {wall} only"))),
        }
    }

    /// Whether somebody may do something to what is of a project, on a setup.
    pub fn allow_at(
        &self,
        who: &Who,
        action: Action,
        project: Option<&str>,
        setup: Option<&str>,
    ) -> Result<(), Denial> {
        match self.extent(who, action)? {
            Extent::Within(bounds) if bounds.has(project, setup) => Ok(()),
            Extent::Everywhere => Ok(()),
            Extent::Within(bounds) => Err(Denial::Forbidden(bounds.refusal(action))),
            Extent::Wall(wall) => Err(Denial::Forbidden(format!("this link is for the wall {wall} only"))),
        }
    }
}

impl Bounds {
    fn refusal(&self, action: Action) -> String {
        let setup = self.setup.as_ref().map(|setup| format!("on setup {:?}", setup.as_str()));
        let projects = self.projects.as_ref().map(|projects| {
            let names: Vec<_> = projects.iter().map(|project| format!("{:?}", project.as_str())).collect();
            format!("in project {}", names.join(", "))
        });
        let bounds: Vec<_> = setup.into_iter().chain(projects).collect();
        format!("you may {action} {} only", bounds.join(" "))
    }
}

impl Person {
    fn extent(&self, action: Action) -> Result<Extent, Denial> {
        let least = action.role();
        if self.role >= Some(least) {
            return Ok(Extent::Everywhere);
        }
        let granted = self.grants.iter().filter(|(_, role)| **role >= least);
        let projects: BTreeSet<_> = granted.map(|(project, _)| project.clone()).collect();
        if projects.is_empty() {
            return Err(Denial::Forbidden(format!("to {action} needs the role {least}; an administrator can give it")));
        }
        Ok(Extent::within(Some(projects), None))
    }

    /// The role that counts in a project.
    pub fn role_in(&self, project: &ProjectName) -> Option<Role> {
        self.role.max(self.grants.get(project).copied())
    }
}

impl Pass {
    fn extent(&self, action: Action) -> Result<Extent, Denial> {
        let scopes = action.scopes();
        if self.scope != Scope::Admin && !scopes.contains(&self.scope) {
            let able: Vec<_> = scopes.iter().chain(&[Scope::Admin]).map(|scope| scope.as_str()).collect();
            let able = able.join(" or ");
            return Err(Denial::Forbidden(format!("a token of scope {} may not {action}; {able} may", self.scope)));
        }
        if let Some(wall) = &self.wall {
            return Ok(Extent::Wall(wall.clone()));
        }
        Ok(Extent::within(self.project.clone().map(|project| BTreeSet::from([project])), self.setup.clone()))
    }
}

#[cfg(test)]
#[path = "rights_tests.rs"]
mod tests;
