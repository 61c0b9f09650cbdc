-- What is to be said to other servers, until it was said or given up. Ids rise
-- with the time, and receivers know a repeat by them.
create table outbox (
    id blob not null primary key,
    -- What it is about: of two about the same the newer takes the place of the older.
    subject text constraint outbox_subject unique,
    -- The letter, as JSON.
    body text not null,
    created_at integer not null,
    due_at integer not null,
    tries integer not null,
    -- Why the last try came to nothing.
    fault text,
    given_up_at integer
) strict;

create index outbox_due on outbox (due_at, id) where given_up_at is null;

-- What only one of several servers does at a time.
create table leases (
    name text not null primary key,
    -- A server, for as long as it runs.
    holder blob not null,
    ends_at integer not null
) strict;

-- What was last said of a run's commit to the forge it came from.
create table commit_statuses (
    run_id blob not null primary key references runs (id) on delete cascade,
    state text not null,
    at integer not null
) strict, without rowid;
