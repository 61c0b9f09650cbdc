//! A repository that is cloned by SSH, from a real server of it.

use crate::commit_builds::{configured, ended, opened, push, repository, told};
use crate::containers::Guarded;
use crate::harness::{Sink, TestServer, eventually};
use serde_json::json;
use server::config::CredentialsConfig;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

const PLAN: &str = "[[steps]]\nname = \"look\"\nrun = \"cat hello.txt; ls -A $TMPDIR; id -un; env | grep GIT || echo nothing of git\"\n";

fn key(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&path).status();
    assert!(made.expect("ssh-keygen runs").success());
    fs::read_to_string(path.with_extension("pub")).expect("made")
}

/// Starts a server of SSH that lets one key in, and tells its port.
async fn serve(folder: &Path) -> Option<(Guarded, u16)> {
    let program = ["/usr/sbin/sshd", "/usr/bin/sshd"].into_iter().find(|path| Path::new(path).exists())?;
    if rustix::process::getuid().is_root() {
        fs::create_dir_all("/run/sshd").expect("made");
    }
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let shown = folder.display();
    let text = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {shown}/host\nAuthorizedKeysFile {shown}/own.pub\n\
         StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    );
    fs::write(folder.join("sshd_config"), text).expect("written");
    let mut command = Command::new(program);
    command.arg("-D").arg("-f").arg(folder.join("sshd_config")).stdin(Stdio::null()).stderr(Stdio::null());
    let child = Guarded(command.spawn().expect("it starts"));
    eventually("it listens", async || TcpStream::connect(("127.0.0.1", port)).ok()).await;
    Some((child, port))
}

#[tokio::test]
async fn a_key_is_known_to_the_checkout_alone_and_no_other_host_is_trusted() {
    let folder = opened();
    let commit = repository(folder.path(), &[(".holter.toml", PLAN), ("hello.txt", "hello by ssh\n")]);
    let (host, _own) = (key(folder.path(), "host"), key(folder.path(), "own"));
    let other = key(folder.path(), "other");
    let Some((_sshd, port)) = serve(folder.path()).await else {
        eprintln!("there is no sshd on this machine, so nothing was tried");
        return;
    };
    let forge = Sink::start().await.address.to_string();
    for (known, is_well) in [(&other, false), (&host, true)] {
        let server = TestServer::start_with(false, |config| {
            configured(config, folder.path(), &forge);
            config.runner.visible.clear();
            let user = String::from_utf8(Command::new("id").arg("-un").output().expect("it runs").stdout);
            let repository = &mut config.repositories[0];
            let path = folder.path().join("pump.git");
            repository.url = format!("ssh://{}@127.0.0.1:{port}{}", user.expect("text").trim(), path.display());
            repository.credentials = Some(CredentialsConfig {
                user: "git".into(),
                environment: None,
                file: Some(folder.path().join("own")),
                known_hosts: Some(format!("[127.0.0.1]:{port} {known}")),
            });
        })
        .await;
        assert_eq!(told(&server, &push(&commit, "main", "first"), "s3cret").await, 200);
        let build = ended(&server).await;
        let job = build["job"]["id"].as_str().expect("a job");
        let log = server.get(&format!("/api/v1/jobs/{job}/log")).await.text;
        assert_eq!(build["status"], json!(if is_well { "success" } else { "errored" }), "{build} {log}");
        assert_eq!(log.contains("hello by ssh"), is_well, "{log}");
        assert_eq!(log.contains("Host key verification failed"), !is_well, "{log}");
        if is_well && rustix::process::getuid().is_root() {
            assert!(
                log.contains("hello by ssh\n.gitconfig\nholter-job\nnothing of git\n"),
                "no key is left, and ssh knew who it is: {log}"
            );
        }
        assert!(!log.contains("PRIVATE KEY"), "{log}");
        server.stop().await;
    }
}
