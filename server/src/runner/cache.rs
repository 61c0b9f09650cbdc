//! What a worker keeps from one job of a repository to the next.
//!
//! Packing and unpacking are steps of the job, run as its user within its
//! sandbox: whatever stands in an archive reaches no further than the job. The
//! worker moves the archives, and never looks into them. A job writes what jobs
//! of its own reference read, so a request from a fork cannot put anything into
//! the builds of the main branch.

use super::folder::{Folder, private};
use app::domain::batch::quoted;
use app::domain::job::{Cache, Step, Task};
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Caches of a job at most.
pub const CACHES_MOST: usize = 10;

/// Paths of a cache, and patterns of its key, at most.
pub const CACHE_PATHS_MOST: usize = 50;

/// What is read of all files that say what is in a cache.
const KEY_MOST: u64 = 64 * 1024 * 1024;

/// How the names of files end by which a job and its worker hand caches over.
const OWN: [&str; 4] = ["tar", "whole", "part", "new"];

/// What archives of all jobs of a worker are called.
const ARCHIVE: &str = "tar";

/// The time at which a file was used, by the machine's own clock.
const USED_NOW: Timestamps = Timestamps {
    last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
    last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
};

/// Archives that are kept on this machine.
#[derive(Clone, Debug)]
pub struct Caches {
    folder: PathBuf,
    /// Bytes of all of them.
    most: u64,
}

/// A cache of a job that runs.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    /// It is there already, and what is in it would not change.
    is_whole: bool,
}

/// The steps of a job between those that bring its caches and take them.
pub fn around(steps: Vec<Step>, caches: &[Cache]) -> Vec<Step> {
    if caches.is_empty() {
        return steps;
    }
    let step = |name: &str, line: fn(usize, &Cache) -> String| {
        let lines: Vec<_> = caches.iter().enumerate().map(|(number, cache)| line(number, cache)).collect();
        // A job is as good without them.
        Step { name: name.into(), script: lines.join("\n"), may_fail: true, ..Step::default() }
    };
    let restore = step("restore cache", |number, cache| {
        let said = quoted(&cache.paths.join(" "));
        format!(
            "f=\"$TMPDIR\"/.cache-{number}.tar\nif test -f \"$f\"; then tar -xf \"$f\" && rm -f \"$f\" && echo restored {said}; \
             else echo nothing is kept of {said} so far; fi"
        )
    });
    let save = step("save cache", |number, cache| {
        let paths: Vec<_> = cache.paths.iter().map(|path| quoted(path)).collect();
        format!(
            "f=\"$TMPDIR\"/.cache-{number}\nif test ! -e \"$f.whole\"; then\nset --\n\
             for p in {}; do test ! -e \"$p\" || set -- \"$@\" \"$p\"; done\n\
             test $# = 0 || tar -cf \"$f.part\" -- \"$@\" && mv \"$f.part\" \"$f.new\" && echo \"to be kept: $*\"\nfi",
            paths.join(" ")
        )
    });
    std::iter::once(restore).chain(steps).chain([save]).collect()
}

impl Caches {
    /// Those in a folder, which is made when it is needed.
    pub fn new(folder: PathBuf, most_mebibytes: u32) -> Self {
        Self { folder, most: u64::from(most_mebibytes) * 1024 * 1024 }
    }

    /// Puts what is kept where the steps of a variant find it. `keys` are those of
    /// [`keys`], `most` the bytes that all may have. The answer is for [`Self::take`].
    pub(super) fn bring(
        &self,
        folder: &Folder,
        task: &Task,
        keys: &[String],
        variant: &str,
        most: u64,
    ) -> io::Result<Vec<Kept>> {
        // What the variant before it found is none of this one's.
        for name in (0..task.caches.len()).flat_map(|number| OWN.map(|end| format!(".cache-{number}.{end}"))) {
            folder.forget(&name)?;
        }
        let mut room = most;
        let Some(checkout) = &task.checkout else { return Ok(Vec::new()) };
        let own = std::slice::from_ref(&checkout.reference);
        let references = if task.cached_for.is_empty() { own } else { &task.cached_for };
        let bring = |(number, (cache, key)): (usize, (&Cache, &String))| {
            let key = hex::encode(Sha256::digest(format!("{key}\n{variant}")));
            let path = |reference: &String| {
                let scope = hex::encode(Sha256::digest(format!("{}\n{reference}", checkout.url)));
                self.folder.join(scope).join(&key).with_extension(ARCHIVE)
            };
            let paths: Vec<_> = references.iter().map(path).collect();
            let found = paths.iter().find_map(|path| Some((path, File::open(path).ok()?)));
            let is_whole = !cache.key.is_empty() && found.as_ref().is_some_and(|(path, _)| *path == &paths[0]);
            if let Some((_, mut archive)) = found {
                room = room.checked_sub(archive.metadata()?.len()).ok_or_else(|| io::Error::other("it is too much"))?;
                // What is used is kept for longer. Nothing is lost where it cannot be said.
                let _ = rustix::fs::futimens(&archive, &USED_NOW);
                io::copy(&mut archive, &mut folder.hand(&format!(".cache-{number}.tar"))?)?;
            }
            if is_whole {
                folder.hand(&format!(".cache-{number}.whole"))?;
            }
            Ok(Kept { path: paths.into_iter().next().unwrap_or_default(), is_whole })
        };
        task.caches.iter().zip(keys).enumerate().map(bring).collect()
    }

