//! The two nested parts of events, read with a pointer to every fault: plans
//! and attributes. Both are rare, so they are read by way of a JSON tree.

use super::event::{SHORT_KEPT, long};
use super::fault::{Fault, Shape};
use app::domain::name::{NAME_MAX, tidy};
use app::domain::plan::{Plan, PlannedSuite, PlannedTest};
use app::domain::suite::{DEPTH_MAX, NAME_KEPT};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Bytes of a script that are kept.
const SCRIPT_KEPT: usize = 256 * 1024;

/// Suites and tests in a plan at most.
const ENTRIES_MAX: usize = 100_000;

/// Attributes that are kept.
const ATTRIBUTES_KEPT: usize = 200;

/// Bytes of an attribute's text that are kept.
const ATTRIBUTE_KEPT: usize = 4 * 1024;

fn tree(pointer: &str, raw: &RawValue) -> Result<Value, Fault> {
    serde_json::from_str(raw.get()).map_err(|error| Fault::at(pointer, format!("cannot be read: {error}")))
}

/// Reads attributes; none where they are absent.
pub(super) fn attributes(raw: Option<&RawValue>) -> Result<BTreeMap<Box<str>, Box<str>>, Fault> {
    let Some(raw) = raw else { return Ok(BTreeMap::new()) };
    let Value::Object(fields) = tree("/attributes", raw)? else {
        return Err(Fault::at("/attributes", "must be an object of texts"));
    };
    let mut attributes = BTreeMap::new();
    for (key, value) in fields.into_iter().take(ATTRIBUTES_KEPT) {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => long(&text, ATTRIBUTE_KEPT),
            Value::Number(number) => number.to_string().into(),
            Value::Bool(flag) => flag.to_string().into(),
            Value::Array(_) | Value::Object(_) => {
                let key = key.replace('~', "~0").replace('/', "~1");
                return Err(Fault::at(format!("/attributes/{key}"), "must be text, a number, true or false"));
            }
        };
        attributes.insert(tidy(&key, NAME_MAX), text);
    }
    Ok(attributes)
}

/// Reads a plan.
pub(super) fn read(raw: Option<&RawValue>) -> Result<Plan, Fault> {
    let raw = raw.ok_or_else(|| Fault::missing("/plan"))?;
    let mut reader = Reader { pointer: "/plan".into(), entries: 0 };
    let mut plan = reader.object(tree("/plan", raw)?)?;
    let suites = reader.list(&mut plan, "suites", |reader, value| reader.suite(value, 1))?;
    Ok(Plan { suites })
}

/// Knows where in the plan it is reading.
struct Reader {
    pointer: String,
    entries: usize,
}

impl Reader {
    fn fault(&self, detail: impl Into<String>) -> Fault {
        Fault::at(self.pointer.clone(), detail)
    }

    fn within<T>(
        &mut self,
        step: impl std::fmt::Display,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let outside = self.pointer.len();
        // Writing to a String cannot fail.
        let _ = write!(self.pointer, "/{step}");
        let read = read(self);
        self.pointer.truncate(outside);
        read
    }

    fn object(&self, value: Value) -> Result<Map<String, Value>, Fault> {
        match value {
            Value::Object(fields) => Ok(fields),
            other => Err(self.fault(Shape::Object.mismatch(&other))),
        }
    }

    /// A list that may be absent.
    fn list<T>(
        &mut self,
        fields: &mut Map<String, Value>,
        name: &'static str,
        read: impl Fn(&mut Self, Value) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let items = match fields.remove(name) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => return self.within(name, |at| Err(at.fault(Shape::List.mismatch(&other)))),
        };
        self.entries += items.len();
        if self.entries > ENTRIES_MAX {
            return self
                .within(name, |at| Err(at.fault(format!("a plan holds at most {ENTRIES_MAX} suites and tests"))));
        }
        let items = items.into_iter().enumerate();
        self.within(name, |at| items.map(|(index, item)| at.within(index, |at| read(at, item))).collect())
    }

    /// A text that may be absent; a blank one is.
    fn text(&mut self, fields: &mut Map<String, Value>, name: &'static str) -> Result<Option<String>, Fault> {
        match fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
            Some(other) => self.within(name, |at| Err(at.fault(Shape::Text.mismatch(&other)))),
        }
    }

    fn name(&mut self, fields: &mut Map<String, Value>) -> Result<Box<str>, Fault> {
        match self.text(fields, "name")? {
            Some(name) => Ok(tidy(&name, NAME_KEPT)),
            None => self.within("name", |at| Err(at.fault("is missing or empty"))),
        }
    }

    fn source(&mut self, fields: &mut Map<String, Value>) -> Result<Option<Box<str>>, Fault> {
        Ok(self.text(fields, "source")?.map(|text| tidy(&text, SHORT_KEPT)))
    }

    fn script(&mut self, fields: &mut Map<String, Value>) -> Result<Option<Box<str>>, Fault> {
        Ok(self.text(fields, "script")?.map(|text| long(&text, SCRIPT_KEPT)))
    }

    fn suite(&mut self, value: Value, depth: usize) -> Result<PlannedSuite, Fault> {
        if depth > DEPTH_MAX {
            return Err(self.fault(format!("suites nest at most {DEPTH_MAX} deep")));
        }
        let mut fields = self.object(value)?;
        Ok(PlannedSuite {
            name: self.name(&mut fields)?,
            source: self.source(&mut fields)?,
            script: self.script(&mut fields)?,
            suites: self.list(&mut fields, "suites", |reader, value| reader.suite(value, depth + 1))?,
            tests: self.list(&mut fields, "tests", Self::test)?,
        })
    }

    fn test(&mut self, value: Value) -> Result<PlannedTest, Fault> {
        let mut fields = self.object(value)?;
        let parameters = self.text(&mut fields, "parameters")?;
        Ok(PlannedTest {
            name: self.name(&mut fields)?,
            parameters: parameters.map(|text| tidy(&text, NAME_KEPT)),
            source: self.source(&mut fields)?,
            script: self.script(&mut fields)?,
        })
    }
}
