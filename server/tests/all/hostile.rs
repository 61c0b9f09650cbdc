//! What test files and repositories may try that mean no good: names and links
//! that lead out, addresses that are options, too much, or nothing at all. The
//! limits of what a job takes are in [`crate::runner`].

use crate::batches::{Form, ended, send};
use crate::commit_builds::{self, configured, git, opened, push, told};
use crate::harness::{TestServer, eventually};
use crate::runner::{boxed, note, running, scripted};
use app::domain::job::Checkout;
use serde_json::{Value, json};
use server::config::{Config, LimitsConfig};
use server::service::tokens::Scope;
use std::io::{Cursor, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use zip::write::SimpleFileOptions;

/// Says what is in its folder, and where that leads.
const LOOK: &str =
    "find . -type l -o -type f | sort; cat link.xml data/passwd 2>&1 | head -c 300; echo 1..1; echo ok 1\n";

fn refused(batch: &Value) -> Vec<(&str, &str)> {
    let all = batch["refused"].as_array().expect("a list");
    all.iter().map(|file| (file["name"].as_str().expect("a name"), file["why"].as_str().expect("why"))).collect()
}

async fn log_of(server: &TestServer, id: &Value) -> String {
    let batch = ended(server, id.as_str().expect("an id")).await;
    let job = batch["jobs"][0]["id"].as_str().expect("a job").to_owned();
    server.get(&format!("/api/v1/jobs/{job}/log")).await.text
}

/// All files under a folder that hold more than a row could.
fn bytes_under(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => bytes_under(&entry.path()),
            Ok(about) => about.len(),
            Err(_) => 0,
        })
        .sum()
}

async fn with_a_worker() -> TestServer {
    TestServer::start_with(true, |config| config.runner.workers = 1).await
}

#[tokio::test]
async fn names_that_lead_out_are_refused_wherever_they_stand() {
    let server = with_a_worker().await;
    let outside = ["../../evil.sh", "/evil.sh", "..\\..\\evil.sh", "C:\\evil.sh", "a/../../evil.sh"];
    let form = outside.iter().fold(Form::default().text("name", "Kim"), |form, name| form.file(name, b"echo\n"));
    let sent = send(&server, form.file("look.sh", LOOK.as_bytes())).await;
    assert_eq!(sent.status, 201, "{}", sent.text);
    let said = refused(&sent.json);
    assert_eq!(said.iter().map(|(name, _)| *name).collect::<Vec<_>>(), outside);
    assert!(said.iter().all(|(_, why)| *why == "it leads out of its folder"), "{said:?}");
    let log = log_of(&server, &sent.json["id"]).await;
    assert!(log.starts_with("./look.sh\n") && !log.contains("evil"), "{log}");

    let mut packed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in outside.iter().chain(&["look.sh"]) {
        packed.start_file(*name, SimpleFileOptions::default()).expect("packs");
        packed.write_all(LOOK.as_bytes()).expect("packs");
    }
    let packed = packed.finish().expect("packs").into_inner();
    let sent = send(&server, Form::default().text("name", "Kim").file("all.zip", &packed)).await;
    assert_eq!(sent.status, 201, "{}", sent.text);
    let said = refused(&sent.json);
    assert_eq!(said.len(), outside.len(), "{said:?}");
    let log = log_of(&server, &sent.json["id"]).await;
    assert!(log.starts_with("./look.sh\n") && !log.contains("evil"), "{log}");
    server.stop().await;
}

#[tokio::test]
async fn links_in_an_archive_lead_nowhere() {
    let server = with_a_worker().await;
    let mut packed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    packed.start_file("look.sh", SimpleFileOptions::default()).expect("packs");
    packed.write_all(LOOK.as_bytes()).expect("packs");
    packed.add_symlink("link.xml", "/etc/passwd", SimpleFileOptions::default()).expect("packs");
    packed.add_symlink("data", "/etc", SimpleFileOptions::default()).expect("packs");
    let zipped = packed.finish().expect("packs").into_inner();

    let mut packed = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(LOOK.len() as u64);
    header.set_mode(0o644);
    packed.append_data(&mut header, "look.sh", LOOK.as_bytes()).expect("packs");
    for (kind, name, target) in
        [(tar::EntryType::Symlink, "data", "/etc"), (tar::EntryType::Link, "link.xml", "/etc/passwd")]
    {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        packed.append_link(&mut header, name, target).expect("packs");
    }
    let tarred = packed.into_inner().expect("packs");

    for (name, archive) in [("all.zip", zipped), ("all.tar", tarred)] {
        let sent = send(&server, Form::default().text("name", "Kim").file(name, &archive)).await;
        assert_eq!(sent.status, 201, "{name}: {}", sent.text);
        let mut said = refused(&sent.json);
        said.sort_unstable();
        let why = "it is a link, which would lead somewhere else";
        assert_eq!(said, [("data", why), ("link.xml", why)], "{name}");
        let log = log_of(&server, &sent.json["id"]).await;
        assert!(log.starts_with("./look.sh\n") && !log.contains("root:"), "{name}: {log}");
    }
    server.stop().await;
}

