//! Keywords: only what tells why one of them failed.

use super::Status;
use crate::Verdict;
use crate::xml::tag::{Tag, unescape};
use crate::xml::text::Text;
use crate::xml::walk::Walk;

/// Names in a trail from the outermost keyword to the one that failed.
const LONGEST_TRAIL: usize = 20;

/// A keyword that stands by itself: a fixture.
#[derive(Default)]
pub(super) struct Keyword {
    pub status: Status,
    name: String,
    trail: Option<String>,
    logged: Option<String>,
}

/// The open keywords, and the trail to the one that failed.
#[derive(Default)]
pub(super) struct Trails<'a> {
    frames: Vec<Frame<'a>>,
    /// The first failure that nothing caught.
    found: Option<String>,
    /// The last message of level FAIL.
    logged: Option<String>,
}

struct Frame<'a> {
    level: usize,
    /// The keyword; `None` for a loop or a branch, which has no name.
    keyword: Option<Tag<'a>>,
    trail: Option<String>,
}

impl Keyword {
    /// Why it failed: Robot before 4 says so only in its log.
    pub(super) fn message(&self) -> Option<&str> {
        self.status.message.as_deref().or(self.logged.as_deref())
    }

    pub(super) fn why(&self) -> String {
        let trail = self.trail.as_deref().unwrap_or(&self.name);
        self.message().map_or_else(|| trail.to_owned(), |message| format!("{message} (in {trail})"))
    }
}

/// Reads a keyword to its end.
pub(super) fn read<'a>(walk: &mut Walk<'a>, tag: Tag<'a>) -> Keyword {
    let level = walk.level();
    let mut keyword = Keyword { name: tag.owned("name").unwrap_or_default(), ..Keyword::default() };
    let mut trails = Trails::default();
    trails.enter(level, Some(tag));
    while let Some(inner) = walk.dive(level) {
        let is_own = walk.level() == level + 1 && inner.name() == "status";
        if let Some(status) = trails.take(walk, inner)
            && is_own
        {
            keyword.status = status;
        }
    }
    keyword.trail = trails.found;
    keyword.logged = trails.logged;
    keyword
}

impl<'a> Trails<'a> {
    fn enter(&mut self, level: usize, keyword: Option<Tag<'a>>) {
        self.frames.push(Frame { level, keyword, trail: None });
    }

    /// Whether the walk is outside of every keyword.
    pub(super) fn is_outside(&mut self, level: usize) -> bool {
        while self.frames.pop_if(|frame| frame.level >= level).is_some() {}
        self.frames.is_empty()
    }

    /// The trail, and what was logged at the end of it.
    pub(super) fn into_trail(self) -> Option<String> {
        self.found
    }

    /// Takes an element inside a keyword, or one that is a keyword itself. The
    /// status of a keyword comes after everything that is in it.
    pub(super) fn take(&mut self, walk: &mut Walk<'a>, tag: Tag<'a>) -> Option<Status> {
        let level = walk.level();
        self.is_outside(level);
        match tag.name() {
            "kw" => self.enter(level, Some(tag)),
            "for" | "while" | "if" | "try" | "iter" | "branch" | "group" | "forin" | "foritem" => {
                self.enter(level, None);
            }
            "msg" if tag.raw("level") == Some("FAIL") => self.logged = walk.text().into_line(),
            "status" if self.frames.last().is_some_and(|frame| frame.level + 1 == level) => {
                let status = Status::read(walk, tag);
                self.close(status.verdict);
                return Some(status);
            }
            _ => {}
        }
        None
    }

    fn close(&mut self, verdict: Verdict) {
        let inner = self.frames.last_mut().and_then(|frame| frame.trail.take());
        if verdict != Verdict::Failed {
            return;
        }
        let trail = inner.unwrap_or_else(|| {
            let names = self.frames.iter().filter_map(|frame| frame.keyword?.raw("name"));
            names.take(LONGEST_TRAIL).map(unescape).collect::<Vec<_>>().join(" > ")
        });
        let outer = self.frames.len().checked_sub(2).and_then(|at| self.frames.get_mut(at));
        let slot = outer.map_or(&mut self.found, |frame| &mut frame.trail);
        slot.get_or_insert(trail);
    }
}

/// The files that a message in HTML shows or links to.
pub(super) fn linked(html: &Text) -> Vec<String> {
    html.pieces().flat_map(links).collect()
}

fn links(html: &str) -> Vec<String> {
    let after = |mark| html.split(mark).skip(1).filter_map(|rest: &str| rest.split(['"', '\'']).next());
    ["src=\"", "src='", "href=\"", "href='"]
        .into_iter()
        .flat_map(after)
        .filter(|path| !path.is_empty() && !path.contains(':') && !path.starts_with('#') && path.len() < 1024)
        .map(|path| unescape(path).into_owned())
        .collect()
}
