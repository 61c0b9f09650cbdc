//! The folder of a job: made fresh, filled, searched for reports, deleted.
//!
//! What a job leaves there is a stranger's: no link in it is followed, and
//! what is kept of it is read only when none of its programs runs any more.

use super::plan;
use super::sandbox::{self, Place};
use app::domain::commit::is_full_commit;
use app::domain::job::{Task, path_fits};
use rustix::fs::OFlags;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// Bytes of all reports of a job.
const REPORTS_MOST: u64 = 64 * 1024 * 1024;

/// Reports of a job.
const REPORTS_AT_MOST: usize = 500;

/// Entries of the folder that are looked at.
const LOOKED_AT: usize = 200_000;

/// What is locked in a folder for as long as a worker has its job.
const LOCK: &str = "lock";

/// A job's folder. Deleted when this goes.
pub struct Folder {
    root: PathBuf,
    _lock: File,
    place: Place,
}

/// Files that are kept of a job.
const ARTIFACTS_AT_MOST: usize = 200;

/// Bytes of all files that are kept of a job.
const ARTIFACTS_MOST: u64 = 256 * 1024 * 1024;

/// A report that a job left.
pub struct Found {
    /// The step that put it out, where it is none of the folder.
    pub step: Option<usize>,
    /// Its path within the folder.
    pub name: String,
    /// It.
    pub bytes: Vec<u8>,
}

