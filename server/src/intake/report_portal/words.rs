//! Bodies of requests, read leniently: what is not understood is left out.
//!
//! Agents send every field as null, or none at all; numbers as text and texts
//! as numbers; names in snake case that have been in camel case for years. So
//! a body is read as a tree of JSON and asked for what is needed.

use super::{Refused, moment};
use app::domain::file::{Attachment, file_name};
use app::domain::name::tidy;
use app::domain::suite::NAME_KEPT;
use app::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Characters of an id that a client chose.
const ID_MAX: usize = 200;

/// Attributes that are kept of an item.
pub(super) const ATTRIBUTES_KEPT: usize = 100;

/// Characters of an attribute.
const ATTRIBUTE_KEPT: usize = 512;

/// A key and a value, or a value alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its key.
    pub key: Option<Box<str>>,
    /// Its value.
    pub value: Box<str>,
    /// Told by the agent of itself, not by a person.
    #[serde(default)]
    pub system: bool,
}

impl Attribute {
    /// As people write it.
    pub fn tag(&self) -> String {
        match &self.key {
            Some(key) => format!("{key}:{}", self.value),
            None => self.value.to_string(),
        }
    }

    /// Whether a person gave it this key.
    pub fn is(&self, key: &str) -> bool {
        !self.system && self.key.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(key))
    }
}

/// A body that is an object.
#[derive(Clone, Debug)]
pub struct Body(Map<String, Value>);

impl Body {
    /// Reads a body.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        Self::of(json(bytes)?)
    }

    /// Takes a value that was read already.
    pub fn of(value: Value) -> Result<Self, Refused> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(Refused::Incorrect("[The body must be a JSON object.]".into())),
        }
    }

    fn value(&self, names: &[&str]) -> Option<&Value> {
        names.iter().filter_map(|name| self.0.get(*name)).find(|value| !value.is_null())
    }

    /// A text that is not blank; a number is one too.
    pub fn text(&self, names: &[&str]) -> Option<String> {
        let text = match self.value(names)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return None,
        };
        Some(text).filter(|text| !text.trim().is_empty())
    }

    fn id(&self, names: &[&str]) -> Result<Option<Box<str>>, Refused> {
        self.text(names).map(|text| id(&text)).transpose()
    }

    fn flag(&self, names: &[&str]) -> Option<bool> {
        match self.value(names)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(word) => Some(word.eq_ignore_ascii_case("true")),
            _ => None,
        }
    }

    fn moment(&self, names: &[&str]) -> Result<Option<Timestamp>, Refused> {
        let Some(value) = self.value(names) else { return Ok(None) };
        let name = names.first().copied().unwrap_or_default();
        moment::read(value).map(Some).ok_or_else(|| Refused::field(name, "is not a date or a number of milliseconds"))
    }

    fn name(&self) -> Result<Box<str>, Refused> {
        let name = self.text(&["name"]).ok_or_else(|| Refused::field("name", "should not be null or empty"))?;
        Ok(tidy(name.trim(), NAME_KEPT))
    }

    /// The first number of a list, as text.
    pub fn first_number(&self, name: &str) -> Option<String> {
        self.value(&[name])?.as_array()?.iter().find_map(|value| scalar(Some(value)))
    }

    /// Its attributes; none where there are none.
    pub fn attributes(&self) -> Vec<Attribute> {
        let Some(Value::Array(all)) = self.value(&["attributes", "tags"]) else { return Vec::new() };
        all.iter().filter_map(attribute).take(ATTRIBUTES_KEPT).collect()
    }

    fn parameters(&self) -> Option<Box<str>> {
        let Some(Value::Array(all)) = self.value(&["parameters"]) else { return None };
        let pairs: Vec<_> = all.iter().take(ATTRIBUTES_KEPT).filter_map(pair).collect();
        Some(pairs.join(", ")).filter(|text| !text.is_empty()).map(|text| tidy(&text, NAME_KEPT))
    }
}

/// Reads JSON; its depth is bounded by the reader.
pub fn json(bytes: &[u8]) -> Result<Value, Refused> {
    serde_json::from_slice(bytes.trim_ascii()).map_err(|error| Refused::Incorrect(format!("[{error}]")))
}

