-- Contents of files that are kept, by the SHA-256 of their bytes. The bytes
-- themselves are in a folder or a bucket.
create table contents (
    digest bytea not null primary key,
    size bigint not null,
    -- When it was last taken in. For a while after that it stays, whether or
    -- not something points at it already.
    taken_at bigint not null,
    -- Since when its bytes are being deleted; it may not be taken in meanwhile.
    leaving_at bigint
);

-- Files that belong to a run.
create table attachments (
    run_id uuid not null references runs (id) on delete cascade,
    -- The suite or test it belongs to; see domain::ids::PlaceId.
    place uuid not null,
    -- Of a test, from 1; else 0.
    attempt bigint not null,
    digest bytea not null,
    name text not null,
    media_type text not null,
    size bigint not null,
    -- The listener's time.
    at bigint not null,
    primary key (run_id, place, attempt, digest, name)
);

create index attachments_of_content on attachments (digest);
