//! `/api/post_scope_results` and its family: the robot results board.

use super::{Visitor, admitted, answer, record};
use crate::http::Door;
use crate::http::extract::Segment;
use crate::http::problem::Refusal;
use crate::intake::robot_board::{Place, Refused, Sender, Told, Word};
use crate::service::Failure;
use app::domain::rights::Action;
use app::domain::suite::Phase;
use app::domain::time::Timestamp;
use app::read::{Build, RunCard};
use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use axum::routing::{get, post, put};
use serde_json::{Map, Value, json};

/// What the listener posts.
pub(super) fn writes() -> Router<Door> {
    let scope = async |door: State<Door>, request: Request| hear(door, request, Word::scope_started).await;
    let test = async |door: State<Door>, request: Request| hear(door, request, Word::test_started).await;
    let ended = async |door: State<Door>, request: Request| hear(door, request, Word::ended).await;
    let phase = async |door: State<Door>, request: Request| hear(door, request, Word::phase).await;
    let preparing =
        async |door: State<Door>, request: Request| hear(door, request, |b| Word::since(Place::Preparing, b)).await;
    let clearing =
        async |door: State<Door>, request: Request| hear(door, request, |b| Word::since(Place::Clearing, b)).await;
    Router::new()
        .route("/api/post_scope_results", post(scope))
        .route("/api/post_test_results", post(test))
        .route("/api/update_end_time", put(ended).post(ended))
        .route("/api/update_scope_status", put(phase).post(phase))
        .route("/api/update_progress/{setup}", post(progress))
        .route("/api/update_setup_start_time", post(preparing))
        .route("/api/update_teardown_start_time", post(clearing))
}

/// What its page asked for.
pub(super) fn reads() -> Router<Door> {
    Router::new()
        .route("/api/current_test_data", get(current))
        .route("/api/get_progress_state", get(progress_state))
        .route("/api/get_progress_state/", get(progress_state))
        .route("/api/get_start_times/{setup}", get(start_times))
        .route("/jenkins_data/{setup}", get(builds))
}

async fn progress(door: State<Door>, request: Request) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    let Segment(setup) = Segment::from_request_parts(&mut parts, &()).await?;
    hear(door, Request::from_parts(parts, body), |body| Word::progress(&setup, body)).await
}

/// Takes one word of the listener.
async fn hear(
    State(door): State<Door>,
    request: Request,
    read: impl Fn(&Value) -> Result<Word, Refused>,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (guest, body) = admitted(&parts, body).await?;
    let sender =
        Sender { peer: guest.desk.asker().address, only: guest.caller.setup.as_ref().map(|name| name.as_str()) };
    let told = read(&body).and_then(|word| door.remembered.board().hear(word, sender, door.service.now()));
    match told {
        Ok(Told { events, answer: said }) => {
            record(&door, &guest.caller, events).await?;
            Ok(answer(200, &said))
        }
        Err(Refused { status, detail }) => {
            let status_word = if status == 404 { "warning" } else { "error" };
            Ok(answer(status, &json!({"code": status, "status": status_word, "message": detail, "error": detail})))
        }
    }
}

/// Every setup on which a run is open, whoever told of it.
async fn current(State(door): State<Door>, Visitor(desk): Visitor) -> Result<Response, Refusal> {
    let tiles = desk.setups().await?;
    let board = door.remembered.board();
    let rows = tiles.iter().filter(|tile| tile.facts.open).filter_map(|tile| {
        let run = tile.run.as_ref()?;
        Some(row(board.number_of(&tile.name)?, run))
    });
    let rows = rows.collect();
    Ok(answer(200, &Value::Array(rows)))
}

fn row(number: u32, run: &RunCard) -> Value {
    let status = match run.phase {
        Some(Phase::Setup) => "startup",
        Some(Phase::Teardown) => "teardown",
        Some(Phase::Tests) | None => "running",
    };
    json!({
        "setup_id": number,
        "scope_name": run.suite.last(),
        "scope_start_time": run.suite_started_at.map(http_date),
        "scope_status": status,
        "test_name": run.test,
        "test_start_time": run.test_started_at.map(http_date),
        "test_status": run.test.as_ref().map(|_| "running"),
    })
}

