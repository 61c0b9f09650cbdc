//! `/tm_api/` and `/ws/machine/`: benches with a master scenario, and the pages
//! that watched them.

mod benches;
mod picture;
mod reads;
mod sockets;

pub(super) use benches::Benches;
pub(super) use reads::reads;
pub(super) use sockets::sockets;

use super::{Guest, admitted, answer, record};
use crate::http::Door;
use crate::http::problem::Refusal;
use crate::intake::tm_api::{DryRun, Faults, Start, Stop, fault, setup_of};
use app::domain::problem::ProblemKind;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;

/// What a bench posts.
pub(super) fn writes() -> Router<Door> {
    Router::new()
        .route("/tm_api/dry_run", post(dry_run))
        .route("/tm_api/dry_run/", post(dry_run))
        .route("/tm_api/test_start", post(test_start))
        .route("/tm_api/test_start/", post(test_start))
        .route("/tm_api/test_stop", post(test_stop))
        .route("/tm_api/test_stop/", post(test_stop))
}

/// Takes a plan.
async fn dry_run(State(door): State<Door>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (guest, body) = admitted(&parts, body).await?;
    let plan = match DryRun::read(&body) {
        Ok(plan) => plan,
        Err(faults) => return Ok(refused(faults)),
    };
    let setup = setup_of(&plan.machine);
    allow(&guest, &setup)?;
    let benches = &door.remembered.benches;
    benches.take_up(&guest.desk, &setup).await?;
    let number = benches.next_number(&guest.desk).await?;
    let events = benches.machines().plan(&setup, number, &plan, door.service.now());
    tell(&door, &guest, &setup, events).await?;
    Ok(answer(201, &plan.echo()))
}

/// Starts a test of the plan.
async fn test_start(State(door): State<Door>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (guest, body) = admitted(&parts, body).await?;
    let start = match Start::read(&body) {
        Ok(start) => start,
        Err(faults) => return Ok(refused(faults)),
    };
    let Some(setup) = known(&door, &guest, &start.machine).await? else { return Ok(no_machine(&start.machine)) };
    let now = door.service.now();
    let events = door.remembered.benches.machines().of(&setup, now).and_then(|known| known.start(&setup, &start, now));
    let Some(events) = events else {
        let detail = format!("no test {} in {} waits on this machine", start.name, start.path);
        return Ok(refused(fault("non_field_errors", detail)));
    };
    tell(&door, &guest, &setup, events).await?;
    Ok(answer(202, &start.echo()))
}

/// Stops a test of the plan; one that does not run is no fault.
async fn test_stop(State(door): State<Door>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (guest, body) = admitted(&parts, body).await?;
    let stop = match Stop::read(&body) {
        Ok(stop) => stop,
        Err(faults) => return Ok(refused(faults)),
    };
    let Some(setup) = known(&door, &guest, &stop.test.machine).await? else {
        return Ok(no_machine(&stop.test.machine));
    };
    let now = door.service.now();
    let machine = |known: &mut crate::intake::tm_api::Machine| known.stop(&setup, &stop.test, stop.status, now);
    let events = door.remembered.benches.machines().of(&setup, now).map(machine);
    tell(&door, &guest, &setup, events.unwrap_or_default()).await?;
    Ok(answer(202, &stop.echo()))
}

fn refused(faults: Faults) -> Response {
    answer(400, &Value::Object(faults))
}

fn no_machine(name: &str) -> Response {
    refused(fault("machine_name", format!("there is no machine {name:?}; it appears with its first dry run")))
}

/// The setup of a machine that may be spoken of, with its plan at hand.
async fn known(door: &Door, guest: &Guest, machine: &str) -> Result<Option<String>, Refusal> {
    let Some(setup) = door.remembered.benches.find(&guest.desk, machine).await? else { return Ok(None) };
    allow(guest, &setup)?;
    door.remembered.benches.take_up(&guest.desk, &setup).await?;
    Ok(Some(setup))
}

/// Checked before anything is remembered, not only before it is recorded.
fn allow(guest: &Guest, setup: &str) -> Result<(), Refusal> {
    match &guest.caller.setup {
        Some(own) if own.as_str() != setup => {
            Err(Refusal::new(ProblemKind::Forbidden, format!("this token is for setup {:?} only", own.as_str())))
        }
        _ => Ok(()),
    }
}

/// Records, and has open sockets hear of it one request at a time. What could
/// not be recorded is not remembered either.
async fn tell(door: &Door, guest: &Guest, setup: &str, events: Vec<Value>) -> Result<(), Refusal> {
    if let Err(refusal) = record(door, &guest.caller, events).await {
        door.remembered.benches.machines().forget(setup);
        return Err(refusal);
    }
    if door.remembered.benches.is_watched() {
        door.service.settled().await;
    }
    Ok(())
}
