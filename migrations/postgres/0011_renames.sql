-- Tests that go on under another name.
create table renames (
    was_id uuid not null primary key,
    now_id uuid not null,
    -- What it was called: the suites before it and its name.
    was_path jsonb not null,
    at bigint not null,
    -- Who joined them.
    actor text not null
);

create index renames_by_now on renames (now_id);