/// As its listener said, and of other setups as we count.
async fn progress_state(State(door): State<Door>, Visitor(desk): Visitor) -> Result<Response, Refusal> {
    let tiles = desk.setups().await?;
    let board = door.remembered.board();
    let is_whole = desk.allow(Action::Read).is_ok();
    let mut all = Map::new();
    for tile in tiles {
        if let (Some(number), Some(run)) = (board.number_of(&tile.name), &tile.run) {
            let counts = if tile.facts.open { (run.counts.done(), run.counts.planned) } else { (0, 0) };
            all.insert(number.to_string(), format!("{}/{}", counts.0, counts.1).into());
        }
    }
    let told = board.progress().iter().filter(|(setup, _)| is_whole || all.contains_key(*setup));
    let told: Vec<_> = told.map(|(setup, (done, total))| (setup.clone(), format!("{done}/{total}").into())).collect();
    all.extend(told);
    Ok(answer(200, &Value::Object(all)))
}

async fn start_times(
    State(door): State<Door>,
    Visitor(desk): Visitor,
    Segment(setup): Segment,
) -> Result<Response, Refusal> {
    let number = numbered(&setup)?;
    let name = door.remembered.board().name_of(number);
    let is_seen = desk.setup(&name).await?.is_some() || desk.allow(Action::Read).is_ok();
    let board = door.remembered.board();
    let (preparing, clearing) = if is_seen { board.start_times(number) } else { (None, None) };
    Ok(answer(200, &json!({"setup_start_time": preparing, "teardown_start_time": clearing})))
}

/// The latest builds; none where their server does not answer.
async fn builds(
    State(door): State<Door>,
    Visitor(desk): Visitor,
    Segment(setup): Segment,
) -> Result<Response, Refusal> {
    let name = door.remembered.board().name_of(numbered(&setup)?);
    let builds = desk.builds(&name).await.or_else(unless_refused)?;
    let done = builds.iter().filter_map(|build| Some(build_of(build, build.passed?, build.total?)));
    let done = done.collect();
    Ok(answer(200, &Value::Array(done)))
}

fn unless_refused(failure: Failure) -> Result<Vec<Build>, Failure> {
    match failure {
        Failure::Unauthenticated(_) | Failure::Forbidden(_) => Err(failure),
        _ => Ok(Vec::new()),
    }
}

fn numbered(setup: &str) -> Result<u32, Refusal> {
    setup.parse().map_err(|_| Refusal::not_found(format!("{setup:?} is not the number of a setup")))
}

fn build_of(build: &Build, passed: u32, total: u32) -> Value {
    let failed = total.saturating_sub(passed);
    json!({
        "number": build.number, "url": build.url, "status": build.result,
        "timestamp": build.started_at.as_millis() / 1_000, "duration": build.duration.as_secs(),
        "description": format!("All Tests: {total} tests ({passed} OK, {failed} FAIL)"),
        "total_tests": total.to_string(), "passed_tests": passed.to_string(), "failed_tests": failed.to_string(),
    })
}

/// A time as HTTP headers write it, which is what the page reads.
fn http_date(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = at.to_rfc3339();
    // The epoch was a Thursday.
    let day = DAYS[at.0.div_euclid(86_400_000_000).rem_euclid(7) as usize];
    let month = text[5..7].parse::<usize>().ok().and_then(|month| MONTHS.get(month - 1)).unwrap_or(&"Jan");
    format!("{day}, {} {month} {} {} GMT", &text[8..10], &text[..4], &text[11..19])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_in_headers() {
        let at = Timestamp::from_rfc3339("2026-11-21T02:04:59.9Z").expect("a time");
        assert_eq!(http_date(at), "Sat, 21 Nov 2026 02:04:59 GMT");
        assert_eq!(http_date(Timestamp(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
