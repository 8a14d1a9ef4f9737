-- pgkeep: no-transaction
DROP INDEX CONCURRENTLY app.calculations_open_idx;
DROP INDEX CONCURRENTLY app.calculations_parameters_idx;
