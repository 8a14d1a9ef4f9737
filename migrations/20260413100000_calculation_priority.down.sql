DROP INDEX app.calculations_queue_idx;
CREATE INDEX calculations_queue_idx ON app.calculations (requested_at) WHERE state = 'queued';

ALTER TABLE app.calculations
  DROP CONSTRAINT calculations_priority_is_small,
  DROP COLUMN priority;