    /// Keeps what the steps packed. None of the job's programs runs any more.
    /// All may have `most` bytes together.
    pub(super) fn take(&self, folder: &Folder, kept: &[Kept], most: u64) -> io::Result<()> {
        let mut room = most.min(self.most);
        for (number, Kept { path, .. }) in kept.iter().enumerate().filter(|(_, kept)| !kept.is_whole) {
            let Some(packed) = folder.left(&format!(".cache-{number}.new"))? else { continue };
            let size = packed.metadata()?.len();
            room = room.checked_sub(size).ok_or_else(|| io::Error::other("there is no room for so much"))?;
            let parent = path.parent().unwrap_or(&self.folder);
            private(parent)?;
            // Beside it, and then in its place: whoever reads it now has all of it.
            let mut fresh = tempfile::NamedTempFile::new_in(parent)?;
            io::copy(&mut packed.take(size), &mut fresh)?;
            fresh.persist(path)?;
            self.trim();
        }
        Ok(())
    }

    /// Deletes what was not used for longest, until the rest may stay.
    fn trim(&self) {
        let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let known = |path: PathBuf| {
            let data = fs::metadata(&path).ok()?;
            Some((data.modified().ok()?, data.len(), path))
        };
        let mut all: Vec<_> = entries(&self.folder).flat_map(|scope| entries(&scope).filter_map(known)).collect();
        all.sort();
        let mut sum: u64 = all.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in all {
            if sum <= self.most {
                return;
            }
            match fs::remove_file(&path) {
                Ok(()) => sum -= size,
                Err(error) => tracing::warn!(file = %path.display(), %error, "an old cache could not be deleted"),
            }
        }
    }
}

/// What tells one content of each cache from another, by the files of a checkout:
/// none of its steps may have run.
pub(super) fn keys(folder: &Folder, caches: &[Cache]) -> Vec<String> {
    let mut room = KEY_MOST;
    caches.iter().map(|cache| key(folder, cache, &mut room)).collect()
}

fn key(folder: &Folder, cache: &Cache, room: &mut u64) -> String {
    let mut hash = Sha256::new();
    let mut say = |text: &[u8]| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    cache.paths.iter().for_each(|path| say(path.as_bytes()));
    for (name, path) in folder.fitting(&cache.key) {
        say(name.as_bytes());
        let mut content = Vec::new();
        // What cannot be read says nothing, as if it were empty.
        let _ = File::open(path).and_then(|file| file.take(*room).read_to_end(&mut content));
        *room -= content.len() as u64;
        say(&content);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::domain::job::Checkout;
    use std::io::Write;

    struct Yard {
        within: tempfile::TempDir,
        caches: Caches,
    }

    impl Yard {
        fn new() -> Self {
            let within = tempfile::tempdir().expect("a folder");
            let caches = Caches::new(within.path().join("caches"), 1);
            Self { within, caches }
        }

        /// A job of these references whose lock file has a text: what it finds,
        /// and then leaves.
        fn job(&self, references: &[&str], lock: &str, leaves: &[u8]) -> Option<Vec<u8>> {
            let folder = Folder::make(&self.within.path().join("jobs"), "a", None).expect("made");
            folder.put("lock", lock.as_bytes()).expect("written");
            let cache = Cache { paths: vec!["deps".into()], key: vec!["lock".into()] };
            let task = Task {
                checkout: Some(Checkout { url: "file:///a".into(), ..Checkout::default() }),
                caches: vec![cache],
                cached_for: references.iter().map(|one| (*one).to_owned()).collect(),
                ..Task::default()
            };
            let keys = keys(&folder, &task.caches);
            let kept = self.caches.bring(&folder, &task, &keys, "", u64::MAX).expect("brought");
            let found = fs::read(folder.place().scratch.join(".cache-0.tar")).ok();
            folder.hand(".cache-0.new").expect("made").write_all(leaves).expect("written");
            self.caches.take(&folder, &kept, u64::MAX).expect("taken");
            found
        }
    }

    #[test]
    fn a_job_finds_what_one_of_its_reference_left_until_the_key_changes() {
        let yard = Yard::new();
        assert_eq!(yard.job(&["main"], "1", b"first"), None);
        assert_eq!(yard.job(&["main"], "1", b"not taken: it is there"), Some(b"first".to_vec()));
        assert_eq!(yard.job(&["main"], "2", b"second"), None);
        assert_eq!(yard.job(&["pull", "main"], "1", b"of the fork"), Some(b"first".to_vec()));
        assert_eq!(yard.job(&["main"], "1", b""), Some(b"first".to_vec()), "a fork writes for itself");
        assert_eq!(yard.job(&["pull", "main"], "1", b""), Some(b"of the fork".to_vec()));
    }

    #[test]
    fn what_was_not_used_for_longest_makes_room() {
        let yard = Yard::new();
        let large = vec![7; 400_000];
        for lock in ["1", "2", "1", "3"] {
            yard.job(&["main"], lock, &large);
        }
        assert_eq!(yard.job(&["main"], "1", b"x"), Some(large), "it was used again");
        assert_eq!(yard.job(&["main"], "2", b"x"), None);
    }
}
