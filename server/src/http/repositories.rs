//! `/settings/repositories`: what is built when it is pushed, as plain forms.

use super::extract::Query;
use super::form::{self, Form, field};
use super::html::{self, Escaped};
use super::problem::Refusal;
use crate::config::{CredentialsConfig, RepositoryConfig};
use crate::intake::hooks::Kind;
use crate::service::repositories::{ENVIRONMENT, NamedRepository};
use crate::service::{Desk, Failure};
use app::domain::problem::Problem;
use app::domain::rights::Action;
use app::paths::Segment;
use axum::response::{IntoResponse, Redirect, Response};
use std::fmt::Write;

/// The forges whose pushes can be signed.
const KINDS: [Kind; 6] =
    [Kind::Github, Kind::Gitlab, Kind::Gitea, Kind::Forgejo, Kind::Bitbucket, Kind::BitbucketDatacenter];

const INTRODUCTION: &str = "<h1>Repositories</h1><p>What is pushed to these is <a href=\"/builds\">built</a>. Let the \
    forge send pushes and pull requests as JSON to the address of the repository, signed with its secret.</p>";

/// Every repository, and a form for a new one.
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    let all = desk.repositories().await?;
    let mut main = String::from(INTRODUCTION);
    if all.is_empty() {
        main.push_str("<p data-test=\"no-repositories\">There is none yet.</p>");
    } else {
        html::begin_table(
            &mut main,
            "Repositories",
            "repositories",
            &["Name", "Cloned from", "Branches", "Last delivery"],
        );
        all.iter().for_each(|one| row(&mut main, one));
        html::end_table(&mut main);
    }
    let _ = write!(main, "<h2>Another repository</h2>{}", form(None, None, &form::proof(&desk)));
    Ok(html::respond(html::page(&desk, "Repositories", &main)))
}

fn row(main: &mut String, found: &NamedRepository) {
    let config = &found.config;
    let delivery = found.delivery.as_ref().map_or_else(
        || "none was seen".to_owned(),
        |delivery| format!("{} {}", html::when(delivery.at), Escaped(&delivery.kind)),
    );
    let name =
        format!("<a href=\"/settings/repositories/one?name={}\">{}</a>", Segment(&config.name), Escaped(&config.name));
    let written = if found.is_configured { " <span class=\"quiet\">holter.toml</span>" } else { "" };
    let _ = write!(
        main,
        "<tr><td>{name}{written}</td><td>{}</td><td>{}</td><td>{delivery}</td></tr>",
        Escaped(&config.url),
        Escaped(config.branches.join(", "))
    );
}

/// One repository: where its forge sends, what that signs with, and how it is
/// built.
pub async fn one(desk: Desk, query: Query) -> Result<Response, Refusal> {
    let all = desk.repositories().await?;
    let name = query.text("name").unwrap_or_default();
    let none = || Refusal::not_found("there is no repository of this name; /settings/repositories lists all");
    let found = all.into_iter().find(|one| one.config.name == name).ok_or_else(none)?;
    let mut main =
        format!("<p><a href=\"/settings/repositories\">Repositories</a></p><h1>{}</h1>", Escaped(&found.config.name));
    hook(&mut main, &desk, &found);
    let proof = form::proof(&desk);
    if found.is_configured {
        main.push_str("<p>This repository is written in holter.toml, and changed there.</p>");
    } else {
        let _ = write!(
            main,
            "<h2>How it is built</h2>{}{}",
            form(Some((&found.config, found.kind)), None, &proof),
            html::deletion(
                "/settings/repositories/delete",
                &format!("<input type=\"hidden\" name=\"name\" value=\"{}\">{proof}", Escaped(&found.config.name)),
                "this repository",
                "Its pushes build nothing any more, and its secret for them is forgotten. Its builds and their runs stay.",
                "delete-repository",
            )
        );
    }
    Ok(html::respond(html::page(&desk, &found.config.name, &main)))
}

fn hook(main: &mut String, desk: &Desk, found: &NamedRepository) {
    let (kind, own) = match found.kind {
        Some(kind) => (kind.as_str(), format!("?repository={}", Segment(&found.config.name))),
        None => ("KIND", String::new()),
    };
    let address = desk.link(&format!("/api/v1/hooks/{kind}{own}"));
    let secret = found.secret.as_ref().map_or_else(
        || "as <code>hooks.secrets</code> in holter.toml says for its kind".to_owned(),
        |secret| format!("<code data-test=\"secret\">{}</code>", Escaped(secret.expose())),
    );
    let delivery = found.delivery.as_ref().map_or_else(
        || "None was seen yet.".to_owned(),
        |delivery| format!("The last one came {} from {}.", html::when(delivery.at), Escaped(&delivery.kind)),
    );
    let _ = write!(
        main,
        "<h2>Deliveries</h2><dl><dt>Address</dt><dd><code data-test=\"hook\">{}</code></dd><dt>Secret</dt>\
         <dd>{secret}</dd></dl><p data-test=\"delivery\">{delivery}</p>",
        Escaped(address)
    );
}

