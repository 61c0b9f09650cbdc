-- What the past of a test on a setup comes to. An index of all results by test
-- would touch a page a result; these rows lie together by setup, and a forecast
-- reads one a test.
create table test_pasts (
    setup_id blob not null,
    test_id blob not null,
    -- The newest run with a result, by the listener's clock.
    run_id blob not null,
    finished_at integer not null,
    -- How long it took there, where it passed.
    duration integer,
    -- How long it took when it passed in runs before that: microseconds, each
    -- with a comma after it, the newest first. What was cut at the end has none.
    passes text not null,
    -- Runs with a result, at least.
    results integer not null,
    -- When the first and the last of these runs were first heard of, by our clock.
    first_at integer not null,
    last_at integer not null,
    primary key (setup_id, test_id)
) strict, without rowid;

create index test_pasts_of_test on test_pasts (test_id);

insert into test_pasts (setup_id, test_id, run_id, finished_at, duration, passes, results, first_at, last_at)
with ranked as (
    select t.setup_id, t.test_id, t.run_id, t.finished_at, r.created_at,
        case when t.outcome in ('passed', 'flaky') then t.duration end as duration,
        row_number() over (partition by t.setup_id, t.test_id order by t.finished_at desc, t.run_id desc, t.ordinal) as place
    from tests t join runs r on r.id = t.run_id where t.finished_at is not null
)
select setup_id, test_id,
    max(case when place = 1 then run_id end),
    max(finished_at),
    max(case when place = 1 then duration end),
    coalesce(substr(string_agg(cast(duration as text) || ',', '' order by place) filter (where place between 2 and 64), 1, 128), ''),
    count(*), min(created_at), max(created_at)
from ranked group by setup_id, test_id;

drop index tests_history;
create index tests_of_run on tests (run_id, test_id);
