-- What was made of pushed commits; each is one job.
create table commit_builds (
    id uuid not null primary key,
    repository text not null,
    branch text not null,
    commit_id text not null,
    author text,
    message text,
    created_at bigint not null
);

create index commit_builds_newest on commit_builds (created_at, id);
create index commit_builds_of_repository on commit_builds (repository, created_at, id);
