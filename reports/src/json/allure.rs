//! Results for Allure, a folder of files.
//!
//! A result file holds one attempt at one test, and [`join`] makes one report
//! of a folder: files with one history are attempts at one test, in the order
//! in which they began. Alone, a result is a report of one test, and a file of
//! fixtures is a report without tests that fails if a fixture did.

use super::node::Node;
use super::read::{self, MOST_FACTS};
use crate::model::{Attachment, Attempt, Case, Report, Suite, Verdict};
use crate::{Refusal, apart, text};
use std::collections::HashMap;

const ATTACHMENT: [&str; 3] = ["name", "type", "source"];

/// The words that results hold beside their names.
const OF_RESULTS: [&str; 12] = [
    "uuid",
    "historyId",
    "testCaseId",
    "fullName",
    "statusDetails",
    "stage",
    "labels",
    "steps",
    "parameters",
    "start",
    "stop",
    "links",
];

/// Labels that are told in fields of their own.
const TOLD: [&str; 9] = ["parentSuite", "suite", "subSuite", "tag", "owner", "package", "testClass", "thread", "host"];

/// Whether a file looks like one of such a folder.
pub fn looks(file: &[u8]) -> bool {
    read::glance(file, |root| is_result(root) || is_container(root) || is_globals(root))
}

fn is_result(root: &Node<'_>) -> bool {
    let is_word = |status: &str| {
        ["passed", "failed", "broken", "skipped", "unknown"].contains(&status.to_ascii_lowercase().as_str())
    };
    let knows = OF_RESULTS.iter().filter(|key| root.get(key).is_some()).count();
    let is_judged = root.text("status").is_some_and(is_word);
    root.text("name").is_some()
        && !is_container(root)
        && ((is_judged && knows > 0) || (root.get("uuid").is_some() && knows > 1))
}

fn is_container(root: &Node<'_>) -> bool {
    root.get("children").is_some_and(Node::is_list)
        && (root.get("uuid").is_some() || root.get("befores").is_some() || root.get("afters").is_some())
}

/// What Allure 3 keeps of errors outside of tests.
fn is_globals(root: &Node<'_>) -> bool {
    let is_list = |key| root.get(key).is_some_and(Node::is_list);
    is_list("attachments") && is_list("errors") && root.entries().len() == 2
}

/// Reads one file.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    read::report(file, |root, report| {
        report.framework = Some("Allure".into());
        if is_container(root) {
            report.suites = broken_fixtures(root, root.kept("name").map(|name| vec![name]));
        } else if is_globals(root) {
            report.suites = root.list("errors").iter().map(|error| outside(error.kept("message"))).collect();
        } else {
            let result = Single::of(root, report);
            if result.is_none() && root.is_whole() {
                return Err(read::lacking("test"));
            }
            finish(report, result.into_iter().collect());
        }
        Ok(())
    })
}

fn outside(message: Option<String>) -> Suite {
    Suite { path: vec![text::OUTSIDE.to_owned()], verdict: Some(Verdict::Errored), message, ..Suite::default() }
}

/// Joins the files of a folder, given with their names, into one report. Files
/// of no use to it, such as attachments, are left alone.
pub fn join<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Report {
    let mut report = Report { framework: Some("Allure".into()), ..Report::default() };
    let (mut results, mut containers) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let file = text::file_name(name);
        if file == "environment.properties" {
            report.properties.extend(environment(bytes));
        } else if file == "executor.json"
            || file.ends_with("-container.json")
            || file.ends_with("-result.json")
            || file.starts_with("globals")
        {
            take(name, bytes, &mut report, &mut results, &mut containers);
        }
    }
    let paths: HashMap<String, Vec<String>> =
        results.iter().filter_map(|result: &Single| Some((result.uuid.clone()?, result.case.suite.clone()))).collect();
    for (children, mut suite) in containers {
        // Fixtures belong to the suite of the tests that they were for.
        if let Some(path) = children.iter().find_map(|child| paths.get(child)) {
            suite.path.clone_from(path);
        }
        report.suites.push(suite);
    }
    finish(&mut report, results);
    apart::tell_apart(&mut report);
    report
}

