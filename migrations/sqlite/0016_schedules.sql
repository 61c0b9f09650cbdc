-- What is run again and again, by name.
create table schedules (
    name text not null primary key,
    -- When, and what, as JSON.
    body text not null,
    is_configured integer not null check (is_configured in (0, 1)),
    is_paused integer not null check (is_paused in (0, 1)),
    made_by text not null,
    -- When it is its turn; nothing where there is none.
    next_at integer,
    -- What its last turn came to: a batch, a build, or why there was neither.
    last_at integer,
    last_kind text,
    last_parent blob,
    fault text
) strict;

create index schedules_due on schedules (next_at);