/// Makes a folder, with those on the way there, that its owner alone may enter.
pub(super) fn private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes the machine's list of users with that of a job.
fn write_users(path: &Path, user: Option<u32>) -> io::Result<()> {
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let number = user.unwrap_or(sandbox::OWN_USER);
    let is_new = !known.lines().any(|line| line.split(':').nth(2) == Some(&number.to_string()));
    let own =
        if is_new { format!("holter-job:x:{number}:{number}::{}:/bin/sh\n", sandbox::FOLDER) } else { String::new() };
    fs::write(path, known + &own)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

impl Folder {
    /// Makes a fresh folder under `within`, for a job that is this user.
    pub fn make(within: &Path, name: &str, user: Option<u32>) -> io::Result<Self> {
        private(within)?;
        let within = fs::canonicalize(within)?;
        let root = within.join(name);
        if root.exists() {
            remove(&root)?;
        }
        private(&root)?;
        if user.is_some() {
            // The job's own user has to pass through, and sees no names there.
            fs::set_permissions(&within, fs::Permissions::from_mode(0o711))?;
            fs::set_permissions(&root, fs::Permissions::from_mode(0o711))?;
        }
        let [folder, scratch, relay] = ["work", "tmp", "relay"].map(|name| root.join(name));
        let place = Place { folder, scratch, relay, own: root.clone(), user };
        write_users(&place.users(), user)?;
        let lock = File::create(root.join(LOCK))?;
        lock.try_lock().map_err(io::Error::from)?;
        let folder = Self { root, _lock: lock, place };
        private(&folder.root.join("kept"))?;
        for own in [&folder.place.folder, &folder.place.scratch, &folder.place.relay] {
            private(own)?;
            folder.hand_over(own)?;
        }
        Ok(folder)
    }

    /// Where the job is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    fn hand_over(&self, path: &Path) -> io::Result<()> {
        match self.place.user {
            Some(user) => chown(path, Some(user), Some(user)),
            None => Ok(()),
        }
    }

    /// Puts a file into the folder. Its path was checked.
    pub fn put(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut folder = self.place.folder.clone();
        let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
        for part in parents.split('/').filter(|part| !part.is_empty()) {
            folder.push(part);
            if !folder.exists() {
                DirBuilder::new().mode(0o755).create(&folder)?;
                self.hand_over(&folder)?;
            }
        }
        let path = folder.join(name);
        let mut file = File::options().write(true).create_new(true).mode(0o644).open(&path)?;
        file.write_all(bytes)?;
        self.hand_over(&path)
    }

    /// Puts a file where the job finds the way to its worker; it may read it.
    pub fn lend(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.place.relay.join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644))
    }

    /// A fresh file in the folder for what the job needs for a moment. What one of
    /// its programs may have put there under that name is not followed.
    pub fn hand(&self, name: &str) -> io::Result<File> {
        self.forget(name)?;
        let path = self.place.scratch.join(name);
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        self.hand_over(&path)?;
        Ok(file)
    }

    /// Deletes a file there, if there is one.
    pub fn forget(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.place.scratch.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// A plain file that the job left there, if it left one.
    pub fn left(&self, name: &str) -> io::Result<Option<File>> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        match File::options().read(true).custom_flags(flags).open(self.place.scratch.join(name)) {
            Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
            Ok(_) => Err(io::Error::other(format!("{name} is no plain file"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A file outside of the job's reach, for what one of its steps puts out.
    pub fn keep(&self, step: usize, name: &str) -> io::Result<File> {
        let name: String = name.chars().map(|c| if c.is_alphanumeric() || c == '.' { c } else { '_' }).collect();
        let is_name = name.chars().any(|c| c != '.');
        let name = if is_name { name } else { "output".to_owned() };
        let folder = self.root.join("kept").join(step.to_string());
        private(&folder)?;
        File::create(folder.join(name))
    }

    /// What a repository that was checked out says of its build, and the paths
    /// of its files.
    pub fn plan(&self) -> io::Result<(Option<String>, Vec<String>)> {
        let found = paths(&self.place.folder, &|path| !path.starts_with(".git/"));
        let said = found.iter().find(|(name, _)| name == plan::FILE);
        let text = said.map(|(_, path)| read(path, plan::FILE_MOST)).transpose()?;
        let text = text.map(|bytes| String::from_utf8(bytes).map_err(io::Error::other)).transpose()?;
        Ok((text, found.into_iter().map(|(name, _)| name).collect()))
    }

    /// The commit that was checked out. Nothing of the repository has run yet.
    pub fn head(&self) -> Option<String> {
        let text = read(&self.place.folder.join(".git/HEAD"), 100).ok()?;
        String::from_utf8(text).ok().map(|text| text.trim().to_owned()).filter(|text| is_full_commit(text))
    }

    /// The reports that were kept of these steps, and those in the folder that the
    /// task asks for. Tells what was left out too.
    pub fn reports(&self, task: &Task, steps: &Range<usize>) -> (Vec<Found>, Vec<String>) {
        let (mut found, mut left_out) = (Vec::new(), Vec::new());
        let mut room = REPORTS_MOST;
        let kept = paths(&self.root.join("kept"), &|_| true).into_iter().map(|(name, path)| {
            let (step, name) = name.split_once('/').unwrap_or_default();
            (step.parse().ok(), name.to_owned(), path)
        });
        let kept = kept.filter(|(step, ..): &(Option<usize>, _, _)| step.is_none_or(|step| steps.contains(&step)));
        let asked = self.fitting(&task.reports).into_iter().map(|(name, path)| (None, name, path));
        for (step, name, path) in kept.chain(asked) {
            if found.len() >= REPORTS_AT_MOST {
                left_out.push(format!("{name}: a job has at most {REPORTS_AT_MOST} reports"));
                break;
            }
            match read(&path, room) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => {
                    room -= bytes.len() as u64;
                    found.push(Found { step, name, bytes });
                }
                Err(error) => left_out.push(format!("{name}: {error}")),
            }
        }
        (found, left_out)
    }

    /// The paths of the files that the task wants kept, and why others of them
    /// are left out.
    pub fn artifacts(&self, task: &Task) -> (Vec<(String, PathBuf)>, Option<String>) {
        let mut found = self.fitting(&task.artifacts);
        let wanted = found.len();
        let mut room = ARTIFACTS_MOST;
        found.truncate(ARTIFACTS_AT_MOST);
        found.retain(|(_, path)| {
            let size = fs::symlink_metadata(path).map_or(u64::MAX, |data| data.len());
            let is_kept = size <= room;
            room -= if is_kept { size } else { 0 };
            is_kept
        });
        let missing = wanted - found.len();
        let why = (missing > 0).then(|| {
            let most = ARTIFACTS_MOST / 1024 / 1024;
            format!("{missing} files are not kept: of a job {ARTIFACTS_AT_MOST} are, and {most} MiB together")
        });
        (found, why)
    }

    /// The files of the folder that fit one of some patterns; git's own are none of
    /// them.
    pub fn fitting(&self, patterns: &[String]) -> Vec<(String, PathBuf)> {
        if patterns.is_empty() {
            return Vec::new();
        }
        paths(&self.place.folder, &|path| {
            !path.starts_with(".git/") && patterns.iter().any(|pattern| path_fits(pattern, path))
        })
    }
}

/// What stands in a file that was found, all of it.
pub fn content(path: &Path) -> io::Result<Vec<u8>> {
    read(path, ARTIFACTS_MOST)
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A program that was just ended may still have written something.
        for try_left in (0..5).rev() {
            match remove(&self.root) {
                Ok(()) => return,
                Err(error) if try_left == 0 => {
                    tracing::warn!(folder = %self.root.display(), %error, "the folder of a job could not be deleted");
                }
                Err(_) => std::thread::sleep(std::time::Duration::from_millis(20)),
            }
        }
    }
}

/// Deletes a folder with all that is in it, also where a job left folders that not
/// even their owner may write.
fn remove(root: &Path) -> io::Result<()> {
    match fs::remove_dir_all(root) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        other => return other,
    }
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        // What cannot be opened is told of by what follows.
        let _ = fs::set_permissions(&folder, fs::Permissions::from_mode(0o700));
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let within = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        folders.extend(within.map(|entry| entry.path()));
    }
    fs::remove_dir_all(root)
}

