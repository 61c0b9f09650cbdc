//! Cucumber's JSON formatter, and behave's, which looks like it.
//!
//! A feature is a suite and a scenario a test. What comes to a scenario is the
//! worst of its steps, its hooks and the background that stands before it. A
//! scenario that failed in hooks alone could not be checked. Steps without a
//! definition are errors, as they are in Cucumber's strict mode; pending ones
//! are skipped.

use super::node::Node;
use super::read::{self, MOST_FACTS};
use crate::model::{Attachment, Attempt, Case, Report, Span, Verdict};
use crate::text::Gathered;
use crate::{Refusal, scan, text};

/// Whether a file looks like it.
pub fn looks(file: &[u8]) -> bool {
    read::glance(file, |root| {
        root.items().iter().take(8).any(|feature| {
            let has_scenarios = feature
                .list("elements")
                .iter()
                .any(|element| element.get("keyword").is_some() || element.get("steps").is_some());
            has_scenarios
                || (feature.get("keyword").is_some()
                    && (feature.get("elements").is_some() || feature.get("uri").is_some()))
        })
    })
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    read::report(file, |root, report| {
        let Node::List(features) = root else { return Err(read::lacking("list of features")) };
        // Behave writes places instead of files, and seconds instead of nanoseconds.
        let is_behave =
            features.iter().any(|feature| feature.get("location").is_some() && feature.get("uri").is_none());
        report.framework = Some(if is_behave { "behave" } else { "Cucumber" }.into());
        for (at, feature) in features.iter().enumerate() {
            if feature.is_map() {
                Feature::of(feature, is_behave).add_all(feature, &format!("/{at}/elements"), report);
            } else {
                text::lose(report, format!("/{at}"), "is no feature");
            }
        }
        report.started =
            report.cases.iter().flat_map(|case| &case.attempts).filter_map(|attempt| attempt.started).min();
        Ok(())
    })
}

/// What the scenarios of a feature share.
struct Feature {
    name: String,
    source: Option<String>,
    tags: Vec<String>,
    is_behave: bool,
}

impl Feature {
    fn of(feature: &Node<'_>, is_behave: bool) -> Self {
        let place = feature
            .kept("location")
            .map(|place| place.rsplit_once(':').map_or(place.clone(), |(file, _)| file.to_owned()));
        let source = feature.kept("uri").or(place);
        let name = feature.kept("name").or_else(|| source.clone()).or_else(|| feature.kept("id"));
        Self { name: name.unwrap_or_else(|| "Feature".into()), source, tags: tags(feature), is_behave }
    }

    fn add_all(&self, feature: &Node<'_>, place: &str, report: &mut Report) {
        let mut background = None;
        for (at, element) in feature.list("elements").iter().enumerate() {
            let is_background = ["type", "keyword"]
                .iter()
                .any(|key| element.text(key).is_some_and(|word| word.eq_ignore_ascii_case("background")));
            if !element.is_map() {
                text::lose(report, format!("{place}/{at}"), "is no scenario");
            } else if is_background {
                background = Some(element);
            } else {
                self.add(element, background.take(), &format!("{place}/{at}"), report);
            }
        }
    }

    fn add(&self, element: &Node<'_>, background: Option<&Node<'_>>, place: &str, report: &mut Report) {
        let id = element.kept("id");
        let name = element.kept("name").or_else(|| id.clone()).unwrap_or_else(|| {
            text::lose(report, place, "a scenario without a name, called after its keyword");
            element.kept("keyword").unwrap_or_else(|| "Scenario".into())
        });
        if read::is_cut(element, &name, || place.to_owned(), report) {
            return;
        }
        let mut seen = Seen { is_behave: self.is_behave, ..Seen::default() };
        background.into_iter().chain([element]).for_each(|element| seen.element(element));
        let attempt = seen.attempt(element);
        let line = element.line("line").or_else(|| element.text("location")?.rsplit_once(':')?.1.parse().ok());
        let mut tags = [self.tags.clone(), tags(element)].concat();
        tags.sort();
        tags.dedup();
        report.cases.push(Case {
            suite: text::path(vec![self.name.clone()], "Feature"),
            name,
            parameters: id.as_deref().and_then(row),
            source: self.source.clone(),
            line,
            tags,
            attempts: vec![attempt],
            ..Case::default()
        });
    }
}

