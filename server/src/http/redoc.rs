//! `GET /redoc`: the API, to be read. Rendered once from the `OpenAPI` document,
//! as plain HTML: it needs no script and prints well.

mod schema;

use super::html::{self, Escaped};
use app::domain::problem::ProblemKind;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use utoipa::openapi::OpenApi;

/// The whole page.
pub fn page(document: &OpenApi) -> String {
    let document = serde_json::to_value(document).unwrap_or_default();
    let operations = operations(&document);
    let schemas = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
    let mut main = format!("<h1>The API</h1>{}", prose(text(&document["info"]["description"])));
    main.push_str(&contents(&document, &operations, &schemas));
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = text(&tag["name"]);
        let _ = write!(main, "<h2 id=\"tag-{0}\">{0}</h2>{1}", Escaped(name), prose(text(&tag["description"])));
        operations.iter().filter(|one| one.tag == name).for_each(|one| main.push_str(&operation(&document, one)));
    }
    main.push_str("<h2 id=\"schemas\">Schemas</h2>");
    for (name, schema) in &schemas {
        main.push_str(&schema::section(name, schema, &schemas));
    }
    main.push_str(&problems());
    html::document("API", &main)
}

/// One method of one path.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    tag: &'a str,
    value: &'a Value,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        text(&self.value["operationId"])
    }
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten().filter(|(_, value)| value.is_object());
        methods.map(move |(method, value)| Operation { method, path, tag: text(&value["tags"][0]), value })
    });
    operations.collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Paragraphs with code in backticks, which is all our descriptions use.
fn prose(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p>{}</p>", inline(paragraph))).collect()
}

/// Text with code in backticks.
fn inline(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(at, part)| match at % 2 {
        0 => Escaped(part).to_string(),
        _ => format!("<code>{}</code>", Escaped(part)),
    });
    parts.collect()
}

fn contents(document: &Value, operations: &[Operation<'_>], schemas: &Map<String, Value>) -> String {
    let mut list = String::from("<nav class=\"contents\" aria-label=\"Contents\"><ul>");
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = text(&tag["name"]);
        let _ = write!(list, "<li><a href=\"#tag-{0}\">{0}</a><ul>", Escaped(name));
        for one in operations.iter().filter(|one| one.tag == name) {
            let (id, summary) = (Escaped(one.id()), Escaped(text(&one.value["summary"])));
            let _ = write!(list, "<li><a href=\"#{id}\">{summary}</a></li>");
        }
        list.push_str("</ul></li>");
    }
    list.push_str("<li><a href=\"#schemas\">Schemas</a><ul>");
    for name in schemas.keys() {
        let _ = write!(list, "<li><a href=\"#schema-{0}\">{0}</a></li>", Escaped(name));
    }
    list.push_str("</ul></li><li><a href=\"#problems\">Problems</a></li></ul></nav>");
    list
}

fn operation(document: &Value, one: &Operation<'_>) -> String {
    let value = one.value;
    let mut html = format!(
        "<section id=\"{}\"><h3>{}</h3><p><code>{} {}</code></p>{}",
        Escaped(one.id()),
        Escaped(text(&value["summary"])),
        one.method.to_uppercase(),
        Escaped(one.path),
        prose(text(&value["description"]))
    );
    if value["security"].as_array().is_some_and(|needed| !needed.is_empty()) {
        html.push_str("<p>Needs a token.</p>");
    }
    html.push_str(&parameters(value));
    for (kind, content) in value["requestBody"]["content"].as_object().into_iter().flatten() {
        let _ = write!(html, "<h4>Body, <code>{}</code></h4>{}", Escaped(kind), content_of(content));
    }
    html.push_str(&answers(document, value));
    html.push_str("</section>");
    html
}

fn parameters(operation: &Value) -> String {
    let rows = operation["parameters"].as_array().into_iter().flatten().map(|one| {
        format!(
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
            Escaped(text(&one["name"])),
            Escaped(text(&one["in"])),
            schema::kind(&one["schema"]),
            inline(text(&one["description"]))
        )
    });
    let rows: String = rows.collect();
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<h4>Parameters</h4><table><thead><tr><th>Name</th><th>In</th><th>Type</th><th></th></tr></thead><tbody>{rows}</tbody></table>"
    )
}

fn content_of(content: &Value) -> String {
    let example = &content["example"];
    let example = match example {
        Value::Null => String::new(),
        Value::String(lines) => format!("<pre><code>{}</code></pre>", Escaped(lines)),
        value => {
            format!("<pre><code>{}</code></pre>", Escaped(serde_json::to_string_pretty(value).unwrap_or_default()))
        }
    };
    format!("<p>{}</p>{example}", schema::kind(&content["schema"]))
}

fn answers(document: &Value, operation: &Value) -> String {
    let mut html = String::from("<h4>Answers</h4>");
    let mut refusals = String::new();
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        if let Some(name) = answer["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            let described = &document["components"]["responses"][name]["description"];
            let _ = write!(refusals, "<tr><td>{status}</td><td>{}</td></tr>", inline(text(described)));
            continue;
        }
        let _ = write!(html, "<p><strong>{status}</strong> {}</p>", inline(text(&answer["description"])));
        for content in answer["content"].as_object().into_iter().flatten().map(|(_, content)| content) {
            html.push_str(&content_of(content));
        }
    }
    if !refusals.is_empty() {
        let _ = write!(
            html,
            "<table><thead><tr><th>Status</th><th>Refused, because</th></tr></thead><tbody>{refusals}</tbody></table>"
        );
    }
    html
}

fn problems() -> String {
    let rows = ProblemKind::ALL.iter().map(|kind| {
        format!(
            "<tr><td>{}</td><td><a href=\"/problems/{1}\">{1}</a></td><td>{2}</td></tr>",
            kind.status(),
            kind.slug(),
            Escaped(kind.title())
        )
    });
    format!(
        "<h2 id=\"problems\">Problems</h2><table><thead><tr><th>Status</th><th>Type</th><th>Title</th></tr></thead><tbody>{}</tbody></table>",
        rows.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_escaped_and_code_is_marked() {
        assert_eq!(prose("a `<b>` c\n\nd"), "<p>a <code>&lt;b&gt;</code> c</p><p>d</p>");
    }
}
