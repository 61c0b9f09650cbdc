use super::*;
use uuid::Uuid;

const CLOSED: Policy = Policy { reading_is_open: false, is_development: false };
const OPEN: Policy = Policy { reading_is_open: true, is_development: false };

fn person(role: Option<Role>, grants: &[(&str, Role)]) -> Who {
    let grants = grants.iter().map(|(project, role)| (ProjectName::stored(*project), *role)).collect();
    let (id, session) = (UserId(Uuid::nil()), SessionId(Uuid::nil()));
    Who::Person(Person { id, name: "ana".into(), session, role, grants })
}

fn pass(scope: Scope, project: Option<&str>, setup: Option<&str>, wall: Option<&str>) -> Who {
    Who::Pass(Pass {
        id: TokenId(Uuid::nil()),
        label: None,
        scope,
        project: project.map(ProjectName::stored),
        setup: setup.map(SetupName::stored),
        wall: wall.map(Into::into),
    })
}

/// Who may do what, everywhere: a letter for each action in its order.
fn row(policy: Policy, who: &Who) -> String {
    let letters = Action::ALL.iter().map(|action| match policy.allow(who, *action) {
        Ok(()) => 'y',
        Err(Denial::Unknown(_)) => '?',
        Err(Denial::Forbidden(_)) => 'n',
    });
    letters.collect()
}

#[test]
fn each_role_and_each_scope_may_do_its_own() {
    // Show, read, send, care, launch, work, configure, administer.
    let table = [
        (Who::Nobody, "????????", "yy??????"),
        (Who::Stranger("gone"), "????????", "????????"),
        (Who::Neighbour, "?yy?????", "yyy?????"),
        (person(None, &[]), "nnnnnnnn", "yynnnnnn"),
        (person(Some(Role::Viewer), &[]), "yynnnnnn", "yynnnnnn"),
        (person(Some(Role::Engineer), &[]), "yyyyynnn", "yyyyynnn"),
        (person(Some(Role::Administrator), &[]), "yyyyyyyy", "yyyyyyyy"),
        (pass(Scope::Ingest, None, None, None), "nnyynnnn", "yyyynnnn"),
        (pass(Scope::Read, None, None, None), "yynnnnnn", "yynnnnnn"),
        (pass(Scope::Worker, None, None, None), "nnynnynn", "yyynnynn"),
        (pass(Scope::Kiosk, None, None, None), "ynnnnnnn", "yynnnnnn"),
        (pass(Scope::Admin, None, None, None), "yyyyyyyy", "yyyyyyyy"),
        (pass(Scope::Admin, Some("pump"), None, None), "nnnnnnnn", "yynnnnnn"),
        (pass(Scope::Kiosk, None, None, Some("lobby")), "nnnnnnnn", "yynnnnnn"),
    ];
    for (who, closed, open) in table {
        assert_eq!((&*row(CLOSED, &who), &*row(OPEN, &who)), (closed, open), "{who:?}");
        let development = row(Policy { is_development: true, ..CLOSED }, &who);
        let expected = if matches!(who, Who::Stranger(_)) { "????????" } else { "yyyyyyyy" };
        assert_eq!(development, expected, "{who:?}");
    }
}

#[test]
fn a_role_in_a_project_reaches_as_far_as_the_project() {
    let ana = person(Some(Role::Viewer), &[("pump", Role::Engineer), ("press", Role::Viewer)]);
    let may = |action, project| CLOSED.allow_at(&ana, action, Some(project), Some("bench")).is_ok();
    assert!(may(Action::Care, "pump") && !may(Action::Care, "press") && !may(Action::Care, "valve"));
    assert!(may(Action::Read, "valve"), "the role everywhere still counts");
    let Who::Person(person) = &ana else { unreachable!("she is one") };
    assert_eq!(person.role_in(&ProjectName::stored("pump")), Some(Role::Engineer));
    assert_eq!(person.role_in(&ProjectName::stored("press")), Some(Role::Viewer));

    let guest = self::person(None, &[("pump", Role::Administrator)]);
    assert!(CLOSED.allow_at(&guest, Action::Read, Some("pump"), None).is_ok());
    assert!(CLOSED.allow_at(&guest, Action::Read, Some("press"), None).is_err());
    assert!(CLOSED.allow_at(&guest, Action::Read, None, Some("bench")).is_err(), "what is of no project is not hers");
    assert!(CLOSED.allow(&guest, Action::Administer).is_err(), "people are of no single project");
}

#[test]
fn a_bound_token_reaches_as_far_as_its_bounds() {
    let bound = pass(Scope::Ingest, Some("pump"), Some("bench"), None);
    let may = |project, setup| CLOSED.allow_at(&bound, Action::Send, project, setup);
    assert!(may(Some("pump"), Some("bench")).is_ok());
    for (project, setup) in [(Some("pump"), Some("other")), (Some("press"), Some("bench")), (None, None)] {
        let denied = may(project, setup).expect_err("it is elsewhere").to_string();
        assert!(denied.contains("\"pump\"") && denied.contains("\"bench\""), "{denied}");
    }
    let wall = CLOSED.extent(&pass(Scope::Kiosk, None, None, Some("lobby")), Action::Show);
    assert_eq!(wall, Ok(Extent::Wall("lobby".into())));
}

#[test]
fn a_refusal_says_what_would_help() {
    let denied = |who: &Who, action| CLOSED.allow(who, action).expect_err("denied").to_string();
    assert!(denied(&pass(Scope::Read, None, None, None), Action::Send).contains("ingest or worker or admin may"));
    assert!(denied(&person(Some(Role::Viewer), &[]), Action::Configure).contains("the role administrator"));
    assert!(denied(&Who::Nobody, Action::Send).contains("holter token create"));
    assert_eq!(denied(&Who::Stranger("it was revoked"), Action::Read), "it was revoked");
}
