//! Launches and items begin.

use super::Refused;
use super::attempts::Claim;
use super::item::{Item, Role, beginning};
use super::launch::{About, Launch, Told};
use super::steps::Step;
use super::words::{ATTRIBUTES_KEPT, Attribute, ItemStart, LaunchStart};
use app::domain::name::{NAME_MAX, tidy};
use app::domain::suite::Phase;
use app::domain::time::Timestamp;
use serde_json::{Map, Value, json};

/// Attributes that name the rig, the best one first.
const SETUP_KEYS: [&str; 6] = ["setup", "rig", "bench", "host", "hostname", "machine"];

/// Attributes that name what is tested, the best one first.
const COMMIT_KEYS: [&str; 6] = ["commit", "revision", "sha", "git_commit", "build", "version"];

/// Attributes that name its branch.
const BRANCH_KEYS: [&str; 2] = ["branch", "git_branch"];

/// What stands where neither a token nor a launch names a setup.
const NAMELESS: &str = "ReportPortal";

fn told<'a>(attributes: &'a [Attribute], keys: &[&str]) -> Option<&'a str> {
    let of = |key: &&str| attributes.iter().find(|attribute| attribute.is(key));
    keys.iter().find_map(of).map(|attribute| &*attribute.value)
}

/// The agent and its version, which it tells of itself.
fn agent(attributes: &[Attribute]) -> Option<String> {
    let own = attributes.iter().find(|attribute| attribute.key.as_deref() == Some("agent"))?;
    Some(own.value.replace('|', " "))
}

fn setup(attributes: &[Attribute], name: &str) -> Box<str> {
    let named = told(attributes, &SETUP_KEYS).unwrap_or(name);
    let named = tidy(named.trim(), NAME_MAX);
    if named.trim().is_empty() { NAMELESS.into() } else { named.trim().into() }
}

/// Where an item stands.
enum Place {
    /// Among the suites and tests: the path of the suite around it.
    Among(Vec<Box<str>>),
    /// Inside a suite or test, or the launch, as a step of it.
    Inside { owner: Option<Box<str>>, is_direct: bool },
}

impl Launch {
    /// A launch begins. `setup` is that of the token, which stands above what
    /// the launch says.
    pub fn begin(id: Box<str>, project: &str, setup: Option<&str>, said: &LaunchStart) -> (Self, Told) {
        let mut launch = Self::of(about(id, project, setup, said));
        let told = launch.announce(said);
        (launch, told)
    }

    /// A launch of which only an item is known as yet: its start is still on
    /// its way, or never comes.
    pub fn presume(id: Box<str>, project: &str, setup: Option<&str>, now: Timestamp) -> (Self, Told) {
        let name = project.into();
        let said = LaunchStart {
            name,
            at: now,
            uuid: None,
            description: None,
            attributes: Vec::new(),
            is_debug: false,
            is_rerun: false,
            rerun_of: None,
        };
        let launch = Self::of(about(id, project, setup, &said));
        let told = Told { events: Vec::new(), kept: vec![launch.kept()] };
        (launch, told)
    }

    /// Its own start has come, perhaps after items of it, or once more.
    pub fn announce(&mut self, said: &LaunchStart) -> Told {
        self.about.is_announced = true;
        self.about.name = said.name.clone();
        self.about.description = beginning(said.description.as_deref());
        self.about.is_debug = said.is_debug;
        join(&mut self.about.attributes, &said.attributes);
        let mut events = vec![self.run_started(said.at)];
        if let Some(root) = &self.about.root {
            events.push(self.event("suite.started", said.at, "", json!({ "suite": [root] })));
        }
        Told { events, kept: vec![self.kept()] }
    }

    /// It is run again: what comes now are further attempts.
    pub fn rerun(&mut self, said: &LaunchStart) -> Told {
        self.about.round = self.about.round.saturating_add(1);
        self.about.ended = None;
        join(&mut self.about.attributes, &said.attributes);
        let events = vec![self.run_started(said.at)];
        Told { events, kept: vec![self.kept()] }
    }

    /// More is told about it.
    pub fn update(&mut self, description: Option<&str>, attributes: &[Attribute], now: Timestamp) -> Told {
        self.about.description = beginning(description).or(self.about.description.take());
        join(&mut self.about.attributes, attributes);
        Told { events: vec![self.run_started(now)], kept: vec![self.kept()] }
    }

