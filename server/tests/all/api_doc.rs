//! The documents of the contract: complete, and in step with the program.

use crate::harness::TestServer;
use app::domain::problem::ProblemKind;
use serde_json::Value;
use std::collections::BTreeSet;

const ROUTES: &[&str] = &[
    "delete /api/v1/projects/{name}/codeowners",
    "delete /api/v1/renames/{was}",
    "delete /api/v1/schedules/{name}",
    "delete /api/v1/setups/{name}/claim",
    "delete /api/v1/setups/{name}/reservation",
    "delete /api/v1/tokens/{id}",
    "delete /api/v1/walls/{name}",
    "delete /api/v1/work/workers/{name}",
    "get /api/v1/batches",
    "get /api/v1/batches/{batch}",
    "get /api/v1/builds",
    "get /api/v1/builds/{build}",
    "get /api/v1/flaky",
    "get /api/v1/flaky.csv",
    "get /api/v1/flaky.ctrf",
    "get /api/v1/jobs/{job}",
    "get /api/v1/jobs/{job}/log",
    "get /api/v1/jobs/{job}/log/find",
    "get /api/v1/jobs/{job}/log/index",
    "get /api/v1/plan",
    "get /api/v1/projects/{name}/codeowners",
    "get /api/v1/runs",
    "get /api/v1/runs/{id}",
    "get /api/v1/runs/{id}/attachments",
    "get /api/v1/runs/{id}/attachments/{file}",
    "get /api/v1/runs/{id}/ctrf",
    "get /api/v1/runs/{id}/junit",
    "get /api/v1/runs/{id}/log",
    "get /api/v1/runs/{id}/renames",
    "get /api/v1/runs/{id}/tests",
    "get /api/v1/schedules",
    "get /api/v1/schedules/{name}",
    "get /api/v1/setups",
    "get /api/v1/setups/{name}",
    "get /api/v1/stream",
    "get /api/v1/tokens",
    "get /api/v1/walls",
    "get /api/v1/walls/{name}",
    "get /api/v1/work/jobs/{job}/files/{file}",
    "get /api/v1/work/workers",
    "get /badges/{project}",
    "get /badges/{project}/{setup}",
    "get /cc.xml",
    "get /health",
    "get /listeners",
    "get /listeners/holter_pytest.py",
    "get /listeners/holter_robot.py",
    "get /metrics",
    "get /mode",
    "get /ready",
    "get /status",
    "post /api/v1/attachments",
    "post /api/v1/batches",
    "post /api/v1/batches/{batch}/cancel",
    "post /api/v1/batches/{batch}/rerun",
    "post /api/v1/batches/{batch}/start",
    "post /api/v1/builds/{build}/approve",
    "post /api/v1/builds/{build}/refuse",
    "post /api/v1/builds/{build}/rerun",
    "post /api/v1/events",
    "post /api/v1/hooks/{kind}",
    "post /api/v1/jobs/{job}/cancel",
    "post /api/v1/renames",
    "post /api/v1/reports",
    "post /api/v1/setups/{name}/reservation",
    "post /api/v1/tokens",
    "post /api/v1/work/claim",
    "post /api/v1/work/jobs/{job}/extend",
    "post /api/v1/work/jobs/{job}/finish",
    "post /api/v1/work/jobs/{job}/log",
    "post /api/v1/work/workers",
    "post /flip-mode",
    "put /api/v1/projects/{name}/codeowners",
    "put /api/v1/schedules/{name}",
    "put /api/v1/setups/{name}/claim",
    "put /api/v1/walls/{name}",
    "put /api/v1/work/workers/{name}/stance",
];

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("methods").iter();
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    operations.collect()
}

