//! Accounts as people meet them: signing in, links, and who is let in.

use crate::harness::{Browser, PASSWORD, SmtpSink, TestServer, eventually, link_on};
use reqwest::Method;
use serde_json::json;
use server::config::{MailConfig, Reading};
use server::outgoing::mail::MailTls;
use std::process::Command;

async fn closed() -> TestServer {
    TestServer::start_with(false, |config| config.auth.read = Reading::Login).await
}

/// Invites somebody with a role, who then chooses [`PASSWORD`].
async fn invited<'a>(server: &'a TestServer, by: &mut Browser<'_>, name: &str, role: &str) -> Browser<'a> {
    let page = by.fill("/settings/people", "/settings/people", &[("name", name), ("role", role)]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let mut browser = Browser::new(server);
    let secret = link_on(&page.text).to_owned();
    let welcome = browser.get(&format!("/welcome?link={secret}")).await;
    assert!(welcome.text.contains(name), "{}", welcome.text);
    let answer = browser.post("/welcome", &[("link", &secret), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    browser
}

#[tokio::test]
async fn the_first_administrator_is_made_by_a_link_that_works_once() {
    let server = closed().await;
    let path = server.service().first_link().await.expect("it can").expect("nobody is there");
    let secret = path.split_once("link=").expect("a link").1;
    let mut browser = Browser::new(&server);
    // Looking at a link does not use it.
    for _ in 0..2 {
        assert_eq!(browser.get(&path).await.status, 200);
    }
    let weak = browser.post("/welcome", &[("link", secret), ("name", "ana"), ("password", "short")]).await;
    assert!(weak.status == 422 && weak.text.contains("12 characters"), "{}", weak.text);
    let made = browser.post("/welcome", &[("link", secret), ("name", "Ana"), ("password", PASSWORD)]).await;
    assert_eq!((made.status, made.header("location")), (303, "/"));
    assert!(browser.get("/settings/account").await.text.contains("administrator everywhere"));
    let again =
        Browser::new(&server).post("/welcome", &[("link", secret), ("name", "eve"), ("password", PASSWORD)]).await;
    assert_eq!(again.status, 404, "{}", again.text);
    assert_eq!(server.service().first_link().await.expect("it can"), None, "somebody is there");
    server.stop().await;
}

#[tokio::test]
async fn who_signs_in_reads_and_is_named_and_may_leave() {
    let server = closed().await;
    server.first_administrator("ana").await;
    let mut browser = Browser::new(&server);
    let sent_away = browser.get("/flaky?a=b").await;
    assert_eq!((sent_away.status, sent_away.header("location")), (303, "/login?next=%2Fflaky%3Fa%3Db"));
    let wrong = browser.sign_in("ana", "four plain words her").await;
    assert!(wrong.status == 401 && browser.cookies.is_empty(), "{}", wrong.text);
    let right = browser.sign_in(" ANA ", PASSWORD).await;
    assert_eq!((right.status, right.header("location")), (303, "/flaky"));
    let cookie = right.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
    let page = browser.get("/").await;
    assert!(page.status == 200 && page.text.contains(">ana<"), "{}", page.text);
    let stolen = browser.cookies.clone();
    assert_eq!(browser.fill("/logout", "/logout", &[]).await.status, 303);
    assert!(browser.cookies.is_empty());
    // Whoever copied the cookie before has nothing now.
    browser.cookies = stolen;
    assert_eq!(browser.get("/").await.status, 303);
    server.stop().await;
}

#[tokio::test]
async fn what_is_over_is_forgotten() {
    let server = TestServer::start_with(false, |config| config.retention.audit_days = Some(30)).await;
    let mut ana = server.first_administrator("ana").await;
    ana.fill("/settings/people", "/settings/people", &[("name", "bo"), ("role", "viewer")]).await;
    Browser::new(&server).sign_in("bo", "four plain words her").await;
    let deeds = async || server.service().itself().deeds(None).await.expect("it may").len();
    assert_eq!(server.service().forget_ended().await.expect("it can"), 0, "nothing is over yet");
    assert!(deeds().await > 1);
    server.pass(15 * 86_400);
    let gone = server.service().forget_ended().await.expect("it can");
    assert!(gone >= 3, "the session, the invitation and the wrong attempt: {gone}");
    let kept = deeds().await;
    assert!(kept > 1, "what was done is kept for longer");
    server.pass(16 * 86_400);
    assert_eq!(server.service().forget_ended().await.expect("it can"), kept as u64);
    assert_eq!(deeds().await, 0);
    server.stop().await;
}

#[tokio::test]
async fn a_session_that_was_planted_is_not_the_one_that_is_signed_in() {
    let server = closed().await;
    let mut own = server.first_administrator("ana").await;
    let before = own.cookies.clone();
    let mut planted = Browser::new(&server);
    planted.cookies.insert("holter-session".into(), "chosen-by-somebody-else".into());
    planted.sign_in("ana", PASSWORD).await;
    assert_ne!(planted.cookies["holter-session"], "chosen-by-somebody-else");
    // Who signs in again gets another one, and the one before ends.
    own.sign_in("ana", PASSWORD).await;
    assert_ne!(own.cookies, before);
    own.cookies = before;
    assert_eq!(own.get("/settings/account").await.status, 303);
    server.stop().await;
}

#[tokio::test]
async fn no_other_site_has_a_browser_do_anything() {
    let server = closed().await;
    let mut ana = server.first_administrator("ana").await;
    let key = {
        let page = ana.get("/settings/people").await.text;
        page.split("name=\"key\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a key").to_owned()
    };
    let invite = [("name", "eve"), ("role", "administrator"), ("key", &key)];
    ana.origin = Some("https://evil.example".into());
    assert_eq!(ana.post("/settings/people", &invite).await.status, 403, "from another site");
    ana.origin = Some("null".into());
    assert_eq!(ana.post("/settings/people", &invite).await.status, 403, "from a sandbox");
    ana.origin = None;
    assert_eq!(ana.post("/settings/people", &invite).await.status, 401, "a cookie alone changes nothing");
    ana.origin = Some(server.url(""));
    assert_eq!(ana.post("/settings/people", &invite[..2]).await.status, 403, "without the key of the session");
    let foreign = Browser::of(&server, "ana").await;
    let request =
        foreign.request(Method::POST, "/settings/people").header("content-type", "application/x-www-form-urlencoded");
    let body = format!("name=eve&role=administrator&key={key}");
    assert_eq!(server.send(request.body(body)).await.status, 403, "with the key of another session");
    // A server function is a public address too.
    ana.origin = Some("https://evil.example".into());
    let request = ana.request(Method::POST, "/rpc/claim").json(&json!({"setup": "a", "holder": "eve"}));
    assert_eq!(ana.send(request).await.status, 403);
    ana.origin = Some(server.url(""));
    assert!(!ana.get("/settings/people").await.text.contains(">eve<"));
    assert_eq!(ana.post("/settings/people", &invite).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn guesses_are_bounded_for_a_name_and_for_an_address() {
    let server = closed().await;
    server.first_administrator("ana").await;
    let mut looked_at = 0;
    let mut wait = String::new();
    for _ in 0..30 {
        let answer = Browser::new(&server).sign_in("ana", "not the password").await;
        match answer.status {
            401 => looked_at += 1,
            429 => wait = answer.header("retry-after").to_owned(),
            other => panic!("{other}: {}", answer.text),
        }
    }
    assert!((5..=7).contains(&looked_at), "{looked_at} guesses at one name were looked at");
    assert_ne!(wait, "");
    // The right password has to wait as well; later it is taken.
    assert_eq!(Browser::new(&server).sign_in("ana", PASSWORD).await.status, 429);
    server.pass(20);
    assert_eq!(Browser::new(&server).sign_in("ana", PASSWORD).await.status, 303);
    // From one address, whatever the names, known or not.
    let mut looked_at = 0;
    for n in 0..40 {
        looked_at += u32::from(Browser::new(&server).sign_in(&format!("n{n}"), "not the password").await.status == 401);
    }
    assert!(looked_at <= 21, "{looked_at} guesses from one address were looked at");
    server.stop().await;
}

#[tokio::test]
async fn a_hundred_guesses_at_once_count_as_a_hundred() {
    let server = closed().await;
    server.first_administrator("ana").await;
    let guesses = (0..100).map(|_| async { Browser::new(&server).sign_in("ana", "not the password").await.status });
    let answers = futures::future::join_all(guesses).await;
    let looked_at = answers.iter().filter(|status| **status == 401).count();
    assert!(looked_at <= 6, "{looked_at} guesses were looked at");
    assert!(answers.iter().all(|status| [401, 429, 503].contains(status)), "{answers:?}");
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_get_the_same_answer() {
    let server = closed().await;
    server.first_administrator("ana").await;
    let known = Browser::new(&server).sign_in("ana", "not the password").await;
    let unknown = Browser::new(&server).sign_in("eve", "not the password").await;
    assert_eq!((known.status, unknown.status), (401, 401));
    assert_eq!(known.text.replace("\"ana\"", ""), unknown.text.replace("\"eve\"", ""));
    server.stop().await;
}

#[tokio::test]
async fn who_is_invited_may_what_the_role_says_and_no_more() {
    let server = closed().await;
    let mut ana = server.first_administrator("ana").await;
    let mut bo = invited(&server, &mut ana, "bo", "viewer").await;
    let grid = bo.get("/").await;
    assert_eq!(grid.status, 200, "{}", grid.text);
    assert_eq!(bo.get("/settings/people").await.status, 403);
    let save = bo.request(Method::PUT, "/api/v1/walls/lobby").json(&json!({}));
    bo.send(save).await.problem(403, "forbidden");
    let twice = ana.fill("/settings/people", "/settings/people", &[("name", "bo")]).await;
    assert!(twice.status == 422 && twice.text.contains("another account has this name"), "{}", twice.text);

    // A role that is taken away is gone with the next request.
    let people = ana.get("/settings/people").await.text;
    let id = people
        .split("/settings/people/")
        .find(|rest| rest.contains(">bo<"))
        .expect("bo")
        .split('"')
        .next()
        .expect("an id")
        .to_owned();
    let page = format!("/settings/people/{id}");
    assert_eq!(ana.fill(&page, &page, &[("role", ""), ("grants", "pump: engineer\npress: viewer")]).await.status, 303);
    assert!(bo.get("/settings/account").await.text.contains("viewer in press, engineer in pump"));
    assert_eq!(ana.fill(&page, &page, &[("role", "viewer"), ("disabled", "on")]).await.status, 303);
    assert_eq!(bo.get("/").await.status, 303, "a closed account is signed out");
    assert_eq!(Browser::new(&server).sign_in("bo", PASSWORD).await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let server = closed().await;
    let mut ana = server.first_administrator("ana").await;
    let people = ana.get("/settings/people").await.text;
    let id = people.split("href=\"/settings/people/").nth(1).expect("ana").split('"').next().expect("an id").to_owned();
    let page = format!("/settings/people/{id}");
    let refused = ana.fill(&page, &page, &[("role", "viewer")]).await;
    assert!(refused.status == 422 && refused.text.contains("last administrator"), "{}", refused.text);
    assert_eq!(ana.fill(&page, &format!("{page}/delete"), &[]).await.status, 422);
    assert_eq!(ana.get("/settings/people").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_changed_password_ends_every_other_session() {
    let server = closed().await;
    let mut here = server.first_administrator("ana").await;
    let mut there = Browser::of(&server, "ana").await;
    let form = "/settings/account/password";
    let wrong = here.fill("/settings/account", form, &[("old", "no"), ("password", "five other plain words")]).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    let right =
        here.fill("/settings/account", form, &[("old", PASSWORD), ("password", "five other plain words")]).await;
    assert_eq!(right.status, 200, "{}", right.text);
    assert_eq!(there.get("/settings/account").await.status, 303);
    assert_eq!(Browser::new(&server).sign_in("ana", PASSWORD).await.status, 401);
    let mut there = Browser::new(&server);
    there.sign_in("ana", "five other plain words").await;
    // And one may be ended from another one.
    let page = here.get("/settings/account").await.text;
    let other = page.split("<form").find(|form| form.contains("Another:")).expect("the other");
    let action = other.split("action=\"").nth(1).expect("an action").split('"').next().expect("one").to_owned();
    assert_eq!(here.fill("/settings/account", &action, &[]).await.status, 303);
    assert_eq!(there.get("/settings/account").await.status, 303);
    server.stop().await;
}

fn mail_by(sink: &SmtpSink) -> MailConfig {
    MailConfig {
        host: sink.address.ip().to_string(),
        port: Some(sink.address.port()),
        tls: MailTls::None,
        user: None,
        password: None,
        from: "Holter <holter@example.org>".into(),
    }
}

#[tokio::test]
async fn a_password_is_reset_by_a_mail_that_works_once_and_for_an_hour() {
    let sink = SmtpSink::start().await;
    let server = TestServer::start_with(false, |config| config.mail = Some(mail_by(&sink))).await;
    let mut ana = server.first_administrator("ana").await;
    let fields = [("name", "bo"), ("role", "viewer"), ("email", "bo@example.org")];
    let page = ana.fill("/settings/people", "/settings/people", &fields).await;
    assert!(page.text.contains("It was sent by mail"), "{}", page.text);
    assert!(sink.received()[0].text.contains("/welcome?link=3D") || sink.received()[0].text.contains("/welcome?link="));

    let mut browser = Browser::new(&server);
    let known = browser.post("/password-reset", &[("who", "Bo@example.org")]).await;
    let unknown = browser.post("/password-reset", &[("who", "eve@example.org")]).await;
    let injected = browser.post("/password-reset", &[("who", "bo@example.org\r\nBcc: eve@example.org")]).await;
    assert_eq!((known.status, &known.text), (200, &unknown.text), "nobody is told who has an account");
    assert_eq!(injected.text, known.text);
    let mail = eventually("the mail is there", || async { sink.received().get(1).cloned() }).await;
    assert!(mail.to.len() == 1 && mail.to[0].contains("bo@example.org"), "{mail:?}");
    let text = mail.text.replace("=\n", "").replace("=\r\n", "").replace("=3D", "=");
    let secret = link_on(&text).to_owned();
    let set = [("link", &*secret), ("password", PASSWORD)];
    assert_eq!(browser.post("/password-reset", &set).await.status, 303, "{text}");
    assert_eq!(Browser::new(&server).post("/password-reset", &set).await.status, 404, "a second time");
    assert_eq!(sink.received().len(), 2, "nobody else was written to");

    browser.post("/password-reset", &[("who", "bo")]).await;
    let mail = eventually("another mail is there", || async { sink.received().get(2).cloned() }).await;
    let late = link_on(&mail.text.replace("=\n", "").replace("=3D", "=")).to_owned();
    server.pass(3_601);
    assert_eq!(
        browser.post("/password-reset", &[("link", &late), ("password", PASSWORD)]).await.status,
        404,
        "too late"
    );
    server.stop().await;
}

#[tokio::test]
async fn so_many_mails_go_to_one_account_by_whatever_name_they_are_asked_for() {
    let sink = SmtpSink::start().await;
    let server = TestServer::start_with(false, |config| config.mail = Some(mail_by(&sink))).await;
    let mut ana = server.first_administrator("ana").await;
    let fields = [("name", "bo"), ("role", "viewer"), ("email", "bo@example.org")];
    ana.fill("/settings/people", "/settings/people", &fields).await;
    let mut browser = Browser::new(&server);
    for who in ["bo", "BO", " bo ", "bo@example.org", "Bo@Example.org", "bo", "bo@example.org", "Bo"] {
        assert_eq!(browser.post("/password-reset", &[("who", who)]).await.status, 200, "{who:?}");
    }
    // Each that was asked for is decided in its turn: that of somebody else is
    // the last to be sent.
    let fields = [("name", "cy"), ("role", "viewer"), ("email", "cy@example.org")];
    ana.fill("/settings/people", "/settings/people", &fields).await;
    let resets =
        |sink: &SmtpSink| sink.received().iter().filter(|mail| mail.text.contains("Subject: A new password")).count();
    eventually("the free ones are sent", || async { (resets(&sink) >= 6).then_some(()) }).await;
    browser.post("/password-reset", &[("who", "cy")]).await;
    let all = eventually("the one of cy is sent", || async {
        let all = sink.received();
        all.iter().any(|mail| mail.text.contains("password for cy")).then_some(all)
    })
    .await;
    let to_bo = all.iter().filter(|mail| mail.text.contains("password for bo")).count();
    assert_eq!(to_bo, 6, "five, and the one that makes the next one wait");
    server.stop().await;
}

#[tokio::test]
async fn what_the_command_line_does_is_written_down_too() {
    let server = closed().await;
    for command in [&["user", "create", "ana"][..], &["user", "link", "ana"], &["token", "create", "--scope", "read"]] {
        let done = Command::new(env!("CARGO_BIN_EXE_holter"))
            .args(command)
            .arg("--data-dir")
            .arg(server.folder())
            .current_dir(server.folder())
            .output()
            .expect("the program runs");
        assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    let deeds = server.service().itself().deeds(None).await.expect("it may");
    let said: Vec<_> = deeds.iter().map(|deed| (&*deed.actor, &*deed.action, &*deed.subject)).collect();
    let (who, token) = ("the command line", said[0].2);
    let made = [(who, "made a link for", "ana"), (who, "made a link for", "ana"), (who, "made the account", "ana")];
    assert_eq!((said[0].1, said[1..].to_vec()), ("made the token", made.to_vec()));
    assert!(deeds[0].detail.as_deref() == Some("read") && !token.starts_with("holter_"), "{deeds:?}");
    server.stop().await;
}

#[tokio::test]
async fn deeds_are_written_down() {
    let server = closed().await;
    let mut ana = server.first_administrator("ana").await;
    invited(&server, &mut ana, "bo", "viewer").await;
    Browser::new(&server).sign_in("bo", "not the password").await;
    let deeds = server.service().itself().deeds(None).await.expect("it may");
    let said: Vec<_> = deeds.iter().map(|deed| format!("{} {} {}", deed.actor, deed.action, deed.subject)).collect();
    assert_eq!(
        said,
        [
            "somebody without an account was refused bo",
            "bo signed in bo",
            "bo set the password of bo",
            "ana made the account bo",
            "ana signed in ana",
            "ana made the account ana",
        ]
    );
    assert!(deeds.iter().all(|deed| deed.address.as_deref() == Some("127.0.0.1")));
    server.stop().await;
}
