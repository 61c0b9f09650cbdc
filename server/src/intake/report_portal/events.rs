//! The events that are told: JSON in the words of the contract.

use super::item::{Item, Message};
use super::launch::Launch;
use super::steps::Step;
use app::domain::event::TEXT_KEPT;
use app::domain::suite::Phase;
use app::domain::test::Verdict;
use app::domain::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// The namespace of ids of events that are told here.
const NAMESPACE: Uuid = Uuid::from_u128(0x3c59_7a1e_0d64_4f0b_a2c8_95e1_7b40_d6f3);

/// A line of output.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line<'a> {
    /// What it says.
    pub message: &'a str,
    /// The step in which it came.
    pub step: Option<&'a str>,
    /// The file that came with it, as it is told.
    pub attachment: Option<&'a Value>,
}

/// Text that is longer than what is kept of it need not travel.
pub(super) fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_KEPT)]
}

impl Launch {
    /// An event of this run. Its id follows from what it says of whom, so the
    /// same request twice is one event and a duplicate.
    pub(super) fn event(&self, kind: &str, at: Timestamp, of: &str, mut fields: Value) -> Value {
        let about = &self.about;
        fields["type"] = kind.into();
        fields["at"] = at.to_rfc3339().into();
        fields["project"] = (*about.project).into();
        fields["setup"] = (*about.setup).into();
        fields["run"] = (*about.id).into();
        let said = format!("{of}\u{1f}{fields}");
        fields["id"] = Uuid::new_v5(&NAMESPACE, said.as_bytes()).to_string().into();
        fields
    }

    pub(super) fn suite_started(&self, id: &str, item: &Item) -> Value {
        let source = item.code_ref.as_deref().map(|code| source(code).0);
        self.event("suite.started", item.started, id, json!({ "suite": item.own_path(), "source": source }))
    }

    pub(super) fn suite_finished(
        &self,
        id: &str,
        path: &[Box<str>],
        at: Timestamp,
        verdict: Option<Verdict>,
        message: Option<&str>,
    ) -> Value {
        self.event(
            "suite.finished",
            at,
            id,
            json!({ "suite": path, "verdict": verdict, "message": message.map(bounded) }),
        )
    }

    pub(super) fn suite_phase(&self, id: &str, path: &[Box<str>], at: Timestamp, phase: Phase) -> Value {
        self.event("suite.phase", at, id, json!({ "suite": path, "phase": phase }))
    }

    fn test(&self, item: &Item) -> Value {
        json!({
            "suite": item.path,
            "test": item.name,
            "parameters": item.told_parameters(),
            "attempt": item.attempt,
        })
    }

    pub(super) fn test_started(&self, id: &str, item: &Item) -> Value {
        let mut fields = self.test(item);
        let told = item.attributes.iter().filter(|attribute| !attribute.system);
        fields["tags"] = told.clone().map(|attribute| attribute.tag()).collect();
        let owner = told.clone().find(|attribute| attribute.is("owner"));
        fields["owner"] = owner.map(|attribute| attribute.value.to_string()).into();
        if let Some((source, line)) = item.code_ref.as_deref().map(source) {
            (fields["source"], fields["line"]) = (source.into(), line.into());
        }
        self.event("test.started", item.started, id, fields)
    }

    /// The end of a test as it now stands; none while it runs.
    pub(super) fn test_finished(&self, id: &str, item: &Item, message: Option<&Message>) -> Option<Value> {
        let ended = item.ended.as_ref()?;
        let mut fields = self.test(item);
        fields["verdict"] = ended.verdict.as_str().into();
        fields["duration_ms"] = (ended.took as f64 / 1_000.0).into();
        fields["message"] = message.map(|message| bounded(&message.text)).into();
        Some(self.event("test.finished", ended.at, id, fields))
    }

    /// Output of an item; of the launch where there is none.
    fn output(&self, kind: &str, id: &str, owner: Option<&str>, at: Timestamp, mut fields: Value) -> Value {
        if let Some(item) = owner.and_then(|owner| self.items.get(owner)) {
            if item.role == super::Role::Suite {
                fields["suite"] = item.own_path().into_iter().map(String::from).collect();
            } else {
                fields["suite"] = item.path.iter().map(|name| Value::from(&**name)).collect();
                fields["test"] = (*item.name).into();
                fields["parameters"] = item.told_parameters().into();
                fields["attempt"] = item.attempt.into();
            }
        }
        self.event(kind, at, id, fields)
    }

    /// A line of output, with what else is known of it.
    pub(super) fn log(&self, id: &str, owner: Option<&str>, at: Timestamp, level: &str, line: Line<'_>) -> Value {
        let fields = json!({
            "level": level, "message": bounded(line.message), "step": line.step,
            "attachment": line.attachment,
        });
        self.output("log", id, owner, at, fields)
    }

    pub(super) fn step_started(&self, id: &str, step: &Step, at: Timestamp) -> Value {
        let fields = json!({
            "step": id, "parent": step.parent, "name": step.name,
        });
        self.output("step.started", id, step.owner.as_deref(), at, fields)
    }

    pub(super) fn step_finished(&self, id: &str, step: &Step, at: Timestamp, verdict: Option<Verdict>) -> Value {
        let fields = json!({ "step": id, "verdict": verdict });
        self.output("step.finished", id, step.owner.as_deref(), at, fields)
    }
}

/// The file that a reference to code names, and the line where it names one.
fn source(code: &str) -> (&str, Option<u32>) {
    match code.rsplit_once(':') {
        Some((file, line)) if !file.is_empty() => match line.parse() {
            Ok(line) => (file, Some(line)),
            // `file.py:Class.method`
            Err(_) if file.contains(['.', '/']) && !line.contains(['/', '\\']) => (file, None),
            Err(_) => (code, None),
        },
        _ => (code, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_to_code_name_a_file_and_perhaps_a_line() {
        assert_eq!(source("suites/orders.robot:12"), ("suites/orders.robot", Some(12)));
        assert_eq!(source("tests/test_a.py:TestA.test_b"), ("tests/test_a.py", None));
        assert_eq!(source("a.test.js/outer/adds"), ("a.test.js/outer/adds", None));
        assert_eq!(source("C:\\tests\\a.robot"), ("C:\\tests\\a.robot", None));
        assert_eq!(source(":7"), (":7", None));
    }
}
