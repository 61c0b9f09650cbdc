//! Which setups are shown and in which order: pure, and kept in the address.

use crate::domain::activity::Activity;
use crate::domain::ids::SetupId;
use crate::domain::run::RunResult;
use crate::domain::time::{Micros, Timestamp};
use crate::order::by_key;
use crate::read::{RunCard, Tile};
use crate::ui::Glyph;
use leptos_router::params::ParamsMap;

/// The order of the setups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The sickest first, then by name.
    #[default]
    Sick,
    /// By name.
    Name,
}

impl Order {
    /// As the address has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sick => "sick",
            Self::Name => "name",
        }
    }
}

/// The vital signs: kinds of setups that can be looked at alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Show {
    /// Every setup.
    #[default]
    All,
    /// A test failed in the newest run, or the run was cut short.
    Failing,
    /// Given up.
    Lost,
    /// Owes us a word.
    Silent,
    /// Later than ever.
    Overdue,
    /// Some test needed another attempt.
    Flaky,
    /// Busy, late or not.
    Running,
    /// Nothing to do.
    Idle,
}

impl Show {
    /// Every kind, the gravest first.
    pub const ALL: [Self; 8] =
        [Self::All, Self::Failing, Self::Lost, Self::Silent, Self::Overdue, Self::Flaky, Self::Running, Self::Idle];

    /// As the address has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Failing => "failing",
            Self::Lost => "lost",
            Self::Silent => "silent",
            Self::Overdue => "overdue",
            Self::Flaky => "flaky",
            Self::Running => "running",
            Self::Idle => "idle",
        }
    }

    /// Its drawing.
    pub const fn glyph(self) -> Option<Glyph> {
        match self {
            Self::All => None,
            Self::Failing => Some(Glyph::Cross),
            Self::Lost => Some(Glyph::Question),
            Self::Silent => Some(Glyph::Muted),
            Self::Overdue => Some(Glyph::Clock),
            Self::Flaky => Some(Glyph::Wave),
            Self::Running => Some(Glyph::Beat),
            Self::Idle => Some(Glyph::Bar),
        }
    }

    /// Whether a setup is of this kind.
    pub fn takes(self, tile: &Tile, activity: Activity) -> bool {
        match self {
            Self::All => true,
            Self::Failing => tile.run.as_ref().is_some_and(is_failing),
            Self::Flaky => tile.run.as_ref().is_some_and(|run| run.counts.flaky > 0),
            Self::Lost => activity == Activity::Lost,
            Self::Silent => activity == Activity::Silent,
            Self::Overdue => activity == Activity::Overdue,
            Self::Running => matches!(activity, Activity::Running | Activity::Overdue),
            Self::Idle => activity == Activity::Idle,
        }
    }
}

fn is_failing(run: &RunCard) -> bool {
    run.counts.failed > 0 || matches!(run.result, Some(RunResult::Failed | RunResult::Incomplete))
}

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Every word must occur in what a setup is or does.
    pub words: String,
    /// Only this kind.
    pub show: Show,
    /// The order.
    pub order: Order,
}

impl Filter {
    /// Reads an address; what is not understood counts as not said.
    pub fn of(query: &ParamsMap) -> Self {
        let show = query.get_str("show").unwrap_or_default();
        let order = query.get_str("order").unwrap_or_default();
        Self {
            words: query.get_str("q").unwrap_or_default().to_owned(),
            show: Show::ALL.into_iter().find(|known| known.as_str() == show).unwrap_or_default(),
            order: if order == Order::Name.as_str() { Order::Name } else { Order::Sick },
        }
    }

    /// The query of an address that asks for this: short, since what is usual
    /// is left out.
    pub fn query(&self) -> String {
        let mut parts = Vec::new();
        if !self.words.is_empty() {
            parts.push(format!("q={}", crate::paths::Segment(&self.words)));
        }
        if self.show != Show::default() {
            parts.push(format!("show={}", self.show.as_str()));
        }
        if self.order != Order::default() {
            parts.push(format!("order={}", self.order.as_str()));
        }
        format!("?{}", parts.join("&"))
    }

