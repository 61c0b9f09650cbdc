-- Contents of files that are kept, by the SHA-256 of their bytes. The bytes
-- themselves are in a folder or a bucket.
create table contents (
    digest blob not null primary key,
    size integer not null,
    -- When it was last taken in. For a while after that it stays, whether or
    -- not something points at it already.
    taken_at integer not null,
    -- Since when its bytes are being deleted; it may not be taken in meanwhile.
    leaving_at integer
) strict, without rowid;

-- Files that belong to a run.
create table attachments (
    run_id blob not null references runs (id) on delete cascade,
    -- The suite or test it belongs to; see domain::ids::PlaceId.
    place blob not null,
    -- Of a test, from 1; else 0.
    attempt integer not null,
    digest blob not null,
    name text not null,
    media_type text not null,
    size integer not null,
    -- The listener's time.
    at integer not null,
    primary key (run_id, place, attempt, digest, name)
) strict, without rowid;

create index attachments_of_content on attachments (digest);
