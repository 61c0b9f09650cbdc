//! `/settings/notifications`: who is told what changed, as plain forms.

use super::extract::Segment as Name;
use super::form::{self, Form, field};
use super::html::{self, Escaped};
use super::problem::Refusal;
use crate::outgoing::Delivery;
use crate::outgoing::channel::{Channel, ChannelKind};
use crate::secret::Secret;
use crate::service::channels::{NamedChannel, Untaken};
use crate::service::{Desk, Failure};
use app::domain::change::ChangeKind;
use app::domain::problem::Problem;
use app::domain::rights::Action;
use app::paths::Segment;
use axum::response::{IntoResponse, Redirect, Response};
use std::fmt::Write;

/// What can be told, in words.
const CHANGES: [(ChangeKind, &str); 4] = [
    (ChangeKind::NewFailure, "a test begins to fail"),
    (ChangeKind::NewlyFlaky, "a test becomes flaky"),
    (ChangeKind::Recovered, "a test recovers, a setup speaks again"),
    (ChangeKind::SetupSilent, "a setup falls silent"),
];

const INTRODUCTION: &str = "<h1>Notifications</h1><p>Channels are told what <em>changed</em>, in one line with a link. \
    What reverts soon is not told, and many changes are one message.</p>";

/// Every channel, and a form for a new one.
pub async fn list(desk: Desk) -> Result<Response, Refusal> {
    let mut main = String::from(INTRODUCTION);
    let all = desk.channels().await?;
    if all.is_empty() {
        main.push_str("<p data-test=\"no-channels\">Nobody is told anything yet: make a channel below.</p>");
    } else {
        html::begin_table(&mut main, "Channels", "channels", &["Name", "Kind", "Goes to", "When"]);
        all.iter().for_each(|channel| row(&mut main, channel));
        html::end_table(&mut main);
    }
    // Who may not change channels need not see what went wrong with them.
    untaken(&mut main, &desk.untaken().await.unwrap_or_default());
    if desk.may_somewhere(Action::Configure) {
        let _ = write!(main, "<h2>A new channel</h2>{}", form("", &Channel::default(), None, &form::proof(&desk)));
    }
    Ok(html::respond(html::page(&desk, "Notifications", &main)))
}

fn row(main: &mut String, found: &NamedChannel) {
    let (name, place) = (Escaped(&found.name), Escaped(found.channel.place()));
    let (kind, when) = (found.channel.kind.as_str(), Escaped(said(&found.channel)));
    let _ = write!(
        main,
        "<tr><td><a href=\"/settings/notifications/{name}\">{name}</a></td><td>{kind}</td><td>{place}</td>\
         <td>{when}</td></tr>"
    );
}

