//! The three websockets of those pages: words from us alone, one for each
//! change, and none at the beginning.
//!
//! They ride on the bell that rings for runs. A socket that falls behind hears
//! the newest state and misses what lay between; one that takes no word for a
//! while is closed.

use super::super::Visitor;
use super::benches::machine_of;
use super::reads::{last_status, machine_data};
use crate::bus::RunChanged;
use crate::http::Door;
use crate::http::extract::Segment;
use crate::http::problem::Refusal;
use crate::intake::tm_api::number_of;
use crate::service::{Desk, Failure};
use app::domain::ids::{RunId, SetupId};
use app::domain::problem::{Problem, ProblemKind};
use app::domain::rights::Action;
use app::read::Tile;
use axum::Router;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{interval, timeout};

/// A word that is not taken by then never will be.
const TAKES_WITHIN: Duration = Duration::from_secs(10);

/// How often the other end is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(30);

/// Clients have nothing to say.
const WORD_MAX: usize = 4 * 1024;

/// What a socket tells of.
#[derive(Clone, Copy, Debug)]
enum Subject {
    /// The last run of a machine, whole.
    Last(SetupId),
    /// The status of a machine's runs.
    Runs(SetupId),
    /// The status of all machines.
    Machines,
}

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// The three addresses.
pub fn sockets() -> Router<Door> {
    let last = async |door: State<Door>, by: Visitor, pk: Segment, headers: HeaderMap, upgrade: Upgrade| {
        let subject = Subject::Last(setup_of(&by.0, &pk).await?);
        open(door.0, by.0, &headers, upgrade, subject)
    };
    let runs = async |door: State<Door>, by: Visitor, pk: Segment, headers: HeaderMap, upgrade: Upgrade| {
        let subject = Subject::Runs(setup_of(&by.0, &pk).await?);
        open(door.0, by.0, &headers, upgrade, subject)
    };
    let status = async |door: State<Door>, by: Visitor, headers: HeaderMap, upgrade: Upgrade| {
        by.0.setups().await?;
        open(door.0, by.0, &headers, upgrade, Subject::Machines)
    };
    Router::new()
        .route("/ws/machine/{pk}/last/", get(last))
        .route("/ws/machine/{pk}/runs/", get(runs))
        .route("/ws/machine/status/", get(status))
}

async fn setup_of(desk: &Desk, Segment(pk): &Segment) -> Result<SetupId, Refusal> {
    let tile = machine_of(desk, pk.parse().unwrap_or(0)).await?;
    tile.map(|tile| tile.setup).ok_or_else(|| Refusal::not_found(format!("there is no machine {pk}")))
}

fn open(door: Door, desk: Desk, headers: &HeaderMap, upgrade: Upgrade, subject: Subject) -> Result<Response, Refusal> {
    let upgrade = upgrade.map_err(|_| Refusal::new(ProblemKind::Malformed, "this address is for websockets"))?;
    if !is_from_here(headers) {
        return Err(Refusal::new(ProblemKind::Forbidden, "a page from elsewhere may not open this socket"));
    }
    let place = door.remembered.benches.socket()?;
    // Subscribed before the answer: what happens from there on is told.
    let rings = desk.bus().runs();
    let upgrade = upgrade.max_message_size(WORD_MAX).max_frame_size(WORD_MAX);
    Ok(upgrade.on_upgrade(async move |socket| {
        Telling { door, desk, subject, rings }.tell(socket).await;
        drop(place);
    }))
}

/// A browser lets any page open a socket anywhere, and says whose page it is.
fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match text(header::ORIGIN) {
        None => true,
        Some(origin) => origin.split_once("://").map(|(_, host)| host) == text(header::HOST),
    }
}

struct Telling {
    door: Door,
    desk: Desk,
    subject: Subject,
    rings: Receiver<RunChanged>,
}

/// Which runs rang; all may have where rings were missed.
enum Rang {
    These(HashSet<RunId>),
    Any,
}

impl Rang {
    fn has(&self, run: RunId) -> bool {
        match self {
            Self::These(runs) => runs.contains(&run),
            Self::Any => true,
        }
    }
}

impl Telling {
    async fn tell(&mut self, mut socket: WebSocket) {
        let (stop, desk) = (self.door.stop.clone(), self.desk.clone());
        let mut departure = pin!(desk.departure(Action::Read));
        let mut pings = interval(PING_EVERY);
        loop {
            let words = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = &mut departure => break,
                heard = socket.recv() => match heard {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => continue,
                },
                rang = rung(&mut self.rings) => match rang {
                    Some(rang) => self.words(&rang).await,
                    None => break,
                },
                _ = pings.tick() => vec![Message::Ping(Default::default())],
            };
            for word in words {
                match timeout(TAKES_WITHIN, socket.send(word)).await {
                    Ok(Ok(())) => {}
                    _ => return,
                }
            }
        }
        let _ = timeout(TAKES_WITHIN, socket.send(Message::Close(None))).await;
    }

    /// What is new. What cannot be read now is told with the next change.
    async fn words(&self, rang: &Rang) -> Vec<Message> {
        let changed: Vec<_> = match self.subject {
            Subject::Last(setup) | Subject::Runs(setup) => self.desk.board().tile_of(setup).into_iter().collect(),
            Subject::Machines => self.desk.setups().await.unwrap_or_default(),
        };
        let changed = changed.into_iter().filter(|tile| tile.run.as_ref().is_some_and(|card| rang.has(card.id)));
        let mut words = Vec::new();
        for tile in changed {
            match self.word(&tile).await {
                Ok(word) => words.push(Message::Text(Utf8Bytes::from(word.to_string()))),
                // It becomes a problem only to be said in the log.
                Err(failure) => drop(Problem::from(failure)),
            }
        }
        words
    }

    async fn word(&self, tile: &Arc<Tile>) -> Result<Value, Failure> {
        let service = &self.desk;
        Ok(match self.subject {
            Subject::Last(_) => json!({"machine_data": machine_data(service, tile).await?}),
            Subject::Runs(_) => {
                let number = tile.run.as_ref().and_then(|card| number_of(&card.key));
                json!({"run_data": {"id": number, "status": last_status(service, tile).await?}})
            }
            Subject::Machines => {
                let status = last_status(service, tile).await?;
                let machines = super::benches::by_age(service).await?;
                let number = machines.iter().find(|(_, known)| known.setup == tile.setup).map(|(number, _)| number);
                json!({"machine_id_status": {"id": number, "status": status}})
            }
        })
    }
}

/// The runs that rang since it was last asked. `None` when the bus is gone.
async fn rung(rings: &mut Receiver<RunChanged>) -> Option<Rang> {
    let mut runs = match rings.recv().await {
        Ok(ring) => HashSet::from([ring.run]),
        Err(RecvError::Lagged(_)) => return Some(Rang::Any),
        Err(RecvError::Closed) => return None,
    };
    loop {
        match rings.try_recv() {
            Ok(ring) => runs.insert(ring.run),
            Err(TryRecvError::Lagged(_)) => return Some(Rang::Any),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return Some(Rang::These(runs)),
        };
    }
}
