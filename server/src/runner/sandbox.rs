//! What stands around a job: which programs start it, what it sees, and who it is.
//!
//! With bubblewrap a job has file systems, processes and a network of its own:
//! it sees the system's programs, what the operator shows it, and its folder.
//! When its first program ends, or the worker dies, the kernel ends all of its
//! processes. Where the worker is root, the job is a user that owns nothing but
//! its folder; else it is the worker's own user in a namespace of its own.
//!
//! Without it (`plain`, only where the operator says so) a job is kept apart by
//! its user alone.

use super::container::Containers;
use app::domain::job::Limits;
use rustix::process::getuid;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a job calls its folder.
pub const FOLDER: &str = "/job";

/// Who a job is within its sandbox, where it is its worker's user outside.
pub(super) const OWN_USER: u32 = 1_000;

/// Where a job finds the way to its worker.
pub(super) const RELAY: &str = "/holter";

/// Parts of the system that programs cannot do without.
const SYSTEM: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix"];

/// What programs read of the machine's settings; nothing else of `/etc` is shown.
const SETTINGS: &[&str] = &[
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "group",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "pki",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
    "timezone",
];

/// How jobs are kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// By bubblewrap.
    #[default]
    Bubblewrap,
    /// By their user alone.
    Plain,
}

/// The programs that start jobs, as they were found on this machine.
#[derive(Clone, Debug)]
pub struct Sandbox {
    isolation: Isolation,
    bwrap: PathBuf,
    prlimit: PathBuf,
    setpriv: PathBuf,
    shell: PathBuf,
    is_root: bool,
    /// Folders that jobs may read beside the system's.
    visible: Vec<PathBuf>,
    /// What runs the steps that have an image.
    containers: Option<Containers>,
}

/// What a step runs.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The folder in which it runs, within the job's.
    pub within: &'a str,
    /// A text for the shell.
    pub script: &'a str,
    /// The image of its container; empty where it has none.
    pub image: &'a str,
    /// What it may take.
    pub limits: &'a Limits,
    /// It may use the network.
    pub has_network: bool,
    /// All that its environment has.
    pub environment: &'a BTreeMap<String, String>,
    /// What all of its processes carry in their environment: a variable, `=` and
    /// its value.
    pub mark: &'a str,
}

/// Where a job is, on this machine.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its folder, in which its steps run.
    pub folder: PathBuf,
    /// Where it puts what it needs for a moment.
    pub scratch: PathBuf,
    /// The folder of the socket to its worker.
    pub relay: PathBuf,
    /// The user that it is, where that is not its worker's.
    pub user: Option<u32>,
    /// The folder of all these, with what its worker keeps of it: the job sees no
    /// more of it than what is shown to it.
    pub own: PathBuf,
}

impl Place {
    /// A list of users that has the job's: programs such as ssh run for nobody else.
    pub fn users(&self) -> PathBuf {
        self.own.join("passwd")
    }

    /// What a step in a container finds in its environment.
    pub(super) fn environment(&self) -> PathBuf {
        self.own.join("environment")
    }

    /// Where podman says which process is the first of the container.
    pub(super) fn first_process(&self) -> PathBuf {
        self.own.join("process")
    }
}

fn found(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin"];
    folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists())
}

impl Sandbox {
    /// Looks for what is needed; or says what is missing. `images` are those that
    /// steps may have, where they may.
    pub fn find(isolation: Isolation, visible: Vec<PathBuf>, images: &[String]) -> Result<Self, String> {
        let needed = |name: &str, package: &str| {
            found(name).ok_or_else(|| format!("{name} is missing; install it (on Debian: apt-get install {package})"))
        };
        let bwrap = match isolation {
            Isolation::Bubblewrap => needed("bwrap", "bubblewrap")?,
            Isolation::Plain => PathBuf::new(),
        };
        let is_root = getuid().is_root();
        let containers = match images {
            [] => None,
            _ if is_root => return Err("runner.images needs a worker that is not started as root".into()),
            _ => Some(Containers::new(needed("podman", "podman")?, images.to_vec())),
        };
        Ok(Self {
            containers,
            isolation,
            bwrap,
            prlimit: needed("prlimit", "util-linux")?,
            setpriv: needed("setpriv", "util-linux")?,
            shell: needed("sh", "dash")?,
            is_root,
            visible,
        })
    }

    /// How jobs are kept apart.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Jobs are other users than their worker.
    pub fn is_root(&self) -> bool {
        self.is_root
    }

    /// What the job calls its own folder.
    pub fn folder(&self, place: &Place) -> PathBuf {
        self.seen(&place.folder, FOLDER)
    }

    /// What the job calls the folder for what it needs for a moment.
    pub fn scratch(&self, place: &Place) -> PathBuf {
        self.seen(&place.scratch, "/tmp")
    }

    /// What the job calls the socket to its worker.
    pub fn relay(&self, place: &Place, socket: &str) -> PathBuf {
        self.seen(&place.relay, RELAY).join(socket)
    }

    /// What runs steps in containers, where anything does.
    pub(super) fn containers(&self) -> Option<&Containers> {
        self.containers.as_ref()
    }

    fn seen(&self, outside: &Path, inside: &str) -> PathBuf {
        match self.isolation {
            Isolation::Bubblewrap => inside.into(),
            Isolation::Plain => outside.into(),
        }
    }

