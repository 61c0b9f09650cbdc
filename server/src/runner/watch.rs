//! What a job takes of the machine: its processes, their memory, its disk.
//!
//! Read from `/proc`, since limits of the kernel's own are for one process each
//! and groups of control are not everywhere ours to make.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What the processes of a job take together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many there are, with their threads.
    pub processes: u32,
    /// Memory in bytes.
    pub memory: u64,
}

/// Entries of a folder that are counted at most: a folder of more is full.
pub const ENTRIES_MOST: u32 = 200_000;

struct Process {
    parent: u32,
    threads: u32,
    pages: u64,
}

fn read(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything.
    let rest: Vec<_> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let number = |at: usize| rest.get(at)?.parse::<u64>().ok();
    Some(Process {
        parent: u32::try_from(number(1)?).ok()?,
        threads: u32::try_from(number(17)?).ok()?,
        pages: number(21)?,
    })
}

/// The processes that descend from some, with them, and those that carry a mark in
/// their environment: whoever left the family is known by it.
pub fn family(roots: &[u32], mark: Option<&str>) -> Vec<u32> {
    let mut all = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok())
            && let Some(process) = read(pid)
        {
            all.insert(pid, process.parent);
        }
    }
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for (pid, parent) in &all {
        children.entry(*parent).or_default().push(*pid);
    }
    let mut found = HashSet::new();
    let mut next = roots.to_vec();
    if let Some(mark) = mark {
        next.extend(all.keys().filter(|pid| carries(**pid, mark)));
    }
    while let Some(pid) = next.pop() {
        if found.insert(pid) {
            next.extend(children.get(&pid).into_iter().flatten());
        }
    }
    found.into_iter().collect()
}

fn carries(pid: u32, mark: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
}

/// What processes take together.
pub fn taken(family: &[u32]) -> Taken {
    let mut taken = Taken::default();
    for process in family.iter().filter_map(|pid| read(*pid)) {
        taken.processes += process.threads;
        taken.memory += process.pages * rustix::param::page_size() as u64;
    }
    taken
}

/// The bytes that a folder takes on its disk. Links are not followed.
pub fn disk(folder: &Path) -> u64 {
    let (mut bytes, mut entries) = (0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            entries += 1;
            if entries > ENTRIES_MOST {
                return u64::MAX;
            }
            let Ok(about) = entry.metadata() else { continue };
            bytes += about.blocks() * 512;
            if about.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_of_its_own_family_and_takes_something() {
        let own = std::process::id();
        let family = family(&[own], None);
        assert!(family.contains(&own));
        let taken = taken(&[own]);
        assert!(taken.processes >= 1 && taken.memory > 100_000, "{taken:?}");
    }

    #[test]
    fn a_folder_is_counted_without_following_links() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("in")).expect("made");
        fs::write(folder.path().join("in/file"), vec![7; 100_000]).expect("written");
        std::os::unix::fs::symlink("/usr", folder.path().join("out")).expect("linked");
        let bytes = disk(folder.path());
        assert!((100_000..1_000_000).contains(&bytes), "{bytes}");
    }
}
