DROP FUNCTION app.seconds_waited(timestamptz, timestamptz);
DROP MATERIALIZED VIEW app.monthly_usage;
DROP VIEW app.project_overview;