/// What a channel is told, in a line.
fn said(channel: &Channel) -> String {
    let told = CHANGES.iter().filter(|(kind, _)| !channel.changes.is_empty() && channel.wants(*kind));
    let told = told.map(|(_, words)| *words).collect::<Vec<_>>().join("; ");
    let listed = |word: &str, names: &[String]| (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")));
    let parts = [
        Some(if told.is_empty() { "anything changes".to_owned() } else { told }),
        listed("projects", &channel.projects),
        listed("setups", &channel.setups),
        listed("branches", &channel.branches),
        listed("owners", &channel.owners),
        channel.quiet.as_ref().map(|quiet| format!("not {quiet}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn untaken(main: &mut String, letters: &[Untaken]) {
    if letters.is_empty() {
        return;
    }
    main.push_str("<h2>Not delivered</h2><ul data-test=\"untaken\">");
    for letter in letters {
        let tried = if letter.tries == 1 { "tried once".to_owned() } else { format!("tried {} times", letter.tries) };
        let then = if letter.is_given_up { "given up" } else { "will be tried again" };
        let _ = write!(
            main,
            "<li>To {}, written {}: {}. It was {tried} and {then}.</li>",
            Escaped(&letter.to),
            html::when(letter.at),
            Escaped(&letter.why)
        );
    }
    main.push_str("</ul>");
}

/// One channel, to be changed and tried.
pub async fn one(desk: Desk, Name(name): Name) -> Result<Response, Refusal> {
    let found = known(&desk, &name).await?;
    let main = if desk.may_somewhere(Action::Configure) {
        page(&found, "", &form::proof(&desk))
    } else {
        format!("{}<p>It is told when {}.</p>", head(&found, ""), Escaped(said(&found.channel)))
    };
    Ok(html::respond(html::page(&desk, &name, &main)))
}

async fn known(desk: &Desk, name: &str) -> Result<NamedChannel, Refusal> {
    let found = desk.channel(name).await?;
    found.ok_or_else(|| Refusal::not_found("there is no channel of this name; /settings/notifications lists all"))
}

fn head(found: &NamedChannel, news: &str) -> String {
    let name = Escaped(&found.name);
    format!("<p><a href=\"/settings/notifications\">Notifications</a></p><h1>{name}</h1>{news}")
}

/// The page of a channel; `news` is what was just done with it, as HTML.
fn page(found: &NamedChannel, news: &str, proof: &str) -> String {
    let name = Escaped(&found.name);
    let mut main = head(found, news);
    if found.is_configured {
        let _ = write!(
            main,
            "<p>This channel is written in holter.toml, and changed there. It is told when {}.</p>",
            Escaped(said(&found.channel))
        );
    } else {
        main.push_str(&form(&found.name, &found.channel, None, proof));
    }
    let token = proof;
    let _ = write!(
        main,
        "<h2>Try it</h2><form method=\"post\" action=\"/settings/notifications/{name}/try\">{token}\
         <button class=\"button\" data-test=\"try-channel\">Send a test message</button></form>"
    );
    if !found.is_configured {
        main.push_str(&html::deletion(
            &format!("/settings/notifications/{}/delete", found.name),
            token,
            "this channel",
            "Nothing is told by it any more.",
            "delete-channel",
        ));
    }
    main
}

/// A field whose value is never shown.
fn hidden(label: &str, name: &str, hint: &str) -> String {
    format!(
        "<label>{label} <input type=\"password\" name=\"{name}\" autocomplete=\"off\" placeholder=\"{}\"></label>",
        Escaped(hint)
    )
}

fn form(name: &str, channel: &Channel, refused: Option<&Problem>, proof: &str) -> String {
    let is_new = name.is_empty();
    let kinds = ChannelKind::ALL.map(|kind| {
        let selected = if kind == channel.kind { " selected" } else { "" };
        format!("<option{selected}>{}</option>", kind.as_str())
    });
    let changes = CHANGES.map(|(kind, words)| {
        let checked = if channel.wants(kind) { " checked" } else { "" };
        let name = kind.as_str();
        format!("<label class=\"check\"><input type=\"checkbox\" name=\"{name}\"{checked}> {words}</label>")
    });
    let kept = |usual: &'static str| if is_new { usual } else { "as it is" };
    [
        "<form method=\"post\" action=\"/settings/notifications\" class=\"stacked\" data-test=\"channel-form\">"
            .to_owned(),
        form::not_saved(refused),
        field("Name", "name", name, "team-chat"),
        format!("<label>Kind <select name=\"kind\">{}</select></label>", kinds.concat()),
        hidden("Address (not for mail)", "url", kept("https://chat.example/hooks/…")),
        hidden("Signing secret (webhook)", "secret", kept("one is made")),
        field("Recipients (mail)", "to", &channel.to.join(", "), "pumps@example.org"),
        format!("<fieldset><legend>Told when</legend>{}</fieldset>", changes.concat()),
        field("Projects", "projects", &channel.projects.join(", "), "all"),
        field("Setups", "setups", &channel.setups.join(", "), "all; bench-* takes many"),
        field("Branches", "branches", &channel.branches.join(", "), "all; release/* takes many"),
        field("Owners of tests", "owners", &channel.owners.join(", "), "all"),
        field("Quiet hours", "quiet", channel.quiet.as_deref().unwrap_or_default(), "22:00-06:00"),
        proof.to_owned(),
        "<button class=\"button\" data-test=\"save-channel\">Save</button></form>".to_owned(),
    ]
    .concat()
}

fn read(form: &Form) -> Channel {
    let secret = |name: &str| form.some(name).map(Secret::new);
    let wanted: Vec<_> = CHANGES.iter().map(|(kind, _)| *kind).filter(|kind| form.is_on(kind.as_str())).collect();
    Channel {
        kind: ChannelKind::parse(form.text("kind")).unwrap_or_default(),
        url: secret("url"),
        secret: secret("secret"),
        to: form.lines("to"),
        // All of them is the same as no choice, and stays so when there are more.
        changes: if wanted.len() == CHANGES.len() { Vec::new() } else { wanted },
        projects: form.lines("projects"),
        setups: form.lines("setups"),
        branches: form.lines("branches"),
        owners: form.lines("owners"),
        quiet: form.some("quiet"),
    }
}

/// Saves what a form says.
pub async fn save(desk: Desk, form: Form) -> Response {
    let name = form.text("name").to_owned();
    let saved = async {
        let desk = form::trusted(&desk, &form).await?;
        let fresh = desk.channel_save(&name, read(&form)).await?;
        Ok::<_, Failure>((desk.channel(&name).await?, fresh))
    };
    match saved.await {
        Ok((Some(found), Some(secret))) => {
            html::respond(html::page(&desk, &name, &page(&found, &told_once(&secret), &form::proof(&desk))))
        }
        Ok(_) => Redirect::to(&format!("/settings/notifications/{}", Segment(&name))).into_response(),
        Err(failure) => {
            let problem = Problem::from(failure);
            let main =
                format!("{INTRODUCTION}{}", self::form(&name, &read(&form), Some(&problem), &form::proof(&desk)));
            form::refused(&problem, html::respond(html::page(&desk, "Notifications", &main)))
        }
    }
}

fn told_once(secret: &Secret) -> String {
    format!(
        "<p role=\"status\" data-test=\"secret\">Messages are signed with <code>{}</code>. It is told once.</p>",
        Escaped(secret.expose())
    )
}

/// Sends a test message, and says what came of it.
pub async fn try_it(desk: Desk, Name(name): Name, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    desk.may(Action::Configure)?;
    let found = known(&desk, &name).await?;
    let news = match desk.channel_try(&name).await? {
        Some(Delivery::Taken) => "<p role=\"status\" data-test=\"tried\">The message was taken.</p>".to_owned(),
        Some(Delivery::Later(why, _) | Delivery::Never(why)) => {
            format!("<p role=\"alert\" data-test=\"tried\">The message was not taken: {}</p>", Escaped(why))
        }
        None => String::new(),
    };
    Ok(html::respond(html::page(&desk, &name, &page(&found, &news, &form::proof(&desk)))))
}

/// Deletes a channel.
pub async fn delete(desk: Desk, Name(name): Name, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    desk.channel_delete(&name).await?;
    Ok(Redirect::to("/settings/notifications").into_response())
}