/// Takes one file of a folder; what cannot be read of it is lost by its name.
fn take(
    name: &str,
    bytes: &[u8],
    report: &mut Report,
    results: &mut Vec<Single>,
    containers: &mut Vec<(Vec<String>, Suite)>,
) {
    let read = read::report(bytes, |root, own| {
        if text::file_name(name) == "executor.json" {
            report.name = root.kept("buildName").or_else(|| root.kept("reportName"));
            report.url = root.kept("buildUrl").or_else(|| root.kept("reportUrl"));
        } else if is_container(root) {
            let children = root.texts("children");
            containers.extend(broken_fixtures(root, None).into_iter().map(|suite| (children.clone(), suite)));
        } else if is_globals(root) {
            report.suites.extend(root.list("errors").iter().map(|error| outside(error.kept("message"))));
        } else {
            let result = Single::of(root, own);
            if result.is_none() && root.is_whole() {
                return Err(read::lacking("test"));
            }
            results.extend(result);
        }
        Ok(())
    });
    match read {
        Ok(own) => {
            report.is_aborted |= own.is_aborted;
            own.losses.into_iter().for_each(|loss| text::lose(report, format!("{name} {}", loss.place), loss.detail));
        }
        Err(refusal) => text::lose(report, name, refusal.to_string()),
    }
}

/// "key=value" a line, as Java writes it.
fn environment(bytes: &[u8]) -> Vec<(String, String)> {
    let text = text::decode(bytes);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with(['#', '!'])).take(MOST_FACTS);
    let told =
        |line: &str| line.split_once(['=', ':']).map(|(key, value)| (text::clip(key.trim()), text::clip(value.trim())));
    lines.filter_map(told).collect()
}

/// The fixtures of a container that failed, each as what it makes of its suite.
fn broken_fixtures(root: &Node<'_>, path: Option<Vec<String>>) -> Vec<Suite> {
    let path = path.unwrap_or_else(|| vec![text::OUTSIDE.to_owned()]);
    let all = root.list("befores").iter().chain(root.list("afters")).take(MOST_FACTS);
    let broken = all.filter(|fixture| matches!(fixture.text("status"), Some("failed" | "broken")));
    let told = |fixture: &Node<'_>| {
        let details = fixture.part("statusDetails");
        let said = [fixture.text("name"), details.text("message")];
        Suite {
            path: path.clone(),
            started: fixture.moment("start"),
            duration: read::between(fixture.moment("start"), fixture.moment("stop")),
            verdict: Some(Verdict::Errored),
            message: text::paragraphs(said.into_iter().flatten()),
            ..Suite::default()
        }
    };
    broken.map(told).collect()
}

/// A result file, read.
struct Single {
    uuid: Option<String>,
    history: Option<String>,
    framework: Option<String>,
    case: Case,
}

impl Single {
    fn of(root: &Node<'_>, report: &mut Report) -> Option<Self> {
        let name = root.kept("name").or_else(|| root.kept("fullName"))?;
        if read::is_cut(root, &name, String::new, report) {
            return None;
        }
        let labels = Labels::of(root);
        let ids = ["testCaseId", "fullName"].iter().filter_map(|key| read::fact(root, key));
        let details = root.part("statusDetails");
        let marks = ["flaky", "known", "muted"]
            .into_iter()
            .filter(|mark| details.truth(mark))
            .map(|mark| (mark.to_owned(), "true".to_owned()));
        let case = Case {
            suite: labels.suite(root),
            parameters: parameters(root),
            tags: labels.all("tag"),
            owner: labels.one("owner"),
            properties: ids.chain(marks).chain(labels.rest()).take(MOST_FACTS).collect(),
            attempts: vec![attempt(root)],
            name,
            ..Case::default()
        };
        Some(Self {
            uuid: root.kept("uuid"),
            history: root.kept("historyId"),
            framework: labels.one("framework"),
            case,
        })
    }
}

