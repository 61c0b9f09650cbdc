//! Launches and items as ReportPortal shows them to those who ask.

use super::item::{Item, Role};
use super::launch::Launch;
use super::words::Attribute;
use app::domain::test::Verdict;
use app::domain::time::Timestamp;
use serde_json::{Value, json};

/// A number for those who want one: it follows from the id, so it needs no
/// counter and is the same after a new start.
pub fn number_of(id: &str) -> u32 {
    let hash = id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash & 0x7fff_ffff).max(1)
}

/// How moments are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clockwork {
    /// Milliseconds as a number.
    Millis,
    /// RFC 3339.
    Text,
}

impl Clockwork {
    fn write(self, at: Timestamp) -> Value {
        match self {
            Self::Millis => at.as_millis().into(),
            Self::Text => at.to_rfc3339().into(),
        }
    }
}

fn attributes(all: &[Attribute]) -> Value {
    all.iter().map(|one| json!({ "key": one.key, "value": one.value, "system": one.system })).collect()
}

fn status(item: &Item) -> String {
    let Some(ended) = &item.ended else { return "IN_PROGRESS".into() };
    match (&ended.status, ended.verdict) {
        (Some(status), _) => status.to_uppercase(),
        (None, verdict) if verdict.is_failure() => "FAILED".into(),
        (None, _) => "PASSED".into(),
    }
}

impl Launch {
    /// The launch.
    pub fn resource(&self, clock: Clockwork) -> Value {
        let about = &self.about;
        // The last attempt at a test is the one that counts.
        let tests = self.items.values().filter(|item| item.role == Role::Test && self.is_last_attempt(item));
        let ends: Vec<_> = tests.map(|item| item.ended.as_ref().map(|ended| ended.verdict)).collect();
        let count = |is: fn(Verdict) -> bool| ends.iter().flatten().filter(|verdict| is(**verdict)).count();
        let failed = count(Verdict::is_failure);
        let status = match &about.ended {
            None => "IN_PROGRESS".to_owned(),
            Some((_, Some(status))) => status.to_uppercase(),
            Some((_, None)) => if failed > 0 { "FAILED" } else { "PASSED" }.to_owned(),
        };
        let number = number_of(&about.id);
        let last = about.ended.as_ref().map_or_else(|| self.last_word(), |(at, _)| *at);
        json!({
            "id": number, "uuid": about.id, "name": about.name, "number": number, "status": status,
            "description": about.description, "attributes": attributes(&about.attributes),
            "startTime": clock.write(about.started), "lastModified": clock.write(last),
            "endTime": about.ended.as_ref().map(|(at, _)| clock.write(*at)),
            "mode": if about.is_debug { "DEBUG" } else { "DEFAULT" },
            "statistics": { "executions": {
                "total": ends.len(), "passed": count(Verdict::is_pass), "failed": failed,
                "skipped": count(|verdict| verdict == Verdict::Skipped),
            }, "defects": {} },
            "analysing": [], "approximateDuration": 0, "rerun": about.round > 0,
            "hasRetries": self.items.values().any(|item| item.attempt > 1),
        })
    }

    /// The id of an item, by that or by its number.
    pub fn find(&self, asked: &str) -> Option<Box<str>> {
        if self.items.contains_key(asked) {
            return Some(asked.into());
        }
        let number: u32 = asked.parse().ok()?;
        self.items.keys().find(|id| number_of(id) == number).cloned()
    }

    /// An item.
    pub fn item_resource(&self, id: &str, clock: Clockwork) -> Option<Value> {
        let item = self.items.get(id)?;
        let is_test = item.role == Role::Test;
        Some(json!({
            "id": number_of(id), "uuid": id, "name": item.name, "codeRef": item.code_ref,
            "description": item.description, "attributes": attributes(&item.attributes), "parameters": [],
            "type": item.kind.to_uppercase(), "status": status(item), "startTime": clock.write(item.started),
            "endTime": item.ended.as_ref().map(|ended| clock.write(ended.at)),
            "parent": item.parent.as_deref().map(number_of), "pathNames": {}, "path": "",
            "launchId": number_of(&self.about.id), "uniqueId": id, "hasStats": true, "hasChildren": !is_test,
            "statistics": { "executions": {}, "defects": {} },
        }))
    }

    fn is_last_attempt(&self, item: &Item) -> bool {
        self.seats.last_attempt(item) == item.attempt
    }
}
