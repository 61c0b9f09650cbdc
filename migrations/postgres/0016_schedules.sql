-- What is run again and again, by name.
create table schedules (
    name text not null primary key,
    -- When, and what, as JSON.
    body text not null,
    is_configured boolean not null,
    is_paused boolean not null,
    made_by text not null,
    -- When it is its turn; nothing where there is none.
    next_at bigint,
    -- What its last turn came to: a batch, a build, or why there was neither.
    last_at bigint,
    last_kind text,
    last_parent uuid,
    fault text
);

create index schedules_due on schedules (next_at);
