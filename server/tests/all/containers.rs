//! Steps in containers of real rootless podman: a worker that is no root, an
//! image that is made here, and nothing fetched.

use crate::harness::{TestServer, eventually};
use crate::work::{new_job, submit};
use app::domain::job::{Limits, Step};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use server::service::jobs::NewJob;
use server::service::tokens::Scope;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A user that nobody has, where the tests are run by root.
const USER: u32 = 61_234;

const IMAGE: &str = "localhost/holter-test:1";

/// Programs of the image: those of this machine, with what they are linked with.
const PROGRAMS: &[&str] = &["sh", "cat", "id", "sleep", "touch", "env", "ln"];

/// Makes the image and tries it; where that works, is the worker. What cannot run
/// containers at all is not Holter's.
const START: &str = r#"
cd "$HOME"
tar -C root -cf - . | podman import --quiet - localhost/holter-test:1 &&
podman run --rm --network=none --userns=keep-id localhost/holter-test:1 sh -c true ||
{ touch cannot; exit 0; }
touch ready
exec /proc/self/fd/3 worker --url "$URL" --name contained --folder jobs --config holter.toml
"#;

/// Before that, where the tests are run by root: the user has to be known.
const BECOME: &str = r#"
for name in passwd group subuid subgid; do mount --bind "$HOME/$name" /etc/$name || exit 1; done
exec setpriv --reuid=61234 --regid=61234 --clear-groups sh "$HOME/start.sh"
"#;

fn image(root: &Path) {
    let find = |name: &str| {
        let paths = ["/bin", "/usr/bin"].map(|folder| Path::new(folder).join(name));
        paths.into_iter().find(|path| path.exists()).expect("on every machine")
    };
    let copy = |from: &Path, to: &str| {
        let to = root.join(to.trim_start_matches('/'));
        fs::create_dir_all(to.parent().expect("within")).expect("made");
        fs::copy(from, to).expect("copied");
    };
    for name in PROGRAMS {
        let path = find(name);
        copy(&path, &format!("usr/bin/{name}"));
        let linked = Command::new("ldd").arg(&path).output().expect("ldd runs");
        let linked = String::from_utf8(linked.stdout).expect("text");
        for library in linked.split_whitespace().filter(|word| word.starts_with('/')) {
            copy(Path::new(library), library);
        }
    }
    std::os::unix::fs::symlink("usr/bin", root.join("bin")).expect("linked");
    for folder in ["tmp", "proc", "sys", "dev", "etc"] {
        fs::create_dir_all(root.join(folder)).expect("made");
    }
    fs::write(root.join("etc/image"), "of the image\n").expect("written");
}

/// What stands in the home of the worker's user.
fn furnish(home: &Path) {
    image(&home.join("root"));
    let write = |name: &str, text: &str| fs::write(home.join(name), text).expect("written");
    write("start.sh", START);
    write("become.sh", BECOME);
    write("holter.toml", "[runner]\nimages = [\"localhost/*\"]\n");
    // Of the two runtimes this one takes control groups of either kind.
    write("containers.conf", "[engine]\nruntime = \"runc\"\n[containers]\nlog_driver = \"k8s-file\"\n");
    let users = fs::read_to_string("/etc/passwd").expect("there");
    write("passwd", &format!("{users}holter-test:x:{USER}:{USER}::{}:/bin/sh\n", home.display()));
    let groups = fs::read_to_string("/etc/group").expect("there");
    write("group", &format!("{groups}holter-test:x:{USER}:\n"));
    write("subuid", "holter-test:700000:65536\n");
    write("subgid", "holter-test:700000:65536\n");
    let run = home.join("run");
    fs::create_dir(&run).expect("made");
    fs::set_permissions(&run, PermissionsExt::from_mode(0o700)).expect("closed");
}

/// A program that ends with the test, however that ends.
pub struct Guarded(pub Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        // Below `unshare` is the first process of a namespace: with it all others end.
        let id = self.0.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|word| Pid::from_raw(word.parse().ok()?)) {
            let _ = kill_process(child, Signal::KILL);
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a worker whose processes all end with it.
fn start(home: &Path, url: &str, token: &str) -> Guarded {
    let is_root = rustix::process::getuid().is_root();
    let mut command = if is_root {
        for path in [home.to_owned(), home.join("run"), home.join("root")] {
            chown(path, Some(USER), Some(USER)).expect("given");
        }
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--mount-proc", "sh", "-c"]);
        command.arg("exec sh \"$HOME/become.sh\" 3<\"$PROGRAM\"");
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", "exec sh \"$HOME/start.sh\" 3<\"$PROGRAM\""]);
        command
    };
    // The program may lie where that user may not go: it is handed over open.
    command.env("PROGRAM", env!("CARGO_BIN_EXE_holter")).env("HOLTER_TOKEN", token).env("URL", url);
    command.env("HOME", home).env("XDG_RUNTIME_DIR", home.join("run"));
    command.env("CONTAINERS_CONF", home.join("containers.conf")).stdin(Stdio::null());
    let said = fs::File::create(home.join("said")).expect("made");
    command.stdout(said.try_clone().expect("twice")).stderr(said);
    Guarded(command.spawn().expect("it starts"))
}

