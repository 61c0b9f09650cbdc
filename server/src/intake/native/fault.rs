//! Where an event is wrong. Takes its time: it is asked only about events that
//! could not be read the short way.

use super::event::{self, Built};
use super::raw::Raw;
use serde_json::{Map, Value};

/// What is wrong with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer inside the event.
    pub pointer: String,
    /// What is wrong there, for people.
    pub detail: String,
}

impl Fault {
    pub(super) fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }

    pub(super) fn missing(pointer: impl Into<String>) -> Self {
        Self::at(pointer, "is missing")
    }

    pub(super) fn encoding() -> Self {
        Self::at("", "is not UTF-8")
    }
}

/// What a field must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Number,
    Flag,
    Time,
    Texts,
    List,
    Object,
}

impl Shape {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Flag => value.is_boolean(),
            Self::Time => value.is_string() || value.is_number(),
            Self::Texts | Self::List => value.is_array(),
            Self::Object => value.is_object(),
        }
    }

    /// What to say of a value that is not so.
    pub(super) fn mismatch(self, value: &Value) -> String {
        let wanted = match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::Flag => "true or false",
            Self::Time => "a time: RFC 3339 as text, or milliseconds as a number",
            Self::Texts => "an array of texts",
            Self::List => "an array",
            Self::Object => "an object",
        };
        format!("must be {wanted}, and is {}", kind_of(value))
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

type Fields = &'static [(&'static str, Shape)];

const COMMON: Fields = &[("at", Shape::Time), ("setup", Shape::Text), ("project", Shape::Text), ("id", Shape::Text)];

/// What each type of event carries beside the common fields; `None` for a type
/// that we do not know.
fn fields_of(kind: &str) -> Option<Fields> {
    use Shape::{Flag, Number, Object, Text, Texts};
    Some(match kind {
        "run.planned" => &[("run", Text), ("plan", Object)],
        "run.started" => &[
            ("run", Text),
            ("name", Text),
            ("commit", Text),
            ("branch", Text),
            ("trigger", Text),
            ("url", Text),
            ("user", Text),
            ("framework", Text),
            ("total_tests", Number),
            ("shard", Number),
            ("shards", Number),
            ("attributes", Object),
        ],
        "suite.started" => &[("run", Text), ("suite", Texts), ("total_tests", Number), ("source", Text)],
        "suite.phase" => &[("run", Text), ("suite", Texts), ("phase", Text)],
        "test.started" => &[
            ("run", Text),
            ("suite", Texts),
            ("test", Text),
            ("parameters", Text),
            ("attempt", Number),
            ("source", Text),
            ("line", Number),
            ("tags", Texts),
            ("owner", Text),
        ],
        "test.finished" => &[
            ("run", Text),
            ("suite", Texts),
            ("test", Text),
            ("verdict", Text),
            ("parameters", Text),
            ("attempt", Number),
            ("duration_ms", Number),
            ("message", Text),
            ("trace", Text),
        ],
        "log" => &[
            ("run", Text),
            ("suite", Texts),
            ("test", Text),
            ("parameters", Text),
            ("attempt", Number),
            ("step", Text),
            ("level", Text),
            ("message", Text),
        ],
        "step.started" => &[
            ("run", Text),
            ("suite", Texts),
            ("test", Text),
            ("parameters", Text),
            ("attempt", Number),
            ("step", Text),
            ("parent", Text),
            ("name", Text),
        ],
        "step.finished" => &[
            ("run", Text),
            ("suite", Texts),
            ("test", Text),
            ("parameters", Text),
            ("attempt", Number),
            ("step", Text),
            ("verdict", Text),
            ("duration_ms", Number),
            ("message", Text),
        ],
        "suite.finished" => &[("run", Text), ("suite", Texts), ("verdict", Text), ("message", Text)],
        "run.finished" => &[("run", Text), ("aborted", Flag), ("shard", Number)],
        "setup.heartbeat" => &[],
        "setup.described" => &[("attributes", Object)],
        _ => return None,
    })
}

/// Reads an event that does not fit the short way: says what is wrong, or
/// finds that only fields we do not read are.
pub(super) fn read(text: &str) -> Result<Built, Fault> {
    let fields = object(text)?;
    let kind = match fields.get("type") {
        None | Some(Value::Null) => return Err(Fault::missing("/type")),
        Some(Value::String(kind)) => kind.clone(),
        Some(other) => return Err(Fault::at("/type", Shape::Text.mismatch(other))),
    };
    let own = fields_of(&kind);
    for (name, shape) in COMMON.iter().chain(own.unwrap_or_default()) {
        check(name, *shape, fields.get(*name))?;
    }
    let mut fields = fields;
    fields.retain(|name, value| name == "type" || carried(name, own, value));
    let text = Value::Object(fields).to_string();
    let raw = serde_json::from_str::<Raw<'_>>(&text).map_err(|error| Fault::at("", error.to_string()))?;
    event::build(&raw)
}

fn carried(name: &str, own: Option<Fields>, value: &Value) -> bool {
    match own {
        Some(own) => COMMON.iter().chain(own).any(|(known, _)| *known == name),
        None => COMMON.iter().any(|(known, _)| *known == name) || (name == "run" && value.is_string()),
    }
}

fn object(text: &str) -> Result<Map<String, Value>, Fault> {
    let value = serde_json::from_str(text).or_else(|error| match without_lone_surrogates(text) {
        Some(mended) => serde_json::from_str(&mended),
        None => Err(error),
    });
    match value {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(Fault::at("", format!("an event must be a JSON object, and this is {}", kind_of(&other)))),
        Err(error) => Err(Fault::at("", format!("is not valid JSON: {error}"))),
    }
}

fn check(name: &str, shape: Shape, value: Option<&Value>) -> Result<(), Fault> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(()) };
    if !shape.fits(value) {
        return Err(Fault::at(format!("/{name}"), shape.mismatch(value)));
    }
    let Value::Array(items) = value else { return Ok(()) };
    let wrong = items.iter().enumerate().find(|(_, item)| shape == Shape::Texts && !item.is_string());
    wrong.map_or(Ok(()), |(at, item)| Err(Fault::at(format!("/{name}/{at}"), Shape::Text.mismatch(item))))
}

/// Python writes bytes that are not UTF-8 as halves of a surrogate pair, and
/// JSON lets it. Such halves become U+FFFD; `None` where there are none.
fn without_lone_surrogates(text: &str) -> Option<String> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    let (mut mended, mut kept, mut at) = (String::new(), 0, 0);
    while let Some(found) = text[at..].find('\\') {
        at += found;
        match unit(at) {
            Some(0xD800..=0xDBFF) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => at += 12,
            Some(0xD800..=0xDFFF) => {
                mended.push_str(&text[kept..at]);
                mended.push_str("\\ufffd");
                at += 6;
                kept = at;
            }
            // Skips what is escaped, which may itself be a backslash.
            _ => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    (kept > 0).then(|| mended + &text[kept..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_surrogate_pairs_are_mended_and_whole_ones_stay() {
        assert_eq!(
            without_lone_surrogates(r"a\udc80b\ud83d\ude00\\ud800").as_deref(),
            Some(r"a\ufffdb\ud83d\ude00\\ud800")
        );
        assert_eq!(without_lone_surrogates(r"plain \n text\"), None);
        assert_eq!(without_lone_surrogates(r"\ud83d").as_deref(), Some(r"\ufffd"));
    }
}