/// The row of an outline's examples that a scenario was made of, by its id:
/// "feature;outline;examples;2".
fn row(id: &str) -> Option<String> {
    let mut parts = id.rsplit(';');
    let row = parts.next().filter(|row| !row.is_empty() && row.bytes().all(|byte| byte.is_ascii_digit()))?;
    (parts.count() >= 3).then(|| format!("#{row}"))
}

/// Tags as maps or as texts, without the sign before them.
fn tags(node: &Node<'_>) -> Vec<String> {
    let told = |tag: &Node<'_>| {
        tag.as_text().or_else(|| tag.text("name")).and_then(|tag| text::some(tag.trim_start_matches('@')))
    };
    node.list("tags").iter().take(MOST_FACTS).filter_map(told).collect()
}

/// What was seen of a scenario's steps and hooks.
#[derive(Default)]
struct Seen {
    is_behave: bool,
    verdict: Option<Verdict>,
    duration: Option<Span>,
    messages: Vec<String>,
    output: Gathered,
    attachments: Vec<Attachment>,
}

impl Seen {
    fn element(&mut self, element: &Node<'_>) {
        self.hooks(element, "before");
        for step in element.list("steps") {
            self.hooks(step, "before");
            let name = format!(
                "{}{}",
                step.text("keyword").map(|word| format!("{} ", word.trim())).unwrap_or_default(),
                step.text("name").unwrap_or_default()
            );
            self.step(step, &name, false);
            self.hooks(step, "after");
        }
        self.hooks(element, "after");
    }

    fn hooks(&mut self, node: &Node<'_>, key: &str) {
        for hook in node.list(key) {
            self.step(hook, &format!("{key} hook"), true);
        }
    }

    fn step(&mut self, step: &Node<'_>, name: &str, is_hook: bool) {
        let result = step.part("result");
        let verdict = match result.text("status").unwrap_or_default() {
            "passed" => Verdict::Passed,
            "failed" if is_hook => Verdict::Errored,
            "failed" => Verdict::Failed,
            "undefined" | "ambiguous" => Verdict::Errored,
            "skipped" | "pending" | "untested" | "disabled" => Verdict::Skipped,
            _ => Verdict::Unknown,
        };
        self.verdict = Some(self.verdict.map_or(verdict, |worst| worse(worst, verdict)));
        let duration =
            result.number("duration").and_then(|length| scan::span(if self.is_behave { length } else { length / 1e9 }));
        self.duration = self.duration.into_iter().chain(duration).reduce(Span::saturating_add);
        let error = result.lines("error_message");
        if verdict.is_failure() && self.messages.len() < MOST_FACTS {
            let why = if verdict == Verdict::Errored && !is_hook { " has no single definition" } else { "" };
            self.messages.push(text::clip(format!("{name}{why}\n{}", error.unwrap_or_default()).trim()));
        } else if let (Verdict::Skipped, Some(error)) = (verdict, error) {
            self.messages.push(error);
        }
        step.texts("output").iter().for_each(|line| self.output.line(line));
        for key in ["embeddings", "attachments"] {
            let room = MOST_FACTS.saturating_sub(self.attachments.len());
            self.attachments.extend(step.attachments(key, ["name", "mime_type", "path"]).into_iter().take(room));
        }
    }

    fn attempt(self, element: &Node<'_>) -> Attempt {
        // Behave tells of failing hooks by the scenario's own word alone.
        let own = match element.text("status") {
            Some("failed") => Some(Verdict::Failed),
            Some("skipped" | "untested") => Some(Verdict::Skipped),
            Some("passed") => Some(Verdict::Passed),
            _ => None,
        };
        let verdict = self.verdict.into_iter().chain(own).reduce(worse);
        let trace = text::paragraphs(self.messages.iter().map(String::as_str));
        Attempt {
            verdict: verdict.unwrap_or(Verdict::Unknown),
            started: element.moment("start_timestamp"),
            duration: self.duration,
            message: text::paragraphs(self.messages.iter().map(|message| text::before_stack(message))),
            trace: trace.filter(|trace| {
                trace.contains("\n    at ") || trace.contains("\n\tat ") || trace.contains("Traceback")
            }),
            output: self.output.finish(),
            attachments: self.attachments,
        }
    }
}

