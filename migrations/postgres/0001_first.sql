-- Times and lengths are microseconds.
-- Times of suites and tests are the listener's; all others are ours.

create table setups (
    id uuid not null primary key,
    name text not null constraint setups_name unique,
    version bigint not null default 0,
    created_at bigint not null,
    heard_at bigint,
    attributes jsonb not null
);

create table runs (
    id uuid not null primary key,
    setup_id uuid not null references setups (id),
    key text not null,
    project text not null,
    state text not null,
    result text,
    -- What a test without an end has come to: null while the run is open.
    unfinished_as text,
    counts jsonb not null,
    facts jsonb not null,
    started_at bigint,
    finished_at bigint,
    heard_at bigint,
    created_at bigint not null,
    branch text,
    commit_id text,
    name text,
    version bigint not null,
    constraint runs_setup_key unique (setup_id, key)
);

create index runs_newest on runs (created_at desc, id desc);
create index runs_of_setup on runs (setup_id, created_at desc, id desc);
create index runs_open on runs (created_at, id) where state in ('waiting', 'running');

create table suites (
    run_id uuid not null references runs (id) on delete cascade,
    ordinal bigint not null,
    suite_id uuid not null,
    setup_id uuid not null,
    path jsonb not null,
    position bigint,
    started_at bigint,
    finished_at bigint,
    duration bigint,
    detail jsonb not null,
    version bigint not null,
    primary key (run_id, ordinal)
);

-- The duration is in the index so that a forecast never reads a row.
create index suites_history on suites (setup_id, suite_id, finished_at, duration) where duration is not null;

create table tests (
    run_id uuid not null references runs (id) on delete cascade,
    ordinal bigint not null,
    test_id uuid not null,
    setup_id uuid not null,
    suite bigint not null,
    name text not null,
    parameters text,
    -- As far as the attempts tell; see unfinished_as in runs.
    outcome text not null,
    position bigint,
    began_at bigint,
    finished_at bigint,
    duration bigint,
    attempts jsonb not null,
    detail jsonb,
    version bigint not null,
    primary key (run_id, ordinal)
);

-- Outcome and duration are in the index so that a forecast never reads a row.
create index tests_history on tests (test_id, setup_id, finished_at, outcome, duration) where finished_at is not null;

create table texts (
    run_id uuid not null references runs (id) on delete cascade,
    ordinal bigint not null,
    attempt bigint not null,
    message text,
    trace text,
    primary key (run_id, ordinal, attempt)
);

create table scripts (
    id uuid not null primary key,
    body text not null
);

create table events (
    seq bigint not null generated always as identity primary key,
    event_id uuid,
    setup_id uuid not null,
    run_id uuid,
    kind text not null,
    at bigint not null,
    received_at bigint not null,
    late boolean not null,
    -- The project of the token it came with.
    project text,
    -- How long it was on its way, where its sender told.
    delay bigint,
    body text not null
);

-- By which events are known again: 16 bytes each, one after another, as many as
-- came between two writes. An index over random ids would touch a page an event.
create table event_ids (
    -- The run, or the setup for what was said outside a run.
    scope uuid not null,
    -- The last event of the log at that time.
    seq bigint not null,
    ids bytea not null,
    primary key (scope, seq)
);

-- Up to which event the other tables tell what the log tells.
create table log_mark (
    one bigint not null primary key check (one = 1),
    seq bigint not null
);

insert into log_mark (one, seq) values (1, 0);

-- What is known of a test on a setup: see domain::health. The columns beside
-- the state are for lists; the state alone is gone on with.
create table health (
    setup_id uuid not null,
    test_id uuid not null,
    label text not null,
    p_flaky double precision not null,
    p_broken double precision not null,
    -- Expected spurious failures in a run.
    phi double precision not null,
    results bigint not null,
    failures bigint not null,
    last_at bigint,
    -- The parameters it was made with.
    model bigint not null,
    state bytea not null,
    primary key (setup_id, test_id)
);

create index health_of_test on health (test_id);
create index health_of_sick on health (phi desc) where label not in ('new', 'healthy');

-- What is usual on a setup, and the health of all its tests in sum.
create table setup_health (
    setup_id uuid not null primary key,
    model bigint not null,
    base bytea not null,
    sums bytea not null
);

create table tokens (
    id uuid not null primary key,
    hash bytea not null constraint tokens_hash unique,
    scope text not null,
    setup text,
    project text,
    label text,
    created_at bigint not null,
    expires_at bigint,
    revoked_at bigint,
    used_at bigint
);
