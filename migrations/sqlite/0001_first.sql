-- Ids are 16 bytes, times and lengths are microseconds, JSON is text.
-- Times of suites and tests are the listener's; all others are ours.

create table setups (
    id blob not null primary key,
    name text not null constraint setups_name unique,
    version integer not null default 0,
    created_at integer not null,
    heard_at integer,
    attributes text not null
) strict;

create table runs (
    id blob not null primary key,
    setup_id blob not null references setups (id),
    key text not null,
    project text not null,
    state text not null,
    result text,
    -- What a test without an end has come to: null while the run is open.
    unfinished_as text,
    counts text not null,
    facts text not null,
    started_at integer,
    finished_at integer,
    heard_at integer,
    created_at integer not null,
    branch text,
    commit_id text,
    name text,
    version integer not null,
    constraint runs_setup_key unique (setup_id, key)
) strict;

create index runs_newest on runs (created_at desc, id desc);
create index runs_of_setup on runs (setup_id, created_at desc, id desc);
create index runs_open on runs (created_at, id) where state in ('waiting', 'running');

create table suites (
    run_id blob not null references runs (id) on delete cascade,
    ordinal integer not null,
    suite_id blob not null,
    setup_id blob not null,
    path text not null,
    position integer,
    started_at integer,
    finished_at integer,
    duration integer,
    detail text not null,
    version integer not null,
    primary key (run_id, ordinal)
) strict, without rowid;

-- The duration is in the index so that a forecast never reads a row.
create index suites_history on suites (setup_id, suite_id, finished_at, duration) where duration is not null;

create table tests (
    run_id blob not null references runs (id) on delete cascade,
    ordinal integer not null,
    test_id blob not null,
    setup_id blob not null,
    suite integer not null,
    name text not null,
    parameters text,
    -- As far as the attempts tell; see unfinished_as in runs.
    outcome text not null,
    position integer,
    began_at integer,
    finished_at integer,
    duration integer,
    attempts text not null,
    detail text,
    version integer not null,
    primary key (run_id, ordinal)
) strict, without rowid;

-- Outcome and duration are in the index so that a forecast never reads a row.
create index tests_history on tests (test_id, setup_id, finished_at, outcome, duration) where finished_at is not null;

-- With a rowid: a trace fills pages, and pages of keys alone are found sooner.
create table texts (
    run_id blob not null references runs (id) on delete cascade,
    ordinal integer not null,
    attempt integer not null,
    message text,
    trace text,
    primary key (run_id, ordinal, attempt)
) strict;

create table scripts (
    id blob not null primary key,
    body text not null
) strict;

-- A number is never given twice, even after the newest events were deleted:
-- readers of the stream remember it.
create table events (
    seq integer not null primary key autoincrement,
    event_id blob,
    setup_id blob not null,
    run_id blob,
    kind text not null,
    at integer not null,
    received_at integer not null,
    late integer not null check (late in (0, 1)),
    -- The project of the token it came with.
    project text,
    -- How long it was on its way, where its sender told.
    delay integer,
    body text not null
) strict;

-- By which events are known again: 16 bytes each, one after another, as many as
-- came between two writes. An index over random ids would touch a page an event.
create table event_ids (
    -- The run, or the setup for what was said outside a run.
    scope blob not null,
    -- The last event of the log at that time.
    seq integer not null,
    ids blob not null,
    primary key (scope, seq)
) strict, without rowid;

-- Up to which event the other tables tell what the log tells.
create table log_mark (
    one integer not null primary key check (one = 1),
    seq integer not null
) strict;

insert into log_mark (one, seq) values (1, 0);

-- What is known of a test on a setup: see domain::health. The columns beside
-- the state are for lists; the state alone is gone on with.
create table health (
    setup_id blob not null,
    test_id blob not null,
    label text not null,
    p_flaky real not null,
    p_broken real not null,
    -- Expected spurious failures in a run.
    phi real not null,
    results integer not null,
    failures integer not null,
    last_at integer,
    -- The parameters it was made with.
    model integer not null,
    state blob not null,
    primary key (setup_id, test_id)
) strict, without rowid;

create index health_of_test on health (test_id);
create index health_of_sick on health (phi desc) where label not in ('new', 'healthy');

-- What is usual on a setup, and the health of all its tests in sum.
create table setup_health (
    setup_id blob not null primary key,
    model integer not null,
    base blob not null,
    sums blob not null
) strict, without rowid;

create table tokens (
    id blob not null primary key,
    hash blob not null constraint tokens_hash unique,
    scope text not null,
    setup text,
    project text,
    label text,
    created_at integer not null,
    expires_at integer,
    revoked_at integer,
    used_at integer
) strict;