    /// The setups to show, in order.
    pub fn select(&self, tiles: &[Tile], now: Timestamp, silent_after: Micros) -> Vec<SetupId> {
        let words: Vec<String> = self.words.split_whitespace().map(str::to_lowercase).collect();
        let is_shown = |tile: &&Tile| {
            self.show.takes(tile, tile.activity(now, silent_after)) && (words.is_empty() || has_words(tile, &words))
        };
        // The tiles come by name, and equals stay as they came.
        let key = |tile: &&Tile| match self.order {
            Order::Sick => u64::from(u32::MAX - tile.sickness(now, silent_after)),
            Order::Name => 0,
        };
        by_key(tiles.iter().filter(is_shown), key).into_iter().map(|tile| tile.setup).collect()
    }
}

fn has_words(tile: &Tile, words: &[String]) -> bool {
    let mut text = tile.name.to_lowercase();
    let mut add = |part: &str| {
        text.push('\n');
        text.push_str(&part.to_lowercase());
    };
    tile.comment.iter().for_each(|comment| add(comment));
    if let Some(run) = &tile.run {
        add(&run.project);
        add(&run.key);
        let rest = [&run.name, &run.branch, &run.commit, &run.test];
        rest.into_iter().flatten().chain(&run.suite).for_each(|part| add(part));
    }
    words.iter().all(|word| text.contains(word.as_str()))
}

/// How many setups are of each kind, in the order of [`Show::ALL`].
pub fn vitals(tiles: &[Tile], now: Timestamp, silent_after: Micros) -> [usize; 8] {
    let mut sizes = [0; 8];
    for tile in tiles {
        let activity = tile.activity(now, silent_after);
        for (size, show) in sizes.iter_mut().zip(Show::ALL) {
            *size += usize::from(show.takes(tile, activity));
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::activity::ActivityFacts;
    use uuid::Uuid;

    fn tile(id: u128, name: &str, lost: bool) -> Tile {
        Tile {
            setup: SetupId(Uuid::from_u128(id)),
            name: name.into(),
            comment: Some("Rack 4".into()),
            version: 1,
            seen_at: None,
            facts: ActivityFacts { lost, ..ActivityFacts::default() },
            run: None,
            has_builds: false,
            pulse: crate::read::Pulse::default(),
            claim: None,
            reservation: None,
        }
    }

    fn selected(filter: &Filter) -> Vec<u128> {
        let tiles = [tile(1, "alpha", false), tile(2, "beta", true), tile(3, "gamma", false)];
        let shown = filter.select(&tiles, Timestamp(0), Micros::from_secs(60));
        shown.into_iter().map(|setup| setup.0.as_u128()).collect()
    }

    #[test]
    fn the_sick_come_first_and_the_rest_by_name() {
        assert_eq!(selected(&Filter::default()), [2, 1, 3]);
        assert_eq!(selected(&Filter { order: Order::Name, ..Filter::default() }), [1, 2, 3]);
    }

    #[test]
    fn every_word_must_occur_somewhere() {
        let filter = |words: &str| Filter { words: words.into(), order: Order::Name, ..Filter::default() };
        assert_eq!(selected(&filter("RACK mm")), [3]);
        assert_eq!(selected(&filter("rack nowhere")), [0_u128; 0]);
        assert_eq!(selected(&Filter { show: Show::Lost, ..filter("") }), [2]);
    }

    #[test]
    fn an_address_and_back() {
        let filter = Filter { words: "a b&c".into(), show: Show::Silent, order: Order::Name };
        assert_eq!(filter.query(), "?q=a%20b%26c&show=silent&order=name");
        let query = ParamsMap::from_iter([("q", "a b&c"), ("show", "silent"), ("order", "name")]);
        assert_eq!(Filter::of(&query), filter);
        assert_eq!(Filter::of(&ParamsMap::new()), Filter::default());
    }
}
