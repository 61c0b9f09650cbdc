//! Rust's libtest, and nextest, as JSON lines.
//!
//! Several test programs follow one another without names, so their tests are
//! told from each other by their modules alone; a test of the same name in a
//! later program has the program's number as its parameter. Nextest names the
//! program before a dollar sign, and counts attempts behind a hash: all but the
//! last of them failed.

use super::{Line, NO_END, broken, glance, json_lines};
use crate::json::node::Node;
use crate::model::{Attempt, Case, Report, Verdict};
use crate::text::{self, Gathered, MOST_RETRIES};
use crate::{Refusal, apart, scan};
use std::collections::HashMap;

/// What the suite of a test outside of any module is called.
const ROOT: &str = "tests";

/// Whether a file looks like it.
pub fn looks(file: &[u8]) -> bool {
    glance(file, |node| {
        let is_kind = node.text("type").is_some_and(|kind| matches!(kind, "suite" | "test" | "bench"));
        let is_event =
            node.text("event").is_some_and(|event| verdict(event).is_some() || matches!(event, "started" | "timeout"));
        is_kind && is_event
    })
}

/// Reads it.
pub fn parse(file: &[u8]) -> Result<Report, Refusal> {
    let text = text::decode(file);
    let mut report = Report { framework: Some("libtest".into()), ..Report::default() };
    let mut reading = Reading::default();
    for (number, line) in json_lines(&text) {
        match line {
            Line::Object(event) => reading.event(&event, &mut report),
            Line::Other(_) => {}
            Line::Broken { is_cut } => broken(&mut report, number, is_cut),
        }
    }
    if reading.programs == 0 && reading.tests.is_empty() {
        return Err(Refusal::Malformed("there is no event of a Rust test in it".into()));
    }
    report.is_aborted |= reading.is_open;
    reading.tell(&mut report);
    apart::tell_apart(&mut report);
    Ok(report)
}

#[derive(Default)]
struct Reading {
    /// How many test programs began so far, and whether the last has not ended.
    programs: usize,
    is_open: bool,
    tests: Vec<Test>,
    /// The test of a name in the program that is running.
    by_name: HashMap<String, usize>,
}

struct Test {
    name: String,
    program: usize,
    attempts: Vec<Attempt>,
    is_open: bool,
    is_late: bool,
    properties: Vec<(String, String)>,
}

impl Reading {
    fn event(&mut self, event: &Node<'_>, report: &mut Report) {
        let word = event.text("event").unwrap_or_default();
        match event.text("type").unwrap_or_default() {
            "suite" if word == "started" => {
                // Nextest's programs run side by side, but its names are whole.
                if event.get("nextest").is_none() {
                    self.by_name.clear();
                }
                self.programs += 1;
                self.is_open = true;
            }
            "suite" => self.is_open = false,
            "test" => {
                if let Some(name) = event.text("name") {
                    self.test(name, word, event, report);
                }
            }
            "bench" => self.bench(event),
            _ => {}
        }
    }

    fn known(&mut self, name: &str) -> &mut Test {
        let program = self.programs;
        let at = *self.by_name.entry(name.to_owned()).or_insert_with(|| {
            let name = name.to_owned();
            self.tests.push(Test {
                name,
                program,
                attempts: Vec::new(),
                is_open: false,
                is_late: false,
                properties: Vec::new(),
            });
            self.tests.len() - 1
        });
        &mut self.tests[at]
    }

    fn test(&mut self, name: &str, word: &str, event: &Node<'_>, report: &mut Report) {
        let (name, made) = attempts_made(name);
        if name.contains('$') {
            report.framework = Some("nextest".into());
        }
        let test = self.known(&name);
        match word {
            "started" => test.is_open = true,
            // A word of warning; the test runs on.
            "timeout" => test.is_late = true,
            _ => {
                let earlier = made.saturating_sub(test.attempts.len() + 1);
                test.attempts.extend(vec![Attempt { verdict: Verdict::Failed, ..Attempt::default() }; earlier]);
                test.attempts.push(attempt(word, event));
                test.is_open = false;
            }
        }
    }

    fn bench(&mut self, event: &Node<'_>) {
        let Some(name) = event.text("name") else { return };
        let properties = ["median", "deviation", "mib_per_second"]
            .iter()
            .filter_map(|key| crate::json::read::fact(event, key))
            .collect();
        let test = self.known(name);
        test.is_open = false;
        test.properties = properties;
        test.attempts.push(Attempt { verdict: Verdict::Passed, ..Attempt::default() });
    }

