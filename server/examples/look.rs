//! Shows the pages with made-up data; for looking at them only.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, missing_docs, reason = "a scratch tool")]
use app::backend::{Backend, SharedBackend};
use app::domain::activity::ActivityFacts;
use app::domain::counts::Counts;
use app::domain::ids::*;
use app::domain::problem::{Problem, ProblemKind};
use app::domain::run::{RunResult, RunState};
use app::domain::suite::Phase;
use app::domain::test::{Outcome, Verdict};
use app::domain::time::{Micros, Timestamp};
use app::read::*;
use app::shell::{App, Origin, ShellAssets, StatusSink, shell};
use axum::response::IntoResponse;
use leptos::prelude::*;
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list};
use std::sync::Arc;
use uuid::Uuid;

fn now() -> Timestamp {
    Timestamp::from_millis(
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
    )
}
struct Fake {
    n: usize,
}
const PROJECTS: [&str; 5] = ["pump-firmware", "gateway", "cloud-api", "mobile", "radio"];
const SUITES: [&str; 8] =
    ["Power Cycling", "Storage", "Flash Wear", "Radio Link", "Roaming", "Valves", "Over The Air Update", "Boot Time"];
const TESTS: [&str; 8] = [
    "Survives Brown Out At Minus Twenty",
    "Writes Ten Thousand Files",
    "Erases And Rewrites Every Sector",
    "Holds The Link For An Hour",
    "Roams Between Three Cells",
    "Opens Within 40 ms",
    "Rolls Back A Broken Image",
    "Boots In Under Two Seconds",
];
fn ago(s: i64) -> Timestamp {
    now() - Micros::from_secs(s)
}
fn card(i: usize) -> RunCard {
    let h = i.wrapping_mul(2654435761) >> 7;
    let planned = [12, 48, 340, 1250, 96, 77][h % 6];
    let idle = h % 5 == 0;
    let done = if idle { planned } else { (planned as usize * (h % 97) / 100) as u32 };
    let failed = if i % 17 == 3 { 1 + (h % 7) as u32 } else { 0 }.min(done);
    let flaky = if i % 11 == 5 { 2 } else { 0 }.min(done - failed);
    let skipped = (done / 20).min(done - failed - flaky);
    let running = u32::from(!idle && done < planned);
    let counts = Counts {
        planned,
        waiting: planned - done - running,
        running,
        passed: done - failed - flaky - skipped,
        flaky,
        failed,
        skipped,
        cancelled: 0,
        lost: 0,
    };
    let result = idle.then_some(if failed > 0 {
        RunResult::Failed
    } else if flaky > 0 {
        RunResult::Flaky
    } else {
        RunResult::Passed
    });
    RunCard {
        id: RunId(Uuid::from_u128(1000 + i as u128)),
        key: format!("nightly-{}", 4000 + i),
        name: (i % 3 == 0).then(|| "Nightly regression".into()),
        project: PROJECTS[h % 5].into(),
        state: if idle { RunState::Finished } else { RunState::Running },
        result,
        counts,
        commit: Some("5f3a9c1d20b7e4486aa1c09d9a0c5b1e77d2f004".into()),
        branch: Some(["main", "release/4.2", "feature/valve-timing"][h % 3].into()),
        started_at: Some(ago(900 + (h % 3000) as i64)),
        finished_at: idle.then(|| ago(60 + (h % 90000) as i64)),
        suite: if idle { vec![] } else { vec!["Bench".into(), SUITES[h % 8].into()] },
        phase: Some(Phase::Tests),
        suite_started_at: (!idle).then(|| ago((h % 700) as i64)),
        phase_started_at: None,
        test: (!idle && i % 9 != 1).then(|| TESTS[h % 8].into()),
        test_started_at: (!idle).then(|| ago((h % 60) as i64)),
        eta_at: (!idle).then(|| now() + Micros::from_secs((h % 2500) as i64)),
        due_at: Some(if i % 13 == 6 { ago(130) } else { now() + Micros::from_secs(500) }),
    }
}
fn tile(i: usize) -> Tile {
    let run = (i % 29 != 28).then(|| card(i));
    let open = run.as_ref().is_some_and(|r| r.result.is_none());
    Tile {
        setup: SetupId(Uuid::from_u128(i as u128 + 1)),
        name: ["bench-07", "hil-rack-12-left", "vm-linux-arm64", "pipeline slot", "climate chamber"][i % 5].to_string()
            + &format!("-{i:03}"),
        comment: Some("Rack 4, second shelf".into()),
        version: 1,
        seen_at: Some(ago(3)),
        facts: ActivityFacts {
            open,
            lost: !open && i % 37 == 20,
            heard_at: Some(if i % 23 == 9 { ago(200) } else { now() + Micros::from_secs(3600) }),
            overdue_at: Some(if i % 13 == 6 { ago(100) } else { now() + Micros::from_secs(5000) }),
        },
        run,
        has_builds: i % 2 == 0,
    }
}
fn run_page(i: usize, tests: u32) -> RunPage {
    let path = |p: &[&str]| p.iter().map(|s| s.to_string()).collect::<Vec<_>>();
    let paths = [
        path(&["Bench"]),
        path(&["Bench", "Power Cycling"]),
        path(&["Bench", "Storage"]),
        path(&["Bench", "Storage", "Flash Wear"]),
        path(&["Bench", "Radio"]),
        path(&["Bench", "Radio", "Roaming"]),
    ];
    let suites = paths
        .into_iter()
        .enumerate()
        .map(|(o, path)| SuiteLine {
            ordinal: o as u32,
            path,
            position: Some(o as u32),
            started_at: Some(ago(800 - 100 * o as i64)),
            finished_at: (o > 0 && o < 4).then(|| ago(700 - 100 * o as i64)),
            phase: Some(Phase::Tests),
            setup_duration: (o == 2).then(|| Micros::from_millis(3400)),
            teardown_duration: (o == 2).then(|| Micros::from_millis(140)),
            verdict: None,
            message: None,
            source: Some("bench/storage/flash.robot".into()),
            script: (o == 3).then(|| ScriptId(Uuid::nil())),
            version: 1,
        })
        .collect();
    let mut counts = Counts::default();
    let lines: Vec<TestLine> = (0..tests).map(|t| {
        let suite = 1 + (t * 5 / tests).min(4);
        let outcome = match t { _ if t * 5 / tests >= 4 => Outcome::Waiting, _ if t == tests * 4 / 5 - 1 => Outcome::Running, t if t % 41 == 7 => Outcome::Failed, t if t % 53 == 9 => Outcome::Flaky, t if t % 19 == 4 => Outcome::Skipped, _ => Outcome::Passed };
        *counts.of(outcome) += 1;
        counts.planned += 1;
        let ill = matches!(outcome, Outcome::Failed | Outcome::Flaky);
        TestLine {
            ordinal: t, id: TestId(Uuid::from_u128(t as u128)), suite, name: format!("{} {}", TESTS[(t % 8) as usize], t), parameters: (t % 6 == 2).then(|| "cell=3, dB=-40".into()), position: Some(t), outcome,
            began_at: (outcome == Outcome::Running).then(|| ago(17)), duration: (!matches!(outcome, Outcome::Waiting | Outcome::Running)).then(|| Micros::from_millis(340 + 977 * (t as i64 % 91))),
            attempts: match outcome { Outcome::Waiting => vec![], Outcome::Flaky => vec![AttemptLine { number: 1, verdict: Some(Verdict::Failed), duration: Some(Micros::from_secs(3)), has_text: true }, AttemptLine { number: 2, verdict: Some(Verdict::Passed), duration: Some(Micros::from_secs(2)), has_text: false }], _ => vec![AttemptLine { number: 1, verdict: Some(if ill { Verdict::Failed } else { Verdict::Passed }), duration: None, has_text: ill }] },
            message: ill.then(|| "AssertionError: expected 40 ms, valve 3 opened after 61 ms\n    at bench/valves.robot:31\n    while waiting for 'open'\nlast telegram: 0x1f 0x22 0x00\nand more\nand more".into()),
            tags: if t % 7 == 0 { vec!["smoke".into(), "slow".into()] } else { vec![] }, source: Some("bench/storage/flash.robot".into()), line: Some(7), script: (t % 3 == 0).then(|| ScriptId(Uuid::nil())), version: 1,
        }
    }).collect();
    let mut c = card(i);
    c.counts = counts;
    c.suite = vec!["Bench".into(), "Radio".into(), "Roaming".into()];
    c.test = Some("Roams Between Three Cells".into());
    let t = tile(i);
    RunPage {
        head: RunHead {
            setup: t.name,
            card: c,
            version: 1,
            facts: t.facts,
            silent_after: Micros::from_secs(60),
            trigger: Some("timer".into()),
            url: Some("https://ci.example/job/nightly/88".into()),
            user: Some("night watch".into()),
            framework: Some("Robot Framework 7.1".into()),
            attributes: vec![("Firmware".into(), "4.2.0-rc3".into())],
            late: (i % 2) as u32 * 3,
            clock_correction: (i % 2 == 1).then(|| Micros::from_secs(130)),
            last_good: Some(RunId(Uuid::from_u128(1002))),
        },
        suites,
        tests: lines,
        now: now(),
    }
}
#[async_trait::async_trait]
impl Backend for Fake {
    async fn wall(&self) -> Result<Wall, Problem> {
        let mut tiles: Vec<_> = (0..self.n).map(tile).collect();
        tiles.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Wall { tiles, now: now(), build: "b1".into(), silent_after: Micros::from_secs(60) })
    }
    async fn setup_page(&self, name: &str, _: Option<&str>) -> Result<Option<SetupPage>, Problem> {
        let Some(i) = (0..self.n).find(|i| tile(*i).name == name) else { return Ok(None) };
        let runs = (0..12)
            .map(|k| {
                let c = card(i + k * 5);
                RunLine {
                    id: c.id,
                    key: c.key,
                    name: c.name,
                    project: c.project,
                    state: c.state,
                    result: c.result,
                    counts: c.counts,
                    commit: c.commit,
                    branch: c.branch,
                    started_at: c.started_at,
                    finished_at: c.finished_at,
                }
            })
            .collect();
        Ok(Some(SetupPage {
            tile: tile(i),
            attributes: vec![("os".into(), "Debian 12".into()), ("board".into(), "rev C".into())],
            run: Some(run_page(i, 60)),
            runs,
            next: Some("abc".into()),
            now: now(),
            silent_after: Micros::from_secs(60),
        }))
    }
    async fn run_page(&self, run: RunId) -> Result<Option<RunPage>, Problem> {
        let i = run.0.as_u128() as usize;
        if i < 1000 {
            return Ok(None);
        }
        Ok(Some(run_page(i - 1000, if i == 1000 { 10_000 } else { 60 })))
    }
    async fn attempt_texts(&self, _: RunId, _: u32) -> Result<Vec<AttemptText>, Problem> {
        Ok(vec![AttemptText {
            number: 1,
            message: Some("AssertionError: expected 40 ms".into()),
            trace: Some("Traceback (most recent call last):\n  File \"x.py\", line 3\nAssertionError".into()),
        }])
    }
    async fn script(&self, _: ScriptId) -> Result<Option<String>, Problem> {
        Ok(Some(std::fs::read_to_string("listeners/examples/bench/storage/flash.robot").unwrap()))
    }
    async fn latest_builds(&self, setup: &str) -> Result<Vec<Build>, Problem> {
        if setup.contains("pipe") {
            return Err(Problem::new(
                ProblemKind::Upstream,
                "Jenkins at https://ci.example did not answer within 5 s.",
            ));
        }
        Ok((0..10)
            .map(|k| Build {
                number: 88 - k,
                url: "https://ci.example/job/x/88".into(),
                result: (k > 0).then(|| ["SUCCESS", "UNSTABLE", "FAILURE", "ABORTED"][(k % 4) as usize].into()),
                passed: Some(330 + k as u32),
                total: Some(340),
                started_at: ago(3600 * (1 + k as i64)),
                duration: Micros::from_secs(700 + k as i64),
            })
            .collect())
    }
}
fn css() -> String {
    let main = std::fs::read_to_string("style/main.css").unwrap();
    main.lines()
        .map(|l| match l.strip_prefix("@import \"") {
            Some(r) => {
                let (f, r) = r.split_once('"').unwrap();
                let layer = r.split(['(', ')']).nth(1).unwrap();
                format!("@layer {layer} {{\n{}\n}}\n", std::fs::read_to_string(format!("style/{f}")).unwrap())
            }
            None => format!("{l}\n"),
        })
        .collect()
}
async fn file(uri: axum::http::Uri) -> axum::response::Response {
    let path = uri.path();
    if path == "/pkg/look.css" {
        return ([("content-type", "text/css")], css()).into_response();
    }
    for root in ["public", "/tmp/look-site"] {
        if let Ok(b) = std::fs::read(format!("{root}{path}")) {
            return ([("content-type", mime_guess::from_path(path).first_or_octet_stream().to_string())], b)
                .into_response();
        }
    }
    axum::http::StatusCode::NOT_FOUND.into_response()
}
async fn live(uri: axum::http::Uri, axum::Extension(fake): axum::Extension<Arc<Fake>>) -> axum::response::Response {
    use axum::response::sse::{Event, Sse};
    use futures::StreamExt;
    let wall = uri.path() == "/live/wall";
    let run: Option<RunId> = uri.path().rsplit('/').next().and_then(|s| s.parse().ok());
    let stream = futures::stream::unfold(0_u64, move |k| {
        let fake = fake.clone();
        async move {
            if k > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
            let data = if wall {
                if k == 0 {
                    serde_json::to_string(&app::live::Message::Snapshot(fake.wall().await.ok()?)).ok()?
                } else {
                    let mut t = tile((k as usize * 7) % fake.n.max(1));
                    t.version = k + 1;
                    if let Some(r) = &mut t.run {
                        if r.counts.waiting > 0 {
                            r.counts.waiting -= 1;
                            r.counts.passed += 1;
                        }
                        r.test = Some(format!("live {k}"));
                        r.test_started_at = Some(now());
                    }
                    serde_json::to_string(&app::live::Message::Tiles(vec![t])).ok()?
                }
            } else {
                let mut p = fake.run_page(run?).await.ok()??;
                p.head.version = k + 1;
                if k == 0 {
                    serde_json::to_string(&app::live::RunMessage::Snapshot(Box::new(p))).ok()?
                } else {
                    p.head.card.test = Some(format!("live {k}"));
                    let mut t = p.tests[(k as usize) % p.tests.len()].clone();
                    t.outcome = Outcome::Passed;
                    t.version = k + 1;
                    serde_json::to_string(&app::live::RunMessage::Change(Box::new(app::live::RunChange {
                        head: p.head,
                        suites: vec![],
                        tests: vec![t],
                        now: now(),
                    })))
                    .ok()?
                }
            };
            Some((Ok::<_, std::convert::Infallible>(Event::default().data(data)), k + 1))
        }
    })
    .boxed();
    Sse::new(stream).into_response()
}
#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let n: usize = args.next().unwrap().parse().unwrap();
    let port = args.next().unwrap();
    let fake = Arc::new(Fake { n });
    let js = std::fs::read_dir("/tmp/look-site/pkg")
        .ok()
        .and_then(|d| d.flatten().map(|f| f.file_name().into_string().unwrap()).find(|f| f.ends_with(".js")));
    let hydrate = js.is_some();
    let options = LeptosOptions::builder()
        .output_name(js.unwrap_or("frontend.js".into()).trim_end_matches(".js").to_owned())
        .site_pkg_dir("pkg")
        .build();
    let provided = {
        let fake = fake.clone();
        let port = port.clone();
        move || {
            provide_context(SharedBackend(fake.clone()));
            provide_context(Origin(format!("http://127.0.0.1:{port}")));
            if let Some(r) = use_context::<ResponseOptions>() {
                let nonce = leptos::nonce::use_nonce().unwrap();
                r.insert_header(axum::http::header::CONTENT_SECURITY_POLICY, format!("default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'").parse().unwrap());
                provide_context(StatusSink::new(move |s| r.set_status(axum::http::StatusCode::from_u16(s).unwrap())));
            }
        }
    };
    let shown = {
        let options = options.clone();
        move || shell(options.clone(), ShellAssets { css: "look.css".into(), hydrate })
    };
    let router = axum::Router::new()
        .route("/live/wall", axum::routing::get(live))
        .route("/live/runs/{id}", axum::routing::get(live))
        .layer(axum::Extension(fake))
        .leptos_routes_with_context(&options, generate_route_list(App), provided, shown)
        .fallback(file)
        .with_state(options);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    axum::serve(listener, router).await.unwrap();
}
