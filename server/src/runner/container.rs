//! Steps in containers, by rootless podman: where a repository wants programs
//! that the worker's machine does not have.
//!
//! Only a worker that is no root runs them, so what breaks out of a container is
//! its user. The container is that user too, without any privileges, with the
//! job's folders and nothing else of the machine. podman's own environment is the
//! worker's: what a job wants in its environment is told within the container,
//! since some of it would tell podman or its loader what to do.

use super::sandbox::{FOLDER, Place, Program, RELAY};
use app::domain::batch::quoted;
use app::domain::job::{Limits, is_variable};
use app::domain::wall::matches;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What podman reads of the worker's environment.
const OWN: &[&str] = &[
    "HOME",
    "PATH",
    "XDG_RUNTIME_DIR",
    "XDG_DATA_HOME",
    "XDG_CONFIG_HOME",
    "CONTAINERS_CONF",
    "DBUS_SESSION_BUS_ADDRESS",
];

/// The label by which a worker knows its own containers; its value is the folder
/// of the worker's jobs.
const LABEL: &str = "holter.jobs";

/// How the names of containers begin.
const NAME: &str = "holter-";

/// How every container is run.
const CONFINED: &[&str] = &[
    "run",
    "--rm",
    "--quiet",
    "--pull=missing",
    "--userns=keep-id",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    "--security-opt=label=disable",
    "--read-only",
    "--read-only-tmpfs=false",
    "--shm-size=64m",
    // The first that the kernel ends when memory is short.
    "--oom-score-adj=900",
    "--entrypoint=",
];

/// Where the environment of a step stands in its container.
const ENVIRONMENT: &str = "/holter-environment";

/// podman itself answers within this, or is not waited for.
const REMOVED_WITHIN: Duration = Duration::from_secs(20);

/// What runs containers on this machine.
#[derive(Clone, Debug)]
pub struct Containers {
    podman: PathBuf,
    /// Images that steps may have; `*` stands for any letters.
    allowed: Vec<String>,
}

impl Containers {
    /// Containers of these images alone.
    pub fn new(podman: PathBuf, allowed: Vec<String>) -> Self {
        Self { podman, allowed }
    }

    /// Whether steps may have an image; else why not.
    pub fn check(&self, image: &str) -> Result<(), String> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
        if image.is_empty() || image.len() > 250 || image.starts_with('-') || !image.chars().all(is_word) {
            return Err(format!("{image:?} is no name of an image"));
        }
        if self.allowed.iter().any(|pattern| matches(pattern, image)) {
            return Ok(());
        }
        Err(format!("the image {image} is not among those of this worker (runner.images)"))
    }

    /// A program in a container of its image. What it finds in its environment is
    /// written down where none of the job's programs reaches: the worker would else
    /// write through a link of theirs.
    pub(super) fn command(&self, place: &Place, program: &Program<'_>) -> io::Result<Command> {
        self.check(program.image).map_err(io::Error::other)?;
        for old in [place.environment(), place.first_process()] {
            if old.exists() {
                std::fs::remove_file(old)?;
            }
        }
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(place.environment())?;
        file.write_all(exports(program).as_bytes())?;
        let mut command = Command::new(&self.podman);
        command.args(self.words(place, program)).env_clear();
        command.envs(OWN.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
        Ok(command)
    }

    fn words(&self, place: &Place, program: &Program<'_>) -> Vec<OsString> {
        let Program { limits, within, image, mark, .. } = program;
        let network = if program.has_network { "slirp4netns" } else { "none" };
        let folder = if within.is_empty() { FOLDER.to_owned() } else { format!("{FOLDER}/{within}") };
        let mut words: Vec<OsString> = CONFINED.iter().map(OsString::from).collect();
        words.push(format!("--name={}", name(place)).into());
        words.push(format!("--label={LABEL}={}", jobs(place).display()).into());
        // Where nobody is left to end it, it ends by itself.
        words.push(format!("--timeout={}", limits.seconds.max(1)).into());
        words.push(format!("--network={network}").into());
        words.push(format!("--workdir={folder}").into());
        words.push(format!("--env={mark}").into());
        let mut first = OsString::from("--pidfile=");
        first.push(place.first_process());
        words.push(first);
        words.extend(ulimits(limits).map(|limit| format!("--ulimit={limit}").into()));
        words.extend(binds(place));
        let begin = format!(". {ENVIRONMENT}; exec sh -c \"$0\"");
        words.extend([(*image).into(), "sh".into(), "-c".into(), begin.into(), program.script.into()]);
        words
    }

    /// Removes the container of a job, where podman that started it could not.
    pub(super) async fn remove(&self, place: &Place) {
        self.tell(&["rm", "--force", "--ignore", "--time=0", &name(place)]).await;
    }

    /// Removes containers of jobs whose folder is gone: what a killed worker left, or
    /// what was still running when this one was told to stop. Those of another worker
    /// that has the same folder go on.
    pub(super) async fn sweep(&self, folder: &Path) {
        let Ok(folder) = std::fs::canonicalize(folder) else { return };
        let label = format!("--filter=label={LABEL}={}", folder.display());
        let listed = self.tell(&["ps", "--all", "--format={{.Names}}", &label]).await;
        let is_left = |name: &&str| name.strip_prefix(NAME).is_some_and(|job| !folder.join(job).exists());
        let mut words = vec!["rm", "--force", "--ignore", "--time=0"];
        let known = words.len();
        words.extend(listed.split_whitespace().filter(is_left));
        if words.len() > known {
            self.tell(&words).await;
        }
    }

    async fn tell(&self, words: &[&str]) -> String {
        let mut command = tokio::process::Command::new(&self.podman);
        command.args(words).kill_on_drop(true).stdin(std::process::Stdio::null());
        match tokio::time::timeout(REMOVED_WITHIN, command.output()).await {
            Ok(Ok(output)) => {
                if !output.status.success() {
                    let error = String::from_utf8_lossy(&output.stderr);
                    tracing::warn!(error = error.trim(), "podman did not do what it was asked");
                }
                String::from_utf8_lossy(&output.stdout).into_owned()
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "podman could not be started");
                String::new()
            }
            Err(_) => {
                tracing::warn!("podman does not answer");
                String::new()
            }
        }
    }
}