#[tokio::test]
async fn two_hundred_mebibytes_are_refused_and_nothing_of_them_is_left() {
    let server = TestServer::start_with(false, |_| {}).await;
    let token = server.token(Scope::Admin, None, None).await;
    let before = bytes_under(server.folder());
    let head = "------between-the-parts\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.sh\"\r\n\r\n";
    for is_announced in [true, false] {
        let piece = bytes::Bytes::from(vec![b'x'; 1 << 20]);
        let pieces = std::iter::once(bytes::Bytes::from_static(head.as_bytes()));
        let pieces = pieces.chain(std::iter::repeat_n(piece, 200)).map(Ok::<_, std::io::Error>);
        let request = server.client.post(server.url("/api/v1/batches")).bearer_auth(&token);
        let mut request = request.header("content-type", "multipart/form-data; boundary=----between-the-parts");
        if is_announced {
            request = request.header("content-length", head.len() + (200 << 20));
        }
        let answer = server.send(request.body(reqwest::Body::wrap_stream(futures::stream::iter(pieces)))).await;
        let problem = answer.problem(413, "too-large");
        assert!(problem["detail"].as_str().expect("a text").contains("at most 64 MiB"), "{problem}");
    }
    let after = bytes_under(server.folder());
    assert!(after < before + (1 << 20), "{before} bytes before, {after} after");
    assert_eq!(server.send(server.client.get(server.url("/api/v1/batches"))).await.ok()["total"], 0);
    server.stop().await;
}

#[tokio::test]
async fn nothing_at_all_is_no_batch() {
    let server = TestServer::start().await;
    let empty = zip::ZipWriter::new(Cursor::new(Vec::new())).finish().expect("packs").into_inner();
    for (form, why) in [
        (Form::default().text("name", "Kim"), "none of the files is a test"),
        (Form::default().text("name", "Kim").file("all.zip", &empty), "none of the files is a test"),
        (Form::default().text("name", "Kim").file("all.tar", &[0; 1024]), "none of the files is a test"),
        (Form::default().text("name", "Kim").file("notes.txt", b"no test\n"), "none of the files is a test"),
        (Form::default().text("name", "Kim").file("photo.jpg", b"\xff\xd8\xff"), "photo.jpg: it is no test"),
    ] {
        let problem = send(&server, form).await.problem(422, "invalid");
        assert!(problem["detail"].as_str().expect("a text").contains(why), "{why}: {problem}");
    }
    let no_form = server.client.post(server.url("/api/v1/batches")).header("content-type", "text/plain").body("x");
    server.send(no_form).await.problem(400, "malformed");
    server.stop().await;
}

/// What is no place of a repository, but would be something else to a shell or
/// to git.
const ODD_PLACES: [&str; 7] = [
    "https://forge.example/x.git; touch /job/pwned",
    "'; touch /job/pwned; '",
    "$(touch /job/pwned)",
    "--upload-pack=touch /job/pwned",
    "-utouch /job/pwned",
    "ext::sh -c touch% /job/pwned",
    "ssh://-oProxyCommand=touch%20/job/pwned/x",
];

#[test]
fn a_place_that_is_something_else_is_not_configured() {
    for place in ODD_PLACES {
        let text = format!("[[repositories]]\nname = \"acme/pump\"\nurl = {}\n", json!(place));
        let config: Config = toml::from_str(&text).expect("it can be read");
        let error = config.validate().expect_err(place).to_string();
        assert!(error.starts_with("repositories") && error.contains("url"), "{error}");
    }
}

#[tokio::test]
async fn a_place_that_is_something_else_is_nothing_to_a_worker() {
    let yard = boxed().await;
    for place in ODD_PLACES {
        let mut job = scripted("ls -A");
        job.task.checkout = Some(Checkout {
            url: place.into(),
            commit: "--upload-pack=touch /job/pwned".into(),
            reference: "$(touch /job/pwned)".into(),
        });
        let (job, log) = yard.run_job(job).await;
        assert_eq!(
            (job["result"].as_str(), note(&job)),
            (Some("errored"), "the commit could not be checked out"),
            "{place}: {log}"
        );
        assert!(!log.contains("touch:"), "{place}: {log}");
    }
    yard.goes_on().await;
}