    fn tell(self, report: &mut Report) {
        let mut first: HashMap<String, usize> = HashMap::new();
        for mut test in self.tests {
            if test.is_open || test.attempts.is_empty() {
                let (verdict, why) =
                    if test.is_late { (Verdict::TimedOut, "it ran for too long") } else { (Verdict::Unknown, NO_END) };
                test.attempts.push(Attempt { verdict, message: Some(why.into()), ..Attempt::default() });
                report.is_aborted = true;
            }
            let program = *first.entry(test.name.clone()).or_insert(test.program);
            let mut case = named(&test.name);
            if program != test.program {
                let words = [case.parameters, Some(format!("program {}", test.program))];
                case.parameters = Some(words.into_iter().flatten().collect::<Vec<_>>().join(", "));
            }
            report.cases.push(Case { attempts: test.attempts, properties: test.properties, ..case });
        }
    }
}

/// A test's name as it was when it started, and how many attempts were made:
/// nextest tells only of the last, and puts its number behind the name.
fn attempts_made(name: &str) -> (String, usize) {
    let (name, made) = match name.rsplit_once('#').filter(|_| name.contains('$')) {
        Some((plain, number)) => match number.parse::<usize>() {
            Ok(made) => (plain, made.min(MOST_RETRIES)),
            Err(_) => (name, 1),
        },
        None => (name, 1),
    };
    // Stress runs repeat a test on purpose; each of them is an attempt.
    let program = name.split_once('$').and_then(|(program, test)| Some((program.split_once("@stress-")?.0, test)));
    (program.map_or_else(|| name.to_owned(), |(program, test)| format!("{program}${test}")), made)
}

/// A case by its full name: `module::test`, `crate::program$module::test`, or
/// `src/file.rs - module::item (line 7)` of documentation.
fn named(full: &str) -> Case {
    let full = text::clip(full);
    let (program, path) = full.split_once('$').unwrap_or(("", &full));
    if let Some((file, item)) =
        path.split_once(" - ").filter(|(file, _)| file.ends_with(".rs") || file.ends_with(".md"))
    {
        let (item, line) =
            item.split_once(" (line ").map_or((item, None), |(item, line)| (item, line.split(')').next()));
        return Case {
            suite: text::path(vec![program.to_owned(), file.to_owned()], ROOT),
            name: if item.is_empty() { file.to_owned() } else { item.to_owned() },
            parameters: line.map(|line| format!("line {line}")),
            source: Some(file.to_owned()),
            line: line.and_then(|line| line.parse().ok()),
            ..Case::default()
        };
    }
    let (modules, name) = path.rsplit_once("::").unwrap_or(("", path));
    let names = [program].into_iter().chain(modules.split("::")).map(str::to_owned).collect();
    Case { suite: text::path(names, ROOT), name: name.to_owned(), ..Case::default() }
}

fn verdict(word: &str) -> Option<Verdict> {
    Some(match word {
        "ok" => Verdict::Passed,
        "failed" => Verdict::Failed,
        "ignored" => Verdict::Skipped,
        "allowed_failure" => Verdict::Warned,
        _ => return None,
    })
}

fn attempt(word: &str, event: &Node<'_>) -> Attempt {
    let output = [event.kept("stdout"), event.kept("stderr")];
    let output = text::paragraphs(output.iter().flatten().map(String::as_str));
    let said = event.kept("message").or_else(|| event.kept("reason"));
    let is_late = said.as_deref() == Some("time limit exceeded");
    let verdict = verdict(word).unwrap_or(Verdict::Unknown);
    let (panic, trace) = output.as_deref().filter(|_| verdict != Verdict::Passed).map(panicked).unwrap_or_default();
    Attempt {
        verdict: if is_late && verdict.is_failure() { Verdict::TimedOut } else { verdict },
        duration: event.text("exec_time").and_then(scan::seconds),
        message: said.or(panic),
        trace,
        output,
        ..Attempt::default()
    }
}

