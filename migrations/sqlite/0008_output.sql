-- Of output, which of its run's suites or tests it belongs to (see
-- domain::ids::PlaceId), and how grave a line is, from 0. Steps have no level.
alter table events add column place blob;
alter table events add column level integer;

-- The level is in the indexes so that a filter never reads a row in vain.
create index events_output on events (run_id, seq, level) where place is not null;
create index events_output_of_place on events (run_id, place, seq, level) where place is not null;