/// Deletes the folders of jobs whose worker was killed before it could. Those of
/// other workers that live are locked.
pub fn sweep(within: &Path) {
    for entry in fs::read_dir(within).into_iter().flatten().flatten() {
        let Ok(lock) = File::options().write(true).open(entry.path().join(LOCK)) else { continue };
        if lock.try_lock().is_ok()
            && let Err(error) = remove(&entry.path())
        {
            tracing::warn!(folder = %entry.path().display(), %error, "the folder of a killed job could not be deleted");
        }
    }
}

/// The plain files under a folder that are wanted, by their paths within it.
fn paths(root: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<(String, PathBuf)> {
    let (mut found, mut looked) = (Vec::new(), 0);
    let mut folders = vec![(String::new(), root.to_owned())];
    while let Some((within, folder)) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            looked += 1;
            if looked > LOOKED_AT {
                return found;
            }
            // The entry's own type: links are neither files nor folders.
            let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else { continue };
            let name = if within.is_empty() { name } else { format!("{within}/{name}") };
            if kind.is_dir() {
                folders.push((name, entry.path()));
            } else if kind.is_file() && wanted(&name) {
                found.push((name, entry.path()));
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len().min(most);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other("it is larger than what is read"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_fresh_links_lead_nowhere_and_nothing_is_left() {
        let within = tempfile::tempdir().expect("a folder");
        let folder = Folder::make(within.path(), "a", None).expect("made");
        folder.put("sub/test_a.py", b"1").expect("written");
        folder.put("sub/report.xml", b"<x/>").expect("written");
        std::os::unix::fs::symlink("/etc/passwd", folder.place().folder.join("link.xml")).expect("linked");
        std::os::unix::fs::symlink("/etc", folder.place().folder.join("etc")).expect("linked");
        folder.keep(0, "../out.tap").expect("made").write_all(b"1..0").expect("written");
        let task = Task { reports: vec!["**/*.xml".into(), "**/passwd".into()], ..Task::default() };
        let found: Vec<_> =
            folder.reports(&task, &(0..1)).0.into_iter().map(|found| (found.step, found.name)).collect();
        assert_eq!(found, [(Some(0), ".._out.tap".into()), (None, "sub/report.xml".into())]);
        assert_eq!(folder.reports(&task, &(1..2)).0.len(), 1, "what another step kept is left out");
        let task = Task { artifacts: vec!["**/*.xml".into(), "etc/**".into(), "../kept/**".into()], ..task };
        let (kept, left_out) = folder.artifacts(&task);
        let names: Vec<_> = kept.iter().map(|(name, _)| &**name).collect();
        assert_eq!((names, left_out), (vec!["sub/report.xml"], None));
        let closed = folder.place().folder.join("closed");
        fs::create_dir(&closed).expect("made");
        fs::write(closed.join("file"), "").expect("written");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).expect("closed");
        sweep(within.path());
        assert!(folder.place().folder.exists(), "its worker lives");
        drop(folder);
        assert_eq!(fs::read_dir(within.path()).expect("there").count(), 0);
    }

    #[test]
    fn what_a_killed_worker_left_is_deleted() {
        let within = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(within.path().join("left/work")).expect("made");
        fs::write(within.path().join("left/lock"), "").expect("written");
        fs::create_dir(within.path().join("of somebody else")).expect("made");
        sweep(within.path());
        let left: Vec<_> =
            fs::read_dir(within.path()).expect("there").flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left, ["of somebody else"]);
    }
}
