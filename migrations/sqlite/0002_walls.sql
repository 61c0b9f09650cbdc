-- Saved walls, by the name in their address.
create table walls (
    name text not null primary key,
    -- What it shows, as JSON.
    body text not null,
    changed_at integer not null
) strict;

-- Who looks after a setup that is ill.
create table claims (
    setup_id blob not null primary key references setups (id),
    -- The name of a person.
    holder text not null,
    note text,
    at integer not null
) strict;

-- The one wall that a kiosk's token is for.
alter table tokens add column wall text;
