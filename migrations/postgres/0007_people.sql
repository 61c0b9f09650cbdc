-- People who may sign in.
create table users (
    id uuid not null primary key,
    -- In lower case, as it is typed.
    name text not null constraint users_name unique,
    email text constraint users_email unique,
    -- Everywhere; null where the person only has a part in projects.
    role text,
    -- Its hash with all that made it; null where there is none.
    password text,
    -- Issuer and subject at an OpenID provider.
    subject text constraint users_subject unique,
    created_at bigint not null,
    disabled_at bigint,
    seen_at bigint
);

-- Roles in single projects.
create table grants (
    user_id uuid not null references users (id) on delete cascade,
    project text not null,
    role text not null,
    primary key (user_id, project)
);

-- Who is signed in. Of the secret in the cookie only the hash is kept.
create table sessions (
    id uuid not null primary key,
    hash bytea not null constraint sessions_hash unique,
    user_id uuid not null references users (id) on delete cascade,
    created_at bigint not null,
    used_at bigint not null,
    expires_at bigint not null,
    -- From where it was last used, and with which program.
    address text,
    agent text
);

create index sessions_of_user on sessions (user_id);
create index sessions_by_end on sessions (expires_at);

-- Links that work once, by the hashes of their secrets. One that was used is gone.
create table links (
    hash bytea not null primary key,
    kind text not null,
    -- Whose password it sets; null for the link that makes the first account.
    user_id uuid references users (id) on delete cascade,
    created_at bigint not null,
    expires_at bigint not null
);

create index links_of_user on links (user_id);

-- Attempts to sign in that failed, by name and by address.
create table attempts (
    key text not null primary key,
    failures bigint not null,
    at bigint not null,
    -- When the next attempt is looked at.
    open_at bigint not null
);

create index attempts_by_age on attempts (at);

-- Who did what. Ids rise with time.
create table audit (
    id uuid not null primary key,
    at bigint not null,
    actor text not null,
    action text not null,
    subject text not null,
    detail text,
    address text
);

-- Rises whenever a right is taken from somebody: every server looks at it, and
-- forgets what it remembers of rights.
create table access_mark (
    one bigint not null primary key check (one = 1),
    version bigint not null
);

insert into access_mark (one, version) values (1, 0);

-- From where a token was last used, and who made it.
alter table tokens add column used_from text;
alter table tokens add column created_by text;
