CREATE VIEW app.project_overview WITH (security_invoker = true) AS
SELECT
  p.id,
  p.name,
  p.status,
  u.display_name AS owner,
  (SELECT count(*) FROM app.uploads f WHERE f.project_id = p.id AND f.state = 'stored') AS files,
  (SELECT coalesce(sum(f.size_bytes), 0) FROM app.uploads f WHERE f.project_id = p.id) AS bytes,
  c.finished,
  c.failed,
  c.last_finished_at
FROM app.projects p
JOIN app.users u ON u.id = p.owner_id
LEFT JOIN LATERAL (
  SELECT
    count(*) FILTER (WHERE state = 'done') AS finished,
    count(*) FILTER (WHERE state = 'failed') AS failed,
    max(finished_at) AS last_finished_at
  FROM app.calculations
  WHERE project_id = p.id
) c ON true;

COMMENT ON VIEW app.project_overview IS 'One line a project, as the start page shows it';

CREATE MATERIALIZED VIEW app.monthly_usage AS
SELECT
  date_trunc('month', requested_at AT TIME ZONE 'UTC')::date AS month,
  project_id,
  count(*) AS calculations,
  sum(running_time) AS running_time,
  sum(cost) AS cost
FROM app.calculations
GROUP BY 1, 2
WITH NO DATA;

-- What REFRESH … CONCURRENTLY asks for.
CREATE UNIQUE INDEX monthly_usage_key ON app.monthly_usage (month, project_id);

CREATE FUNCTION app.seconds_waited(requested_at timestamptz, started_at timestamptz DEFAULT NULL)
RETURNS numeric
LANGUAGE sql
STABLE
PARALLEL SAFE
BEGIN ATOMIC
  SELECT extract(epoch FROM coalesce(started_at, now()) - requested_at);
END;
