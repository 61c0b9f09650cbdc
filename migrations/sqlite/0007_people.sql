-- People who may sign in.
create table users (
    id blob not null primary key,
    -- In lower case, as it is typed.
    name text not null constraint users_name unique,
    email text constraint users_email unique,
    -- Everywhere; null where the person only has a part in projects.
    role text,
    -- Its hash with all that made it; null where there is none.
    password text,
    -- Issuer and subject at an OpenID provider.
    subject text constraint users_subject unique,
    created_at integer not null,
    disabled_at integer,
    seen_at integer
) strict;

-- Roles in single projects.
create table grants (
    user_id blob not null references users (id) on delete cascade,
    project text not null,
    role text not null,
    primary key (user_id, project)
) strict, without rowid;

-- Who is signed in. Of the secret in the cookie only the hash is kept.
create table sessions (
    id blob not null primary key,
    hash blob not null constraint sessions_hash unique,
    user_id blob not null references users (id) on delete cascade,
    created_at integer not null,
    used_at integer not null,
    expires_at integer not null,
    -- From where it was last used, and with which program.
    address text,
    agent text
) strict;

create index sessions_of_user on sessions (user_id);
create index sessions_by_end on sessions (expires_at);

-- Links that work once, by the hashes of their secrets. One that was used is gone.
create table links (
    hash blob not null primary key,
    kind text not null,
    -- Whose password it sets; null for the link that makes the first account.
    user_id blob references users (id) on delete cascade,
    created_at integer not null,
    expires_at integer not null
) strict;

create index links_of_user on links (user_id);

-- Attempts to sign in that failed, by name and by address.
create table attempts (
    key text not null primary key,
    failures integer not null,
    at integer not null,
    -- When the next attempt is looked at.
    open_at integer not null
) strict;

create index attempts_by_age on attempts (at);

-- Who did what. Ids rise with time.
create table audit (
    id blob not null primary key,
    at integer not null,
    actor text not null,
    action text not null,
    subject text not null,
    detail text,
    address text
) strict;

-- Rises whenever a right is taken from somebody: every server looks at it, and
-- forgets what it remembers of rights.
create table access_mark (
    one integer not null primary key check (one = 1),
    version integer not null
) strict;

insert into access_mark (one, version) values (1, 0);

-- From where a token was last used, and who made it.
alter table tokens add column used_from text;
alter table tokens add column created_by text;
