//! `/jobs/{id}`: one job, its steps and what it puts out, live.
//!
//! The page holds the end of the log as text; a script follows it, colours it
//! and finds in it. A log of a gigabyte is never held whole: the page keeps its
//! newest part, and the raw text is behind a link.

use super::batch_pages::{badge, took};
use super::extract::{Query, Segment};
use super::form::{self, Form};
use super::html::{self, Escaped};
use super::problem::Refusal;
use super::work::{job_named, no_job};
use crate::service::Desk;
use crate::service::jobs::JobRow;
use app::domain::ids::PlaceId;
use app::domain::job::{JobKind, JobResult, JobState, Progress};
use app::domain::rights::Action;
use app::domain::time::Micros;
use app::paths::{Page, attachment};
use axum::response::{IntoResponse, Redirect, Response};
use std::fmt::Write;

pub(super) const SCRIPTS: [&str; 2] = ["/theme.js", "/job.js"];

/// Bytes of a log that the page itself holds.
const SHOWN: u64 = 128 * 1024;

/// A job.
pub async fn one(desk: Desk, Segment(id): Segment, query: Query) -> Result<Response, Refusal> {
    let row = desk.job(job_named(&id)?).await?.ok_or_else(|| no_job(&id))?;
    let mut main = head(&desk, &row);
    acts(&mut main, &desk, &row);
    waits(&desk, &row, &mut main).await?;
    results(&desk, &row, &mut main).await?;
    body(&desk, &row, query.number("attempt")?, &mut main).await?;
    Ok(html::respond(html::page_with(&desk, &row.name, &main, &SCRIPTS)))
}

/// Why a job that waits does not run now.
pub(super) async fn waits(desk: &Desk, row: &JobRow, main: &mut String) -> Result<(), Refusal> {
    if row.job.state() == JobState::Waiting
        && let Some(hindrance) = desk.hindrance_of(row).await?
    {
        let why = super::plan::said(&hindrance);
        let _ = write!(main, "<p data-test=\"waits\">It waits: {why}. <a href=\"/plan\">Plan</a></p>");
    }
    Ok(())
}

/// The way to what its tests came to, once one of them was heard of, for each
/// variant of its matrix, and to the files that were kept of it.
pub(super) async fn results(desk: &Desk, row: &JobRow, main: &mut String) -> Result<(), Refusal> {
    for (variant, run) in desk.runs_of_job(row).await? {
        let of = if variant.is_empty() { String::new() } else { format!(" with {}", Escaped(&variant)) };
        let _ = write!(
            main,
            "<p data-test=\"results\"><a href=\"{}\">Results of its tests{of}</a> \
             <a href=\"/api/v1/runs/{run}/junit\">as JUnit</a></p>",
            Page::Run(run)
        );
        let files = desk.files_of(run, PlaceId::RUN).await?;
        if !files.is_empty() {
            let listed = files
                .iter()
                .map(|(_, file)| format!("<a href=\"{}\">{}</a>", attachment(run, file.file), Escaped(&file.name)));
            let listed: Vec<_> = listed.collect();
            let _ = write!(main, "<p data-test=\"files\">Files: {}</p>", listed.join(", "));
        }
    }
    Ok(())
}

/// The steps of a job, and its log: of the last attempt where none is named.
pub(super) async fn body(desk: &Desk, row: &JobRow, attempt: Option<u32>, main: &mut String) -> Result<(), Refusal> {
    let (id, attempt) = (row.job.id, attempt.unwrap_or(row.job.attempt));
    let end = desk.job_log_end(id, attempt).await?;
    let mut part = desk.job_log(id, Some(attempt), end.saturating_sub(SHOWN)).await?;
    while part.end() < end {
        let more = desk.job_log(id, Some(attempt), part.end()).await?.text;
        if more.is_empty() {
            break;
        }
        part.text.extend(more);
    }
    if attempt == row.job.attempt {
        steps(main, row);
    } else {
        let _ = write!(
            main,
            "<p>This is the log of attempt {attempt}; what is said above is of attempt {}.</p>",
            row.job.attempt
        );
    }
    let is_live = !row.job.is_over() && attempt == row.job.attempt;
    main.push_str("<h2 id=\"log\">Log</h2>");
    tools(main, &format!("/api/v1/jobs/{id}/log?attempt={attempt}"), is_live);
    for other in (1..=row.job.attempt).filter(|other| *other != attempt) {
        let _ = write!(main, "<p><a href=\"/jobs/{id}?attempt={other}\">Log of attempt {other}</a></p>");
    }
    if part.start > 0 {
        let _ = write!(main, "<p data-log-before>{} bytes before this are not shown here.</p>", part.start);
    }
    let text = String::from_utf8_lossy(&part.text);
    let empty = match row.job.state() {
        JobState::Waiting if attempt == row.job.attempt => "It begins when a worker takes the job.",
        _ if is_live => "Nothing was put out so far.",
        _ => "Nothing was put out.",
    };
    let _ = write!(
        main,
        "<pre class=\"log\" tabindex=\"0\" role=\"region\" aria-label=\"Log\" data-log=\"{id}\" data-start=\"{}\" data-end=\"{end}\" data-attempt=\"{attempt}\" data-live=\"{is_live}\" data-empty=\"{empty}\" data-test=\"log\">{}</pre>",
        part.start,
        Escaped(plain(&text))
    );
    Ok(())
}

