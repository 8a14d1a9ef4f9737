ALTER TABLE app.uploads ADD COLUMN expires_at timestamptz;

UPDATE app.uploads SET expires_at = uploaded_at + interval '7 days' WHERE state = 'rejected';

ALTER TABLE app.uploads
  ADD CONSTRAINT uploads_rejected_expires CHECK (state <> 'rejected' OR expires_at IS NOT NULL);

CREATE INDEX uploads_expiry_idx ON app.uploads (expires_at) WHERE expires_at IS NOT NULL;

-- Expired rows go in one sweep a day: do not wait for a fifth of the table to be dead.
ALTER TABLE app.uploads SET (autovacuum_vacuum_scale_factor = 0.05);

-- State and expiry go together; the planner would multiply their chances.
CREATE STATISTICS app.uploads_state_expiry (dependencies, ndistinct)
  ON state, expires_at FROM app.uploads;
