//! How lines and steps stand in one another.
//!
//! Output comes as a flat list in the order of its arrival: lines that name the
//! step they came in, steps that begin inside of others, and steps that end.
//! People read it as a tree. A page of it may begin in the middle, so a step
//! that nobody heard begin stands at the edge, and its end is a line of its own.

use std::collections::HashMap;

/// Steps nest no deeper on a page; what is deeper stands here.
pub const DEPTH_MAX: u32 = 12;

/// What is said of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// A line, in a step where one is named.
    Line(Option<&'a str>),
    /// A step begins, inside of another where one is named.
    Begins(Option<&'a str>, Option<&'a str>),
    /// A step ends.
    Ends(Option<&'a str>),
}

/// Something to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlined {
    /// What was told: its place in the list.
    pub told: usize,
    /// Where in the list the end of this step stands, if it is there.
    pub end: Option<usize>,
    /// How deep it stands, from 0.
    pub depth: u32,
}

/// What to show of a list, in its order: the end of a step goes with its
/// beginning.
pub fn outline<'a>(told: impl IntoIterator<Item = Told<'a>>) -> Vec<Outlined> {
    let mut shown: Vec<Outlined> = Vec::new();
    let mut begun: HashMap<&str, usize> = HashMap::new();
    for (place, told) in told.into_iter().enumerate() {
        let inside = |step: Option<&str>, shown: &[Outlined]| {
            let around = step.and_then(|step| begun.get(step)).map(|at| shown[*at].depth);
            around.map_or(0, |depth| (depth + 1).min(DEPTH_MAX))
        };
        let depth = match told {
            Told::Line(step) => inside(step, &shown),
            Told::Begins(_, parent) => inside(parent, &shown),
            Told::Ends(step) => {
                if let Some(at) = step.and_then(|step| begun.get(step)) {
                    shown[*at].end = Some(place);
                    continue;
                }
                0
            }
        };
        if let Told::Begins(Some(step), _) = told {
            begun.insert(step, shown.len());
        }
        shown.push(Outlined { told: place, end: None, depth });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(told: &[Told<'_>]) -> Vec<(usize, Option<usize>, u32)> {
        outline(told.iter().copied()).into_iter().map(|line| (line.told, line.end, line.depth)).collect()
    }

    #[test]
    fn lines_stand_in_their_steps_and_ends_with_their_beginnings() {
        use Told::*;
        let told = [
            Line(None),
            Begins(Some("a"), None),
            Line(Some("a")),
            Begins(Some("b"), Some("a")),
            Line(Some("b")),
            Ends(Some("b")),
            Line(Some("a")),
            Ends(Some("a")),
            Line(None),
        ];
        assert_eq!(
            seen(&told),
            [(0, None, 0), (1, Some(7), 0), (2, None, 1), (3, Some(5), 1), (4, None, 2), (6, None, 1), (8, None, 0)]
        );
    }

    #[test]
    fn what_began_before_the_page_stands_at_its_edge() {
        use Told::*;
        assert_eq!(seen(&[Line(Some("a")), Ends(Some("a")), Ends(None)]), [(0, None, 0), (1, None, 0), (2, None, 0)]);
        assert_eq!(seen(&[]), []);
    }

    #[test]
    fn nesting_has_an_end_on_the_page() {
        let names: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        let told = (0..40).map(|at| Told::Begins(Some(&names[at]), at.checked_sub(1).map(|at| &*names[at])));
        assert_eq!(outline(told).last().map(|line| line.depth), Some(DEPTH_MAX));
        // A step that says that it stands in itself.
        assert_eq!(seen(&[Told::Begins(Some("a"), Some("a")), Told::Line(Some("a"))]), [(0, None, 0), (1, None, 1)]);
    }
}