const JUNIT: &str = "<testsuite name=\"s\"><testcase name=\"NAME\"/></testsuite>";

#[tokio::test]
async fn links_in_a_repository_are_not_followed_for_reports_or_its_plan() {
    let folder = opened();
    let outside = folder.path().join("outside");
    std::fs::create_dir(&outside).expect("made");
    std::fs::write(outside.join("junit.xml"), JUNIT.replace("NAME", "stolen")).expect("written");
    std::fs::write(outside.join("plan.toml"), "[[steps]]\nname = \"stolen\"\nrun = \"true\"\n").expect("written");
    let plan = "reports = [\"**/*.xml\"]\n[[steps]]\nname = \"look\"\nrun = \"cat own.xml\"\n";
    commit_builds::repository(folder.path(), &[(".holter.toml", plan), ("own.xml", &JUNIT.replace("NAME", "own"))]);
    let work = folder.path().join("work");
    symlink(outside.join("junit.xml"), work.join("junit.xml")).expect("linked");
    symlink(&outside, work.join("out")).expect("linked");
    let bare = folder.path().join("pump.git").display().to_string();
    let pushed = |message: &str| {
        git(&work, &["add", "."]);
        git(&work, &["commit", "--quiet", "-m", message]);
        git(&work, &["push", "--quiet", &bare, "HEAD:refs/heads/main"]);
        git(&work, &["rev-parse", "HEAD"])
    };
    let server = TestServer::start_with(false, |config| {
        configured(config, folder.path(), "127.0.0.1:1");
        config.commit_statuses.clear();
        // The job sees what the links lead to; whoever reads for it must not.
        config.runner.visible.push(outside.clone());
    })
    .await;
    assert_eq!(told(&server, &push(&pushed("links"), "main", "links"), "s3cret").await, 200);
    let build = commit_builds::ended(&server).await;
    assert_eq!(build["status"], "success", "{build}");
    let runs = server.get("/api/v1/runs?setup=builds%2Facme%2Fpump").await.ok();
    assert_eq!(runs["items"][0]["counts"]["passed"], 1, "the report that is a file, and no other: {runs}");
    let run = runs["items"][0]["id"].as_str().expect("an id").to_owned();
    let page = server.get(&format!("/runs/{run}")).await.text;
    assert!(page.contains("own") && !page.contains("stolen"), "{page}");

    std::fs::remove_file(work.join(".holter.toml")).expect("removed");
    symlink(outside.join("plan.toml"), work.join(".holter.toml")).expect("linked");
    assert_eq!(told(&server, &push(&pushed("a plan"), "main", "a plan"), "s3cret").await, 200);
    let build = commit_builds::ended(&server).await;
    assert!(note(&build["job"]).contains("nothing in this repository is known to be run"), "{build}");
    server.stop().await;
}

#[tokio::test]
async fn links_that_a_job_makes_are_not_followed() {
    let yard = boxed().await;
    let mut job = scripted(
        "ln -s /etc/passwd passwd.xml; ln -s /etc etc; ln -s / root; mkfifo pipe.xml; ln -s loop loop; \
         printf '<testsuite><testcase name=\"mine\"/></testsuite>' > mine.xml; ln mine.xml again.xml; ls -A",
    );
    job.task.reports = vec!["**/*.xml".into(), "**/passwd".into(), "**/*".into()];
    job.task.tells.setup = "yard".into();
    job.task.tells.run = "r".into();
    let (job, log) = yard.run_job(job).await;
    assert_eq!(job["result"], "passed", "{log}");
    let reported = log.lines().filter(|line| line.starts_with("holter:")).collect::<Vec<_>>();
    assert!(reported.iter().all(|line| !line.contains("passwd") && !line.contains("pipe")), "{reported:?}");
    let runs = yard.server.get("/api/v1/runs?setup=yard").await.ok();
    assert_eq!(runs["items"][0]["result"], "passed", "{runs}");
    yard.goes_on().await;
}