#[tokio::test]
async fn every_route_is_described_with_its_refusals() {
    let server = TestServer::start().await;
    let document = server.get("/api/v1/openapi.json").await.ok();
    assert_eq!(document["openapi"], "3.1.0");
    let mut found: Vec<_> = operations(&document).into_iter().map(|(route, _)| route).collect();
    found.sort();
    assert_eq!(found, ROUTES);
    for (route, operation) in operations(&document) {
        for field in ["operationId", "summary"] {
            assert!(operation[field].is_string(), "{route} {field}");
        }
        let done = ["200", "201", "204"].iter().find_map(|status| operation["responses"].get(status));
        assert!(done.is_some_and(|done| !done["description"].as_str().unwrap_or_default().is_empty()), "{route}");
        assert_eq!(route.contains('{'), operation["responses"].get("404").is_some(), "{route}");
    }
    let post = &document["paths"]["/api/v1/events"]["post"];
    let statuses: BTreeSet<_> = post["responses"].as_object().expect("answers").keys().map(String::as_str).collect();
    assert_eq!(statuses, BTreeSet::from(["200", "400", "401", "403", "408", "413", "415", "422", "429", "500", "503"]));
    assert_eq!(post["security"][0]["token"], serde_json::json!([]));
    assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    server.stop().await;
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let server = TestServer::start().await;
    let document = server.get("/api/v1/openapi.json").await.ok();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("inside the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for kind in ProblemKind::ALL {
        let described = &document["components"]["responses"][format!("{kind:?}")];
        let content = described["content"]["application/problem+json"].as_object().expect("a problem");
        assert_eq!(content["example"]["status"], kind.status());
    }
    server.stop().await;
}

#[tokio::test]
async fn the_example_of_the_document_is_taken() {
    let server = TestServer::start().await;
    let document = server.get("/api/v1/openapi.json").await.ok();
    let body = &document["paths"]["/api/v1/events"]["post"]["requestBody"]["content"];
    assert_eq!(server.post(&body["application/json"]["example"]).await.ok()["accepted"], 1);
    server.stop().await;
}

#[tokio::test]
async fn the_pages_to_read_and_to_try_need_nothing_from_elsewhere() {
    let server = TestServer::start().await;
    let document = server.get("/api/v1/openapi.json").await.ok();
    let read = server.get("/redoc").await;
    for (route, operation) in operations(&document) {
        let id = operation["operationId"].as_str().expect("an id");
        assert!(read.text.contains(&format!("id=\"{id}\"")), "{route}");
    }
    for name in document["components"]["schemas"].as_object().expect("schemas").keys() {
        assert!(read.text.contains(&format!("id=\"schema-{name}\"")), "{name}");
    }
    let tried = server.get("/docs").await;
    for page in [&read.text, &tried.text] {
        assert!(!page.contains("src=\"http") && !page.contains("href=\"http") && !page.contains("style="));
        let scripts = page.matches("<script").count();
        assert_eq!(scripts, page.matches("<script src=\"/docs/").count(), "no script inside the page");
    }
    let files = tried.text.split('"').filter(|part| part.starts_with("/docs/"));
    for file in files {
        let answer = server.get(file).await;
        assert_eq!(answer.status, 200, "{file}");
        assert!(answer.text.len() > 100, "{file}");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_problem_has_a_page() {
    let server = TestServer::start().await;
    let index = server.get("/problems").await.text;
    for kind in ProblemKind::ALL {
        let page = server.get(&format!("/problems/{}", kind.slug())).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains(kind.title()) && index.contains(kind.slug()));
    }
    server.get("/problems/nonsense").await.problem(404, "not-found");
    server.stop().await;
}

#[test]
fn the_table_of_problems_is_the_list_of_the_program() {
    let text = include_str!("../../../docs/API.md");
    let rows: Vec<_> =
        text.lines().filter(|line| line.contains("](/problems/") || line.contains("`/problems/")).collect();
    let rows: Vec<_> = rows.into_iter().filter(|line| line.starts_with("| ")).collect();
    let expected: Vec<_> = ProblemKind::ALL
        .iter()
        .map(|kind| format!("| {} | `/problems/{}` | {} |", kind.status(), kind.slug(), kind.title()))
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn every_route_is_in_the_written_contract() {
    let text = include_str!("../../../docs/API.md");
    for route in ROUTES {
        let path = route.split(' ').next_back().expect("a path");
        assert!(text.contains(path), "{path}");
    }
}
