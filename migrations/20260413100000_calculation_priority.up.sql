ALTER TABLE app.calculations
  ADD COLUMN priority smallint NOT NULL DEFAULT 0,
  ADD CONSTRAINT calculations_priority_is_small CHECK (priority BETWEEN -10 AND 10);

DROP INDEX app.calculations_queue_idx;
CREATE INDEX calculations_queue_idx ON app.calculations (priority DESC, requested_at)
  WHERE state = 'queued';

COMMENT ON COLUMN app.calculations.priority IS 'The higher, the sooner; 0 for what users ask for';