#[tokio::test]
async fn who_forks_twice_and_leaves_its_session_ends_with_the_job() {
    let yard = boxed().await;
    // A daemon by the book: no parent, no session, no terminal, no open file,
    // and deaf to what it is asked.
    let daemon = "perl -MPOSIX -e 'exit if fork; POSIX::setsid(); exit if fork; chdir \"/\"; \
                  $SIG{$_} = \"IGNORE\" for qw(TERM INT HUP QUIT); POSIX::close($_) for 0..255; \
                  exec \"/bin/sleep\", \"98801\"'";
    let (job, log) = yard.run(&format!("{daemon}; sleep 0.3; ps -e 2>/dev/null | wc -l; echo begun")).await;
    assert_eq!(job["result"], "passed", "{log}");
    assert!(log.ends_with("begun\n"), "{log}");
    assert_eq!(running("98801"), 0);
    let mut job = scripted(&format!("{daemon}; env -i setsid sleep 98802 & while :; do sleep 98803; done"));
    job.task.limits.seconds = 1;
    let (job, _) = yard.run_job(job).await;
    assert_eq!(job["result"], "timed_out", "{job}");
    assert_eq!((running("98801"), running("98802"), running("98803")), (0, 0, 0));
    yard.goes_on().await;
}

#[tokio::test]
async fn neither_the_environment_nor_the_store_of_the_server_can_be_read() {
    let yard = boxed().await;
    let store = yard.server.folder().display().to_string();
    let script = format!(
        "for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ; ls $p/root{store} $p/cwd{store}; \
         cat $p/root{store}/holter.db; done 2>/dev/null; \
         find / -xdev -name '*.db*' -path '*holter*' 2>/dev/null; head -c 16 {store}/holter.db; \
         cat /proc/self/mountinfo | grep -c {store}/holter; grep -l . /run/holter-users/* 2>&1; echo looked"
    );
    let (job, log) = yard.run(&script).await;
    assert_eq!(job["result"], "passed", "{log}");
    assert!(log.ends_with("looked\n"), "{log}");
    for secret in ["CARGO", "SQLite format", "holter.db\n", "hunter22"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    yard.goes_on().await;
}

#[tokio::test]
async fn nothing_is_reached_without_the_network_by_any_way() {
    let yard = boxed().await;
    let port = yard.server.url("").rsplit(':').next().expect("a port").to_owned();
    let script = format!(
        "perl -MSocket -MIO::Socket::INET -e '\
         for my $to (qw(127.0.0.1 0.0.0.0 10.0.0.1 169.254.169.254)) {{ \
           print \"tcp $to\\n\" if IO::Socket::INET->new(PeerAddr => $to, PeerPort => {port}, Timeout => 2); \
           my $udp = IO::Socket::INET->new(Proto => \"udp\", PeerAddr => $to, PeerPort => 53) or next; \
           print \"udp $to\\n\" if $to ne \"127.0.0.1\" && $to ne \"0.0.0.0\" && defined $udp->send(\"x\"); }} \
         print \"name\\n\" if gethostbyname(\"example.org\"); \
         print \"raw\\n\" if socket(my $raw, AF_INET, SOCK_RAW, 1);'; \
         cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '; echo done"
    );
    let (job, log) = yard.run(&script).await;
    assert_eq!(job["result"], "passed", "{log}");
    assert_eq!(log, "lo\ndone\n");
    yard.goes_on().await;
}

#[tokio::test]
async fn a_batch_that_runs_wild_is_ended_and_the_next_one_runs() {
    let server = TestServer::start_with(true, |config| {
        config.runner.workers = 1;
        config.runner.limits =
            LimitsConfig { seconds: 6, memory_mebibytes: 256, processes: 64, disk_mebibytes: 64, output_mebibytes: 4 };
    })
    .await;
    let wild: [(&str, &str, &[&str]); 5] = [
        ("bomb.sh", "f() { f | f & }; f; while :; do sleep 1; done\n", &["errored", "failed", "timed_out"]),
        ("disk.sh", "i=0; while :; do head -c 5000000 /dev/zero > f$i; i=$((i+1)); done\n", &["errored"]),
        ("memory.sh", "perl -e 'push @x, \"a\" x (8 << 20) while 1'\n", &["errored", "failed"]),
        ("talk.sh", "yes\n", &["errored"]),
        ("tame.sh", "echo 1..1; echo ok 1\n", &["passed"]),
    ];
    let named = Form::default().text("name", "Kim");
    let form = wild.iter().fold(named, |form, (name, text, _)| form.file(name, text.as_bytes()));
    let sent = send(&server, form).await;
    assert_eq!(sent.status, 201, "{}", sent.text);
    let path = format!("/api/v1/batches/{}", sent.json["id"].as_str().expect("an id"));
    for (number, (name, _, results)) in wild.into_iter().enumerate() {
        let job = eventually("the job is over", async || {
            let job = server.get(&path).await.ok()["jobs"][number].clone();
            job["result"].is_string().then_some(job)
        })
        .await;
        assert_eq!(job["name"], name);
        assert!(results.contains(&job["result"].as_str().expect("a result")), "{job}");
    }
    server.stop().await;
}
