//! Says how fast a report in XML is read, against two passes over it that keep
//! nothing, one of the events alone and one that looks at attributes and texts: `cargo run --release -p reports --example speed -- [FILE…]`.
//!
//! Without a file it reads two that it makes up: one of bare cases, where the
//! cost is that of the cases themselves, and one of cases that print, as large
//! files have them.

use quick_xml::Reader;
use quick_xml::events::Event;
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 9;
const SUITES: usize = 100;
const CASES: usize = 100;

/// A file of which every tenth case prints so many lines.
fn made_up(lines: usize) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"made up\">\n");
    for suite in 0..SUITES {
        let _ = writeln!(xml, "  <testsuite name=\"org.example.Suite{suite}\" tests=\"{CASES}\" time=\"12.5\">");
        for case in 0..CASES {
            let class = format!("org.example.Suite{suite}");
            let _ = write!(xml, "    <testcase classname=\"{class}\" name=\"does_thing_{case}\" time=\"0.{case:03}\"");
            let _ = match case % 20 {
                7 => writeln!(
                    xml,
                    "><failure message=\"expected 1 &lt; 0\" type=\"Error\">{}</failure></testcase>",
                    "at org.example.Thing.does(Thing.java:12)\n".repeat(20)
                ),
                13 => writeln!(xml, "><skipped/></testcase>"),
                1 | 11 if lines > 0 => writeln!(
                    xml,
                    "><system-out><![CDATA[{}]]></system-out></testcase>",
                    "2024-01-02 03:04:05 INFO org.example.Thing does its work, and says so\n".repeat(lines)
                ),
                _ => writeln!(xml, "/>"),
            };
        }
        xml.push_str("  </testsuite>\n");
    }
    xml + "</testsuites>\n"
}

fn events(file: &[u8]) -> usize {
    let mut reader = Reader::from_reader(file);
    reader.config_mut().check_end_names = false;
    let mut events = 0;
    while !matches!(black_box(reader.read_event()), Ok(Event::Eof) | Err(_)) {
        events += 1;
    }
    events
}

fn contents(file: &[u8]) -> usize {
    let mut reader = Reader::from_reader(file);
    reader.config_mut().check_end_names = false;
    let mut bytes = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) => {
                let values =
                    tag.attributes().flatten().filter_map(|one| one.unescape_value().ok().map(|text| text.len()));
                bytes += values.sum::<usize>();
            }
            Ok(Event::Text(text)) => bytes += text.decode().map_or(0, |text| text.len()),
            Ok(Event::CData(text)) => bytes += text.decode().map_or(0, |text| text.len()),
            Ok(Event::Eof) | Err(_) => return bytes,
            Ok(_) => {}
        }
    }
}

/// The best of some rounds, in seconds. What the work gives is thrown away
/// after the clock is stopped.
fn best<T>(work: impl Fn() -> T) -> f64 {
    let round = |_| {
        let start = Instant::now();
        let given = black_box(work());
        let seconds = start.elapsed().as_secs_f64();
        drop(given);
        seconds
    };
    (0..ROUNDS).map(round).fold(f64::MAX, f64::min)
}

fn measure(name: &str, file: &[u8]) {
    // All in one run, so that they have the same machine.
    let events = best(|| events(file));
    let contents = best(|| contents(file));
    let ours = best(|| reports::read(file, None));
    let rate = |seconds: f64| file.len() as f64 / seconds / 1e6;
    let found = reports::read(file, None).map_or(0, |(_, report)| report.cases.len());
    println!("{name}: {} KiB, {found} cases, read at {:.0} MB/s", file.len() / 1024, rate(ours));
    println!("    ratio to events alone ({:.0} MB/s) {:.2}", rate(events), events / ours);
    println!("    ratio to events and contents ({:.0} MB/s) {:.2}", rate(contents), contents / ours);
}

fn main() {
    // An allocator that has seen a large block given back keeps what it has
    // between rounds. Without that, much of what is measured is the system
    // handing out empty pages.
    drop(black_box(vec![1_u8; 31 << 20]));
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        measure("bare cases", made_up(0).as_bytes());
        measure("cases that print", made_up(200).as_bytes());
        measure("cases that print a lot", made_up(2_000).as_bytes());
    }
    for path in paths {
        match std::fs::read(&path) {
            Ok(file) => measure(&path, &file),
            Err(error) => eprintln!("{path}: {error}"),
        }
    }
}
