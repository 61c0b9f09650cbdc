use super::*;
use uuid::Uuid;

const MINUTE: Micros = Micros::from_secs(60);
const NOW: Timestamp = Timestamp(1_000_000_000);

fn id(number: u128) -> JobId {
    JobId(Uuid::from_u128(number))
}

fn job(number: u128, labels: &Labels) -> Waiting<'_> {
    Waiting { id: id(number), labels, key: None, setup: None, usual: Some(MINUTE) }
}

fn hand<'a>(name: &'a str, labels: &'a Labels, runs: Vec<Runs<'a>>) -> Hand<'a> {
    Hand { name, labels, slots: 1, stance: Stance::Active, is_away: false, runs }
}

fn runs(number: u128, minutes: Option<i64>) -> Runs<'static> {
    Runs { id: id(number), key: None, done_at: minutes.map(after) }
}

fn after(minutes: i64) -> Timestamp {
    NOW + Micros(MINUTE.0 * minutes)
}

/// Where and in how many minutes each job begins.
fn places(told: &[Foretold]) -> Vec<(Option<&str>, Option<i64>)> {
    told.iter().map(|one| (one.worker.as_deref(), one.starts_at.map(|at| at.since(NOW).0 / MINUTE.0))).collect()
}

#[test]
fn each_job_goes_to_the_worker_that_is_free_first() {
    let (none, gpu) = (Labels::default(), Labels::stored("gpu"));
    let hands = [hand("left", &none, vec![runs(90, Some(3))]), hand("right", &gpu, Vec::new())];
    let jobs = [job(1, &none), job(2, &gpu), job(3, &none), job(4, &none)];
    let told = foretell(&jobs, &hands, &[], NOW);
    assert_eq!(
        places(&told),
        [(Some("right"), Some(0)), (Some("right"), Some(1)), (Some("right"), Some(2)), (Some("left"), Some(3))]
    );
    assert_eq!((&told[0].why, &told[1].why), (&None, &Some(Hindrance::Busy)));
}

#[test]
fn behind_what_nobody_knows_nothing_is_foretold() {
    let none = Labels::default();
    let hands = [hand("left", &none, vec![runs(90, None)])];
    let told = foretell(&[job(1, &none)], &hands, &[], NOW);
    assert_eq!((places(&told), &told[0].why), (vec![(None, None)], &Some(Hindrance::Busy)));
    let unknown = Waiting { usual: None, ..job(1, &none) };
    let told = foretell(&[unknown, job(2, &none)], &[hand("left", &none, Vec::new())], &[], NOW);
    assert_eq!(places(&told), [(Some("left"), Some(0)), (None, None)]);
    let late = foretell(&[job(1, &none)], &[hand("left", &none, vec![runs(90, Some(-5))])], &[], NOW);
    assert_eq!(places(&late), [(Some("left"), Some(0))], "what is overdue is expected any moment");
}

#[test]
fn it_says_why_nobody_takes_a_job() {
    let (none, gpu, both) = (Labels::default(), Labels::stored("gpu"), Labels::stored("gpu,linux"));
    let why = |hands: &[Hand<'_>]| foretell(&[job(1, &both)], hands, &[], NOW)[0].why.clone();
    assert_eq!(why(&[]), Some(Hindrance::NoWorker));
    let missing = why(&[hand("bare", &none, Vec::new()), hand("gpu", &gpu, Vec::new())]);
    assert_eq!(missing, Some(Hindrance::NoLabels(vec!["linux".into()])), "of the worker that comes nearest");
    let stance = Stance::Draining;
    let drained = Hand { stance, ..hand("left", &both, Vec::new()) };
    let away = Hand { is_away: true, ..hand("right", &both, Vec::new()) };
    assert_eq!(why(&[away.clone(), drained]), Some(Hindrance::NotGiven { worker: "left".into(), stance }));
    assert_eq!(why(&[away]), Some(Hindrance::Away { worker: "right".into() }));
}

#[test]
fn a_reserved_setup_makes_its_jobs_wait_and_lets_others_by() {
    let none = Labels::default();
    let hands = [hand("left", &none, Vec::new())];
    let jobs =
        [Waiting { setup: Some("bench 7"), ..job(1, &none) }, Waiting { setup: Some("bench 8"), ..job(2, &none) }];
    let kept = [Kept { setup: "bench 7", holder: "kim", ends_at: after(30) }];
    let told = foretell(&jobs, &hands, &kept, NOW);
    assert_eq!(places(&told), [(Some("left"), Some(30)), (Some("left"), Some(0))]);
    let expected = Hindrance::Reserved { setup: "bench 7".into(), holder: "kim".into(), ends_at: after(30) };
    assert_eq!(told[0].why, Some(expected));
    let over = [Kept { ends_at: NOW, ..kept[0] }];
    assert_eq!(foretell(&jobs, &hands, &over, NOW)[0].why, None, "one that is over keeps nothing");
}

#[test]
fn of_jobs_with_one_key_one_runs_after_the_other() {
    let none = Labels::default();
    let running = Runs { key: Some("press"), ..runs(90, Some(5)) };
    let hands = [hand("left", &none, vec![running]), Hand { slots: 3, ..hand("right", &none, Vec::new()) }];
    let keyed = |number| Waiting { key: Some("press"), ..job(number, &none) };
    let told = foretell(&[keyed(1), keyed(2)], &hands, &[], NOW);
    assert_eq!(places(&told), [(Some("right"), Some(5)), (Some("right"), Some(6))]);
    assert_eq!(told[0].why, Some(Hindrance::Key { job: id(90) }));
}

#[test]
fn the_usual_length_is_the_middle_one() {
    assert_eq!(usual(Vec::new()), None);
    assert_eq!(usual([9, 1, 100].map(Micros).to_vec()), Some(Micros(9)));
}
