-- pgkeep: no-transaction
-- The calculations are many and the service goes on while their indexes are built.
CREATE INDEX CONCURRENTLY calculations_parameters_idx
  ON app.calculations USING gin (parameters jsonb_path_ops);

CREATE INDEX CONCURRENTLY calculations_open_idx
  ON app.calculations (project_id, state)
  WHERE state IN ('queued', 'running');