/// Checks an id that a client chose or was given.
pub fn id(text: &str) -> Result<Box<str>, Refused> {
    let text = text.trim();
    let fits = !text.is_empty() && text.len() <= ID_MAX && !text.chars().any(char::is_control);
    fits.then(|| text.into()).ok_or_else(|| Refused::field("uuid", "must be 1 to 200 characters"))
}

fn scalar(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn attribute(value: &Value) -> Option<Attribute> {
    let Value::Object(fields) = value else {
        let value = scalar(Some(value)).filter(|text| !text.trim().is_empty())?;
        return Some(Attribute { key: None, value: tidy(value.trim(), ATTRIBUTE_KEPT), system: false });
    };
    let text = |name| scalar(fields.get(name)).filter(|text| !text.trim().is_empty());
    Some(Attribute {
        key: text("key").map(|key| tidy(key.trim(), ATTRIBUTE_KEPT)),
        value: tidy(text("value")?.trim(), ATTRIBUTE_KEPT),
        system: fields.get("system").and_then(Value::as_bool).unwrap_or_default(),
    })
}

fn pair(value: &Value) -> Option<String> {
    let text = scalar(value.get("value")).unwrap_or_default();
    match scalar(value.get("key")).filter(|key| !key.is_empty()) {
        Some(key) => Some(format!("{key}={text}")),
        None => Some(text).filter(|text| !text.is_empty()),
    }
}

/// A launch begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchStart {
    /// Its name.
    pub name: Box<str>,
    /// When; our time of arrival where it does not say.
    pub at: Timestamp,
    /// The id that the client chose.
    pub uuid: Option<Box<str>>,
    /// About it, in prose.
    pub description: Option<String>,
    /// About it, in words.
    pub attributes: Vec<Attribute>,
    /// Not meant for everybody's eyes.
    pub is_debug: bool,
    /// An earlier launch is run again.
    pub is_rerun: bool,
    /// Which one; the latest of its name where it does not say.
    pub rerun_of: Option<Box<str>>,
}

impl LaunchStart {
    /// Reads it.
    pub fn read(body: &Body, now: Timestamp) -> Result<Self, Refused> {
        Ok(Self {
            name: body.name()?,
            at: body.moment(&["startTime", "start_time"])?.unwrap_or(now),
            uuid: body.id(&["uuid"])?,
            description: body.text(&["description"]),
            attributes: body.attributes(),
            is_debug: body.text(&["mode"]).is_some_and(|mode| mode.eq_ignore_ascii_case("debug")),
            is_rerun: body.flag(&["rerun"]).unwrap_or_default(),
            rerun_of: body.id(&["rerunOf", "rerun_of"])?,
        })
    }
}

/// A launch or an item ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    /// When; our time of arrival where it does not say.
    pub at: Timestamp,
    /// The launch, where it is an item that ends.
    pub launch: Option<Box<str>>,
    /// How it ended, in lower case.
    pub status: Option<String>,
    /// About it, in prose.
    pub description: Option<String>,
    /// About it, in words.
    pub attributes: Vec<Attribute>,
    /// What a person or an agent noted about the failure.
    pub comment: Option<String>,
}

impl Finish {
    /// Reads it.
    pub fn read(body: &Body, now: Timestamp) -> Result<Self, Refused> {
        let issue = body.value(&["issue"]).and_then(|issue| scalar(issue.get("comment")));
        Ok(Self {
            at: body.moment(&["endTime", "end_time"])?.unwrap_or(now),
            launch: body.id(&["launchUuid", "launch_id", "launchId"])?,
            status: body.text(&["status"]).map(|status| status.trim().to_ascii_lowercase()),
            description: body.text(&["description"]),
            attributes: body.attributes(),
            comment: issue.filter(|comment| !comment.trim().is_empty()),
        })
    }
}

