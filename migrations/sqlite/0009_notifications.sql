-- Whether the last result of a test on a setup was a failure.
alter table health add column failed integer not null default 0 check (failed in (0, 1));

create index health_of_unwell on health (setup_id) where failed or label in ('flaky', 'recovering', 'broken');

-- How tests on setups stood when they were last looked at; who is well has no
-- row. A setup itself is meant where the test is nil.
create table conditions (
    setup_id blob not null,
    test_id blob not null,
    state text not null,
    primary key (setup_id, test_id)
) strict, without rowid;

-- What was so before anybody looked is nothing to be told.
insert into conditions (setup_id, test_id, state)
select setup_id, test_id, case label when 'broken' then 'failing' else 'flaky' end
from health where label in ('flaky', 'recovering', 'broken');

-- What a channel was not told yet.
create table untold (
    channel text not null,
    setup_id blob not null,
    test_id blob not null,
    was text not null,
    now_is text not null,
    first_at integer not null,
    since integer not null,
    primary key (channel, setup_id, test_id)
) strict, without rowid;

-- When a channel was last told something.
create table paces (
    channel text not null primary key,
    told_at integer not null,
    gap integer not null
) strict;

-- Channels that were made on the page, by name.
create table channels (
    name text not null primary key,
    -- What goes there, and how to reach it, as JSON.
    body text not null,
    changed_at integer not null
) strict;