/// What is beside a log: its text as it came, and what a script does with it.
fn tools(main: &mut String, raw: &str, is_live: bool) {
    let hidden = if is_live { "" } else { " hidden" };
    let _ = write!(
        main,
        "<div class=\"log-tools\"><a href=\"{}\">As text</a>\
         <label class=\"needs-script\">Find <input type=\"search\" maxlength=\"200\" data-log-find data-test=\"log-find\"></label>\
         <button type=\"button\" class=\"button needs-script\" data-log-step=\"-1\" aria-label=\"Previous line found\">↑</button>\
         <button type=\"button\" class=\"button needs-script\" data-log-step=\"1\" aria-label=\"Next line found\">↓</button>\
         <output data-log-found data-test=\"log-found\"></output>\
         <button type=\"button\" class=\"button needs-script\" data-log-fold data-test=\"log-fold\" hidden>Fold all</button>\
         <label class=\"check needs-script\"{hidden}><input type=\"checkbox\" data-log-follow checked> Follow</label></div>",
        Escaped(raw)
    );
}

fn head(desk: &Desk, row: &JobRow) -> String {
    let job = &row.job;
    let word = job.result().map_or(job.state().as_str(), JobResult::as_str);
    let parent = match row.kind {
        JobKind::Batch => format!("<a href=\"/batches/{}\">Batch</a>", row.parent),
        JobKind::Build => format!("<a href=\"/builds/{}\">Build</a>", row.parent),
    };
    let mut main = format!("<p>{parent}</p><h1>{}</h1>", Escaped(&row.name));
    let _ = write!(main, "<p><span data-job-state>{}</span> since {}", badge(word), html::when(job.created_at));
    let took = took(row, desk.now());
    if !took.is_empty() {
        let _ = write!(main, ", took {took}");
    }
    main.push_str("</p>");
    main
}

/// What its worker said of it, and what can be done with it.
pub(super) fn acts(main: &mut String, desk: &Desk, row: &JobRow) {
    let job = &row.job;
    if let Some(note) = &job.note {
        let _ = write!(main, "<p data-test=\"note\">{}</p>", Escaped(note));
    }
    if !job.is_over() && desk.may_somewhere(Action::Launch) {
        let _ = write!(
            main,
            "<form method=\"post\" action=\"/jobs/{}/cancel\" class=\"line\">{}<button class=\"button\">Cancel</button></form>",
            job.id,
            form::proof(desk)
        );
    }
}

fn steps(main: &mut String, row: &JobRow) {
    let progress: Progress = serde_json::from_str(&row.progress).unwrap_or_default();
    if progress.steps.is_empty() && row.job.is_over() {
        return;
    }
    main.push_str("<div data-job-steps>");
    html::begin_table(main, "Steps", "steps", &["Step", "Status", "Took"]);
    for step in &progress.steps {
        let took = Micros(i64::try_from(step.took_ms).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000));
        let _ = write!(
            main,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            Escaped(&step.name),
            badge(step.state.as_str()),
            app::format::took(took)
        );
    }
    html::end_table(main);
    main.push_str("</div>");
}

/// A text without what tells a terminal how to draw it.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => match letters.next() {
                Some('[') => drop(letters.by_ref().find(|letter| letter.is_ascii_alphabetic())),
                // A title, or where a link leads: to its end, which some begin with another escape.
                Some(']') => {
                    let end = letters.by_ref().find(|letter| matches!(letter, '\u{7}' | '\u{1b}'));
                    let _ = letters.next_if(|letter| end == Some('\u{1b}') && *letter == '\\');
                }
                _ => {}
            },
            '\r' => {}
            letter => plain.push(letter),
        }
    }
    plain
}

/// Ends a job.
pub async fn cancel(desk: Desk, Segment(id): Segment, form: Form) -> Result<Response, Refusal> {
    let desk = form::trusted(&desk, &form).await?;
    desk.cancel_job(job_named(&id)?, &format!("cancelled by {}", desk.asker_name())).await?;
    Ok(Redirect::to(&format!("/jobs/{id}")).into_response())
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_for_terminals_is_left_out() {
        let linked = "\u{1b}]8;;file:///a\u{1b}\\a\u{1b}]8;;\u{7} b";
        assert_eq!(super::plain(linked), "a b");
        assert_eq!(super::plain("\u{1b}[32mok\u{1b}[0m 1\r\n\u{1b}[1;31mno"), "ok 1\nno");
    }
}
