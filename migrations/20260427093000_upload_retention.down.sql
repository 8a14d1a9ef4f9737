DROP STATISTICS app.uploads_state_expiry;
ALTER TABLE app.uploads RESET (autovacuum_vacuum_scale_factor);
DROP INDEX app.uploads_expiry_idx;
ALTER TABLE app.uploads
  DROP CONSTRAINT uploads_rejected_expires,
  DROP COLUMN expires_at;