/// The worse of two verdicts.
fn worse(one: Verdict, other: Verdict) -> Verdict {
    let rank = |verdict| match verdict {
        Verdict::Failed => 4,
        Verdict::Errored => 3,
        Verdict::Skipped => 2,
        Verdict::Passed => 0,
        // A step without a result was not reached.
        _ => 1,
    };
    if rank(other) > rank(one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(elements: &str) -> Report {
        let text = format!(
            r#"[{{"keyword":"Feature","name":"Shop","uri":"f/shop.feature","tags":[{{"name":"@web"}}],"elements":{elements}}}]"#
        );
        assert!(looks(text.as_bytes()));
        parse(text.as_bytes()).expect("is a report")
    }

    fn step(status: &str) -> String {
        format!(
            r#"{{"keyword":"Then ","name":"it is so","result":{{"status":"{status}","duration":1500000,"error_message":"no"}}}}"#
        )
    }

    #[test]
    fn a_scenario_is_the_worst_of_its_steps_hooks_and_background() {
        let scenario = |steps: &str, more: &str| format!(r#"{{"type":"scenario","name":"S","steps":[{steps}]{more}}}"#);
        let hook = |status: &str| format!(r#","before":[{{"result":{{"status":"{status}"}}}}]"#);
        let (passed, failed) = (step("passed"), step("failed"));
        let table = [
            (scenario(&passed, ""), Verdict::Passed),
            (scenario(&format!("{passed},{failed},{}", step("skipped")), ""), Verdict::Failed),
            (scenario(&passed, &hook("failed")), Verdict::Errored),
            (scenario(&failed, &hook("failed")), Verdict::Failed),
            (scenario(&step("undefined"), ""), Verdict::Errored),
            (scenario(&format!("{},{}", step("pending"), step("skipped")), ""), Verdict::Skipped),
            (scenario("", ""), Verdict::Unknown),
            (scenario(&passed, r#","status":"failed""#), Verdict::Failed),
            (
                format!(r#"{{"type":"background","steps":[{failed}]}},{}"#, scenario(&step("skipped"), "")),
                Verdict::Failed,
            ),
        ];
        for (elements, expected) in table {
            let report = read(&format!("[{elements}]"));
            assert_eq!((report.cases.len(), report.cases[0].verdict()), (1, expected), "{elements}");
        }
    }

    #[test]
    fn durations_tags_rows_and_bad_neighbours() {
        let report = read(&format!(
            r#"[7,{{"id":"shop;buy;cheap;2","name":"Buy","line":9,"tags":["@fast",{{"name":"@web"}}],"steps":[{0},{0}]}},{{"steps":{{}}}},
            {{"name":"B","steps":[{{"result":{{"status":"failed","error_message":["Error: a","    at b"]}},"embeddings":[{{"mime_type":"image/png","data":"eA=="}}]}}]}}]"#,
            step("passed")
        ));
        let case = &report.cases[0];
        assert_eq!(
            (case.attempts[0].duration, case.parameters.as_deref(), case.line),
            (Some(3_000), Some("#2"), Some(9))
        );
        assert_eq!(
            (case.tags.join(" "), case.suite.join(">"), case.source.as_deref()),
            ("fast web".into(), "Shop".into(), Some("f/shop.feature"))
        );
        assert_eq!(report.cases[1].name, "Scenario");
        assert_eq!(report.losses.len(), 2);
        let attempt = &report.cases[2].attempts[0];
        assert_eq!(attempt.message.as_deref(), Some("Error: a"));
        assert_eq!(attempt.attachments[0].media_type.as_deref(), Some("image/png"));
    }

    #[test]
    fn behave_writes_seconds_and_places() {
        let text = r#"[{"keyword":"Feature","name":"F","location":"f.feature:1","elements":[{"keyword":"Scenario","name":"S","location":"f.feature:7",
            "steps":[{"result":{"status":"passed","duration":0.5}}],"status":"passed"}]}]"#;
        let report = parse(text.as_bytes()).expect("is a report");
        assert_eq!((report.cases[0].attempts[0].duration, report.cases[0].line), (Some(500_000), Some(7)));
        assert_eq!(report.cases[0].source.as_deref(), Some("f.feature"));
    }
}
