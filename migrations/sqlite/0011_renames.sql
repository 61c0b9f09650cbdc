-- Tests that go on under another name.
create table renames (
    was_id blob not null primary key,
    now_id blob not null,
    -- What it was called: the suites before it and its name.
    was_path text not null,
    at integer not null,
    -- Who joined them.
    actor text not null
) strict, without rowid;

create index renames_by_now on renames (now_id);