fn credentials(known: Option<&CredentialsConfig>) -> String {
    let user = known.map(|known| known.user.as_str()).unwrap_or_default();
    let variable = known.and_then(|known| known.environment.as_deref()).unwrap_or_default();
    let hint = format!("none; {ENVIRONMENT}PUMP");
    field("Clones as", "user", user, "git")
        + &field("With the token in this variable of the server", "environment", variable, &hint)
}

fn form(known: Option<(&RepositoryConfig, Option<Kind>)>, refused: Option<&Problem>, proof: &str) -> String {
    let config = known.map(|(config, _)| config);
    let text = |read: fn(&RepositoryConfig) -> Option<String>| config.and_then(read).unwrap_or_default();
    let kind = known.and_then(|(_, kind)| kind);
    let kinds = KINDS.map(|one| {
        let selected = if Some(one) == kind { " selected" } else { "" };
        format!("<option{selected}>{}</option>", one.as_str())
    });
    let network = if config.is_some_and(|config| config.network) { " checked" } else { "" };
    [
        "<form method=\"post\" action=\"/settings/repositories\" class=\"stacked\" data-test=\"repository-form\">"
            .to_owned(),
        form::not_saved(refused),
        field("Name, as the forge calls it", "name", &text(|config| Some(config.name.clone())), "acme/pump"),
        format!("<label>Forge <select name=\"kind\">{}</select></label>", kinds.concat()),
        field("Cloned from", "url", &text(|config| Some(config.url.clone())), "https://forge.example/acme/pump.git"),
        field("Branches", "branches", &text(|config| Some(config.branches.join(", "))), "all; release/* takes many"),
        field("Project", "project", &text(|config| config.project.clone()), "the default project"),
        field("Setup", "setup", &text(|config| config.setup.clone()), "builds/ and the name"),
        field("Needs of a worker", "labels", &text(|config| Some(config.labels.clone())), "any worker"),
        field("Secrets for its steps", "secrets", &text(|config| Some(config.secrets.join(", "))), "none"),
        field("Seconds it may take", "timeout_seconds", &text(|config| config.timeout_seconds.map(|n| n.to_string())), "1800"),
        credentials(config.and_then(|config| config.credentials.as_ref())),
        format!("<label class=\"check\"><input type=\"checkbox\" name=\"network\"{network}> Its steps may use the network</label>"),
        proof.to_owned(),
        "<button class=\"button\" data-test=\"save-repository\">Save</button></form>".to_owned(),
    ]
    .concat()
}

fn read(form: &Form) -> Result<RepositoryConfig, Failure> {
    let branches = form.lines("branches");
    let credentials = form.some("environment").map(|environment| CredentialsConfig {
        user: form.some("user").unwrap_or_else(|| "git".into()),
        environment: Some(environment),
        file: None,
        known_hosts: None,
    });
    Ok(RepositoryConfig {
        name: form.text("name").into(),
        url: form.text("url").into(),
        branches: if branches.is_empty() { vec!["*".into()] } else { branches },
        project: form.some("project"),
        setup: form.some("setup"),
        labels: form.text("labels").into(),
        network: form.is_on("network"),
        secrets: form.lines("secrets"),
        timeout_seconds: form.number("timeout_seconds")?.filter(|seconds| *seconds > 0),
        credentials,
    })
}

/// Saves what a form says.
pub async fn save(desk: Desk, form: Form) -> Response {
    let kind = Kind::parse(form.text("kind")).filter(|kind| KINDS.contains(kind));
    let saved = async {
        let desk = form::trusted(&desk, &form).await?;
        desk.allow(Action::Administer)?;
        let unknown = || Failure::invalid("kind", "must be one of the forges");
        desk.repository_save(read(&form)?, kind.ok_or_else(unknown)?).await
    };
    match saved.await {
        Ok(()) => {
            let name = Segment(form.text("name"));
            Redirect::to(&format!("/settings/repositories/one?name={name}")).into_response()
        }
        Err(failure) => {
            let problem = Problem::from(failure);
            let typed = read(&form).ok();
            let typed = typed.as_ref().map(|config| (config, kind));
            let main = format!("{INTRODUCTION}{}", self::form(typed, Some(&problem), &form::proof(&desk)));
            form::refused(&problem, html::respond(html::page(&desk, "Repositories", &main)))
        }
    }
}

/// Deletes a repository.
pub async fn delete(desk: Desk, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    desk.repository_delete(form.text("name")).await?;
    Ok(Redirect::to("/settings/repositories").into_response())
}
