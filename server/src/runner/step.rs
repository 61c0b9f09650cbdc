//! One step of a job: started, listened to, watched, ended with all its family.

use super::log::Log;
use super::sandbox::{Isolation, Place, Program, Sandbox};
use super::watch::{self, Taken};
use app::domain::job::{Limits, Step};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::watch as channel;
use tokio::time::{Instant, MissedTickBehavior};

/// Between two looks at what a job takes.
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// Of so many looks one is at the disk, which takes longer.
const DISK_EVERY: u32 = 3;

/// Looks at which a job may be at its limit of processes: builds are,
/// for a moment; what forks without end stays there.
const CROWDED_LOOKS: u32 = 12;

/// Who was asked to end gets so long for it.
const GRACE: Duration = Duration::from_secs(3);

/// What is left in the pipe is read for so long.
const DRAIN_FOR: Duration = Duration::from_secs(1);

/// Bytes that are read at once.
const READ_AT_ONCE: usize = 256 * 1024;

/// Bytes that the pipe holds: a program that puts out much is not stopped at each
/// line until we come to read.
const PIPE: usize = 256 * 1024;

/// How a step came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself.
    Code(i32),
    /// By a signal that was not ours.
    Signal(i32),
    /// Its time was over.
    TimedOut,
    /// It took more than it may, in these words.
    TooMuch(String),
    /// Somebody wanted it to stop, for this reason.
    Stopped(String),
    /// Somebody else has the job.
    Gone,
}

/// What a step is run with.
pub struct Setting<'a> {
    /// What stands around it.
    pub sandbox: &'a Sandbox,
    /// Where it is.
    pub place: &'a Place,
    /// All that its environment has.
    pub environment: &'a BTreeMap<String, String>,
    /// What it may take.
    pub limits: Limits,
    /// It may use the network.
    pub has_network: bool,
    /// When its time is over.
    pub deadline: Instant,
    /// In plain processes and in containers, what its family is known by.
    pub mark: &'a str,
}

/// Runs a step. `put_out` counts over all steps of a job.
pub async fn run(
    setting: &Setting<'_>,
    step: &Step,
    log: &Log,
    kept: Option<File>,
    put_out: &mut u64,
    stop: &mut channel::Receiver<Option<String>>,
) -> io::Result<Ending> {
    let (reader, writer) = io::pipe()?;
    // Who may not have as much has the usual.
    let _ = rustix::pipe::fcntl_setpipe_size(&reader, PIPE);
    let Setting { sandbox, place, environment, limits, has_network, mark, .. } = setting;
    let (within, script, image) = (&*step.folder, &*step.script, &*step.image);
    let program = Program { within, script, image, limits, has_network: *has_network, environment, mark };
    let mut command = Command::from(sandbox.command(place, &program)?);
    command.stdin(Stdio::null());
    command.stderr(Stdio::from(writer.try_clone()?)).stdout(Stdio::from(writer)).kill_on_drop(true);
    let child = command.spawn()?;
    // Its ends of the pipe are to be the only ones.
    drop(command);
    let pipe = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
    let root = child.id().unwrap_or_default();
    let is_contained = !image.is_empty();
    let mut running = Running { setting, is_contained, child, root, pipe, log, kept, put_out, crowded: 0, looks: 0 };
    let ending = running.follow(stop).await?;
    running.end().await;
    Ok(ending)
}

struct Running<'a> {
    setting: &'a Setting<'a>,
    /// It runs in a container, whose processes are no children of ours.
    is_contained: bool,
    child: Child,
    root: u32,
    pipe: pipe::Receiver,
    log: &'a Log,
    kept: Option<File>,
    put_out: &'a mut u64,
    crowded: u32,
    looks: u32,
}

enum News {
    Text(usize),
    Exit(ExitStatus),
    Look,
    Stop(String),
    Late,
    Gone,
}

