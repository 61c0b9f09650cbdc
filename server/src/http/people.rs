//! `/settings/people`: who has an account, and what they may do.

use super::extract::Segment;
use super::form::{self, Form};
use super::html::{self, Escaped};
use super::problem::Refusal;
use crate::service::people::{Account, AccountText, Invited};
use crate::service::{Desk, Failure};
use app::domain::ids::UserId;
use app::domain::problem::Problem;
use app::domain::rights::Role;
use axum::response::{IntoResponse, Redirect, Response};
use std::fmt::Write;

/// Every account, and a form for a new one.
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    let main = list_page(&desk, "", "", &AccountText::default()).await?;
    Ok(html::respond(html::page(&desk, "People", &main)))
}

async fn list_page(desk: &Desk, news: &str, name: &str, said: &AccountText) -> Result<String, Failure> {
    let mut main = format!("<h1>People</h1>{news}");
    let people = desk.people().await?;
    if people.is_empty() {
        main.push_str("<p>Nobody has an account yet.</p>");
    } else {
        html::begin_table(&mut main, "Accounts", "people", &["Name", "May", "Mail", "Last signed in"]);
        people.iter().for_each(|account| row(&mut main, account));
        html::end_table(&mut main);
    }
    let proof = form::proof(desk);
    let _ = write!(
        main,
        "<h2>Invite somebody</h2><form method=\"post\" action=\"/settings/people\" class=\"stacked\" data-test=\"invite\">{proof}\
         <label>Name, to sign in with <input type=\"text\" name=\"name\" value=\"{}\" autocomplete=\"off\" \
         autocapitalize=\"none\" spellcheck=\"false\" required></label>{}\
         <button class=\"button\">Invite</button></form>",
        Escaped(name),
        fields(said)
    );
    Ok(main)
}

fn row(main: &mut String, account: &Account) {
    let Account { user, grants } = account;
    let role = user.role.map(|role| role.to_string());
    let granted = grants.iter().map(|grant| format!("{} in {}", grant.role, grant.project.as_str()));
    let closed = user.disabled_at.map(|_| "closed".to_owned());
    let may: Vec<_> = role.into_iter().chain(granted).chain(closed).collect();
    let _ = write!(
        main,
        "<tr><td><a href=\"/settings/people/{}\">{}</a></td><td>{}</td><td>{}</td><td>{}</td></tr>",
        user.id,
        Escaped(&user.name),
        Escaped(if may.is_empty() { "nothing yet".to_owned() } else { may.join(", ") }),
        Escaped(user.email.as_deref().unwrap_or("none")),
        user.seen_at.map_or_else(|| "never".to_owned(), html::when),
    );
}

/// The fields of an account, beside its name.
fn fields(said: &AccountText) -> String {
    let role = |word: &str, label: &str, is_own: bool| {
        format!("<option value=\"{word}\"{}>{label}</option>", if is_own { " selected" } else { "" })
    };
    let roles: String = Role::ALL.iter().map(|one| role(one.as_str(), one.as_str(), said.role == Some(*one))).collect();
    let grants: Vec<_> = said.grants.iter().map(|(project, role)| format!("{project}: {role}")).collect();
    format!(
        "<label>Address for mail <input type=\"email\" name=\"email\" value=\"{}\" autocomplete=\"off\"></label>\
         <label>Role everywhere <select name=\"role\">{}{roles}</select></label>\
         <label>Roles in projects, one a line, as project: role <textarea name=\"grants\" rows=\"3\" \
         spellcheck=\"false\">{}</textarea></label>",
        Escaped(&said.email),
        role("", "none", said.role.is_none()),
        Escaped(grants.join("\n"))
    )
}

fn read(form: &Form) -> Result<AccountText, Failure> {
    let invalid = |pointer: &str, detail: String| Failure::Invalid { pointer: pointer.into(), detail };
    let role = |word: &str, pointer: &str| {
        Role::parse(word)
            .ok_or_else(|| invalid(pointer, format!("{word:?} is none of viewer, engineer, administrator")))
    };
    let grant = |line: &str| {
        let (project, word) = line
            .rsplit_once(':')
            .ok_or_else(|| invalid("/grants", format!("{line:?} is not a project, a colon and a role")))?;
        Ok((project.trim().to_owned(), role(word.trim(), "/grants")?))
    };
    Ok(AccountText {
        email: form.text("email").to_owned(),
        role: form.some("role").map(|word| role(&word, "/role")).transpose()?,
        grants: form
            .text("grants")
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(grant)
            .collect::<Result<_, Failure>>()?,
        is_disabled: form.is_on("disabled"),
    })
}

