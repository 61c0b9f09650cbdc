-- Setups that somebody keeps for themselves for a while, by name.
create table reservations (
    setup text not null primary key,
    -- The name of a person.
    holder text not null,
    reason text not null,
    at integer not null,
    ends_at integer not null
) strict;

-- A claim looks at the setup of a job too.
drop index jobs_queue;
create index jobs_queue on jobs (priority desc, id, labels, concurrency, setup) where state = 'waiting';
-- How long jobs of the same definition took.
create index jobs_past on jobs (setup, kind, name, finished_at) where state = 'finished';
