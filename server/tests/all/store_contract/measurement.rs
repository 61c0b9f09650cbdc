//! Rows a second, and what bare multi-row inserts of the same rows reach.

use super::place::*;
use super::play::*;
use app::domain::ids::{EventId, RunId, SetupId};
use app::domain::test::Verdict;
use server::store::StoreUrl;
use server::store::rows::*;
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::time::{Duration, Instant};
use uuid::Uuid;

const GROUPS: usize = 100;
const ROWS: usize = 2_000;

fn report(what: &str, rows: usize, took: Duration) {
    println!("{what:<44} {:>9.0} rows/s", rows as f64 / took.as_secs_f64());
}

fn event(bench: SetupId, run: RunId) -> EventRow {
    EventRow {
        seq: 0,
        event: Some(EventId(Uuid::new_v4())),
        setup: bench,
        run: Some(run),
        kind: "test.finished".into(),
        at: at(1),
        received_at: at(2),
        late: false,
        project: None,
        delay: None,
        output: None,
        body: format!("{{\"type\":\"test.finished\",\"body\":\"{}\"}}", "x".repeat(200)).into(),
    }
}

async fn events(place: &Place, bench: SetupId, run: RunId) {
    let groups: Vec<Vec<_>> = (0..GROUPS).map(|_| (0..ROWS).map(|_| event(bench, run)).collect()).collect();
    let began = Instant::now();
    for rows in &groups {
        let mut group = place.store.begin_group().await.expect("free");
        group.event_insert(rows).await.expect("inserts");
        group.commit().await.expect("commits");
    }
    report("events, 2,000 a group", GROUPS * ROWS, began.elapsed());
    let groups: Vec<Vec<_>> = (0..GROUPS).map(|_| (0..ROWS).map(|_| event(bench, run)).collect()).collect();
    let began = Instant::now();
    for rows in &groups {
        let mut group = place.store.begin_group().await.expect("free");
        for rows in rows.chunks(500) {
            group.event_insert(rows).await.expect("inserts");
        }
        group.commit().await.expect("commits");
    }
    report("events, 4 x 500 a group", GROUPS * ROWS, began.elapsed());
    let few: Vec<_> = (0..2_000).map(|_| event(bench, run)).collect();
    let began = Instant::now();
    for row in few.chunks(1) {
        let mut group = place.store.begin_group().await.expect("free");
        group.event_insert(row).await.expect("inserts");
        group.commit().await.expect("commits");
    }
    report("events, 1 a group", 2_000, began.elapsed());
}

/// The same rows through sqlx with the plainest text: the ceiling.
async fn bare(place: &Place, bench: SetupId, run: RunId) {
    let StoreUrl::Sqlite(file) = &place.url else { return };
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
        .pragma("cache_size", "-8192")
        .pragma("wal_autocheckpoint", "4000");
    let mut db = sqlx::SqliteConnection::connect_with(&options).await.expect("opens");
    let text = format!(
        "insert into events (event_id, setup_id, run_id, kind, at, received_at, late, body) values {}",
        vec!["(?,?,?,?,?,?,?,?)"; 500].join(",")
    );
    let groups: Vec<Vec<_>> = (0..GROUPS).map(|_| (0..ROWS).map(|_| event(bench, run)).collect()).collect();
    let began = Instant::now();
    for rows in &groups {
        db.execute("begin immediate").await.expect("begins");
        for rows in rows.chunks(500) {
            let mut query = sqlx::query(AssertSqlSafe(text.as_str()));
            for row in rows {
                query = query.bind(row.event.map(|id| id.0)).bind(row.setup.0);
                query = query.bind(row.run.map(|id| id.0)).bind(&*row.kind).bind(row.at.0);
                query = query.bind(row.received_at.0).bind(row.late).bind(&*row.body);
            }
            query.execute(&mut db).await.expect("inserts");
        }
        db.execute("commit").await.expect("commits");
    }
    report("events, bare 500-row values", GROUPS * ROWS, began.elapsed());
    db.close().await.expect("closes");
}

async fn tests(place: &Place, bench: SetupId) -> RunId {
    let mut last = None;
    let (mut wrote, mut took, mut again) = (0, Duration::ZERO, Duration::ZERO);
    for number in 0..20_i64 {
        let mut events = Vec::new();
        for test in 0..2_000 {
            events.push(finished(&format!("Valve {test} opens under pressure"), 1, Verdict::Passed, 3));
        }
        let mut run = run_of(bench, &format!("m{number}"), number * 10_000, &events);
        run.take_touched();
        let rows: Vec<_> = (0..2_000).map(|ordinal| TestRow::of(&run, ordinal, 1)).collect();
        let pasts: Vec<_> = rows.iter().filter_map(|row| PastRow::of(row, at(number))).collect();
        let mut group = place.store.begin_group().await.expect("free");
        group.run_save(&[RunRow::of(&run, at(number), 1)]).await.expect("saves");
        group.suite_save(&[SuiteRow::of(&run, 0, 1)]).await.expect("saves");
        group.commit().await.expect("commits");
        for time in [&mut took, &mut again] {
            let began = Instant::now();
            let mut group = place.store.begin_group().await.expect("free");
            group.test_save(&rows).await.expect("saves");
            group.past_save(&pasts).await.expect("saves");
            group.commit().await.expect("commits");
            *time += began.elapsed();
        }
        wrote += rows.len();
        last = Some(run.id);
    }
    report("tests, new", wrote, took);
    report("tests, written again", wrote, again);
    last.expect("there is one")
}

async fn measure(place: Place) {
    println!("{}", place.store.kind());
    let bench = setup(&place.store, "bench").await;
    let run = RunId(Uuid::new_v4());
    bare(&place, bench, run).await;
    events(&place, bench, run).await;
    let run = tests(&place, bench).await;
    let began = Instant::now();
    let passes = place.store.passes(run, bench, 10).await.expect("reads");
    println!("{} passes of 2,000 tests in {:?}", passes.len(), began.elapsed());
    let began = Instant::now();
    place.store.run_load(run).await.expect("reads");
    println!("a run of 2,000 tests loaded in {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measurement: run it alone, with --release --nocapture"]
async fn sqlite() {
    on_sqlite(measure).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measurement: run it alone, with --release --nocapture"]
async fn postgres() {
    on_postgres(measure).await;
}