/// Makes an account, and shows the link to it once.
pub async fn invite(desk: Desk, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    let invited = match read(&form) {
        Ok(said) => desk.invite(form.text("name"), &said).await,
        Err(failure) => Err(failure),
    };
    match invited {
        Ok(Invited { link, is_mailed, .. }) => {
            let how =
                if is_mailed { "It was sent by mail." } else { "Hand it over yourself: it was not sent by mail." };
            let main = list_page(&desk, &told_once(&link, how), "", &AccountText::default()).await?;
            Ok(html::respond(html::page(&desk, "People", &main)))
        }
        Err(failure) if is_about_the_form(&failure) => {
            let problem = Problem::from(failure);
            let news = format!(
                "<p role=\"alert\" data-test=\"refused\">Nobody was invited: {}.</p>",
                Escaped(&problem.detail)
            );
            let said = read(&form).unwrap_or_default();
            let main = list_page(&desk, &news, form.text("name"), &said).await?;
            Ok(form::refused(&problem, html::respond(html::page(&desk, "People", &main))))
        }
        Err(failure) => Err(failure.into()),
    }
}

fn is_about_the_form(failure: &Failure) -> bool {
    matches!(failure, Failure::Invalid { .. })
}

fn told_once(link: &str, how: &str) -> String {
    format!(
        "<p role=\"status\" data-test=\"link\">This link works once. {how} It is told once: <a href=\"{0}\">{0}</a></p>",
        Escaped(link)
    )
}

fn user_id(text: &str) -> Result<UserId, Refusal> {
    text.parse().map(UserId).map_err(|_| no_account())
}

fn no_account() -> Refusal {
    Refusal::not_found("there is no such account; /settings/people lists all")
}

async fn known(desk: &Desk, id: &str) -> Result<Account, Refusal> {
    desk.account(user_id(id)?).await?.ok_or_else(no_account)
}

/// One account, to be changed.
pub async fn one(desk: Desk, Segment(id): Segment) -> Result<Response, Refusal> {
    let found = known(&desk, &id).await?;
    let said = said_of(&found);
    Ok(html::respond(html::page(&desk, &found.user.name, &one_page(&desk, &found, &said, ""))))
}

fn said_of(found: &Account) -> AccountText {
    let grants = found.grants.iter().map(|grant| (grant.project.as_str().to_owned(), grant.role));
    AccountText {
        email: found.user.email.as_deref().unwrap_or_default().to_owned(),
        role: found.user.role,
        grants: grants.collect(),
        is_disabled: found.user.disabled_at.is_some(),
    }
}

fn one_page(desk: &Desk, found: &Account, said: &AccountText, news: &str) -> String {
    let (proof, id) = (form::proof(desk), found.user.id);
    let disabled = if said.is_disabled { " checked" } else { "" };
    format!(
        "<p><a href=\"/settings/people\">People</a></p><h1>{}</h1>{news}\
         <form method=\"post\" action=\"/settings/people/{id}\" class=\"stacked\" data-test=\"account\">{proof}{}\
         <label class=\"check\"><input type=\"checkbox\" name=\"disabled\"{disabled}> Closed: nobody signs in with it</label>\
         <button class=\"button\">Save</button></form>\
         <h2>A new password</h2><p>A link that sets it, to be handed over. It works once.</p>\
         <form method=\"post\" action=\"/settings/people/{id}/link\">{proof}\
         <button class=\"button\" data-test=\"make-link\">Make a link</button></form>{}",
        Escaped(&found.user.name),
        fields(said),
        html::deletion(
            &format!("/settings/people/{id}/delete"),
            &proof,
            "this account",
            "Its sessions end at once, and it cannot come back. What was done in its name stays in the audit log.",
            "delete-account",
        )
    )
}

/// Changes an account.
pub async fn save(desk: Desk, Segment(id): Segment, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    let found = known(&desk, &id).await?;
    let saved = match read(&form) {
        Ok(said) => desk.account_save(found.user.id, &said).await,
        Err(failure) => Err(failure),
    };
    match saved {
        Ok(_) => Ok(Redirect::to("/settings/people").into_response()),
        Err(failure) if is_about_the_form(&failure) => refused(&desk, &found, &form, failure),
        Err(failure) => Err(failure.into()),
    }
}

fn refused(desk: &Desk, found: &Account, form: &Form, failure: Failure) -> Result<Response, Refusal> {
    let problem = Problem::from(failure);
    let news = format!("<p role=\"alert\" data-test=\"refused\">Not saved: {}.</p>", Escaped(&problem.detail));
    let said = read(form).unwrap_or_else(|_| said_of(found));
    let page = html::page(desk, &found.user.name, &one_page(desk, found, &said, &news));
    Ok(form::refused(&problem, html::respond(page)))
}

/// Makes a link that sets the password of somebody, and shows it once.
pub async fn link(desk: Desk, Segment(id): Segment, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    let found = known(&desk, &id).await?;
    let link = desk.reset_link(found.user.id).await?.ok_or_else(no_account)?;
    let news = told_once(&link, "Hand it over yourself.");
    let said = said_of(&found);
    Ok(html::respond(html::page(&desk, &found.user.name, &one_page(&desk, &found, &said, &news))))
}

/// Deletes an account.
pub async fn delete(desk: Desk, Segment(id): Segment, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    let found = known(&desk, &id).await?;
    match desk.account_delete(found.user.id).await {
        Ok(_) => Ok(Redirect::to("/settings/people").into_response()),
        Err(failure) if is_about_the_form(&failure) => refused(&desk, &found, &form, failure),
        Err(failure) => Err(failure.into()),
    }
}
