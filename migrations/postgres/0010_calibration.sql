-- Whether the detector understands a setup: the loss of its predictions.
alter table setup_health add column calibration jsonb not null default '[0, 0, 0, 0]';