fn contained(script: &str) -> NewJob {
    let mut job = new_job("contained", "");
    job.task.steps = vec![Step { name: "run".into(), script: script.into(), image: IMAGE.into(), ..Step::default() }];
    job.task.environment.insert("WORD".into(), "it's all\nthere".into());
    job
}

async fn run(server: &TestServer, job: NewJob) -> (Value, String) {
    let id = submit(server, vec![job]).await[0];
    let job = eventually("the job is over", async || {
        let job = server.get(&format!("/api/v1/jobs/{id}")).await.ok();
        (job["state"] == "finished").then_some(job)
    })
    .await;
    (job, server.get(&format!("/api/v1/jobs/{id}/log")).await.text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_runs_in_the_container_of_its_image_and_nothing_of_it_is_left() {
    let server = TestServer::start_with(false, |_| {}).await;
    let token = server.token(Scope::Worker, None, None).await;
    let home = tempfile::tempdir().expect("a folder");
    fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).expect("opened");
    furnish(home.path());
    let worker = start(home.path(), &server.url(""), &token);
    let is_there = |name: &str| home.path().join(name).exists().then_some(());
    eventually("podman was tried", async || is_there("ready").or_else(|| is_there("cannot"))).await;
    let said = || fs::read_to_string(home.path().join("said")).unwrap_or_default();
    if is_there("cannot").is_some() {
        eprintln!("rootless podman runs no container on this machine, so nothing was tried: {}", said());
        return server.stop().await;
    }
    look_around(&server, &said).await;
    be_contained(&server).await;
    drop(worker);
    server.stop().await;
}

/// What a step sees.
async fn look_around(server: &TestServer, said: &dyn Fn() -> String) {
    let script = "cat /etc/image; id -u; touch /usr/x 2>/dev/null || echo closed; echo kept >made; cat made; \
                  cat /proc/net/route; echo \"$WORD\"; echo $HOME $TMPDIR; test -S /holter/socket && echo socket; exit 3";
    let mut job = contained(script);
    job.task.tells.setup = "bench".into();
    job.task.tells.run = "1".into();
    let (job, log) = run(server, job).await;
    let user = if rustix::process::getuid().is_root() { USER } else { rustix::process::getuid().as_raw() };
    let lines: Vec<_> = log.lines().filter(|line| !line.starts_with("Iface")).collect();
    assert_eq!(
        lines,
        ["of the image", &user.to_string(), "closed", "kept", "it's all", "there", "/job /tmp", "socket"],
        "{job} {}",
        said()
    );
    assert_eq!((job["result"].as_str(), job["note"].as_str()), (Some("failed"), Some("the step run ended with 3")));
}

/// What a step may not, and that the next one runs.
async fn be_contained(server: &TestServer) {
    let mut other = contained("true");
    other.task.steps[0].image = "docker.io/library/other:1".into();
    let (job, _) = run(server, other).await;
    let note = job["note"].as_str().expect("why");
    assert!(note.contains("docker.io/library/other:1 is not among those of this worker"), "{note}");

    let mut endless = contained("(sleep 98123 &) ; trap '' TERM; echo waiting; sleep 98124");
    endless.task.limits = Limits { seconds: 3, ..Limits::default() };
    let (job, log) = run(server, endless).await;
    assert_eq!((job["result"].as_str(), log.lines().next().unwrap_or_default()), (Some("timed_out"), "waiting"));
    assert_eq!(crate::runner::running("98123") + crate::runner::running("98124"), 0, "nothing is left");

    let mut hog = contained("x=0123456789abcdef; while :; do x=$x$x; done");
    hog.task.limits = Limits { memory_mebibytes: 200, seconds: 30, ..Limits::default() };
    let (job, _) = run(server, hog).await;
    assert!(matches!(job["result"].as_str(), Some("failed" | "errored")), "{job}");

    // Without a word in its environment it is known all the same.
    let mut hidden = contained("exec env -i /bin/sh -c 'x=0123456789abcdef; while :; do x=$x$x; done'");
    hidden.task.limits = Limits { memory_mebibytes: 200, seconds: 30, ..Limits::default() };
    let (job, _) = run(server, hidden).await;
    assert!(matches!(job["result"].as_str(), Some("failed" | "errored")), "{job}");

    // What it puts where its worker wrote once is not followed.
    let outside = Path::new("/tmp/holter-test-outside");
    let script = "for f in environment .environment; do ln -sf /tmp/holter-test-outside /holter/$f; done";
    let mut linked = contained(script);
    linked.task.steps.push(linked.task.steps[0].clone());
    let (job, log) = run(server, linked).await;
    assert_eq!(job["result"].as_str(), Some("passed"), "{log}");
    assert!(!outside.exists());

    let (job, log) = run(server, contained("echo all is well")).await;
    assert_eq!((job["result"].as_str(), &*log), (Some("passed"), "all is well\n"), "{job}");
}
