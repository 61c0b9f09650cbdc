//! (g) A large `JUnit` file, read into a report, against a pass over the same
//! bytes that only tells the parts of the XML apart.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use quick_xml::Reader;
use quick_xml::events::Event;
use reports::Format;

use crate::Setting;
use crate::report::{Bar, Findings, Measure};
use crate::stats::median;

/// Tests in a suite of the file.
const IN_SUITE: usize = 200;

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let suites = setting.pick(400, 80);
    let rounds = setting.pick(9, 5);
    let measured = tokio::task::spawn_blocking(move || rates(&file(suites), suites * IN_SUITE, rounds));
    let (own, bare, megabytes) = measured.await.context("it was cut off")??;
    let ratios: Vec<_> = own.iter().zip(&bare).map(|(own, bare)| own / bare).collect();
    findings.measure(
        Measure::new(format!("JUnit, a file of {megabytes:.0} MB"), median(&own), "MB/s")
            .under(median(&bare), median(&ratios))
            .bar(Bar::Ratio(0.4)),
    );
    findings.note("the ceiling is a pass of quick-xml over the same bytes in memory that keeps nothing");
    Ok(())
}

/// Megabytes a second of both, in turns.
fn rates(file: &[u8], tests: usize, rounds: usize) -> Result<(Vec<f64>, Vec<f64>, f64)> {
    let megabytes = file.len() as f64 / 1e6;
    let (mut own, mut bare) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        for is_own in [round % 2 == 0, round % 2 == 1] {
            let start = Instant::now();
            if is_own {
                let (_, report) = reports::read(file, Some(Format::Junit))?;
                ensure!(report.cases.len() == tests, "{} tests were read of {tests}", report.cases.len());
                own.push(megabytes / start.elapsed().as_secs_f64());
                drop(black_box(report));
            } else {
                black_box(pass(file)?);
                bare.push(megabytes / start.elapsed().as_secs_f64());
            }
        }
    }
    Ok((own, bare, megabytes))
}

fn pass(file: &[u8]) -> Result<usize> {
    let mut reader = Reader::from_reader(file);
    let mut parts = 0;
    loop {
        match reader.read_event()? {
            Event::Eof => return Ok(parts),
            event => {
                black_box(&event);
                parts += 1;
            }
        }
    }
}

/// A file as a build server writes it: most tests pass, some tell a lot.
fn file(suites: usize) -> Vec<u8> {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for suite in 0..suites {
        // Writing into a text cannot fail.
        let _ = writeln!(
            text,
            "<testsuite name=\"org.acme.pump.Suite{suite}\" tests=\"{IN_SUITE}\" timestamp=\"2026-03-01T12:00:00\">\
             <properties><property name=\"os.name\" value=\"Linux\"/></properties>"
        );
        for test in 0..IN_SUITE {
            let _ = write!(
                text,
                "  <testcase name=\"opens valve {test} within &lt;{suite} s&gt;\" classname=\"org.acme.pump.Suite{suite}\" \
                 time=\"0.{test:03}\">"
            );
            if test % 20 == 7 {
                let trace = "\tat org.acme.pump.Valve.open(Valve.java:112)\n".repeat(25);
                let _ = write!(text, "<failure message=\"still closed\" type=\"AssertionError\">{trace}</failure>");
            }
            if test % 10 == 3 {
                let output = "2026-03-01 12:00:00 INFO pump - asking for the position\n".repeat(10);
                let _ = write!(text, "<system-out><![CDATA[{output}]]></system-out>");
            }
            text.push_str("</testcase>\n");
        }
        text.push_str("</testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text.into_bytes()
}
