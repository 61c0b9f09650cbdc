-- What jobs put out, packed with gzip in pieces as their workers sent them.
create table job_log (
    job_id blob not null references jobs (id) on delete cascade,
    attempt integer not null,
    -- The bytes before it in the log of this attempt, unpacked.
    start integer not null,
    size integer not null,
    lines integer not null,
    packed blob not null,
    primary key (job_id, attempt, start)
) strict;

-- Test files that somebody had run.
create table batches (
    id blob not null primary key,
    name text not null,
    created_at integer not null,
    -- How it is to be run, as JSON.
    plan text not null
) strict;

create index batches_newest on batches (created_at, id);

create table batch_files (
    batch_id blob not null references batches (id) on delete cascade,
    ordinal integer not null,
    name text not null,
    digest blob not null,
    size integer not null,
    primary key (batch_id, ordinal)
) strict, without rowid;

create index batch_files_of_content on batch_files (digest);
