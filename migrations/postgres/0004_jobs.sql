-- Work that is run here. A job is what one worker takes; it is held by a lease.
create table jobs (
    id uuid not null primary key,
    kind text not null,
    parent_id uuid not null,
    ordinal bigint not null,
    name text not null,
    priority bigint not null,
    labels text not null,
    concurrency text,
    state text not null,
    result text,
    attempt bigint not null,
    attempts_max bigint not null,
    worker_id uuid,
    lease_until bigint,
    stop text,
    note text,
    created_at bigint not null,
    started_at bigint,
    finished_at bigint,
    version bigint not null,
    setup text,
    definition text not null,
    progress text not null
);

create index jobs_of_parent on jobs (parent_id, ordinal);
-- Holds all that a claim looks at: ten thousand waiting jobs that a worker may
-- not take are passed over without reading one of them.
create index jobs_queue on jobs (priority desc, id, labels, concurrency) where state = 'waiting';
create index jobs_labels on jobs (labels) where state = 'waiting';
create index jobs_leases on jobs (lease_until) where state = 'running';
-- Two servers that claim at once cannot both take a job of one key.
create unique index jobs_concurrency on jobs (concurrency) where state = 'running' and concurrency is not null;

create table workers (
    id uuid not null primary key,
    name text not null constraint workers_name unique,
    instance uuid not null,
    labels text not null,
    slots bigint not null,
    about text not null,
    stance text not null,
    created_at bigint not null,
    seen_at bigint not null
);
