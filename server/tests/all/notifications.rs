//! Channels that are told what changed.

use crate::harness::{Sink, SmtpSink, TestServer, eventually};
use app::domain::clock::FakeClock;
use app::domain::time::{Micros, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use server::config::Config;
use server::server::Server;
use server::store::{Store, StoreUrl};
use sha2::Sha256;
use std::path::Path;
use std::sync::Arc;

const SECRET: &str = "a plain secret of ours";

fn configure(config: &mut Config, sink: &Sink, channels: &str) {
    config.public_url = Some("https://holter.example".parse().expect("an address"));
    config.outgoing.allowed_hosts = vec![sink.address.to_string()];
    config.notifications = toml::from_str(&channels.replace("SINK", &sink.url(""))).expect("channels");
    config.validate().expect("usable");
}

async fn server(sink: &Sink, channels: &str) -> TestServer {
    TestServer::start_with(true, |config| configure(config, sink, channels)).await
}

fn hook() -> String {
    format!("[channels.hook]\nkind = \"webhook\"\nurl = \"SINK/hook\"\nsecret = \"{SECRET}\"\n")
}

/// Another way to the store, to see what the server has noted.
struct Notes(Store);

impl Notes {
    async fn of(folder: &Path) -> Self {
        Self(Store::open(&StoreUrl::Sqlite(folder.join("holter.db"))).await.expect("opens"))
    }

    /// Waits until so many changes wait to be told.
    async fn wait_for(&self, count: usize) {
        eventually(&format!("{count} changes wait to be told"), async || {
            (self.0.untold_list().await.expect("reads").len() == count).then_some(())
        })
        .await;
    }
}

fn verify(received: &crate::harness::Received) {
    let (id, timestamp) = (received.header("webhook-id"), received.header("webhook-timestamp"));
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    let mac = mac.chain_update(format!("{id}.{timestamp}.{}", received.text));
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(received.header("webhook-signature"), expected);
    assert_eq!(received.json["data"]["id"], id);
}

#[tokio::test]
async fn a_new_failure_is_told_once_and_so_is_its_recovery() {
    let sink = Sink::start().await;
    let server = server(&sink, &hook()).await;
    let notes = Notes::of(server.folder()).await;
    server.rig("A").run("1").with("project", "pump").passes(2).done().await;
    server.pass(10);
    let run = server.rig("A").run("2").of("2222222222").with("project", "pump").passes(1).fails("test 2").done().await;
    notes.wait_for(1).await;
    server.pass(120);
    let told = sink.wait_for(1).await;
    verify(&told[0]);
    assert_eq!(told[0].line, "POST /hook");
    let data = &told[0].json["data"];
    assert_eq!(data["text"], "test 2 began to fail on A (pump, main, 22222222)");
    let change = &data["changes"][0];
    assert_eq!(
        (&change["change"], &change["suite"], &change["test"]),
        (&json!("new_failure"), &json!(["Root"]), &json!("test 2"))
    );
    assert_eq!(change["run_url"], format!("https://holter.example/runs/{run}"));
    assert_eq!(data["url"], change["url"]);
    assert!(data["url"].as_str().is_some_and(|url| url.starts_with("https://holter.example/tests/")));

    server.pass(3_600);
    server.rig("A").run("3").of("3333333333").with("project", "pump").passes(1).fails("test 2").done().await;
    server.pass(3_600);
    server.rig("A").run("4").of("4444444444").with("project", "pump").passes(2).done().await;
    notes.wait_for(1).await;
    server.pass(120);
    let told = sink.wait_for(2).await;
    assert_eq!(told[1].json["data"]["text"], "test 2 recovered on A (pump, main, 44444444)");
    notes.wait_for(0).await;
    server.stop().await;
}

#[tokio::test]
async fn what_reverts_in_time_is_not_told() {
    let sink = Sink::start().await;
    let server = server(&sink, &hook()).await;
    let notes = Notes::of(server.folder()).await;
    server.rig("A").run("1").passes(1).fails("test 2").done().await;
    notes.wait_for(1).await;
    server.pass(60);
    server.rig("A").run("2").of("22").passes(2).done().await;
    notes.wait_for(0).await;
    server.pass(3_600);
    server.rig("A").run("3").passes(1).fails("y").done().await;
    notes.wait_for(1).await;
    server.pass(120);
    let told = sink.wait_for(1).await;
    assert_eq!(told[0].json["data"]["text"], "y began to fail on A (main, c0ffee)");
    server.stop().await;
}

#[tokio::test]
async fn many_changes_are_one_message() {
    let sink = Sink::start().await;
    let server = server(&sink, &hook()).await;
    let notes = Notes::of(server.folder()).await;
    let mut script = server.rig("A").run("1").passes(3);
    for number in 0..60 {
        script = script.fails(&format!("case {number:02}"));
    }
    let run = script.done().await;
    notes.wait_for(60).await;
    server.pass(120);
    let told = sink.wait_for(1).await;
    let data = &told[0].json["data"];
    assert_eq!(data["text"], "60 tests began to fail on A: case 00, case 01, case 02 and 57 more");
    assert_eq!((data["changes"].as_array().map(Vec::len), &data["more"]), (Some(50), &json!(10)));
    assert_eq!(data["url"], format!("https://holter.example/runs/{run}"));
    notes.wait_for(0).await;
    assert_eq!(sink.received().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_setup_that_falls_silent_is_told_and_so_is_its_return() {
    let sink = Sink::start().await;
    let server = server(&sink, &hook()).await;
    let notes = Notes::of(server.folder()).await;
    server.rig("A").run("1").begins("x").open().await;
    server.pass(61);
    notes.wait_for(1).await;
    server.pass(120);
    let told = sink.wait_for(1).await;
    let data = &told[0].json["data"];
    assert_eq!(data["text"], "A fell silent during Root (main, c0ffee)");
    assert_eq!(data["url"], "https://holter.example/setups/A");
    let beat = json!({"type": "setup.heartbeat", "at": server.at(0), "setup": "A"});
    server.post(&beat).await.ok();
    notes.wait_for(1).await;
    eventually("its return is told", async || {
        // It goes on speaking while time passes, and who reads sees that.
        server.pass(30);
        server.post(&json!({"type": "setup.heartbeat", "at": server.at(0), "setup": "A"})).await.ok();
        server.get("/api/v1/setups/A").await.ok();
        (sink.received().len() == 2).then_some(())
    })
    .await;
    assert_eq!(sink.received()[1].json["data"]["text"], "A speaks again (main, c0ffee)");
    server.stop().await;
}

#[tokio::test]
async fn a_test_that_becomes_flaky_is_told_and_its_single_failures_are_not() {
    let sink = Sink::start().await;
    let server = server(&sink, &hook()).await;
    let runs = std::sync::atomic::AtomicU32::new(0);
    eventually("it is called flaky", async || {
        let run = runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
        server.rig("A").run(&run).passes(1).flaky("x").done().await;
        server.pass(300);
        (!sink.received().is_empty()).then_some(())
    })
    .await;
    let told = sink.received();
    assert_eq!(told[0].json["data"]["text"], "x is newly flaky on A (main, c0ffee)");
    assert_eq!(told[0].json["data"]["changes"][0]["change"], "newly_flaky");
    // A flaky test that fails is what everybody knows.
    let notes = Notes::of(server.folder()).await;
    server.rig("A").run("fails").passes(1).fails("x").fails("z").done().await;
    notes.wait_for(1).await;
    server.pass(3_600);
    assert_eq!(sink.wait_for(2).await[1].json["data"]["changes"][0]["test"], "z");
    server.stop().await;
}

#[tokio::test]
async fn quiet_hours_keep_news_for_the_morning() {
    let sink = Sink::start().await;
    let quiet = format!("time_zone = \"Europe/Berlin\"\n{}quiet = \"12:30-14:00\"\n", hook());
    // Noon is one o'clock in Berlin.
    let server = server(&sink, &quiet).await;
    let notes = Notes::of(server.folder()).await;
    server.rig("A").run("1").passes(1).fails("x").fails("y").done().await;
    notes.wait_for(2).await;
    server.pass(1_800);
    server.rig("A").run("2").passes(1).fails("x").done().await;
    eventually("it is past two in Berlin and told", async || {
        server.pass(60);
        (!sink.received().is_empty()).then_some(())
    })
    .await;
    let data = &sink.received()[0].json["data"];
    assert!(data["at"].as_str().is_some_and(|at| at >= "2026-03-01T13:00:00"), "{data}");
    assert_eq!(data["text"], "2 tests began to fail on A: x, y");
    server.stop().await;
}

#[tokio::test]
async fn each_channel_gets_its_own_words_and_only_what_it_asked_for() {
    let (sink, mail) = (Sink::start().await, SmtpSink::start().await);
    let channels = "[channels.slack]\nkind = \"slack\"\nurl = \"SINK/slack\"\n\
        [channels.teams]\nkind = \"teams\"\nurl = \"SINK/teams\"\nsetups = [\"A*\"]\n\
        [channels.chat]\nkind = \"mattermost\"\nurl = \"SINK/mattermost\"\nowners = [\"ada\"]\n\
        [channels.branch]\nkind = \"slack\"\nurl = \"SINK/branch\"\nbranches = [\"release/*\"]\n\
        [channels.calm]\nkind = \"slack\"\nurl = \"SINK/calm\"\nchanges = [\"recovered\"]\n\
        [channels.people]\nkind = \"mail\"\nto = [\"ops@example.org\"]\n";
    let server = TestServer::start_with(true, |config| {
        let server = format!(
            "host = \"{}\"\nport = {}\ntls = \"none\"\nfrom = \"holter@example.org\"",
            mail.address.ip(),
            mail.address.port()
        );
        config.mail = Some(toml::from_str(&server).expect("a mail server"));
        configure(config, &sink, channels);
    })
    .await;
    let notes = Notes::of(server.folder()).await;
    let at = server.at(0);
    let said = |kind: &str, more: Value| {
        let mut event = json!({"type": kind, "at": at, "setup": "A", "run": "1", "suite": ["Root"], "test": "x"});
        more.as_object().expect("fields").iter().for_each(|(name, value)| event[name] = value.clone());
        event
    };
    let events = json!([
        said("test.started", json!({"owner": "ada"})),
        said("test.finished", json!({"verdict": "failed"})),
        {"type": "run.finished", "at": at, "setup": "A", "run": "1"},
    ]);
    server.post(&events).await.ok();
    notes.wait_for(6).await;
    server.pass(120);
    let told = sink.wait_for(3).await;
    eventually("the mail is there", async || (mail.received().len() == 1).then_some(())).await;
    notes.wait_for(0).await;
    let of = |path: &str| told.iter().find(|one| one.line.ends_with(path)).map(|one| &one.json);
    assert!(of("/slack").is_some_and(|body| {
        body["text"].as_str().is_some_and(|text| text.starts_with("x began to fail on A (ada) <https"))
    }));
    assert_eq!(of("/teams").expect("told")["attachments"][0]["content"]["type"], "AdaptiveCard");
    assert!(of("/mattermost").is_some());
    assert_eq!(sink.received().len(), 3, "neither the branch nor the calm one");
    assert!(mail.received()[0].text.contains("Subject: x began to fail on A (ada)\n"), "{}", mail.received()[0].text);
    server.stop().await;
}

#[tokio::test]
async fn a_restart_neither_repeats_nor_loses() {
    let sink = Sink::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(FakeClock::at(Timestamp::from_rfc3339(crate::harness::NOON).expect("a time")));
    let start = async || {
        server::server::provide_cryptography();
        let mut config = Config::default();
        config.listen.set_port(0);
        config.move_to(folder.path().to_owned(), false);
        configure(&mut config, &sink, &hook());
        Server::start(&config, true, clock.clone()).await.expect("it starts")
    };
    let say = async |server: &Server, run: &str, test: &str| {
        let event = json!({
            "type": "test.finished", "at": app::domain::clock::Clock::now(&*clock).to_rfc3339(), "setup": "A", "run": run,
            "suite": ["Root"], "test": test, "verdict": "failed",
        });
        let url = format!("http://{}/api/v1/events", server.address);
        let request = reqwest::Client::new().post(url).header("content-type", "application/json");
        assert_eq!(request.body(event.to_string()).send().await.expect("an answer").status(), 200);
    };
    let server = start().await;
    let notes = Notes::of(folder.path()).await;
    say(&server, "1", "x").await;
    notes.wait_for(1).await;
    server.stop().await;

    // Noted before the restart, told after it.
    clock.advance(Micros::from_secs(120));
    let server = start().await;
    assert_eq!(sink.wait_for(1).await[0].json["data"]["changes"][0]["test"], "x");
    server.stop().await;

    // Told before the restart, not told after it.
    let server = start().await;
    say(&server, "2", "y").await;
    notes.wait_for(1).await;
    clock.advance(Micros::from_secs(120));
    let told = sink.wait_for(2).await;
    assert_eq!((told.len(), &told[1].json["data"]["changes"][0]["test"]), (2, &json!("y")));
    server.stop().await;
}

#[tokio::test]
async fn a_channel_that_is_down_gets_the_same_message_later() {
    let sink = Sink::start().await;
    let server = server(&sink, &hook()).await;
    let notes = Notes::of(server.folder()).await;
    sink.answer(&[503, 503]);
    server.rig("A").run("1").passes(1).fails("x").done().await;
    notes.wait_for(1).await;
    for tries in 1..=3 {
        // When the next try is due is known only after the last one is booked.
        let told = eventually("it is tried again", async || {
            server.pass(60);
            let told = sink.received();
            (told.len() >= tries).then_some(told)
        });
        let told = told.await;
        assert_eq!(told[tries - 1].header("webhook-id"), told[0].header("webhook-id"));
        assert_eq!(told[tries - 1].text, told[0].text);
        // The time of the try is signed, and differs.
        verify(&told[tries - 1]);
    }
    eventually("nothing is left that was not taken", async || {
        let page = server.get("/settings/notifications").await.text;
        (!page.contains("data-test=\"untaken\"")).then_some(())
    })
    .await;
    server.stop().await;
}

async fn send_form(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> crate::harness::Answer {
    let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = server.client.post(server.url(path)).header("content-type", "application/x-www-form-urlencoded");
    server.send(request.body(body)).await
}

#[tokio::test]
async fn channels_are_made_tried_and_deleted_on_the_page() {
    let sink = Sink::start().await;
    let server = server(&sink, "").await;
    let page = server.get("/settings/notifications").await;
    assert!(page.status == 200 && page.text.contains("data-test=\"no-channels\""));

    let elsewhere = [("name", "team"), ("kind", "webhook"), ("url", "https://elsewhere.example/x")];
    let refused = send_form(&server, "/settings/notifications", &elsewhere).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("outgoing.allowed_hosts") && !refused.text.contains("elsewhere.example/x"));

    let url = sink.url("/hush");
    let fields = [("name", "team"), ("kind", "webhook"), ("url", &*url), ("new_failure", "on"), ("setups", "A, B*")];
    let saved = send_form(&server, "/settings/notifications", &fields).await;
    assert!(
        saved.status == 200 && saved.text.contains("data-test=\"secret\">") && saved.text.contains("whsec_"),
        "{}",
        saved.text
    );
    let list = server.get("/settings/notifications").await.text;
    assert!(list.contains("a test begins to fail; setups A, B*") && !list.contains("hush"), "{list}");

    let tried = send_form(&server, "/settings/notifications/team/try", &[]).await;
    assert!(tried.text.contains("The message was taken."), "{}", tried.text);
    let received = sink.received();
    assert_eq!((received.len(), &received[0].json["type"]), (1, &json!("test")));
    assert!(received[0].header("webhook-signature").starts_with("v1,"));
    sink.answer(&[410]);
    let tried = send_form(&server, "/settings/notifications/team/try", &[]).await;
    assert!(tried.text.contains("The message was not taken: it answered with status 410"), "{}", tried.text);

    // What is secret and left empty stays; the rest is as the form says.
    let changed = [("name", "team"), ("kind", "webhook"), ("recovered", "on")];
    let changed = send_form(&server, "/settings/notifications", &changed).await;
    assert!(changed.status == 200 && !changed.text.contains("whsec_"), "{}", changed.text);
    assert!(send_form(&server, "/settings/notifications/team/try", &[]).await.text.contains("was taken."));

    let gone = send_form(&server, "/settings/notifications/team/delete", &[]).await;
    assert!(gone.text.contains("data-test=\"no-channels\""));
    server.get("/settings/notifications/team").await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn who_may_not_change_channels_does_not_learn_where_they_lead() {
    let sink = Sink::start().await;
    let people = format!("{}[channels.chat]\nkind = \"slack\"\nurl = \"SINK/hush\"\n", hook());
    let server = TestServer::start_with(false, |config| configure(config, &sink, &people)).await;
    let page = server.get("/settings/notifications").await;
    assert!(page.status == 200 && page.text.contains(">chat</a>") && !page.text.contains("127.0.0.1"), "{}", page.text);
    for path in ["/settings/notifications/chat/try", "/settings/notifications/chat/delete", "/settings/notifications"] {
        let answer = send_form(&server, path, &[("name", "chat")]).await;
        assert!([401, 403].contains(&answer.status), "{path} {}", answer.status);
    }
    let token = server.token(app::domain::rights::Scope::Admin, None, None).await;
    let fixed = send_form(&server, "/settings/notifications/chat/delete", &[("token", &token)]).await;
    assert_eq!(fixed.status, 403, "it is written in the file");
    assert!(sink.received().is_empty());
    server.stop().await;
}
