use super::*;
use uuid::Uuid;

type Suite = [Box<str>];

fn suite(names: &[&str]) -> Box<Suite> {
    names.iter().map(|name| (*name).into()).collect()
}

fn test<'a>(number: u128, suite: &'a Suite, name: &'a str) -> Candidate<'a> {
    let id = TestId(Uuid::from_u128(number));
    Candidate { id, suite, name, parameters: None, source: None, script: None, tags: &[] }
}

fn signs(vanished: &[Candidate<'_>], appeared: &[Candidate<'_>]) -> Vec<(u128, u128, Sign)> {
    let found = renames(vanished, appeared).into_iter();
    found.map(|found| (found.was.0.as_u128(), found.now_is.0.as_u128(), found.sign)).collect()
}

#[test]
fn a_near_name_in_the_same_suite_is_a_rename() {
    let (valves, pumps) = (suite(&["Nightly", "Valves"]), suite(&["Nightly", "Pumps"]));
    let weekly = suite(&["Weekly", "Valves"]);
    let was = test(1, &valves, "test_login");
    let now = [test(2, &weekly, "test_login_with_password"), test(3, &pumps, "test_login_with_cards")];
    assert_eq!(signs(&[was], &now), [(1, 2, Sign::NearName)]);
    assert_eq!(signs(&[was], &[test(3, &valves, "shuts in an emergency")]), []);
    let in_file = |candidate: Candidate<'static>| Candidate { source: Some("login.py"), ..candidate };
    let names: [&'static Suite; 2] = [&[], Box::leak(suite(&["Pumps"]))];
    let (was, now) = (in_file(test(1, names[0], "opens the valve")), in_file(test(2, names[1], "Valve opens")));
    assert_eq!(signs(&[was], &[now]), [(1, 2, Sign::NearName)], "the file is the same");
}

#[test]
fn names_that_differ_in_numbers_are_of_different_tests() {
    let valves = suite(&["Valves"]);
    assert_eq!(signs(&[test(1, &valves, "opens valve 1")], &[test(2, &valves, "opens valve 12")]), []);
    let with = |number, parameters| Candidate { parameters: Some(parameters), ..test(number, &valves, "opens") };
    assert_eq!(signs(&[with(1, "bar=7")], &[with(2, "bar=8")]), []);
    assert_eq!(signs(&[with(1, "bar=7")], &[with(2, "pressure=7")]).len(), 1, "a parameter is called otherwise");
}

#[test]
fn the_same_name_in_another_suite_was_moved() {
    let (old, new) = (suite(&["R", "Valves"]), suite(&["R", "Hydraulics", "Valves"]));
    assert_eq!(signs(&[test(1, &old, "opens")], &[test(2, &new, "opens")]), [(1, 2, Sign::Moved)]);
}

#[test]
fn an_id_stands_above_all_signs_and_a_script_above_names() {
    let valves = suite(&["Valves"]);
    let ids: [[Box<str>; 2]; 2] = [["id: 7".into(), "slow".into()], ["slow".into(), "id:8".into()]];
    let was = Candidate { tags: &ids[0], ..test(1, &valves, "opens the valve") };
    let other = Candidate { tags: &ids[1], ..test(2, &valves, "opens the valves") };
    let same = Candidate { tags: &ids[0], ..test(3, &valves, "something else entirely") };
    assert_eq!(signs(&[was], &[other, same]), [(1, 3, Sign::SameId)]);
    assert_eq!(signs(&[was], &[other]), [], "whoever wrote them says that they are two");
    let script = Some(ScriptId::of("Open  valve"));
    let was = Candidate { script, ..test(1, &valves, "opens the valve") };
    let near = test(2, &valves, "opens the valves");
    let same = Candidate { script, ..test(3, &valves, "acts on demand") };
    assert_eq!(signs(&[was], &[near, same]), [(1, 3, Sign::SameScript)]);
}

#[test]
fn of_two_that_fit_equally_well_none_is_offered() {
    let (a, b, c) = (suite(&["R", "A"]), suite(&["R", "B"]), suite(&["R", "C"]));
    let twins = [test(2, &b, "opens"), test(3, &c, "opens")];
    assert_eq!(signs(&[test(1, &a, "opens")], &twins), []);
    let many: Vec<_> = (10..10 + COMPARED_MAX as u128 + 1).map(|number| test(number, &a, "opens")).collect();
    assert_eq!(signs(&[test(1, &a, "opened")], &many), []);
}

#[test]
fn each_test_is_named_once_and_the_best_pair_first() {
    let valves = suite(&["Valves"]);
    let vanished = [test(1, &valves, "opens within two seconds"), test(2, &valves, "shuts within two seconds")];
    let appeared = [test(3, &valves, "shuts within ten seconds"), test(4, &valves, "opens within a second")];
    let found = renames(&vanished, &appeared);
    let pairs: Vec<_> = found.iter().map(|pair| (pair.was.0.as_u128(), pair.now_is.0.as_u128())).collect();
    assert_eq!(pairs, [(2, 3), (1, 4)]);
    assert!(found.is_sorted_by(|one, next| one.likeness >= next.likeness));
}

#[test]
fn likeness_is_of_letters_or_of_words() {
    for (one, other, least, most) in [
        ("opens", "opens", 1_000, 1_000),
        ("test_a_b", "Test A B", 1_000, 1_000),
        ("", "", 1_000, 1_000),
        ("", "opens", 0, 0),
        ("valve opens", "opens valve", 1_000, 1_000),
        ("abcdefgh", "abcdefgx", 800, 900),
        ("opens", "emergency stop", 0, 300),
    ] {
        let found = likeness(one, other);
        assert!((least..=most).contains(&found), "{one:?} and {other:?} are {found}");
        assert_eq!(found, likeness(other, one));
    }
    assert_eq!(likeness(&"x".repeat(100_000), &"x".repeat(50_000)), 1_000, "only so much is looked at");
}

#[test]
fn names_are_followed_and_circles_are_left() {
    let [a, b, c, d] = [1, 2, 3, 4].map(|number| TestId(Uuid::from_u128(number)));
    let names: Names = [(a, b), (b, c), (d, c)].into_iter().collect();
    assert_eq!((names.now(a), names.now(d), names.now(c)), (c, c, c));
    assert!(names.is_past(b) && !names.is_past(c));
    assert_eq!(names.all(c), [c, b, d, a]);
    assert_eq!(names.all(a), [a]);
    let circle: Names = [(a, b), (b, a)].into_iter().collect();
    assert!([a, b].contains(&circle.now(a)));
    assert_eq!(circle.all(a), [a, b]);
}
