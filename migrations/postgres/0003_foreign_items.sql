-- What has to be known of a launch that another protocol reports, so that its
-- requests are understood after a new start too. The row without an item is
-- the launch itself. Forgotten a while after its last word.
create table foreign_items (
    project text not null,
    launch text not null,
    item text not null,
    at bigint not null,
    body text not null,
    primary key (project, launch, item)
);

create index foreign_items_of_launches on foreign_items (at) where item = '';