/// What a panic said, in the words of old and new compilers, and all that
/// follows it.
fn panicked(output: &str) -> (Option<String>, Option<String>) {
    let Some(at) = output.find("panicked at ") else { return (None, None) };
    let line = output[..at].rfind('\n').map_or(0, |end| end + 1);
    let words = &output[at + "panicked at ".len()..];
    let mut said = Gathered::default();
    let mut lines = words.lines();
    let first = lines.next().unwrap_or_default();
    if !first.trim_end().ends_with(':') {
        said.line(first);
    }
    let ends =
        |line: &&str| line.starts_with("note: ") || line.starts_with("stack backtrace:") || line.trim().is_empty();
    lines.take_while(|line| !ends(line)).for_each(|line| said.line(line));
    let message = said.finish().map(|said| said.trim_end().to_owned());
    (message, text::some(&output[line..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, recognise};

    fn read(text: &str) -> Report {
        assert_eq!(recognise(text.as_bytes()), Some(Format::Libtest));
        parse(text.as_bytes()).expect("is a report")
    }

    #[test]
    fn events_of_old_and_new_compilers_are_read() {
        let report = read(
            r#"   Compiling x v0.1.0
{ "type": "suite", "event": "started", "test_count": 5 }
{ "type": "test", "event": "started", "name": "a::b::works" }
{ "type": "test", "name": "a::b::works", "event": "ok", "exec_time": "0.123s" }
{ "type": "test", "name": "fails", "event": "failed", "exec_time": 0.5, "stdout": "thread 'fails' panicked at 'no', src/lib.rs:10:9\nnote: run\n" }
{ "type": "test", "name": "fails2", "event": "failed", "stdout": "words\nthread 'x' panicked at src/lib.rs:1:2:\nleft\nright\nnote: run\n" }
{ "type": "test", "name": "later", "event": "ignored", "message": "slow" }
{ "type": "test", "name": "slow", "event": "failed", "reason": "time limit exceeded" }
{ "type": "odd" }
{ "type": "bench", "name": "fast", "median": 12, "deviation": 1 }
{ "type": "suite", "event": "failed", "passed": 1 }
"#,
        );
        let verdicts: Vec<_> = report.cases.iter().map(Case::verdict).collect();
        assert_eq!(
            verdicts,
            [Verdict::Passed, Verdict::Failed, Verdict::Failed, Verdict::Skipped, Verdict::TimedOut, Verdict::Passed]
        );
        assert_eq!(
            (report.cases[0].suite.join("::"), report.cases[0].attempts[0].duration),
            ("a::b".into(), Some(123_000))
        );
        assert_eq!(report.cases[1].attempts[0].message.as_deref(), Some("'no', src/lib.rs:10:9"));
        assert_eq!(report.cases[2].attempts[0].message.as_deref(), Some("left\nright"));
        assert!(report.cases[2].attempts[0].trace.as_deref().is_some_and(|trace| trace.starts_with("thread 'x'")));
        assert!(!report.is_aborted && report.losses.is_empty());
    }

    #[test]
    fn tests_of_one_name_in_several_programs_stay_apart() {
        let program = "{\"type\":\"suite\",\"event\":\"started\"}\n{\"type\":\"test\",\"name\":\"t\",\"event\":\"ok\"}\n{\"type\":\"suite\",\"event\":\"ok\"}\n";
        let report = read(&program.repeat(2));
        let parameters: Vec<_> = report.cases.iter().map(|case| case.parameters.as_deref()).collect();
        assert_eq!(parameters, [None, Some("program 2")]);
    }

    #[test]
    fn nextest_names_programs_and_counts_attempts() {
        let report = read(
            r#"{"type":"suite","event":"started","test_count":2,"nextest":{"crate":"x"}}
{"type":"test","event":"started","name":"x::bin$m::flaky"}
{"type":"test","event":"ok","name":"x::bin$m::flaky#3","exec_time":0.1}
{"type":"test","event":"failed","name":"x::bin@stress-1$m::other"}
{"type":"suite","event":"ok"}
"#,
        );
        assert_eq!((report.cases.len(), report.framework.as_deref()), (2, Some("nextest")));
        assert_eq!((report.cases[0].suite.join(" "), report.cases[0].name.as_str()), ("x::bin m".into(), "flaky"));
        assert_eq!(report.cases[0].attempts.len(), 3);
        assert!(report.cases[0].is_flaky());
        assert_eq!(report.cases[1].suite[0], "x::bin");
    }

    #[test]
    fn tests_of_documentation_have_a_file_and_a_line() {
        let case = named("src/a.rs - m::item (line 7)");
        assert_eq!((case.suite.join(" "), case.name.as_str(), case.line), ("src/a.rs".into(), "m::item", Some(7)));
        assert_eq!(case.parameters.as_deref(), Some("line 7"));
    }

    #[test]
    fn what_never_ended_is_unknown_or_late() {
        let report = read(
            "{\"type\":\"suite\",\"event\":\"started\"}\n{\"type\":\"test\",\"name\":\"a\",\"event\":\"started\"}\n{\"type\":\"test\",\"name\":\"b\",\"event\":\"started\"}\n{\"type\":\"test\",\"name\":\"b\",\"event\":\"timeout\"}\n{\"type\":\"te",
        );
        assert_eq!(report.cases.iter().map(Case::verdict).collect::<Vec<_>>(), [Verdict::Unknown, Verdict::TimedOut]);
        assert!(report.is_aborted);
        assert_eq!(report.losses[0].place, "line 5");
    }
}
