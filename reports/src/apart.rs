//! Cases that a report names more than once.
//!
//! A format that tells attempts apart has joined them before; what is left are
//! different tests of one name, which only their parameters can tell apart.

use crate::model::{Case, Report};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// What a test is called that has no name.
const NAMELESS: &str = "a test without a name";

/// Gives each case that has the place, name and parameters of an earlier one a
/// number as its parameter: "#2", "#3". And each has a name.
pub fn tell_apart(report: &mut Report) {
    let mut seen: HashMap<u64, usize, RandomState> = HashMap::with_capacity(report.cases.len());
    let seed = RandomState::new();
    let key = |case: &Case| seed.hash_one((&case.suite, &case.name, &case.parameters));
    for case in &mut report.cases {
        if case.name.trim().is_empty() {
            NAMELESS.clone_into(&mut case.name);
        }
        let own = key(case);
        let count = seen.entry(own).or_default();
        *count += 1;
        if *count == 1 {
            continue;
        }
        let (mut number, plain) = (*count, case.parameters.take());
        loop {
            case.parameters = Some(match &plain {
                Some(parameters) => format!("{parameters} #{number}"),
                None => format!("#{number}"),
            });
            let numbered = key(case);
            if !seen.contains_key(&numbered) {
                seen.insert(numbered, 1);
                seen.insert(own, number);
                break;
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_of_one_name_get_numbers_that_are_free() {
        let case = |parameters: Option<&str>| Case {
            name: "t".into(),
            parameters: parameters.map(str::to_owned),
            ..Case::default()
        };
        let cases = vec![case(None), case(Some("#2")), case(None), case(Some("a")), case(None), case(Some("a"))];
        let mut report = Report { cases, ..Report::default() };
        tell_apart(&mut report);
        let told: Vec<_> = report.cases.iter().map(|case| case.parameters.as_deref().unwrap_or_default()).collect();
        assert_eq!(told, ["", "#2", "#3", "a", "#4", "a #2"]);
    }
}
