//! Ten strips as data would drive them, as one SVG:
//! `cargo run -p app --example rhythms -- rhythms.svg`.

use app::domain::time::{Micros, Timestamp};
use app::ecg::commits::{self, Commit, CommitResult};
use app::ecg::draw::{Path, Rect, STROKES, Scale};
use app::ecg::reading::{Estimate, Latest, Measures};
use app::ecg::sample::{self, Ink, RATE, Ring};
use app::ecg::tape::{Detail, Finding, Tape, View};
use app::ecg::{Event, EventKind, Strip, sweep};
use std::fmt::Write;

const SECONDS: i64 = 10;
const WIDTH: f32 = 840.0;
const HEIGHT: f32 = 78.0;
const ROW: f32 = 108.0;

/// What the tests did: a title, what was measured from when on, and events by
/// the second in which they happened.
struct Story {
    title: &'static str,
    measured: Vec<(f64, Measures)>,
    events: Vec<(f64, EventKind)>,
}

fn story(title: &'static str, measures: Measures) -> Story {
    Story { title, measured: vec![(-90.0, measures)], events: Vec::new() }
}

fn with(mut story: Story, kind: EventKind, seconds: &[f64]) -> Story {
    story.events.extend(seconds.iter().map(|second| (*second, kind)));
    story
}

fn stories() -> Vec<Story> {
    use EventKind::{Failure, Flaky};
    let running = Measures { is_run_open: true, tests_per_minute: 10.0, ..Measures::default() };
    let flake = |mean| Some(Estimate { mean, low: mean - 0.05, high: mean + 0.05, results: 900 });
    let failing = Latest { results: 12, failed: 12, failed_in_a_row: 12 };
    let standstill = Measures { latest: failing, ..running };
    let silent = Measures { is_agent_gone: true, ..running };
    let mut storm = story("six flaky results at once", running);
    storm.measured.push((3.2, Measures { flaky_in_10_s: 6, ..running }));
    let mut stopped = story("suite failing from 2.2 s, first pass at 5.8 s", running);
    stopped.measured.extend([(2.2, standstill), (5.8, running)]);
    let mut lost = story("agent gone from 4 s to 7.5 s: lead off", running);
    lost.measured.extend([(4.0, silent), (7.5, running)]);
    vec![
        story("healthy, 10 tests a minute", running),
        with(story("one flaky result", running), Flaky, &[3.0]),
        with(story("two flaky results", running), Flaky, &[3.0, 3.2]),
        with(storm, Flaky, &[3.0, 3.0, 3.1, 3.1, 3.2, 3.2]),
        with(story("two hard failures", running), Failure, &[2.6, 6.2]),
        story("5 % of tests broken", Measures { broken: 0.05, ..running }),
        story("broken tests mended, 18 passes to go", Measures { recovery_left: 18, ..running }),
        story("flake chance 17 %: irregular", Measures { flake: flake(0.172), ..running }),
        story("flake chance 60 %: fibrillation", Measures { flake: flake(0.6), ..running }),
        stopped,
        story("incident outside the tests: artefact", Measures { has_incident: true, ..running }),
        lost,
    ]
}

fn ring(story: &Story) -> Ring {
    let at = |second: f64| Timestamp((second * 1e6) as i64);
    let mut strip = Strip::new(42);
    for (version, (second, measures)) in (0..).zip(&story.measured) {
        strip.set(at(*second), version, measures.reading());
    }
    for (origin, (second, kind)) in (0..).zip(&story.events) {
        strip.tell(Event { at: at(*second), kind: *kind, origin });
    }
    let mut samples = Vec::new();
    let end = Timestamp(0) + Micros::from_secs(SECONDS);
    let first = strip.samples(0, sample::index_at(end), &mut samples);
    let mut ring = Ring::new((SECONDS * RATE) as usize);
    ring.push(first, &samples);
    ring
}

fn colour(ink: Ink) -> &'static str {
    match ink {
        Ink::Plain => "#27e07d",
        Ink::Uncertain => "#8a96a3",
        Ink::Technical => "#4dd8e6",
        Ink::Medium => "#ffd23f",
        Ink::High => "#ff4d42",
    }
}