/// An item begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemStart {
    /// Its name.
    pub name: Box<str>,
    /// Its type, in lower case.
    pub kind: String,
    /// When; our time of arrival where it does not say.
    pub at: Timestamp,
    /// Its launch.
    pub launch: Option<Box<str>>,
    /// The id that the client chose.
    pub uuid: Option<Box<str>>,
    /// Whether it counts; a nested step does not.
    pub has_stats: bool,
    /// Another attempt at what was run before.
    pub is_retry: bool,
    /// At which item.
    pub retry_of: Option<Box<str>>,
    /// Where it is written.
    pub code_ref: Option<String>,
    /// What tells it from its likes of the same name.
    pub parameters: Option<Box<str>>,
    /// About it, in prose.
    pub description: Option<String>,
    /// About it, in words.
    pub attributes: Vec<Attribute>,
}

impl ItemStart {
    /// Reads it.
    pub fn read(body: &Body, now: Timestamp) -> Result<Self, Refused> {
        let retry_of = body.id(&["retryOf", "retry_of"])?;
        let kind = body.text(&["type"]).ok_or_else(|| Refused::field("type", "should not be null"))?;
        Ok(Self {
            name: body.name()?,
            kind: tidy(&kind.trim().to_ascii_lowercase(), 40).into(),
            at: body.moment(&["startTime", "start_time"])?.unwrap_or(now),
            launch: body.id(&["launchUuid", "launch_id", "launchId"])?,
            uuid: body.id(&["uuid"])?,
            has_stats: body.flag(&["hasStats", "has_stats"]).unwrap_or(true),
            is_retry: body.flag(&["retry"]).unwrap_or_default() || retry_of.is_some(),
            retry_of,
            code_ref: body.text(&["codeRef", "code_ref"]),
            parameters: body.parameters(),
            description: body.text(&["description"]),
            attributes: body.attributes(),
        })
    }
}

/// A line of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its launch.
    pub launch: Option<Box<str>>,
    /// Its item; none where it is of the launch.
    pub item: Option<Box<str>>,
    /// When.
    pub at: Timestamp,
    /// The id that the client chose.
    pub uuid: Option<Box<str>>,
    /// What it says.
    pub message: String,
    /// How grave it is.
    pub level: String,
    /// The name of the file that belongs to it.
    pub file: Option<String>,
    /// What became of the file.
    pub attached: Option<Attached>,
}

/// What became of the file of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attached {
    /// It is kept.
    Kept(Attachment),
    /// It is not, and why.
    Lost(String),
}

impl LogLine {
    /// Reads it.
    pub fn read(body: &Body, now: Timestamp) -> Result<Self, Refused> {
        let file = body.value(&["file"]).and_then(|file| scalar(file.get("name")).or_else(|| scalar(Some(file))));
        Ok(Self {
            launch: body.id(&["launchUuid", "launch_id", "launchId"])?,
            item: body.id(&["itemUuid", "item_id", "itemId"])?,
            at: body.moment(&["time"])?.unwrap_or(now),
            uuid: body.id(&["uuid"])?,
            message: body.text(&["message"]).unwrap_or_default(),
            level: level(body.text(&["level"]).as_deref()),
            file,
            attached: None,
        })
    }

    /// Its file as the event tells it.
    pub fn attachment(&self) -> Option<Value> {
        match (&self.attached, &self.file) {
            (Some(Attached::Kept(file)), _) => serde_json::to_value(file).ok(),
            (Some(Attached::Lost(why)), name) => {
                Some(json!({ "name": file_name(name.as_deref().unwrap_or_default()), "lost": why }))
            }
            (None, Some(name)) => Some(json!({ "name": file_name(name), "lost": "it did not come with its line" })),
            (None, None) => None,
        }
    }

    /// Whether it tells of a failure.
    pub fn is_error(&self) -> bool {
        ["error", "fatal"].contains(&&*self.level)
    }
}

/// A level by its name; numbers are those of ReportPortal.
fn level(word: Option<&str>) -> String {
    let word = word.unwrap_or_default().trim().to_ascii_lowercase();
    let named = match word.parse::<u32>() {
        Ok(0..=7_499) => "trace",
        Ok(7_500..=14_999) => "debug",
        Ok(15_000..=24_999) => "info",
        Ok(25_000..=34_999) => "warn",
        Ok(35_000..=44_999) => "error",
        Ok(45_000..=59_999) => "fatal",
        Ok(_) => "unknown",
        Err(_) if word.is_empty() || word == "none" => "unknown",
        Err(_) => return tidy(&word, 40).into(),
    };
    named.into()
}