/// Makes tests of results: those with one history are attempts at one test. A
/// result without a history is told from others by its place and name.
fn finish(report: &mut Report, results: Vec<Single>) {
    let mut by_history: HashMap<String, usize> = HashMap::new();
    let mut cases: Vec<Case> = Vec::new();
    for result in results {
        report.framework = result.framework.or(report.framework.take());
        let case = result.case;
        let place = || format!("{:?} {} {:?}", case.suite, case.name, case.parameters);
        let at = *by_history.entry(result.history.unwrap_or_else(place)).or_insert(cases.len());
        match cases.get_mut(at) {
            Some(known) => known.attempts.extend(case.attempts),
            None => cases.push(case),
        }
    }
    let begun = |attempt: &Attempt| attempt.started;
    for case in &mut cases {
        case.attempts.sort_by_key(begun);
    }
    cases.sort_by_key(|case| case.attempts.first().and_then(begun));
    report.started = cases.iter().flat_map(|case| &case.attempts).filter_map(begun).min();
    report.finished = cases
        .iter()
        .flat_map(|case| &case.attempts)
        .filter_map(|attempt| read::end(attempt.started, attempt.duration))
        .max();
    report.cases = cases;
}

/// The labels of a result.
struct Labels(Vec<(String, String)>);

impl Labels {
    fn of(root: &Node<'_>) -> Self {
        let listed = root
            .list("labels")
            .iter()
            .take(MOST_FACTS)
            .filter_map(|label| Some((label.kept("name")?, label.kept("value")?)));
        Self(listed.chain(root.part("labels").facts()).collect())
    }

    fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    fn one(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    /// The labels without a field of their own.
    fn rest(&self) -> Vec<(String, String)> {
        self.0.iter().filter(|(key, _)| !TOLD.contains(&key.as_str())).cloned().collect()
    }

    /// Its suites by their labels, else by where it is written.
    fn suite(&self, root: &Node<'_>) -> Vec<String> {
        let labelled: Vec<_> = ["parentSuite", "suite", "subSuite"].iter().filter_map(|name| self.one(name)).collect();
        let titled = root.texts("titlePath");
        let class = || self.one("testClass").or_else(|| self.one("package"));
        let full = || {
            root.kept("fullName")
                .and_then(|full| Some(full.rsplit_once(['.', '#', ':'])?.0.trim_end_matches(':').to_owned()))
        };
        let names = match (labelled.is_empty(), titled.is_empty()) {
            (false, _) => labelled,
            (true, false) => titled,
            (true, true) => class().or_else(full).into_iter().collect(),
        };
        text::path(names, "Allure")
    }
}

/// The parameters that tell it from its likes; secrets are not shown.
fn parameters(root: &Node<'_>) -> Option<String> {
    let shown = root.list("parameters").iter().take(MOST_FACTS).filter(|item| !item.truth("excluded"));
    let told = |item: &Node<'_>| match item.text("mode") {
        Some("hidden") => None,
        Some("masked") => Some(format!("{}=***", item.text("name")?)),
        _ => Some(format!("{}={}", item.text("name")?, item.text("value").unwrap_or_default())),
    };
    text::some(&shown.filter_map(told).collect::<Vec<_>>().join(", "))
}

fn attempt(root: &Node<'_>) -> Attempt {
    let details = root.part("statusDetails");
    let mut attachments = Vec::new();
    attached(root, &mut attachments);
    let is_stopped = root.text("stage") == Some("interrupted");
    Attempt {
        verdict: match root.text("status").map(str::to_ascii_lowercase).as_deref() {
            Some("passed") => Verdict::Passed,
            Some("failed") => Verdict::Failed,
            Some("broken") => Verdict::Errored,
            Some("skipped") => Verdict::Skipped,
            _ if is_stopped => Verdict::Cancelled,
            _ => Verdict::Unknown,
        },
        started: root.moment("start"),
        duration: read::between(root.moment("start"), root.moment("stop")),
        message: details.kept("message").or_else(|| root.kept("statusMessage")),
        trace: details.kept("trace").or_else(|| root.kept("statusTrace")),
        output: None,
        attachments,
    }
}

/// The attachments of a result and of its steps.
fn attached(node: &Node<'_>, all: &mut Vec<Attachment>) {
    let room = MOST_FACTS.saturating_sub(all.len());
    all.extend(node.attachments("attachments", ATTACHMENT).into_iter().take(room));
    node.list("steps").iter().for_each(|step| attached(step, all));
}

#[cfg(test)]
#[path = "allure_tests.rs"]
mod tests;
