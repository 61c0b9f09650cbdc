//! Schemas as tables.

use super::{Escaped, inline, prose, text};
use serde_json::{Map, Value};
use std::fmt::Write as _;

fn name_of(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// What a value of a schema is, in a few words with links.
pub fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return format!("<a href=\"#schema-{0}\">{0}</a>", Escaped(name_of(reference)));
    }
    let several = ["oneOf", "anyOf", "allOf"].iter().find_map(|word| schema[*word].as_array());
    if let Some(parts) = several {
        let parts: Vec<_> = parts.iter().map(kind).collect();
        return parts.join(" or ");
    }
    match &schema["type"] {
        Value::Array(kinds) => {
            let kinds: Vec<_> = kinds.iter().map(|one| named(text(one), schema)).collect();
            kinds.join(" or ")
        }
        one => named(text(one), schema),
    }
}

fn named(kind_name: &str, schema: &Value) -> String {
    if let Some(words) = schema["enum"].as_array().filter(|_| kind_name == "string") {
        let words: Vec<_> = words.iter().map(|word| format!("<code>{}</code>", Escaped(text(word)))).collect();
        return words.join(" · ");
    }
    match kind_name {
        "array" => format!("array of {}", kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of {}", kind(&schema["additionalProperties"]))
        }
        "string" => match schema["format"].as_str() {
            Some(format) => Escaped(format).to_string(),
            None => "text".into(),
        },
        other => Escaped(other).to_string(),
    }
}

/// The fields of a schema, those of what it builds upon included, and which
/// of them must be there.
fn fields<'a>(schema: &'a Value, all: &'a Map<String, Value>, found: &mut Vec<(&'a str, &'a Value, bool)>) {
    if let Some(base) = schema["$ref"].as_str().and_then(|reference| all.get(name_of(reference))) {
        fields(base, all, found);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        fields(part, all, found);
    }
    let must = |name: &str| schema["required"].as_array().into_iter().flatten().any(|one| text(one) == name);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        found.push((name, field, must(name)));
    }
}

/// What each of several shapes is called: by its tag, where it has one.
fn choices(parts: &[Value]) -> String {
    let items = parts.iter().map(|part| {
        let tags = part["allOf"].as_array().into_iter().flatten();
        let tag = tags.map(|one| text(&one["properties"]["type"]["enum"][0])).find(|tag| !tag.is_empty());
        let base = part["allOf"].as_array().and_then(|all| all.iter().find(|one| one["$ref"].is_string()));
        let about = inline(text(&part["description"]));
        match tag {
            Some(tag) => format!("<li><code>{}</code>: {} – {about}</li>", Escaped(tag), kind(base.unwrap_or(part))),
            None => format!("<li>{} {about}</li>", kind(part)),
        }
    });
    format!("<p>One of:</p><ul>{}</ul>", items.collect::<String>())
}

/// A schema with its heading.
pub fn section(name: &str, schema: &Value, all: &Map<String, Value>) -> String {
    let mut html = format!("<section id=\"schema-{0}\"><h3>{0}</h3>", Escaped(name));
    html.push_str(&prose(text(&schema["description"])));
    let mut found = Vec::new();
    fields(schema, all, &mut found);
    if !found.is_empty() {
        html.push_str("<table><thead><tr><th>Field</th><th>Type</th><th></th></tr></thead><tbody>");
        for (field, value, must) in found {
            let must = if must { "" } else { " <small>optional</small>" };
            let about = inline(text(&value["description"]));
            let _ = write!(
                html,
                "<tr><td><code>{}</code>{must}</td><td>{}</td><td>{about}</td></tr>",
                Escaped(field),
                kind(value)
            );
        }
        html.push_str("</tbody></table>");
    } else if let Some(parts) = schema["oneOf"].as_array() {
        html.push_str(&choices(parts));
    } else {
        let _ = write!(html, "<p>{}</p>", kind(schema));
    }
    html.push_str("</section>");
    html
}
