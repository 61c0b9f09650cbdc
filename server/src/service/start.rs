//! Brings the service up: what was going on before is taken up again.

use super::access::{Known, watch_mark};
use super::agents::Launches;
use super::board::Board;
use super::builds::Builds;
use super::hot::{Hot, HotRun, HotSetup};
use super::ids::Ids;
use super::ingest::Queue;
use super::judge;
use super::limits::Limits;
use super::news::Notify;
use super::openid::OpenId;
use super::passwords::Passwords;
use super::pending::{Pending, Word};
use super::recorder::{Note, Recorder};
use super::retention::Retention;
use super::statuses::Statuses;
use super::telling::VERSIONS_FORGOTTEN;
use super::tiles::{self, Outlook};
use super::visitors::Visitors;
use super::vitals::Vitals;
use super::{Inner, Service};
use crate::bus::Bus;
use crate::clock::new_id;
use crate::config::{Config, ConfigError, Reading, SetupConfig};
use crate::files::{FileError, Files};
use crate::outgoing::mail::{MailError, Mailer};
use crate::outgoing::{Outgoing, OutgoingError};
use crate::store::rows::RunRow;
use crate::store::{Store, StoreError};
use app::domain::clock::Clock;
use app::domain::health::Model;
use app::domain::ids::SetupId;
use app::domain::name::SetupName;
use app::domain::rights::Policy;
use app::domain::run::Run;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Submissions that may wait; the bytes they hold are bounded apart.
const QUEUE: usize = 16_384;

/// Notes that may wait for the recorder; one too many is dropped.
const NOTES: usize = 1_024;

