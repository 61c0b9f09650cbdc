//! Questions about the health of tests.

use super::desk::{Desk, Sight};
use super::failure::Failure;
use super::owners::Lookup;
use crate::store::rows::{HealthRow, ResultRow, SickRow};
use app::domain::health::{Comparison, Model, Packed, State, depends_on_environment, p_flaky_anywhere};
use app::domain::ids::{SetupId, TestId};
use app::domain::test::Outcome;
use app::domain::time::Micros;
use app::ecg::draw::{Point, Rect, Scale};
use app::ecg::results;
use app::ecg::tape::{Detail, Finding, Tape, View};
use app::read::{Broke, LastFailure, PerMille, SickPage, SickTest, TapePicture, TestHealth, TestPage, TestResult};

/// Tests in the list of those that are ill.
const SICK_MAX: u32 = 500;

/// Tests among which those are looked for that somebody may see who may not
/// see all.
const SICK_SOUGHT: u32 = 20_000;

/// Results on the page of a test.
const RESULTS_MAX: u32 = 500;

/// Characters of the message of its last failure.
const MESSAGE_BEGINNING: usize = 2_000;

/// Beats on the strip of a test.
const BEATS_MAX: usize = 60;

/// The strip in pixels.
const STRIP: Rect = Rect { x: 0.0, y: 0.0, width: 1_200.0, height: 110.0 };

fn per_mille(p: f64) -> PerMille {
    (p.clamp(0.0, 1.0) * 1_000.0).round() as PerMille
}

fn strings(path: &[Box<str>]) -> Vec<String> {
    path.iter().map(|part| part.to_string()).collect()
}

impl Desk {
    /// Tests that are neither new nor healthy, the most expensive first.
    pub async fn sick_tests(&self) -> Result<SickPage, Failure> {
        let sight = self.reading().await?;
        let sought = if matches!(sight, Sight::Everything) { SICK_MAX + 1 } else { SICK_SOUGHT };
        let mut rows = self.inner.store.health_sick(sought).await?;
        rows.retain(|row| self.is_seen(&sight, row.project.as_str(), row.health.setup));
        let is_cut = rows.len() > SICK_MAX as usize;
        rows.truncate(SICK_MAX as usize);
        let model = Model::default();
        let (mut tests, mut owners) = (Vec::with_capacity(rows.len()), Lookup::default());
        for row in rows {
            let owner = owners.owner(self, &row.project, row.owner.as_deref(), row.source.as_deref()).await?;
            tests.push(self.sick_test(&model, row, owner));
        }
        Ok(SickPage { tests, is_cut, uncalibrated: self.uncalibrated(&sight), now: self.now() })
    }

    fn uncalibrated(&self, sight: &Sight) -> Vec<String> {
        let tiles = self.inner.board.tiles();
        let off = tiles.iter().filter(|tile| tile.pulse.is_uncalibrated && sight.sees(tile));
        off.map(|tile| tile.name.clone()).collect()
    }

    fn sick_test(&self, model: &Model, row: SickRow, owner: Option<String>) -> SickTest {
        let lost = row.duration.unwrap_or_default().0 as f64 * row.health.phi * 1_000.0;
        SickTest {
            id: row.health.test,
            path: strings(&row.path),
            setup: self.setup_name(row.health.setup),
            project: row.project.to_string(),
            owner,
            lost_in_1000_runs: Micros(lost as i64),
            health: health(model, &row.health),
        }
    }

    /// One test over all its runs; `None` where nothing ever ended it.
    pub async fn test(&self, id: TestId) -> Result<Option<TestPage>, Failure> {
        let sight = self.reading().await?;
        let before = self.inner.store.renames_into(id).await?;
        let mut rows = self.results_of(id, &before, RESULTS_MAX).await?;
        rows.retain(|row| self.is_seen(&sight, row.project.as_str(), row.setup));
        let Some(newest) = rows.first() else { return Ok(None) };
        let mut known = self.inner.store.health_of_test(id).await?;
        let project = newest.project.to_string();
        let mut owners = Lookup::default();
        let owner = owners.owner(self, &newest.project, newest.owner.as_deref(), newest.source.as_deref()).await?;
        known.retain(|row| self.is_seen(&sight, &project, row.setup));
        let may_rename = self.may_rename(&project);
        let has_name = !before.is_empty();
        let (before, now_called) = self.names_of(id, before).await?;
        let is_open = may_rename && !has_name && now_called.is_none();
        let offers = if is_open { self.offers_for(id, &rows).await? } else { Vec::new() };
        let model = Model::default();
        let states: Vec<(SetupId, State)> =
            known.iter().filter_map(|row| Some((row.setup, unpacked(&model, row)?))).collect();
        let environment = depends_on_environment(states.iter().map(|(setup, state)| (*setup, state)));
        let names = |setups: Vec<SetupId>| setups.into_iter().map(|setup| self.setup_name(setup)).collect();
        Ok(Some(TestPage {
            id,
            path: strings(&newest.path),
            owner,
            project,
            environment: environment.map(|on| (names(on.broken), names(on.healthy))),
            p_flaky_anywhere: per_mille(p_flaky_anywhere(known.iter().map(|row| row.p_flaky))),
            setups: known.iter().map(|row| (self.setup_name(row.setup), health(&model, row))).collect(),
            broke: broke(&rows).map(|(setup, broke)| Broke { setup: self.setup_name(setup), ..broke }),
            strip: strip(&rows),
            last_failure: self.last_failure(&rows).await?,
            before,
            now_called,
            offers,
            may_rename,
            results: rows.iter().map(|row| self.result(row)).collect(),
            now: self.now(),
        }))
    }

