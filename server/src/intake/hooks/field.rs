//! Looks into payloads: what is absent, null or of another kind is not there.

use crate::intake::native;
use app::domain::time::Timestamp;
use serde_json::Value;

/// Fields of a JSON object.
pub(super) trait Field {
    /// A field; `None` where it is absent or null.
    fn field(&self, name: &str) -> Option<&Value>;

    /// A text that is not blank.
    fn text(&self, name: &str) -> Option<&str> {
        self.field(name)?.as_str().filter(|text| !text.trim().is_empty())
    }

    /// A text of our own.
    fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// A number that names something, as text.
    fn key(&self, name: &str) -> Option<String> {
        match self.field(name)? {
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    /// A list; an empty one where there is none.
    fn list(&self, name: &str) -> &[Value] {
        self.field(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// A point in time.
    fn time(&self, name: &str) -> Option<Timestamp> {
        moment(self.text(name)?)
    }
}

impl Field for Value {
    fn field(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| !value.is_null())
    }
}

/// RFC 3339, or as GitLab writes it: `2026-03-01 12:00:00 UTC`, `… +0100`.
fn moment(text: &str) -> Option<Timestamp> {
    native::moment(text).or_else(|| {
        let (date, time) = (text.get(..10)?, text.get(11..19)?);
        let zone = match text.get(19..)?.trim() {
            "UTC" | "Z" | "" => "Z".to_owned(),
            offset => format!("{}:{}", offset.get(..3)?, offset.get(3..)?),
        };
        native::moment(&format!("{date}T{time}{zone}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_spellings() {
        let utc = |text: &str| moment(text).map(Timestamp::to_rfc3339);
        assert_eq!(utc("2026-03-01 12:00:00 UTC").as_deref(), Some("2026-03-01T12:00:00.000000Z"));
        assert_eq!(utc("2026-03-01 12:00:00 +0100").as_deref(), Some("2026-03-01T11:00:00.000000Z"));
        assert_eq!(utc("2026-03-01T12:00:00.5Z").as_deref(), Some("2026-03-01T12:00:00.500000Z"));
        assert_eq!((utc("noon"), utc("2026-03-01 12:00:00 ä"), utc("ääääääääääääää")), (None, None, None));
    }
}
