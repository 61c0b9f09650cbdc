use super::*;
use crate::intake::native;
use proptest::prelude::*;

const SHA: &str = "3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a";

fn heard(kind: Kind, event: &str, body: &Value) -> Heard {
    let now = Timestamp::from_rfc3339("2026-03-01T12:00:00Z").expect("a time");
    read(kind, event, body, Naming { project: None, setups: &BTreeMap::new() }, now)
}

/// Our own words, checked, in a short form.
fn events(kind: Kind, event: &str, body: &Value) -> Vec<String> {
    let Heard::Events(events) = heard(kind, event, body) else { panic!("nothing was heard of {body}") };
    assert_eq!(native::told(events.clone()).rejected, []);
    let text = |event: &Value, name: &str| event[name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
    let one = |event: &Value| {
        let rest = ["test", "verdict"].map(|name| text(event, name)).concat();
        let attempt = event["attempt"].as_u64().filter(|attempt| *attempt > 1);
        let attempt = attempt.map(|attempt| format!(" #{attempt}")).unwrap_or_default();
        format!("{}{}{rest}{attempt}", event["type"].as_str().expect("a type"), text(event, "run"))
    };
    events.iter().map(one).collect()
}

fn gitlab(status: &str, builds: Value) -> Value {
    json!({
        "object_kind": "pipeline",
        "object_attributes": {"id": 31, "ref": "main", "sha": SHA, "status": status, "created_at": "2026-03-01 11:00:00 UTC",
            "finished_at": "2026-03-01 11:05:00 UTC"},
        "project": {"path_with_namespace": "acme/pump", "web_url": "https://git.example/acme/pump"},
        "user": {"username": "root"}, "builds": builds,
    })
}

fn build(id: u32, stage: &str, name: &str, status: &str) -> Value {
    json!({"id": id, "stage": stage, "name": name, "status": status, "started_at": "2026-03-01 11:01:00 UTC"})
}

#[test]
fn a_pipeline_is_a_run_and_its_jobs_are_tests() {
    let jobs = json!([
        build(3, "test", "unit", "success"),
        build(2, "test", "unit", "failed"),
        {"id": 4, "stage": "test", "name": "style", "status": "failed", "allow_failure": true},
        {"id": 5, "stage": "deploy", "name": "ship", "status": "manual"},
    ]);
    assert_eq!(
        events(Kind::Gitlab, "", &gitlab("success", jobs.clone())),
        [
            "run.planned 31",
            "run.started 31",
            "test.started 31 unit",
            "test.finished 31 unit failed",
            "test.started 31 unit #2",
            "test.finished 31 unit passed #2",
            "test.finished 31 style warned",
            "test.finished 31 ship skipped",
            "run.finished 31",
        ]
    );
    let Heard::Events(told) = heard(Kind::Gitlab, "", &gitlab("running", jobs)) else { panic!("nothing") };
    assert_eq!((&told[1]["branch"], &told[1]["at"]), (&json!("main"), &json!("2026-03-01T11:00:00.000000Z")));
    assert_eq!(told[1]["url"], "https://git.example/acme/pump/-/pipelines/31");
    assert_eq!(told[0]["plan"]["suites"][0]["suites"][0]["tests"], json!([{"name": "unit"}, {"name": "style"}]));
    assert!(told.iter().all(|event| event["setup"] == "ci/acme/pump" && event["type"] != "run.finished"));
}

#[test]
fn the_states_of_a_pipeline_are_told_apart() {
    let cases: &[(&str, &[&str])] = &[
        ("created", &["run.planned 31"]),
        ("a word of tomorrow", &["run.planned 31"]),
        ("running", &["run.planned 31", "run.started 31", "test.started 31 whole pipeline"]),
        (
            "failed",
            &[
                "run.planned 31",
                "run.started 31",
                "test.started 31 whole pipeline",
                "test.finished 31 whole pipeline failed",
                "run.finished 31",
            ],
        ),
        (
            "canceled",
            &[
                "run.planned 31",
                "run.started 31",
                "test.started 31 whole pipeline",
                "test.finished 31 whole pipeline cancelled",
                "run.finished 31",
            ],
        ),
    ];
    for (status, expected) in cases {
        assert_eq!(events(Kind::Gitlab, "", &gitlab(status, json!([]))), *expected, "{status}");
    }
    let blocked = gitlab("manual", json!([build(1, "test", "unit", "success")]));
    assert!(events(Kind::Gitlab, "", &blocked).contains(&"test.finished 31 unit passed".to_owned()));
}

#[test]
fn a_job_alone_belongs_to_its_pipeline() {
    let job = json!({
        "object_kind": "build", "build_id": 2, "build_name": "unit", "build_stage": "test", "build_status": "failed",
        "pipeline_id": 31, "retries_count": 1, "project_name": "acme / pump", "ref": "main", "sha": SHA,
    });
    assert_eq!(events(Kind::Gitlab, "", &job), ["run.planned 31", "run.started 31", "test.finished 31 unit failed #2"]);
}

fn hub(fields: Value) -> Value {
    let mut body = json!({"repository": {"full_name": "acme/pump"}, "sender": {"login": "root"}});
    fields.as_object().expect("fields").iter().for_each(|(name, value)| body[name] = value.clone());
    body
}

#[test]
fn workflows_jobs_checks_and_statuses_are_heard() {
    let run = |status: &str, conclusion: Value, attempt: u32| {
        hub(
            json!({"workflow_run": {"id": 7, "name": "CI", "status": status, "conclusion": conclusion, "run_attempt": attempt,
            "head_sha": SHA, "head_branch": "main", "run_started_at": "2026-03-01T11:00:00Z", "updated_at": "2026-03-01T11:05:00Z"}}),
        )
    };
    assert_eq!(events(Kind::Github, "workflow_run", &run("requested", Value::Null, 1)), ["run.planned 7"]);
    assert_eq!(
        events(Kind::Github, "workflow_run", &run("completed", json!("failure"), 2))[3..],
        ["test.finished 7.2 whole workflow failed", "run.finished 7.2"],
        "another attempt is another run"
    );
    let job = hub(json!({"workflow_job": {"run_id": 7, "name": "unit", "workflow_name": "CI", "status": "completed",
        "conclusion": "timed_out", "started_at": "2026-03-01T11:01:00Z", "completed_at": "2026-03-01T11:02:00Z"}}));
    assert_eq!(
        events(Kind::Gitea, "workflow_job", &job),
        ["run.planned 7", "run.started 7", "test.started 7 unit", "test.finished 7 unit timed_out"]
    );
    let check = |slug: &str| {
        hub(
            json!({"action": "completed", "check_run": {"id": 5, "name": "lint", "status": "completed", "conclusion": "neutral",
            "app": {"slug": slug, "name": "Linter"}}}),
        )
    };
    assert!(
        events(Kind::Github, "check_run", &check("lint")).contains(&"test.finished check 5 lint warned".to_owned())
    );
    assert!(matches!(heard(Kind::Github, "check_run", &check("github-actions")), Heard::Nothing(_)));
    let status = hub(json!({"sha": SHA, "state": "error", "context": "rig/smoke", "description": "no power"}));
    let told = events(Kind::Github, "status", &status);
    assert_eq!(
        told[2..],
        ["test.finished status 3f2a3f2a3f2a rig/smoke rig/smoke errored", "run.finished status 3f2a3f2a3f2a rig/smoke"]
    );
}

#[test]
fn bitbucket_and_jenkins_are_heard() {
    let status =
        hub(json!({"commit_status": {"key": "smoke", "state": "STOPPED", "commit": {"hash": SHA}, "refname": "main"}}));
    let told = events(Kind::Bitbucket, "repo:commit_status_updated", &status);
    assert!(told.contains(&"test.finished status 3f2a3f2a3f2a smoke smoke cancelled".to_owned()), "{told:?}");
    let jenkins = |phase: &str| {
        json!({"name": "nightly", "build": {"number": 12, "phase": phase, "status": "UNSTABLE", "timestamp": 1_772_362_800_000_i64,
            "duration": 60_000, "test_summary": {"total": 9, "failed": 2}}})
    };
    assert_eq!(
        events(Kind::Jenkins, "", &jenkins("STARTED")),
        ["run.planned 12", "run.started 12", "test.started 12 whole build"]
    );
    let Heard::Events(told) = heard(Kind::Jenkins, "", &jenkins("FINALIZED")) else { panic!("nothing") };
    assert_eq!(
        (&told[3]["verdict"], &told[3]["message"]),
        (&json!("failed"), &json!("2 of 9 tests failed, 0 skipped"))
    );
    assert_eq!((&told[0]["setup"], &told[4]["at"]), (&json!("ci/nightly"), &json!("2026-03-01T11:01:00.000000Z")));
}

#[test]
fn a_push_is_noted_and_shows_no_run() {
    let hub_push = hub(json!({"ref": "refs/heads/main", "after": SHA, "pusher": {"name": "root"}}));
    let gitlab_push = json!({"object_kind": "push", "ref": "refs/heads/main", "after": SHA, "user_username": "root",
        "project": {"path_with_namespace": "acme/pump"}});
    let cloud = hub(json!({"actor": {"nickname": "root"}, "push": {"changes": [{"new": null},
        {"new": {"type": "branch", "name": "main", "target": {"hash": SHA}}}]}}));
    let datacenter = json!({"eventKey": "repo:refs_changed", "actor": {"name": "root"}, "repository": {"slug": "pump", "project": {"key": "acme"}},
        "changes": [{"ref": {"displayId": "main", "type": "BRANCH"}, "toHash": SHA, "type": "UPDATE"}]});
    let cases = [
        (Kind::Github, "push", hub_push.clone()),
        (Kind::Forgejo, "push", hub_push),
        (Kind::Gitlab, "", gitlab_push),
        (Kind::Bitbucket, "repo:push", cloud),
        (Kind::BitbucketDatacenter, "", datacenter),
    ];
    for (kind, event, body) in cases {
        let Heard::Events(told) = heard(kind, event, &body) else { panic!("nothing of {kind:?}") };
        let attributes = json!({"pushed commit": SHA, "pushed branch": "main", "pushed by": "root"});
        assert_eq!((told.len(), &told[0]["type"], &told[0]["attributes"]), (1, &json!("setup.described"), &attributes));
        assert_eq!(told[0]["setup"], "ci/acme/pump");
    }
    for gone in [json!({"ref": "refs/heads/x", "after": "0".repeat(40)}), json!({"ref": "refs/tags/v1", "after": SHA})]
    {
        assert!(matches!(heard(Kind::Github, "push", &hub(gone)), Heard::Nothing(_)));
    }
}

#[test]
fn what_says_nothing_is_heard_politely() {
    let cases = [
        (Kind::Github, "ping", hub(json!({"zen": "x"}))),
        (Kind::Github, "issues", hub(json!({}))),
        (Kind::Github, "push", json!({})),
        (Kind::Github, "workflow_run", hub(json!({"workflow_run": []}))),
        (Kind::Gitlab, "", json!({"object_kind": "merge_request"})),
        (Kind::Gitlab, "", json!([])),
        (Kind::Bitbucket, "pullrequest:created", hub(json!({}))),
        (Kind::BitbucketDatacenter, "pr:merged", json!({})),
        (Kind::Jenkins, "", json!({"name": "x", "build": {"number": 1, "phase": "DREAMING"}})),
    ];
    for (kind, event, body) in cases {
        assert!(matches!(heard(kind, event, &body), Heard::Nothing(_)), "{kind:?} {event}");
    }
}

#[test]
fn the_operator_names_setups_and_projects_and_a_repeat_has_the_same_ids() {
    let setups = BTreeMap::from([("acme/pump".to_owned(), "pump line".to_owned())]);
    let naming = Naming { project: Some("pump"), setups: &setups };
    let told = || {
        let heard = read(Kind::Gitlab, "", &gitlab("failed", json!([])), naming, Timestamp(0));
        let Heard::Events(mut events) = heard else { panic!("nothing") };
        name(&mut events, Kind::Gitlab, "delivery 1");
        events
    };
    let events = told();
    assert!(events.iter().all(|event| event["setup"] == "pump line" && event["project"] == "pump"));
    assert_eq!(events, told());
    assert_ne!(events[0]["id"], events[1]["id"]);
    assert_eq!(native::told(events).rejected, []);
}

proptest! {
    #[test]
    fn any_mutation_of_a_payload_is_heard_or_not(
        kind in prop::sample::select(Kind::ALL.to_vec()),
        event in prop::sample::select(vec!["push", "workflow_run", "workflow_job", "check_run", "status", "repo:push", "repo:refs_changed"]),
        at in 0_usize..600, with in ".{0,4}", cut in 0_usize..4,
    ) {
        let payloads = [
            gitlab("failed", json!([build(1, "test", "unit", "failed")])),
            hub(json!({"workflow_run": {"id": 7, "status": "completed"}, "workflow_job": {"run_id": 7, "name": "u"},
                "check_run": {"id": 1, "name": "c"}, "sha": SHA, "state": "pending", "ref": "refs/heads/m", "after": SHA})),
            json!({"name": "n", "build": {"number": 1, "phase": "COMPLETED", "timestamp": 1, "duration": 1}}),
        ];
        for payload in payloads {
            let mut text = payload.to_string();
            let from = text.floor_char_boundary(at.min(text.len()));
            let to = text.floor_char_boundary((from + cut).min(text.len()));
            text.replace_range(from..to, &with);
            let Ok(body) = serde_json::from_str::<Value>(&text) else { continue };
            if let Heard::Events(mut events) = heard(kind, event, &body) {
                name(&mut events, kind, &with);
                let parsed = native::told(events);
                prop_assert!(parsed.rejected.iter().all(|rejected| !rejected.detail.is_empty()));
            }
        }
    }
}
