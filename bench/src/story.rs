//! What the benches tell: runs of tests, one event after another, in the words
//! of the public contract. Sizes and fields are those of a usual listener.

use std::io::Write;
use std::time::Duration;

use time::OffsetDateTime;
use uuid::Builder;

/// Tests in a run before the next run begins.
pub const TESTS: u32 = 100;

/// Events of a whole run: a start and an end of the run and of its suite, and
/// of each test.
const STEPS: u32 = 4 + 2 * TESTS;

/// One test in so many fails, with a message and a trace.
const ONE_FAILS_OF: u32 = 25;

const SUITE: &str = r#"["Acceptance","Power supply","Battery charger"]"#;

/// One setup, telling run after run.
#[derive(Clone, Debug)]
pub struct Story {
    setup: String,
    key: String,
    run: u32,
    step: u32,
    salt: u64,
    told: u64,
}

impl Story {
    /// A story on `setup`; `key` tells its runs from those of other stories there.
    pub fn new(setup: impl Into<String>, key: &str) -> Self {
        let setup = setup.into();
        let salt = setup.bytes().chain(key.bytes()).fold(0xcbf2_9ce4_8422_2325, mix);
        Self { setup, key: key.to_owned(), run: 0, step: 0, salt, told: 0 }
    }

    /// Stories on setups of their own.
    pub fn many(count: usize, key: &str) -> Vec<Self> {
        (0..count).map(|number| Self::new(setup_name(number), key)).collect()
    }

    /// Writes the next event.
    pub fn tell(&mut self, at: &str, out: &mut Vec<u8>) {
        self.open(at, out);
        let last = STEPS - 1;
        match self.step {
            0 => put(
                out,
                format_args!(
                    r#""run.started","name":"Nightly {}","commit":"4f0c2a9b81de","branch":"main","framework":"robot 7.1","total_tests":{TESTS}"#,
                    self.run
                ),
            ),
            1 => put(out, format_args!(r#""suite.started","suite":{SUITE},"total_tests":{TESTS}"#)),
            step if step == last - 1 => {
                put(out, format_args!(r#""suite.finished","suite":{SUITE},"verdict":"passed""#))
            }
            step if step == last => put(out, format_args!(r#""run.finished""#)),
            step if step % 2 == 0 => Self::test_started((step - 2) / 2, out),
            step => Self::test_finished((step - 3) / 2, out),
        }
        out.extend_from_slice(b"}");
        self.go_on(last);
    }

    /// Writes a finished run: no test's start is told, as its end implies it.
    pub fn tell_run(&mut self, began: OffsetDateTime, each_takes: Duration, out: &mut Vec<u8>) {
        let last = STEPS - 1;
        let steps = [0, 1].into_iter().chain((3..last - 1).step_by(2)).chain([last - 1, last]);
        for (step, number) in steps.zip(0..) {
            self.step = step;
            self.tell(&written(began + each_takes * number), out);
            out.push(b'\n');
        }
    }

    /// Events that [`Self::tell_run`] writes.
    pub const RUN_EVENTS: u32 = 4 + TESTS;

    fn open(&mut self, at: &str, out: &mut Vec<u8>) {
        self.told += 1;
        let mut random = [0; 16];
        random[..8].copy_from_slice(&self.salt.to_be_bytes());
        random[8..].copy_from_slice(&self.told.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let id = Builder::from_random_bytes(random).into_uuid();
        let (setup, key, run) = (&self.setup, &self.key, self.run);
        put(out, format_args!(r#"{{"id":"{id}","at":"{at}","setup":"{setup}","run":"{key}-{run}","type":"#));
    }

    fn test_started(test: u32, out: &mut Vec<u8>) {
        put(
            out,
            format_args!(
                r#""test.started","suite":{SUITE},"test":"Charges at {test:03} amperes","attempt":1,"source":"power/charger.robot","line":{},"tags":["smoke","power"]"#,
                10 + test * 7
            ),
        );
    }

    fn test_finished(test: u32, out: &mut Vec<u8>) {
        put(
            out,
            format_args!(
                r#""test.finished","suite":{SUITE},"test":"Charges at {test:03} amperes","attempt":1,"duration_ms":{}"#,
                40 + test * 13 % 900
            ),
        );
        if test % ONE_FAILS_OF == ONE_FAILS_OF - 1 {
            put(
                out,
                format_args!(
                    r#","verdict":"failed","message":"expected a current of {test} A within 5 s, measured 0.2 A","trace":"power/charger.robot:{}\n  Switch on    charger\n  Wait for current    {test}\n  AssertionError: 0.2 is not near {test}""#,
                    12 + test * 7
                ),
            );
        } else {
            out.extend_from_slice(br#","verdict":"passed""#);
        }
    }

    fn go_on(&mut self, last: u32) {
        if self.step == last {
            self.run += 1;
            self.step = 0;
        } else {
            self.step += 1;
        }
    }
}

/// What the setups are called.
pub fn setup_name(number: usize) -> String {
    format!("bench-{number:03}")
}

/// A time as listeners write it.
pub fn written(at: OffsetDateTime) -> String {
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second, micro) = at.to_hms_micro();
    format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micro:06}Z", u8::from(month))
}

/// Now, as listeners write it.
pub fn now() -> String {
    written(OffsetDateTime::now_utc())
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    let _ = out.write_fmt(text);
}

fn mix(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::HashSet;

    #[test]
    fn a_run_is_told_from_start_to_end_and_every_event_has_an_id_of_its_own() {
        let mut story = Story::new("bench-000", "k");
        let mut kinds = Vec::new();
        let mut ids = HashSet::new();
        for _ in 0..=STEPS {
            let mut text = Vec::new();
            story.tell(&now(), &mut text);
            let event: Value = serde_json::from_slice(&text).expect("it is JSON");
            kinds.push((event["type"].to_string(), event["run"].to_string()));
            ids.insert(event["id"].to_string());
        }
        assert_eq!(ids.len(), STEPS as usize + 1);
        let of_first = kinds.iter().filter(|(_, run)| run == "\"k-0\"").count();
        assert_eq!(of_first, STEPS as usize);
        assert_eq!(kinds[STEPS as usize - 1].0, "\"run.finished\"");
        assert_eq!(kinds[STEPS as usize], ("\"run.started\"".into(), "\"k-1\"".into()));
    }

    #[test]
    fn a_finished_run_has_an_end_for_every_test() {
        let mut text = Vec::new();
        Story::new("bench-000", "k").tell_run(OffsetDateTime::UNIX_EPOCH, Duration::from_millis(5), &mut text);
        let events: Vec<Value> =
            text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        assert_eq!(events.len(), Story::RUN_EVENTS as usize);
        let ends = events.iter().filter(|event| event["type"] == "test.finished").count();
        assert_eq!(ends, TESTS as usize);
        assert_eq!(events[1]["at"], "1970-01-01T00:00:00.005000Z");
    }
}