fn add_path(svg: &mut String, path: &Path) -> std::fmt::Result {
    let mut way = String::new();
    for line in path.lines() {
        for (n, point) in line.iter().enumerate() {
            write!(way, "{}{:.1} {:.1}", if n == 0 { 'M' } else { 'L' }, point.x, point.y)?;
        }
    }
    for stroke in STROKES {
        let (colour, width, opacity) = (colour(path.look.ink), stroke.width, stroke.opacity);
        writeln!(svg, "<path d='{way}' stroke='{colour}' stroke-width='{width}' stroke-opacity='{opacity}'/>")?;
    }
    Ok(())
}

fn add_grid(svg: &mut String, height: f32, scale: &Scale) -> std::fmt::Result {
    let large = scale.small_square().0 * 5.0;
    for (step, count) in [((1.0, 0.0), (WIDTH / large) as u32), ((0.0, 1.0), (height / large) as u32)] {
        for n in 0..=count {
            let (x, y) = (step.0 * n as f32 * large, step.1 * n as f32 * large);
            let (width, height) = (step.1 * WIDTH, step.0 * height);
            writeln!(svg, "<path d='M{x} {y}l{width} {height}' stroke='#0d1a1c'/>")?;
        }
    }
    Ok(())
}

/// Forty commits, as one would see them on the page of a project.
fn add_commits(svg: &mut String, top: f32, scale: &Scale) -> std::fmt::Result {
    let mut at = Timestamp(0);
    let commits = (0_u32..40).map(|n| {
        at = at + Micros::from_secs([600, 4_000, 90, 20_000, 70_000][n as usize % 5]);
        let result = match n {
            7 | 21 => Some(CommitResult::Flaky),
            14 | 15 | 30 => Some(CommitResult::Failed),
            25 => None,
            _ => Some(CommitResult::Passed),
        };
        Commit { at, result, changed_lines: Some(n * n * 7 % 900), tests: None, is_tagged: false }
    });
    let tape = Tape::new(&commits::entries(&commits.collect::<Vec<_>>()));
    let area = Rect { x: 0.0, y: top, width: WIDTH, height: HEIGHT };
    let y = top - 10.0;
    writeln!(svg, "<text x='6' y='{y}' fill='#7fd8b0' font-family='sans-serif' font-size='11'>forty commits</text>")?;
    let view = View::of(&tape, &(0..tape.len()), f64::from(WIDTH));
    let Detail::Waves(waves) = view.detail(&tape, &area, scale) else { return Ok(()) };
    for wave in waves {
        let colour = colour(match wave.finding {
            Finding::Passed | Finding::Recovered => Ink::Plain,
            Finding::Unknown => Ink::Uncertain,
            Finding::Flaky => Ink::Medium,
            Finding::Failed => Ink::High,
        });
        let points = wave.points.iter().map(|p| format!("{:.1},{:.1}", p.x, p.y)).collect::<Vec<_>>().join(" ");
        writeln!(svg, "<polyline points='{points}' stroke='{colour}' stroke-width='1.5'/>")?;
    }
    Ok(())
}

fn svg() -> Result<String, std::fmt::Error> {
    let stories = stories();
    let height = (stories.len() + 1) as f32 * ROW;
    let scale = Scale::fitting(WIDTH / SECONDS as f32 / 25.0, HEIGHT);
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' fill='none' stroke-linejoin='round'>\n"
    );
    svg.push_str("<rect width='100%' height='100%' fill='#05090c'/>\n");
    add_grid(&mut svg, height, &scale)?;
    for (n, story) in (0_u8..).zip(&stories) {
        let area = Rect { x: 0.0, y: f32::from(n) * ROW + 24.0, width: WIDTH, height: HEIGHT };
        let (x, y) = (6, area.y - 10.0);
        writeln!(
            svg,
            "<text x='{x}' y='{y}' fill='#7fd8b0' font-family='sans-serif' font-size='11'>{}</text>",
            story.title
        )?;
        for path in &sweep::still(&area, &ring(story), &scale).paths {
            add_path(&mut svg, path)?;
        }
    }
    add_commits(&mut svg, stories.len() as f32 * ROW + 24.0, &scale)?;
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("say where to write the SVG")?;
    Ok(std::fs::write(path, svg()?)?)
}
