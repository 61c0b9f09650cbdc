//! `/settings/walls`: walls made, changed and linked to, as plain forms that
//! need no script. They are pages of the server alone: none of it travels in
//! what every reader of a wall has to load.

use super::extract::Query;
use super::form::{self, Form, field};
use super::html::{self, Escaped};
use super::problem::Refusal;
use crate::service::tokens::KioskLink;
use crate::service::walls::NamedWall;
use crate::service::{Desk, Failure};
use app::domain::problem::Problem;
use app::domain::rights::Action;
use app::domain::wall::{Palette, Theme, WallPlan};
use app::paths::Segment;
use axum::response::{IntoResponse, Redirect, Response};
use std::fmt::Write;

fn plan_of(form: &Form) -> Result<WallPlan, Failure> {
    Ok(WallPlan {
        title: form.some("title"),
        projects: form.lines("projects"),
        setups: form.lines("setups"),
        only_sick: form.is_on("only_sick"),
        by_name: form.is_on("by_name"),
        tiles: form.number("tiles")?,
        rotate_seconds: form.number("rotate_seconds")?,
        theme: Theme::parse(form.text("theme")).unwrap_or_default(),
        palette: Palette::parse(form.text("palette")).unwrap_or_default(),
        sound: form.is_on("sound"),
        language: form.some("language"),
        dim: form.some("dim"),
    })
}

/// Every wall, and a form for a new one.
pub async fn walls(desk: Desk, query: Query) -> Result<Response, Refusal> {
    let mut main = String::from("<h1>Walls</h1>");
    let (all, may_change) = (desk.walls().await?, desk.may_somewhere(Action::Configure));
    if all.is_empty() {
        main.push_str("<p>No wall is saved yet. <a href=\"/wall\">The wall of all setups</a> is always there.</p>");
    } else {
        html::begin_table(&mut main, "Walls", "walls", &["Name", "Shows", ""]);
        all.iter().for_each(|wall| row(&mut main, wall, may_change));
        html::end_table(&mut main);
    }
    if may_change {
        let name = query.text("name").unwrap_or_default();
        let _ = write!(main, "<h2>A new wall</h2>{}", form(name, &WallPlan::default(), None, &form::proof(&desk)));
    }
    Ok(html::respond(html::page(&desk, "Walls", &main)))
}

fn row(main: &mut String, wall: &NamedWall, may_change: bool) {
    let name = Escaped(&wall.name);
    let change = if wall.is_configured {
        "written in holter.toml".to_owned()
    } else if !may_change {
        String::new()
    } else {
        format!("<a href=\"/settings/walls/{name}\">Change</a>")
    };
    let shows = Escaped(said(&wall.plan));
    let _ = write!(main, "<tr><td><a href=\"/wall/{name}\">{name}</a></td><td>{shows}</td><td>{change}</td></tr>");
}