    /// A program of a job: a text for the shell, in a folder of the job's own.
    /// It finds in its environment what it is given, and nothing else.
    pub fn command(&self, place: &Place, program: &Program<'_>) -> io::Result<Command> {
        if program.image.is_empty() {
            return Ok(self.plain_command(place, program));
        }
        match &self.containers {
            Some(containers) => containers.command(place, program),
            None => Err(io::Error::other(format!(
                "it wants the image {}, and this worker runs none (runner.images)",
                program.image
            ))),
        }
    }

    fn plain_command(&self, place: &Place, program: &Program<'_>) -> Command {
        let Program { within, script, limits, has_network, .. } = *program;
        let within = if within.is_empty() { self.folder(place) } else { self.folder(place).join(within) };
        let mut words: Vec<OsString> = Vec::new();
        if self.isolation == Isolation::Bubblewrap {
            words.push(self.bwrap.clone().into());
            self.surround(place, &within, has_network, &mut words);
        }
        self.become_nobody(place.user, &mut words);
        self.limit(limits, &mut words);
        words.push(self.shell.clone().into());
        // The kernel is to choose a job, and not the worker, when memory ends.
        let script = format!("echo 900 2>/dev/null >/proc/self/oom_score_adj; exec 2>&1\n{script}");
        words.extend(["-c".into(), script.into()]);
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).env_clear().envs(program.environment);
        if self.isolation == Isolation::Plain {
            use std::os::unix::process::CommandExt;
            command.current_dir(&within).process_group(0);
        }
        command
    }

    fn surround(&self, place: &Place, within: &Path, has_network: bool, words: &mut Vec<OsString>) {
        for flag in [
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-cgroup-try",
            "--die-with-parent",
            "--new-session",
        ] {
            say(words, &[text(flag)]);
        }
        if !has_network {
            say(words, &[text("--unshare-net")]);
        }
        if !self.is_root {
            let own = OWN_USER.to_string();
            say(words, &[text("--unshare-user"), text("--uid"), text(&own), text("--gid"), text(&own)]);
        }
        show_system(words);
        for (outside, inside) in [(&place.folder, FOLDER), (&place.scratch, "/tmp"), (&place.relay, RELAY)] {
            say(words, &[text("--bind"), outside.as_os_str(), text(inside)]);
        }
        say(words, &[text("--ro-bind"), place.users().as_os_str(), text("/etc/passwd")]);
        // After its own folders: what is to be seen may lie in the machine's /tmp.
        self.visible.iter().for_each(|path| show(path, words));
        say(words, &[text("--remount-ro"), text("/dev"), text("--remount-ro"), text("/")]);
        say(words, &[text("--chdir"), within.as_os_str(), text("--")]);
    }

    fn become_nobody(&self, user: Option<u32>, words: &mut Vec<OsString>) {
        let Some(user) = user else { return };
        let user = user.to_string();
        words.push(self.setpriv.clone().into());
        for word in ["--reuid", &user, "--regid", &user, "--clear-groups", "--no-new-privs"] {
            words.push(word.into());
        }
        words.extend(["--inh-caps=-all".into(), "--bounding-set=-all".into(), "--".into()]);
    }

    fn limit(&self, limits: &Limits, words: &mut Vec<OsString>) {
        words.push(self.prlimit.clone().into());
        // Of one program; the worker counts what all of them take together.
        words.push(format!("--data={}", limits.memory_bytes()).into());
        words.push(format!("--fsize={}", limits.disk_bytes()).into());
        words.push(format!("--nproc={}", limits.processes).into());
        words.extend(["--core=0".into(), "--nofile=4096".into(), "--".into()]);
    }
}

fn text(word: &str) -> &OsStr {
    OsStr::new(word)
}

fn say(words: &mut Vec<OsString>, these: &[&OsStr]) {
    words.extend(these.iter().map(|word| (*word).to_owned()));
}

/// What every program needs of the machine.
fn show_system(words: &mut Vec<OsString>) {
    for path in SYSTEM {
        match std::fs::read_link(path) {
            Ok(target) => say(words, &[text("--symlink"), target.as_os_str(), text(path)]),
            Err(_) => say(words, &[text("--ro-bind-try"), text(path), text(path)]),
        }
    }
    say(words, &[text("--perms"), text("0755"), text("--dir"), text("/etc")]);
    for name in SETTINGS {
        let path = format!("/etc/{name}");
        say(words, &[text("--ro-bind-try"), text(&path), text(&path)]);
    }
    say(words, &[text("--proc"), text("/proc"), text("--dev"), text("/dev")]);
    // Memory that is no program's would escape the count.
    say(words, &[text("--perms"), text("1777"), text("--size"), text("67108864"), text("--tmpfs"), text("/dev/shm")]);
}

/// A folder of the machine, to be read.
fn show(path: &Path, words: &mut Vec<OsString>) {
    // Folders on the way there would be closed to everybody but root.
    let mut parents: Vec<_> = path.ancestors().skip(1).filter(|parent| parent.parent().is_some()).collect();
    parents.reverse();
    for parent in parents {
        say(words, &[text("--perms"), text("0755"), text("--dir"), parent.as_os_str()]);
    }
    say(words, &[text("--ro-bind-try"), path.as_os_str(), path.as_os_str()]);
}
