-- What jobs put out, packed with gzip in pieces as their workers sent them.
create table job_log (
    job_id uuid not null references jobs (id) on delete cascade,
    attempt bigint not null,
    -- The bytes before it in the log of this attempt, unpacked.
    start bigint not null,
    size bigint not null,
    lines bigint not null,
    packed bytea not null,
    primary key (job_id, attempt, start)
);

-- Test files that somebody had run.
create table batches (
    id uuid not null primary key,
    name text not null,
    created_at bigint not null,
    -- How it is to be run, as JSON.
    plan text not null
);

create index batches_newest on batches (created_at, id);

create table batch_files (
    batch_id uuid not null references batches (id) on delete cascade,
    ordinal bigint not null,
    name text not null,
    digest bytea not null,
    size bigint not null,
    primary key (batch_id, ordinal)
);

create index batch_files_of_content on batch_files (digest);