    fn run_started(&self, at: Timestamp) -> Value {
        let about = &self.about;
        let own = about.attributes.iter().filter(|attribute| !attribute.system);
        let (keyed, loose): (Vec<_>, Vec<_>) = own.partition(|attribute| attribute.key.is_some());
        let mut attributes: Map<String, Value> = Map::new();
        attributes.extend(keyed.into_iter().filter_map(|one| Some((one.key.as_deref()?.into(), (*one.value).into()))));
        if !loose.is_empty() {
            let tags: Vec<_> = loose.into_iter().map(|tag| &*tag.value).collect();
            attributes.insert("tags".into(), tags.join(", ").into());
        }
        attributes.extend(about.description.as_deref().map(|text| ("description".into(), text.into())));
        let fields = json!({
            "name": about.name,
            "commit": told(&about.attributes, &COMMIT_KEYS),
            "branch": told(&about.attributes, &BRANCH_KEYS),
            "framework": agent(&about.attributes),
            "attributes": attributes,
        });
        self.event("run.started", at, "", fields)
    }

    /// An item begins, under another one or at the root. `lenient` says that an
    /// item above it may be unknown: then it is put at the root.
    pub fn start_item(
        &mut self,
        parent: Option<&str>,
        id: &str,
        said: &ItemStart,
        lenient: bool,
    ) -> Result<Told, Refused> {
        if self.items.contains_key(id) || self.steps.get(id).is_some() {
            return Ok(Told::default());
        }
        self.room()?;
        let mut told = Told::default();
        match self.place(parent, said, lenient, &mut told)? {
            Place::Among(path) => self.start_member(parent, id, said, path, &mut told),
            Place::Inside { owner, is_direct } => self.start_step((parent, id), said, owner, is_direct, &mut told),
        }
        Ok(told)
    }

    fn place(
        &mut self,
        parent: Option<&str>,
        said: &ItemStart,
        lenient: bool,
        told: &mut Told,
    ) -> Result<Place, Refused> {
        let is_fixture = said.kind.starts_with("before_") || said.kind.starts_with("after_");
        let counts = said.has_stats && !is_fixture;
        let root =
            |counts| if counts { Place::Among(self.root()) } else { Place::Inside { owner: None, is_direct: true } };
        let Some(parent) = parent else { return Ok(root(counts)) };
        if let Some(step) = self.steps.get(parent) {
            return Ok(Place::Inside { owner: step.owner.clone(), is_direct: false });
        }
        let Some(above) = self.items.get(parent) else {
            let unknown = lenient || !self.knows_all();
            return if unknown { Ok(root(counts)) } else { Err(Refused::NoItem(parent.to_owned())) };
        };
        let inside = Place::Inside { owner: Some(parent.into()), is_direct: true };
        match above.role {
            // A test that was open once may have been taken for one too early.
            Role::Test if counts && Role::of(&above.kind) == Role::Open => Ok(Place::Among(above.own_path())),
            Role::Suite if counts => Ok(Place::Among(above.own_path())),
            Role::Open if counts => {
                let path = above.own_path();
                self.becomes_suite(parent, told);
                Ok(Place::Among(path))
            }
            Role::Open if !is_fixture => {
                self.becomes_test(parent, told);
                Ok(inside)
            }
            _ => Ok(inside),
        }
    }

    fn root(&self) -> Vec<Box<str>> {
        self.about.root.iter().cloned().collect()
    }

    fn start_member(&mut self, parent: Option<&str>, id: &str, said: &ItemStart, path: Vec<Box<str>>, told: &mut Told) {
        let role = Role::of(&said.kind);
        let item = Item {
            parent: parent.map(Into::into),
            kind: said.kind.as_str().into(),
            role: if role == Role::Test { Role::Open } else { role },
            path,
            name: said.name.clone(),
            parameters: said.parameters.clone(),
            claim: self.claim(said),
            seat: 0,
            attempt: 1,
            round: self.about.round,
            order: self.next_order(),
            started: said.at,
            ended: None,
            code_ref: said.code_ref.as_deref().map(Into::into),
            description: beginning(said.description.as_deref()),
            attributes: said.attributes.clone(),
            has_steps: false,
            step_failed: false,
            errors: String::new(),
        };
        self.items.insert(id.into(), item);
        match role {
            Role::Suite => self.becomes_suite(id, told),
            Role::Test => self.becomes_test(id, told),
            // Nothing to tell yet, but it has to be known again.
            Role::Open => told.kept.extend(self.kept_item(id)),
        }
    }