/// What the kernel itself holds each process to.
fn ulimits(limits: &Limits) -> [String; 5] {
    [
        format!("data={0}:{0}", limits.memory_bytes()),
        format!("fsize={0}:{0}", limits.disk_bytes()),
        format!("nproc={0}:{0}", limits.processes),
        "core=0:0".to_owned(),
        "nofile=4096:4096".to_owned(),
    ]
}

/// What a container sees of the machine.
fn binds(place: &Place) -> [OsString; 4] {
    let environment = place.environment();
    let binds = [
        (&place.folder, FOLDER, "false"),
        (&place.scratch, "/tmp", "false"),
        (&place.relay, RELAY, "false"),
        (&environment, ENVIRONMENT, "true"),
    ];
    binds.map(|(outside, inside, is_closed)| {
        let mut bind = OsString::from("--mount=type=bind,source=");
        bind.push(outside);
        bind.push(format!(",destination={inside},readonly={is_closed}"));
        bind
    })
}

/// What the container of a job is called: like the job's own folder, which is
/// there once.
fn name(place: &Place) -> String {
    format!("{NAME}{}", place.own.file_name().unwrap_or_default().to_string_lossy())
}

/// The folder of the jobs of a worker.
fn jobs(place: &Place) -> &Path {
    place.own.parent().unwrap_or(&place.own)
}

fn exports(program: &Program<'_>) -> String {
    let mut text = String::new();
    for (name, value) in program.environment.iter().filter(|(name, _)| is_variable(name)) {
        let _ = writeln!(text, "export {name}={}", quoted(value));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn only_images_that_the_operator_named_are_run() {
        let containers = Containers::new("podman".into(), vec!["docker.io/library/python:*".into()]);
        assert_eq!(containers.check("docker.io/library/python:3.12"), Ok(()));
        for odd in ["", "--privileged", "docker.io/library/python:3.12 --privileged", "docker.io/other/python:3.12"] {
            assert!(containers.check(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn what_a_job_wants_in_its_environment_is_not_told_to_podman() {
        let within = tempfile::tempdir().expect("a folder");
        let path = |name: &str| within.path().join("jobs/one").join(name);
        std::fs::create_dir_all(path("relay")).expect("made");
        let own = within.path().join("jobs/one");
        let place = Place { folder: path("work"), scratch: path("tmp"), relay: path("relay"), own, user: None };
        let environment: BTreeMap<String, String> =
            [("LD_PRELOAD", "/job/x.so"), ("WORD", "it's\nso"), ("A;B", "c")].map(|(a, b)| (a.into(), b.into())).into();
        let limits = Limits::default();
        let program = Program {
            within: "sub",
            script: "make test",
            image: "tiny:1",
            limits: &limits,
            has_network: false,
            environment: &environment,
            mark: "HOLTER_JOB=1",
        };
        let command = Containers::new("podman".into(), vec!["*".into()]).command(&place, &program).expect("a command");
        assert!(command.get_envs().all(|(name, _)| OWN.contains(&name.to_str().expect("text"))));
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        for wanted in ["--network=none", "--cap-drop=all", "--read-only", "--workdir=/job/sub", "--name=holter-one"] {
            assert!(words.iter().any(|word| word == wanted), "{wanted}: {words:?}");
        }
        assert_eq!(words.last().map(String::as_str), Some("make test"));
        let told = std::fs::read_to_string(path("environment")).expect("written");
        assert_eq!(told, "export LD_PRELOAD='/job/x.so'\nexport WORD='it'\\''s\nso'\n");
    }
}