/// Why the service could not be brought up.
#[derive(Debug, Error)]
pub enum StartError {
    /// What was recorded cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The client for other servers could not be made.
    #[error("no client for other servers")]
    Client(#[from] OutgoingError),
    /// Mail cannot be sent as it is configured.
    #[error("mail cannot be sent")]
    Mail(#[from] MailError),
    /// Files cannot be kept where they should be.
    #[error(transparent)]
    Files(#[from] FileError),
    /// A door cannot be as it is configured.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// A service that is up, and the task that writes.
pub struct Running {
    /// The service.
    pub service: Service,
    /// Ends when everything that was taken is durable.
    pub recorder: JoinHandle<()>,
}

/// Brings the service up. It goes down when `stop` is cancelled.
pub async fn start(
    store: Store,
    config: &Config,
    build: String,
    is_development: bool,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<Running, StartError> {
    let setups = Arc::new(config.setups_by_name());
    let board = Arc::new(Board::new(build, config.activity.patience()));
    let (queue, submissions) = mpsc::channel(QUEUE);
    let (notes, noted) = mpsc::channel(NOTES);
    let mut recorder = Recorder::new(store, board, clock, setups, notes);
    recorder.write_down_setups().await?;
    recorder.catch_up().await?;
    recorder.take_up().await?;
    let inner = inner_of(&recorder, config, is_development, Queue::new(queue, &config.ingest))?;
    let service = Service { inner: Arc::new(inner) };
    service.write_down_schedules(&config.schedules).await?;
    tokio::spawn(watch_mark(service.clone(), stop.clone()));
    let recorder = tokio::spawn(recorder.run(submissions, noted, stop));
    Ok(Running { service, recorder })
}

/// What the service has, from its recorder and its configuration.
fn inner_of(recorder: &Recorder, config: &Config, is_development: bool, queue: Queue) -> Result<Inner, StartError> {
    Ok(Inner {
        store: recorder.store.clone(),
        bus: recorder.bus.clone(),
        board: recorder.board.clone(),
        clock: recorder.clock.clone(),
        setups: recorder.setups.clone(),
        walls: config.walls.clone(),
        builds: Builds::new(&config.builds)?,
        outgoing: Outgoing::new(config.outgoing.rules().map_err(OutgoingError::from)?, config.outgoing.timeout())?,
        mailer: config.mail_server().as_ref().map(Mailer::new).transpose()?,
        statuses: Statuses::new(config)?,
        letters: tokio::sync::Notify::new(),
        channels: config.notifications.channels.clone(),
        retention: Retention::new(&config.retention),
        notify: Notify { rhythm: config.notifications.rhythm(), zone: config.notifications.zone()? },
        public_url: config.link_base(),
        secrets: config.runner.secrets.clone(),
        jobs_have_network: config.runner.network,
        repositories: config.repositories.clone(),
        known: Known::default(),
        passwords: Passwords::default(),
        is_secure: config.is_behind_tls(),
        openid: OpenId::new(config),
        limits: Limits::new(if is_development { 0 } else { config.limits.requests_per_second }),
        proxies: config.proxies()?,
        wall_frames: config.auth.wall_frames.clone(),
        policy: Policy { reading_is_open: config.auth.read == Reading::Open, is_development },
        launches: Launches::default(),
        files: Files::open(&config.files, &config.data_dir)?,
        file_most: config.files.most(),
        queue,
        notes: recorder.notes.clone(),
        behind: recorder.behind.clone(),
        visitors: Visitors::new(config)?,
        tally: Default::default(),
        is_art: AtomicBool::new(false),
    })
}

impl Recorder {
    /// A recorder that knows nothing yet.
    fn new(
        store: Store,
        board: Arc<Board>,
        clock: Arc<dyn Clock>,
        setups: Arc<HashMap<SetupName, SetupConfig>>,
        notes: mpsc::Sender<Note>,
    ) -> Self {
        Self {
            bus: Bus::default(),
            hot: Hot::default(),
            model: Model::default(),
            listening_since: clock.now(),
            unannounced: BTreeSet::new(),
            pending: Pending::default(),
            behind: Arc::default(),
            // Where servers share a store, each relies on what another wrote.
            told_later: matches!(store, Store::Sqlite(_)),
            tell_at: Instant::now(),
            turn: 0,
            written_up_to: 0,
            torn: false,
            store,
            board,
            clock,
            setups,
            notes,
        }
    }

    /// Takes up what is going on in setups that the store knows better than we
    /// do: all of them at the start, later those that another server wrote to.
    /// Each gets its tile, and its open runs are at hand.
    pub(super) async fn take_up(&mut self) -> Result<(), StoreError> {
        let mut names: HashMap<SetupId, SetupName> = HashMap::new();
        for row in self.store.setup_list().await? {
            let known = self.hot.setups.get(&row.name).map(|setup| (setup.id, setup.version));
            if known == Some((row.id, row.version)) {
                continue;
            }
            self.hot.forget_runs_of(row.id);
            names.insert(row.id, row.name.clone());
            let seen = if self.told_later { row.version + VERSIONS_FORGOTTEN } else { row.version };
            self.hot.setups.insert(row.name, HotSetup::new(row.id, seen, row.heard_at));
        }
        if names.is_empty() {
            return Ok(());
        }
        self.take_up_health(&names).await?;
        self.take_up_claims(&names).await?;
        self.take_up_reservations(&names).await?;
        for row in self.store.run_latest_list().await? {
            if let Some(setup) = names.get(&row.setup).and_then(|name| self.hot.setups.get_mut(name)) {
                setup.shown = Some(row.key.clone());
                setup.last = Some(card_of(&row));
            }
        }
        for row in self.store.run_open_list().await? {
            let Some(name) = names.get(&row.setup).cloned() else { continue };
            let Some(run) = self.store.run_load(row.id).await? else { continue };
            let ids = Ids::stored(self.store.event_ids(row.id.0).await?);
            self.hot.insert(HotRun::new(run, row.created_at, ids));
            self.hot.show(&name, &row.key);
            self.ask_the_past(&(row.setup, row.key));
        }
        let now = self.clock.now();
        let tiles: Vec<_> = names.values().filter_map(|name| self.fresh_tile(name, now)).collect();
        self.unannounced.extend(tiles.iter().map(|tile| tile.setup));
        self.board.put(tiles);
        Ok(())
    }

    async fn take_up_health(&mut self, names: &HashMap<SetupId, SetupName>) -> Result<(), StoreError> {
        for row in self.store.setup_health_list().await? {
            if let Some(setup) = names.get(&row.setup).and_then(|name| self.hot.setups.get_mut(name)) {
                let vitals = Vitals::stored(Some(&row), &self.model);
                judge::look(&mut setup.pulse, &vitals);
                setup.vitals = Some(vitals);
            }
        }
        Ok(())
    }

    /// Writes what was pending when the program last ended, if it ended in the
    /// middle of its work.
    async fn catch_up(&mut self) -> Result<(), StoreError> {
        if self.told_later {
            self.replay().await?;
            self.try_to_tell_all().await?;
            // From here on `take_up` says what is at hand.
            self.hot = Hot::default();
        }
        Ok(())
    }

    /// Setups of the configuration exist from the start.
    async fn write_down_setups(&mut self) -> Result<(), StoreError> {
        let known: BTreeSet<_> = self.store.setup_list().await?.into_iter().map(|row| row.name).collect();
        let now = self.clock.now();
        let missing = self.setups.keys().filter(|name| !known.contains(*name));
        let touches: Vec<_> =
            missing.map(|name| Word::new(self.since()).touch(SetupId(new_id()), name, 1, now)).collect();
        if touches.is_empty() {
            return Ok(());
        }
        let mut group = self.store.begin_group().await?;
        group.setup_touch(&touches).await?;
        group.commit().await
    }
}

/// A run as its tile shows it, from its row alone.
fn card_of(row: &RunRow) -> (app::domain::activity::ActivityFacts, app::read::RunCard) {
    let outline = Run::restore(row.id, row.setup, row.key.clone(), row.facts.clone(), Vec::new(), Vec::new());
    let outlook = Outlook::default();
    let mut card = tiles::card(&outline, &outlook);
    card.counts = row.counts;
    card.result = row.result;
    (tiles::facts(&outline, &outlook, row.heard_at), card)
}