    fn claim(&self, said: &ItemStart) -> Claim {
        let before = said.retry_of.as_deref().and_then(|id| self.items.get(id));
        match before {
            Some(before) if before.name == said.name && before.role == Role::Test => Claim::Of(before.seat),
            _ if said.is_retry => Claim::Latest,
            _ => Claim::Own,
        }
    }

    fn becomes_suite(&mut self, id: &str, told: &mut Told) {
        let Some(item) = self.items.get_mut(id) else { return };
        item.role = Role::Suite;
        let Some(item) = self.items.get(id) else { return };
        told.events.push(self.suite_started(id, item));
        told.kept.extend(self.kept_item(id));
    }

    pub(super) fn becomes_test(&mut self, id: &str, told: &mut Told) {
        let name = self.about.name.clone();
        let Some(item) = self.items.get_mut(id) else { return };
        if item.path.is_empty() {
            // A test stands in a suite; the launch is one if need be.
            item.path.push(name);
        }
        item.role = Role::Test;
        self.seats.take(item);
        let Some(item) = self.items.get(id) else { return };
        told.events.push(self.test_started(id, item));
        told.kept.extend(self.kept_item(id));
    }

    fn start_step(
        &mut self,
        (parent, id): (Option<&str>, &str),
        said: &ItemStart,
        owner: Option<Box<str>>,
        is_direct: bool,
        told: &mut Told,
    ) {
        let phase = if is_direct { phase_of(&said.kind) } else { None };
        if let Some(owner) = owner.as_deref().and_then(|owner| self.items.get_mut(owner)) {
            owner.has_steps |= owner.role == Role::Test;
        }
        let parent = parent.filter(|parent| self.steps.get(parent).is_some()).map(Into::into);
        let step = Step { owner, parent, is_direct, phase, name: said.name.clone() };
        told.events.push(self.step_started(id, &step, said.at));
        if let (Some(phase), Some(path)) = (phase, self.suite_around(&step)) {
            told.events.push(self.suite_phase(id, &path, said.at, phase));
        }
        self.steps.put(id.into(), step);
    }

    /// The path of the suite that a step stands in directly.
    pub(super) fn suite_around(&self, step: &Step) -> Option<Vec<Box<str>>> {
        let path = match step.owner.as_deref() {
            None => self.root(),
            Some(owner) => {
                let owner = self.items.get(owner).filter(|owner| owner.role == Role::Suite)?;
                owner.own_path()
            }
        };
        Some(path).filter(|path| !path.is_empty())
    }
}

fn about(id: Box<str>, project: &str, setup_of_token: Option<&str>, said: &LaunchStart) -> About {
    let robot = agent(&said.attributes).is_some_and(|agent| agent.starts_with("robotframework"));
    About {
        id,
        project: project.into(),
        setup: setup_of_token.map_or_else(|| setup(&said.attributes, &said.name), Into::into),
        name: said.name.clone(),
        // Robot Framework has one root suite around everything. Others begin
        // many, or none; their common root is the launch, so that two suites
        // of different names are never taken for one and the same root.
        root: (!robot).then(|| said.name.clone()),
        started: said.at,
        ended: None,
        round: 0,
        description: beginning(said.description.as_deref()),
        attributes: Vec::new(),
        is_debug: said.is_debug,
        is_announced: false,
    }
}

fn phase_of(kind: &str) -> Option<Phase> {
    match kind {
        "before_suite" | "before_class" | "before_groups" => Some(Phase::Setup),
        "after_suite" | "after_class" | "after_groups" => Some(Phase::Teardown),
        _ => None,
    }
}

/// Adds attributes that are not there yet.
pub(super) fn join(known: &mut Vec<Attribute>, more: &[Attribute]) -> bool {
    let room = ATTRIBUTES_KEPT.saturating_sub(known.len());
    let fresh: Vec<_> = more.iter().filter(|one| !known.contains(one)).take(room).cloned().collect();
    let is_more = !fresh.is_empty();
    known.extend(fresh);
    is_more
}
