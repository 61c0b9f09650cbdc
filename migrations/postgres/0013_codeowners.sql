-- The CODEOWNERS file of a project, as it came.
create table codeowners (
    project text not null primary key,
    body text not null,
    changed_at bigint not null
);