impl Running<'_> {
    /// Follows it until it ends, or has to.
    async fn follow(&mut self, stop: &mut channel::Receiver<Option<String>>) -> io::Result<Ending> {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut buffer = vec![0; READ_AT_ONCE];
        let mut is_open = true;
        loop {
            let news = {
                let reading = async {
                    let Some(room) = self.log.room().await else { return Ok(News::Gone) };
                    let read = self.pipe.read(&mut buffer).await?;
                    room.put(buffer[..read].to_vec());
                    Ok::<_, io::Error>(News::Text(read))
                };
                tokio::select! {
                    biased;
                    why = stopped(stop) => News::Stop(why),
                    () = tokio::time::sleep_until(self.setting.deadline) => News::Late,
                    _ = looks.tick() => News::Look,
                    read = reading, if is_open => read?,
                    status = self.child.wait() => News::Exit(status?),
                }
            };
            match news {
                News::Text(0) => is_open = false,
                News::Text(read) => {
                    if let Some(ending) = self.count(&buffer[..read])? {
                        return Ok(ending);
                    }
                }
                News::Look => {
                    if let Some(why) = self.look().await {
                        return Ok(Ending::TooMuch(why));
                    }
                }
                News::Exit(status) => {
                    self.drain(is_open, &mut buffer).await?;
                    return Ok(status.code().map_or(Ending::Signal(status.signal().unwrap_or(0)), Ending::Code));
                }
                News::Stop(why) => return Ok(Ending::Stopped(why)),
                News::Late => return Ok(Ending::TimedOut),
                News::Gone => return Ok(Ending::Gone),
            }
        }
    }

    fn count(&mut self, text: &[u8]) -> io::Result<Option<Ending>> {
        if let Some(kept) = &mut self.kept {
            kept.write_all(text)?;
        }
        *self.put_out += text.len() as u64;
        let limits = &self.setting.limits;
        let is_too_much = *self.put_out > limits.output_bytes();
        Ok(is_too_much.then(|| Ending::TooMuch(format!("it put out more than {} MiB", limits.output_mebibytes))))
    }

    /// What was written before the end is still in the pipe. Where somebody
    /// that outlived the step holds it open, its end is not waited for.
    async fn drain(&mut self, is_open: bool, buffer: &mut [u8]) -> io::Result<()> {
        if !is_open {
            return Ok(());
        }
        let until = Instant::now() + DRAIN_FOR;
        while let Ok(read) = tokio::time::timeout_at(until, self.pipe.read(buffer)).await {
            let read = read?;
            if read == 0 || self.count(&buffer[..read])?.is_some() {
                break;
            }
            let Some(room) = self.log.room().await else { break };
            room.put(buffer[..read].to_vec());
        }
        Ok(())
    }

    fn mark(&self) -> Option<String> {
        let is_plain = self.setting.sandbox.isolation() == Isolation::Plain;
        (is_plain || self.is_contained).then(|| self.setting.mark.to_owned())
    }

    /// Whose children are its family. A container is none of ours: podman says which
    /// process is its first, and all others are below that. What is left in the file
    /// when podman has ended is nobody's any more.
    fn roots(&self) -> Vec<u32> {
        let named = self.is_contained.then(|| std::fs::read_to_string(self.setting.place.first_process()).ok());
        let first = named.flatten().and_then(|text| text.trim().parse().ok());
        std::iter::once(self.root).chain(first).collect()
    }

    async fn look(&mut self) -> Option<String> {
        self.looks = self.looks.wrapping_add(1);
        let (roots, mark) = (self.roots(), self.mark());
        let place = self.setting.place;
        let folders = (self.looks.is_multiple_of(DISK_EVERY))
            .then(|| [place.folder.clone(), place.scratch.clone(), place.relay.clone()]);
        let looking = tokio::task::spawn_blocking(move || {
            let disk = folders
                .map_or(0, |folders| folders.iter().map(|folder| watch::disk(folder)).fold(0, u64::saturating_add));
            (watch::taken(&watch::family(&roots, mark.as_deref())), disk)
        });
        let (taken, disk) = looking.await.ok()?;
        self.judge(taken, disk)
    }

    fn judge(&mut self, taken: Taken, disk: u64) -> Option<String> {
        let limits = &self.setting.limits;
        if taken.memory > limits.memory_bytes() {
            return Some(format!("its programs took more than {} MiB of memory", limits.memory_mebibytes));
        }
        if disk > limits.disk_bytes() {
            return Some(format!("it wrote more than {} MiB, or very many files", limits.disk_mebibytes));
        }
        // What forks without end also dies without end: it is not at the limit
        // in every look.
        let is_crowded = taken.processes >= limits.processes / 4 * 3;
        self.crowded = if is_crowded { self.crowded + 1 } else { self.crowded.saturating_sub(1) };
        (self.crowded >= CROWDED_LOOKS)
            .then(|| format!("it ran nearly {} processes at once, and did not stop", limits.processes))
    }

    /// Ends whatever is left of it: asked first, then not asked.
    async fn end(&mut self) {
        let has_ended = !matches!(self.child.try_wait(), Ok(None));
        if !has_ended || self.mark().is_some() {
            self.signal(Signal::TERM, has_ended).await;
            let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
            self.signal(Signal::KILL, has_ended).await;
            let _ = self.child.start_kill();
        }
        let _ = self.child.wait().await;
        if self.is_contained
            && let Some(containers) = self.setting.sandbox.containers()
        {
            containers.remove(self.setting.place).await;
        }
        let mut buffer = vec![0; READ_AT_ONCE];
        let _ = self.drain(true, &mut buffer).await;
    }

    /// Signals its family. bubblewrap itself is not asked: it would end at
    /// once, and all others with it. Rounds end when nobody new is found, since
    /// what forks is quicker than one look.
    async fn signal(&self, signal: Signal, root_is_gone: bool) {
        let (root, mark) = (self.root, self.mark());
        let roots = if root_is_gone { vec![root] } else { self.roots() };
        let spares_root = signal == Signal::TERM && mark.is_none() || root_is_gone;
        let signalling = tokio::task::spawn_blocking(move || {
            for _ in 0..20 {
                let family = watch::family(&roots, mark.as_deref());
                let others = family.into_iter().filter(|pid| !(spares_root && *pid == root));
                let reached = others
                    .filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?))
                    .filter(|pid| kill_process(*pid, signal).is_ok())
                    .count();
                if reached == 0 || signal == Signal::TERM {
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let _ = signalling.await;
    }
}

/// Returns when somebody wants the job to stop, with the reason.
async fn stopped(stop: &mut channel::Receiver<Option<String>>) -> String {
    let why = stop.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
    match why {
        Some(why) => why,
        // Nobody can want it any more.
        None => std::future::pending().await,
    }
}