    async fn last_failure(&self, rows: &[ResultRow]) -> Result<Option<LastFailure>, Failure> {
        let has_failed = |row: &&ResultRow| matches!(row.outcome, Outcome::Failed | Outcome::Flaky);
        let Some(row) = rows.iter().find(has_failed) else { return Ok(None) };
        let texts = self.inner.store.text_list(row.run, &[row.ordinal]).await?;
        let message = texts.into_iter().rev().find_map(|text| text.message);
        Ok(message.map(|message| LastFailure {
            run: row.run,
            ordinal: row.ordinal,
            message: message.chars().take(MESSAGE_BEGINNING).collect(),
        }))
    }

    pub(super) fn is_seen(&self, sight: &Sight, project: &str, setup: SetupId) -> bool {
        matches!(sight, Sight::Everything) || sight.sees_of(project, &self.setup_name(setup))
    }

    fn result(&self, row: &ResultRow) -> TestResult {
        TestResult {
            run: row.run,
            ordinal: row.ordinal,
            key: row.key.to_string(),
            setup: self.setup_name(row.setup),
            outcome: row.outcome,
            attempts: row.attempts,
            commit: row.commit.as_deref().map(str::to_owned),
            branch: row.branch.as_deref().map(str::to_owned),
            duration: row.duration,
            finished_at: row.finished_at,
        }
    }
}

/// What is gone on with; none where it was kept under other parameters.
pub(super) fn unpacked(model: &Model, row: &HealthRow) -> Option<State> {
    Packed::from_bytes(&row.state).ok()?.unpack(model).ok()
}

fn health(model: &Model, row: &HealthRow) -> TestHealth {
    // What was kept under other parameters still has its columns.
    let state = unpacked(model, row);
    let rate = state.as_ref().map(|state| state.rate(model)).unwrap_or_default();
    TestHealth {
        label: row.label,
        p_flaky: per_mille(row.p_flaky),
        p_broken: per_mille(row.p_broken),
        spurious: per_mille(row.phi),
        rate: [rate.mean, rate.q05, rate.q95].map(per_mille),
        trend: state.as_ref().and_then(State::trend).as_ref().map(Comparison::trend),
        reasons: state.map(|state| state.reasons(model)).unwrap_or_default(),
        results: row.results,
        failures: row.failures,
        last_at: row.last_at,
    }
}

/// Where failures that go on began, on the setup that failed last: `rows` come
/// the newest first.
fn broke(rows: &[ResultRow]) -> Option<(SetupId, Broke)> {
    let setup = rows.iter().find(|row| row.outcome == Outcome::Failed)?.setup;
    let mut here = rows.iter().filter(|row| row.setup == setup).peekable();
    here.peek().filter(|row| row.outcome == Outcome::Failed)?;
    let mut bad = None;
    let good = here.find(|row| {
        if row.outcome == Outcome::Failed {
            bad = Some(*row);
        }
        matches!(row.outcome, Outcome::Passed | Outcome::Flaky)
    });
    let bad = bad?;
    let commit = |row: &ResultRow| row.commit.as_deref().map(str::to_owned);
    let broke = Broke { setup: String::new(), bad: commit(bad), bad_run: bad.run, good: good.and_then(commit) };
    Some((setup, broke))
}

/// The last results as a strip: one beat each, so the strip is the history.
fn strip(rows: &[ResultRow]) -> TapePicture {
    let last = rows.iter().take(BEATS_MAX).rev();
    let told: Vec<_> = last.filter_map(|row| Some((row.finished_at?, row.outcome))).collect();
    let (entries, of) = results::entries(&told);
    let tape = Tape::new(&entries);
    // Few beats keep the pace of paper instead of being drawn wide.
    let scale = Scale::fitting(4.0, STRIP.height);
    let width = (tape.seconds() * f64::from(scale.px_per_second)).max(f64::from(STRIP.width));
    let view = View { start: 0.0, px_per_second: f64::from(scale.px_per_second), width };
    let area = Rect { width: width as f32, ..STRIP };
    let Detail::Waves(waves) = view.detail(&tape, &area, &scale) else { return TapePicture::default() };
    let tenths = |value: f32| (value * 10.0).round() as i32;
    let path = |points: &[Point]| {
        let mut path = String::with_capacity(points.len() * 9);
        for (number, point) in points.iter().enumerate() {
            path.push(if number == 0 { 'M' } else { 'L' });
            path.push_str(&format!("{} {}", tenths(point.x), tenths(point.y)));
        }
        path
    };
    let said = |beat: usize, finding: Finding| match finding {
        Finding::Recovered => Outcome::Passed,
        _ => of.get(beat).and_then(|index| told.get(*index)).map_or(Outcome::Waiting, |(_, outcome)| *outcome),
    };
    TapePicture {
        width: tenths(area.width).unsigned_abs(),
        height: tenths(area.height).unsigned_abs(),
        paths: waves.iter().map(|wave| (said(wave.beat, wave.finding), path(&wave.points))).collect(),
    }
}
