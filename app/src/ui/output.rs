//! Output of tests: files, lines and steps.

use super::erase::Erase;
use super::icon::{Glyph, Icon};
use crate::domain::file::{Attachment, Showing};
use crate::domain::ids::RunId;
use crate::domain::test::Outcome;
use crate::domain::test::Verdict;
use crate::domain::time::Timestamp;
use crate::format;
use crate::paths;
use crate::read::{FileLine, OutputLine};
use leptos::prelude::*;

/// Files: pictures are shown, all else is linked.
#[component]
pub fn FileList(
    /// The run that they are of.
    run: RunId,
    /// The files.
    files: Vec<FileLine>,
) -> impl IntoView {
    let is_picture = |file: &FileLine| Showing::of(&file.file.media_type) == Showing::Image;
    let (pictures, others): (Vec<_>, Vec<_>) = files.into_iter().partition(is_picture);
    let pictures: Vec<_> = pictures.into_iter().map(|file| picture(run, file)).collect();
    let others: Vec<_> = others.into_iter().map(|file| other(run, file)).collect();
    view! {
        <div class="files" data-test="files">
            {(!pictures.is_empty()).then(|| view! { <div class="pictures">{pictures}</div> })}
            {(!others.is_empty()).then(|| view! { <ul class="file-list">{others}</ul> })}
        </div>
    }
    .erased()
}

/// Whose a file is, and of which attempt.
fn of(file: &FileLine) -> String {
    let attempt = (file.attempt > 1).then(|| format!("attempt {}", file.attempt));
    let place = (!file.place.is_empty()).then(|| file.place.join(" › "));
    [place, attempt].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn picture(run: RunId, file: FileLine) -> AnyView {
    let (address, name, of) = (paths::attachment(run, file.file.file), file.file.name.to_string(), of(&file));
    let (source, alt) = (address.clone(), name.clone());
    view! {
        <figure data-test="picture">
            <a href=address rel="external"><img src=source alt=alt loading="lazy" /></a>
            <figcaption>{name}<span class="quiet">{of}</span></figcaption>
        </figure>
    }
    .erased()
}

fn other(run: RunId, file: FileLine) -> AnyView {
    let of = of(&file);
    view! { <li data-test="file">{link(run, &file.file)}<span class="quiet">{of}</span></li> }.erased()
}

fn link(run: RunId, file: &Attachment) -> AnyView {
    let address = paths::attachment(run, file.file);
    let about = format!("{}, {}", file.media_type, format::bytes(file.size));
    view! { <a href=address rel="external">{file.name.to_string()}</a><span class="quiet">{about}</span> }.erased()
}

/// Lines and steps in their order.
#[component]
pub fn OutputLines(
    /// The run that they are of.
    run: RunId,
    /// Lines and steps.
    lines: Vec<OutputLine>,
) -> impl IntoView {
    let first = lines.first().map(|line| line.at);
    let lines: Vec<_> = lines.into_iter().map(|line| one(run, line, first)).collect();
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Output">
            <ol class="output" data-test="output">{lines}</ol>
        </div>
    }
    .erased()
}

fn one(run: RunId, line: OutputLine, first: Option<Timestamp>) -> AnyView {
    let after = first.map(|first| format::after(line.at.since(first)));
    let exact = format::utc_exact(line.at);
    let level = line.level.map(|level| level.as_str());
    let kind = if line.level.is_some() { "line" } else { "step" };
    let place = (!line.place.is_empty()).then(|| line.place.join(" › "));
    view! {
        <li data-test="output-line" data-kind=kind data-level=level data-depth=line.depth.to_string() data-outcome=line.verdict.map(outcome_of).map(Outcome::as_str)>
            <time class="number" title=exact>{after}</time>
            <span class="output-level">{level}</span>
            <div class="output-text">
                {place.map(|place| view! { <span class="output-place">{place}</span> })}
                {if line.level.is_some() { text(line.text, line.is_cut) } else { step(&line) }}
                {line.message.map(|message| text(message, false))}
                {line.file.map(|file| view! { <p class="output-file">{link(run, &file)}</p> }.erased())}
            </div>
        </li>
    }
    .erased()
}

fn text(text: String, is_cut: bool) -> AnyView {
    if text.is_empty() {
        return ().into_any();
    }
    view! { <pre>{text}{is_cut.then_some("\n… (the rest is in the log)")}</pre> }.erased()
}

fn step(line: &OutputLine) -> AnyView {
    let glyph = line.verdict.map(|verdict| Glyph::from(outcome_of(verdict)));
    let word = line.verdict.map(|verdict| verdict.as_str().replace('_', " "));
    let took = line.took.map(format::took);
    view! {
        <p class="output-step">
            {glyph.map(|glyph| view! { <Icon glyph=glyph /> })}
            <span>{line.text.clone()}</span>
            <span class="quiet">{word}</span>
            <span class="quiet number">{took}</span>
        </p>
    }
    .erased()
}

/// A step that came to this looks like a test that did.
const fn outcome_of(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Passed | Verdict::Warned => Outcome::Passed,
        Verdict::Skipped => Outcome::Skipped,
        Verdict::Cancelled => Outcome::Cancelled,
        Verdict::Unknown => Outcome::Lost,
        Verdict::Failed | Verdict::Errored | Verdict::TimedOut => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::file::Digest;
    use crate::domain::output::Level;
    use uuid::Uuid;

    fn file(name: &str, kind: &str) -> Attachment {
        Attachment { file: Digest([7; 32]), name: name.into(), media_type: kind.into(), size: 2_048 }
    }

    fn html(view: impl FnOnce() -> AnyView) -> String {
        Owner::new().with(|| view().to_html())
    }

    #[test]
    fn pictures_are_shown_and_nothing_that_runs_is() {
        let run = RunId(Uuid::nil());
        let files = [("a.png", "image/png"), ("b.svg", "image/svg+xml"), ("c.html", "text/html")];
        let files = files.map(|(name, kind)| FileLine { file: file(name, kind), attempt: 2, place: Vec::new() });
        let html = html(|| view! { <FileList run=run files=files.to_vec() /> }.into_any());
        assert_eq!(html.matches("<img").count(), 1, "{html}");
        for part in ["a.png", "b.svg", "c.html", "attempt 2", "2 KB", "/attachments/0707"] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
        assert!(!html.contains("<iframe") && !html.contains("<object"));
    }

    #[test]
    fn a_line_is_text_and_never_markup() {
        let line = OutputLine {
            seq: 1,
            at: Timestamp(0),
            depth: 1,
            level: Some(Level::Error),
            text: "<script>alert(1)</script>".into(),
            is_cut: true,
            place: vec!["Root".into(), "opens".into()],
            attempt: 1,
            verdict: None,
            took: None,
            message: None,
            file: None,
        };
        let html = html(|| view! { <OutputLines run=RunId(Uuid::nil()) lines=vec![line] /> }.into_any());
        assert!(!html.contains("<script"), "{html}");
        for part in [r#"data-level="error""#, r#"data-depth="1""#, "Root › opens", "the rest is in the log"] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }
}
