-- Work that is run here. A job is what one worker takes; it is held by a lease.
create table jobs (
    id blob not null primary key,
    kind text not null,
    parent_id blob not null,
    ordinal integer not null,
    name text not null,
    priority integer not null,
    labels text not null,
    concurrency text,
    state text not null,
    result text,
    attempt integer not null,
    attempts_max integer not null,
    worker_id blob,
    lease_until integer,
    stop text,
    note text,
    created_at integer not null,
    started_at integer,
    finished_at integer,
    version integer not null,
    setup text,
    definition text not null,
    progress text not null
) strict;

create index jobs_of_parent on jobs (parent_id, ordinal);
-- Holds all that a claim looks at: ten thousand waiting jobs that a worker may
-- not take are passed over without reading one of them.
create index jobs_queue on jobs (priority desc, id, labels, concurrency) where state = 'waiting';
create index jobs_labels on jobs (labels) where state = 'waiting';
create index jobs_leases on jobs (lease_until) where state = 'running';
-- Two servers that claim at once cannot both take a job of one key.
create unique index jobs_concurrency on jobs (concurrency) where state = 'running' and concurrency is not null;

create table workers (
    id blob not null primary key,
    name text not null constraint workers_name unique,
    instance blob not null,
    labels text not null,
    slots integer not null,
    about text not null,
    stance text not null,
    created_at integer not null,
    seen_at integer not null
) strict;
