//! What comes out: a table for people, a file for programs.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Serialize, Serializer};

use crate::machine::Machine;
use crate::parts::Part;

/// What a measure should reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bar {
    /// The ratio to the ceiling is at least this.
    Ratio(f64),
    /// The figure is at most this.
    AtMost(f64),
    /// The figure is at least this.
    AtLeast(f64),
}

/// One figure.
#[derive(Debug, Serialize)]
pub struct Measure {
    part: Option<Part>,
    what: String,
    figure: f64,
    unit: &'static str,
    ceiling: Option<f64>,
    ratio: Option<f64>,
    #[serde(serialize_with = "bar_as_text")]
    bar: Option<Bar>,
    holds: Option<bool>,
}

/// What a part found.
#[derive(Debug, Default)]
pub struct Findings {
    measures: Vec<Measure>,
    notes: Vec<String>,
}

/// Everything.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What it was measured on.
    pub machine: Machine,
    quick: bool,
    measures: Vec<Measure>,
    notes: Vec<(Part, String)>,
    failures: Vec<(Part, String)>,
}

fn bar_as_text<S: Serializer>(bar: &Option<Bar>, serializer: S) -> Result<S::Ok, S::Error> {
    bar.map(|bar| bar.to_string()).serialize(serializer)
}

impl std::fmt::Display for Bar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ratio(least) => write!(f, "ratio ≥ {least}"),
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::AtLeast(least) => write!(f, "≥ {least}"),
        }
    }
}

impl Measure {
    /// A figure by itself.
    pub fn new(what: impl Into<String>, figure: f64, unit: &'static str) -> Self {
        Self { part: None, what: what.into(), figure, unit, ceiling: None, ratio: None, bar: None, holds: None }
    }

    /// With its ceiling. The ratio is told apart from both, because it is the
    /// median of ratios of pairs, and not the ratio of two medians.
    pub fn under(mut self, ceiling: f64, ratio: f64) -> Self {
        (self.ceiling, self.ratio) = (Some(ceiling), Some(ratio));
        self
    }

    /// With what it should reach.
    pub fn bar(mut self, bar: Bar) -> Self {
        self.bar = Some(bar);
        self.holds = match bar {
            Bar::Ratio(least) => self.ratio.map(|ratio| ratio >= least),
            Bar::AtMost(most) => Some(self.figure <= most),
            Bar::AtLeast(least) => Some(self.figure >= least),
        };
        self
    }

    fn cells(&self) -> [String; 6] {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        [
            self.what.clone(),
            format!("{}{unit}", number(self.figure)),
            self.ceiling.map(number).unwrap_or_default(),
            self.ratio.map(|ratio| format!("{ratio:.3}")).unwrap_or_default(),
            self.bar.map(|bar| bar.to_string()).unwrap_or_default(),
            self.holds.map_or("", |holds| if holds { "yes" } else { "NO" }).into(),
        ]
    }
}

impl Findings {
    /// Adds a figure.
    pub fn measure(&mut self, measure: Measure) {
        self.measures.push(measure);
    }

    /// Adds a line about how the figures came about.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

impl Report {
    /// An empty one.
    pub fn new(machine: Machine, quick: bool) -> Self {
        Self { machine, quick, measures: Vec::new(), notes: Vec::new(), failures: Vec::new() }
    }

    /// Adds what a part found, or why it found nothing. What it found before
    /// it failed counts.
    pub fn add(&mut self, part: Part, (findings, outcome): (Findings, Result<()>)) {
        let own = findings.measures.into_iter().map(|measure| Measure { part: Some(part), ..measure });
        self.measures.extend(own);
        self.notes.extend(findings.notes.into_iter().map(|note| (part, note)));
        if let Err(error) = outcome {
            eprintln!("  could not be measured: {error:#}");
            self.failures.push((part, format!("{error:#}")));
        }
    }

    /// Whether all could be measured.
    pub fn is_whole(&self) -> bool {
        self.failures.is_empty()
    }

    /// Prints it for people.
    pub fn print(&self) {
        let heads = ["measure", "figure", "ceiling", "ratio", "bar", "holds?"].map(str::to_owned);
        let rows: Vec<_> = self.measures.iter().map(Measure::cells).collect();
        let width = |column: usize| rows.iter().chain([&heads]).map(|row| row[column].chars().count()).max();
        let widths: [usize; 6] = std::array::from_fn(|column| width(column).unwrap_or_default());
        println!();
        print_row(&heads, &widths);
        let mut last = None;
        for (measure, row) in self.measures.iter().zip(&rows) {
            if measure.part != last {
                println!();
                last = measure.part;
            }
            print_row(row, &widths);
        }
        println!();
        for (part, note) in &self.notes {
            println!("{}: {note}", part.letter());
        }
        for (part, failure) in &self.failures {
            println!("{}: COULD NOT BE MEASURED: {failure}", part.letter());
        }
        if self.quick {
            println!("Short rounds: for a look, not for comparing.");
        }
    }

    /// Writes it for programs.
    pub fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))
    }
}

fn print_row(row: &[String; 6], widths: &[usize; 6]) {
    let mut line = String::new();
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        let room = " ".repeat(width.saturating_sub(cell.chars().count()));
        // Numbers stand under each other at their ends, words at their beginnings.
        let is_number = (1..=3).contains(&column);
        line += &if is_number { format!("{room}{cell}  ") } else { format!("{cell}{room}  ") };
    }
    println!("{}", line.trim_end());
}

/// Large numbers in groups of three, small ones with what matters after the point.
fn number(value: f64) -> String {
    if value.abs() < 10.0 {
        return format!("{value:.2}");
    }
    if value.abs() < 1_000.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.5, 12.34, 1_234.5, 1_234_567.0].map(number), ["0.50", "12.3", "1,234", "1,234,567"]);
    }

    #[test]
    fn a_bar_is_held_or_missed() {
        let held = Measure::new("x", 40.0, "").under(100.0, 0.4).bar(Bar::Ratio(0.35));
        let missed = Measure::new("x", 21.0, "ms").bar(Bar::AtMost(20.0));
        assert_eq!((held.holds, missed.holds), (Some(true), Some(false)));
    }
}
