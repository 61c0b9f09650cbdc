//! A `PostgreSQL` server of our own for the length of a test run.
//!
//! It lives in a temporary folder, on a free port of the loopback address and on a
//! Unix socket, and keeps nothing safe on disk. It never touches a database that
//! the machine may already run.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::step::step;
use crate::{command, install};

const START_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How the temporary folders begin; the id of the process that made one follows.
const FOLDER: &str = "holter-postgres-";

/// The name of the database user, who owns everything.
const USER: &str = "holter";

/// A running server; dropping it stops it and removes its folder.
pub struct Postgres {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Postgres {
    /// Installs the programs if need be, and starts a fresh, empty server.
    pub fn start() -> Result<Self> {
        let programs = programs()?;
        step("start PostgreSQL", || Self::start_from(&programs))
    }

    fn start_from(programs: &Path) -> Result<Self> {
        remove_abandoned(&std::env::temp_dir());
        let folder = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let owner = Owner::find()?;
        owner.take(&folder)?;
        // From here on dropping the value cleans up, however far the start gets.
        let mut server = Self { folder, port, child: None };
        command::run_quietly(
            owner
                .run(&programs.join("initdb"))
                .args(["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"])
                .arg(format!("--username={USER}"))
                .arg(server.data()),
        )?;
        server.child = Some(server.spawn(&owner, &programs.join("postgres"))?);
        server.wait_until_ready()?;
        Ok(server)
    }

    fn spawn(&self, owner: &Owner, postgres: &Path) -> Result<Child> {
        let log = fs::File::create(self.log())?;
        let folder = self.folder.display();
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            format!("unix_socket_directories={folder}"),
            "max_connections=200".to_owned(),
            "fsync=off".to_owned(),
            "synchronous_commit=off".to_owned(),
            "full_page_writes=off".to_owned(),
        ];
        let mut command = owner.run(postgres);
        command.arg("-D").arg(self.data());
        for setting in settings {
            command.arg("-c").arg(setting);
        }
        Ok(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?)
    }

    /// Waits for the word `ready`, which the server writes to its process file.
    fn wait_until_ready(&mut self) -> Result<()> {
        let pid_file = self.data().join("postmaster.pid");
        let start = Instant::now();
        while start.elapsed() < START_WITHIN {
            let status = fs::read_to_string(&pid_file).unwrap_or_default();
            if status.lines().any(|line| line.trim() == "ready") {
                return Ok(());
            }
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait()?
            {
                bail!("PostgreSQL ended with {status}: {}", self.complaint());
            }
            sleep(LOOK_EVERY);
        }
        bail!("PostgreSQL is not ready after {START_WITHIN:?}: {}", self.complaint())
    }

    /// Where to reach the server over TCP.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// Where to reach the server over its Unix socket.
    pub fn socket_url(&self) -> String {
        let folder = self.folder.to_string_lossy().replace('/', "%2F");
        format!("postgres://{USER}@localhost:{}/postgres?host={folder}", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn complaint(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn stop(child: &mut Child) -> Result<()> {
        // SIGINT is the "fast" shutdown: it ends sessions and leaves nothing behind.
        command::run_quietly(Command::new("kill").args(["-INT", &child.id().to_string()]))?;
        let start = Instant::now();
        while child.try_wait()?.is_none() {
            if start.elapsed() > STOP_WITHIN {
                return Ok(child.kill()?);
            }
            sleep(LOOK_EVERY);
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stopped = self.child.as_mut().map_or(Ok(()), Self::stop);
        if let Err(error) = stopped.and_then(|()| Ok(fs::remove_dir_all(&self.folder)?)) {
            eprintln!("PostgreSQL in {} was not cleaned up: {error:#}", self.folder.display());
        }
    }
}

/// Who runs the server: `PostgreSQL` refuses to run as root.
struct Owner {
    /// The user and group to become, when this process is root.
    ids: Option<(u32, u32)>,
}

impl Owner {
    fn find() -> Result<Self> {
        if !install::is_root() {
            return Ok(Self { ids: None });
        }
        for user in ["postgres", "nobody"] {
            if let Ok(id) = install::id(&["-u", user]) {
                let ids = Some((id, install::id(&["-g", user])?));
                return Ok(Self { ids });
            }
        }
        bail!("PostgreSQL cannot run as root, and there is no user `postgres` or `nobody`")
    }

    fn take(&self, folder: &Path) -> Result<()> {
        if let Some((user, group)) = self.ids {
            chown(folder, Some(user), Some(group))?;
        }
        Ok(())
    }

    /// A command that runs `program` as this owner.
    ///
    /// `setpriv` becomes the program instead of starting it, so the child's process
    /// id is the server's. It also has the kernel stop the server when this tool
    /// is killed before it can.
    fn run(&self, program: &Path) -> Command {
        if command::find("setpriv").is_none() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        if let Some((user, group)) = self.ids {
            command.arg(format!("--reuid={user}"));
            command.arg(format!("--regid={group}"));
            command.arg("--clear-groups");
        }
        command.arg("--pdeathsig=INT").arg("--").arg(program);
        // The checkout may lie where that user cannot look.
        command.current_dir("/");
        command
    }
}

/// Removes the folders of runs that were interrupted; their servers went with them.
///
/// Whatever cannot be removed belongs to someone else and is left alone.
fn remove_abandoned(temporary: &Path) {
    if !Path::new("/proc/self").exists() {
        return;
    }
    for entry in fs::read_dir(temporary).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(FOLDER));
        let id = id.and_then(|id| id.parse::<u32>().ok());
        if id.is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The folder with `initdb` and `postgres`.
fn programs() -> Result<PathBuf> {
    install::found_or_installed("PostgreSQL", &["postgresql"], || {
        let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
        let mut folders: Vec<_> = debian.flatten().map(|e| e.path().join("bin")).collect();
        folders.sort();
        folders.reverse();
        folders.extend(command::find("initdb").and_then(|p| Some(p.parent()?.to_owned())));
        folders.push(PathBuf::from("/usr/local/bin"));
        folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_the_port_and_the_folder() {
        let server = Postgres {
            folder: std::env::temp_dir().join(format!("holter-no-server-{}", std::process::id())),
            port: 5433,
            child: None,
        };
        fs::create_dir_all(&server.folder).expect("a temporary folder can be made");
        assert_eq!(server.url(), "postgres://holter@127.0.0.1:5433/postgres");
        assert!(server.socket_url().contains(":5433/postgres?host=%2F"));
    }
}
