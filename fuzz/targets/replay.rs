//! The fixed corpus, read as a fuzzer would: whole, cut off, and with bytes
//! changed, the same ones for ever.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Nothing so small may take so long, even where nothing is optimised.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// Places at which a file is cut off.
const CUTS: usize = 24;

/// Versions of a file in which bytes are changed.
const CHANGED: u64 = 24;

/// Chance that is the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % end.max(1)
    }
}

fn changed(file: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..=chance.below(6) {
        let at = chance.below(bytes.len());
        match chance.below(4) {
            0 if !bytes.is_empty() => bytes[at] = u8::try_from(chance.below(256)).unwrap_or_default(),
            1 if !bytes.is_empty() => drop(bytes.remove(at)),
            2 => bytes.insert(at, b"\"<>{}[]\\\0\n&;:,"[chance.below(14)]),
            _ => {
                let piece = bytes[at..(at + chance.below(40)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

/// Has a target read all that is in its folder. Tells how many files there are.
pub fn replay(name: &str, run: fn(&str, &[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(&folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
    files.sort();
    for path in &files {
        let file = fs::read(path).expect("a file");
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
        let cuts = (0..CUTS).map(|cut| file[..file.len() * cut / CUTS].to_vec());
        let versions = std::iter::once(file.clone()).chain(cuts);
        let versions: Vec<_> = versions.chain((0..CHANGED).map(|_| changed(&file, &mut chance))).collect();
        for bytes in versions {
            let start = Instant::now();
            run(name, &bytes);
            assert!(start.elapsed() < READ_WITHIN, "{} took {:?}", path.display(), start.elapsed());
        }
    }
    files.len()
}