/// What a wall shows, in a line.
fn said(plan: &WallPlan) -> String {
    let listed = |word: &str, names: &[String]| (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")));
    let parts = [
        plan.title.clone(),
        listed("projects", &plan.projects),
        listed("setups", &plan.setups),
        plan.only_sick.then(|| "only what is ill".to_owned()),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "every setup".into() } else { parts.join("; ") }
}

/// One wall to be changed, with its links.
pub async fn wall(desk: Desk, super::extract::Segment(name): super::extract::Segment) -> Result<Response, Refusal> {
    let found = desk.wall_plan(&name).await?;
    let found = found.ok_or_else(|| Refusal::not_found("there is no wall of this name; /settings/walls lists all"))?;
    if !desk.may_somewhere(Action::Configure) {
        return Ok(Redirect::to(&format!("/wall/{}", Segment(&name))).into_response());
    }
    let links = desk.kiosk_links(&name).await.unwrap_or_default();
    Ok(html::respond(html::page(&desk, &name, &page(&found, &links, None, &form::proof(&desk)))))
}

fn page(wall: &NamedWall, links: &[KioskLink], fresh: Option<&str>, proof: &str) -> String {
    let name = Escaped(&wall.name);
    let mut main = format!("<p><a href=\"/settings/walls\">Walls</a></p><h1>{name}</h1>");
    let _ = write!(main, "<p><a href=\"/wall/{name}\">Show it</a></p>");
    if let Some(secret) = fresh {
        let _ = write!(
            main,
            "<p role=\"status\" data-test=\"kiosk-link\">This link shows the wall until it is taken back. It is told \
             once: <a href=\"/wall/{name}?kiosk={secret}\">/wall/{name}?kiosk={secret}</a></p>"
        );
    }
    if wall.is_configured {
        main.push_str("<p>This wall is written in holter.toml, and changed there.</p>");
    } else {
        main.push_str(&form(&wall.name, &wall.plan, None, proof));
    }
    main.push_str("<h2>Links for kiosks</h2><p>A monitor that nobody signs in at is opened with such a link. It never ends by itself.</p>");
    kiosk_links(&mut main, &wall.name, links, proof);
    if !wall.is_configured {
        main.push_str(&html::deletion(
            &format!("/settings/walls/{}/delete", wall.name),
            proof,
            "this wall",
            "Its links for kiosks end with it: monitors that show it go dark.",
            "delete-wall",
        ));
    }
    main
}

fn kiosk_links(main: &mut String, wall: &str, links: &[KioskLink], proof: &str) {
    let name = Escaped(wall);
    for link in links {
        let used = link.used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {}", html::when(at)));
        let _ = write!(
            main,
            "<form method=\"post\" action=\"/settings/walls/{name}/links/{}\" class=\"line\"><span>made {}, {used}</span>{proof}\
             <button class=\"button\">Take back</button></form>",
            link.id,
            html::when(link.created_at),
        );
    }
    let _ = write!(
        main,
        "<form method=\"post\" action=\"/settings/walls/{name}/links\">{proof}<button class=\"button\" data-test=\"make-link\">Make a link</button></form>"
    );
}

fn form(name: &str, plan: &WallPlan, refused: Option<&Problem>, proof: &str) -> String {
    let check = |label: &str, name: &str, is_on: bool| {
        let checked = if is_on { " checked" } else { "" };
        format!("<label class=\"check\"><input type=\"checkbox\" name=\"{name}\"{checked}> {label}</label>")
    };
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    [
        "<form method=\"post\" action=\"/settings/walls\" class=\"stacked\" data-test=\"wall-form\">".to_owned(),
        form::not_saved(refused),
        field("Name, as in its address", "name", name, "lobby"),
        field("Title", "title", plan.title.as_deref().unwrap_or_default(), "the number of setups"),
        field("Projects", "projects", &plan.projects.join(", "), "all"),
        field("Setups", "setups", &plan.setups.join(", "), "all; bench-* takes many"),
        check("Only what is ill, silent or late", "only_sick", plan.only_sick),
        check("By name, not the sickest first", "by_name", plan.by_name),
        field("Tiles on a page", "tiles", &number(plan.tiles), "as the screen allows"),
        field("Seconds a page stays", "rotate_seconds", &number(plan.rotate_seconds), "20"),
        choice("Theme", "theme", Theme::ALL, plan.theme, Theme::as_str),
        choice("Colours", "palette", Palette::ALL, plan.palette, Palette::as_str),
        field("Language of the clock", "language", plan.language.as_deref().unwrap_or_default(), "en-GB"),
        field("Dimmed", "dim", plan.dim.as_deref().unwrap_or_default(), "22:00-06:00"),
        check("A sound for each new failure", "sound", plan.sound),
        proof.to_owned(),
        "<button class=\"button\" data-test=\"save-wall\">Save</button></form>".to_owned(),
    ]
    .concat()
}

fn choice<T: Copy + PartialEq>(label: &str, name: &str, all: &[T], chosen: T, spell: fn(T) -> &'static str) -> String {
    let options = all.iter().map(|one| {
        let selected = if *one == chosen { " selected" } else { "" };
        format!("<option{selected}>{}</option>", spell(*one))
    });
    format!("<label>{label} <select name=\"{name}\">{}</select></label>", options.collect::<String>())
}

/// Saves what a form says.
pub async fn save(desk: Desk, form: Form) -> Response {
    let name = form.text("name").to_owned();
    let saved = async {
        let desk = form::trusted(&desk, &form).await?;
        desk.wall_save(&name, &plan_of(&form)?).await
    };
    match saved.await {
        Ok(()) => Redirect::to(&format!("/wall/{}", Segment(&name))).into_response(),
        Err(failure) => {
            let problem = Problem::from(failure);
            let main = self::form(&name, &plan_of(&form).unwrap_or_default(), Some(&problem), &form::proof(&desk));
            let main = format!("<p><a href=\"/settings/walls\">Walls</a></p><h1>Walls</h1>{main}");
            form::refused(&problem, html::respond(html::page(&desk, "Walls", &main)))
        }
    }
}

/// Makes a kiosk's link, and shows it once.
pub async fn link(
    desk: Desk,
    super::extract::Segment(name): super::extract::Segment,
    form: Form,
) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    desk.may(Action::Configure)?;
    let found = desk.wall_plan(&name).await?.ok_or_else(|| Refusal::not_found("there is no wall of this name"))?;
    let secret = desk.kiosk_link(&name).await?;
    let links = desk.kiosk_links(&name).await?;
    Ok(html::respond(html::page(&desk, &name, &page(&found, &links, Some(&secret), &form::proof(&desk)))))
}

/// Takes a kiosk's link back.
pub async fn unlink(
    desk: Desk,
    axum::extract::Path((name, id)): axum::extract::Path<(String, String)>,
    form: Form,
) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    let id = id.parse().map_err(|_| Refusal::not_found("there is no such link"))?;
    desk.kiosk_unlink(&name, id).await?;
    Ok(Redirect::to(&format!("/settings/walls/{}", Segment(&name))).into_response())
}

/// Deletes a wall.
pub async fn delete(
    desk: Desk,
    super::extract::Segment(name): super::extract::Segment,
    form: Form,
) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    desk.wall_delete(&name).await?;
    Ok(Redirect::to("/settings/walls").into_response())
}
