//! How long a claim takes where ten thousand jobs wait.

use super::place::*;
use super::play::*;
use super::work::{job, take};
use server::store::StoreUrl;
use server::store::rows::*;
use sqlx::{AssertSqlSafe, Connection, Row};
use std::time::{Duration, Instant};
use uuid::Uuid;

const JOBS: u128 = 10_000;

/// Inserts the queue in a few transactions.
async fn queue(place: &Place, rows: impl Iterator<Item = JobRow>) {
    let rows: Vec<_> = rows.collect();
    for chunk in rows.chunks(2_500) {
        place.store.job_insert(chunk).await.expect("inserts");
    }
}

fn told(what: &str, mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() as f64 * share) as usize).min(times.len() - 1)];
    println!("{what:<52} p50 {:>8.3?} p99 {:>8.3?}", at(0.5), at(0.99));
    at(0.99)
}

async fn timed(place: &Place, times: usize, labels: &[&str], expects: bool) -> Vec<Duration> {
    let mut all = Vec::with_capacity(times);
    for _ in 0..times {
        let began = Instant::now();
        let taken = take(&place.store, 8, labels).await;
        all.push(began.elapsed());
        assert_eq!(taken.is_some(), expects);
    }
    all
}

async fn measure(place: Place) {
    queue(&place, (1..=JOBS).map(|number| job(number, ""))).await;
    told("10,000 wait, any of them may be taken", timed(&place, 2_000, &[""], true).await);
    let last = JOBS + 1..JOBS + 501;
    queue(&place, last.map(|number| job(number, "gpu"))).await;
    told("500 that are behind all others", timed(&place, 500, &["gpu"], true).await);
    told("none that fits", timed(&place, 500, &["arm"], false).await);
    let keyed = (2 * JOBS..3 * JOBS).map(|number| JobRow { concurrency: Some("bench".into()), ..job(number, "rig") });
    queue(&place, keyed).await;
    assert!(take(&place.store, 8, &["rig"]).await.is_some());
    told("10,000 that wait for one key", timed(&place, 500, &["rig"], false).await);
    let began = Instant::now();
    for _ in 0..200 {
        place.store.job_labels().await.expect("reads");
    }
    println!("{:<52} mean {:>7.3?}", "the label sets of 18,000", began.elapsed() / 200);
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

#[tokio::test]
async fn a_claim_reads_the_queue_from_its_index_alone() {
    on_sqlite(|place| async move {
        let statements = place.store.statements();
        let (_, text) = statements.iter().find(|(name, _)| *name == "JOB_CLAIM").expect("it is listed");
        let StoreUrl::Sqlite(path) = &place.url else { unreachable!("it is SQLite") };
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut db = sqlx::SqliteConnection::connect_with(&options).await.expect("the file opens");
        let plan = format!("explain query plan {text}");
        let plan = sqlx::query(AssertSqlSafe(plan)).bind(Uuid::nil()).bind(1_i64).bind(at(1).0).bind("[]");
        let rows = plan.fetch_all(&mut db).await.expect("it can be planned");
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        assert!(plan.iter().any(|step| step.contains("COVERING INDEX jobs_queue")), "{plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:#?}");
        db.close().await.expect("it closes");
    })
    .await;
}
