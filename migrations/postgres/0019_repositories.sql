-- Repositories that were added on the page, by what their forges call them.
create table repositories (
    name text not null primary key,
    -- How it is built, what kind its forge is and what that signs with, as JSON.
    body text not null,
    changed_at bigint not null
);

-- The last delivery of a forge, by repository.
create table deliveries (
    repository text not null primary key,
    kind text not null,
    at bigint not null
);
