-- Fills the schema of migrations/ with some 250,000 plausible rows, always the same ones: what
-- looks random is a hash of the row's number. For an empty schema; all or nothing.
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL client_min_messages = warning;

-- A number of 0 … below - 1 for a row and a purpose.
CREATE FUNCTION pg_temp.pick(row_number bigint, purpose integer, below integer) RETURNS integer
LANGUAGE sql IMMUTABLE
RETURN (hashint8extended(row_number, purpose) & 2147483647) % below;

-- The triggers would write the audit log with today's date.
ALTER TABLE app.projects DISABLE TRIGGER USER;
ALTER TABLE app.project_members DISABLE TRIGGER USER;

INSERT INTO app.users
  (keycloak_subject, email, display_name, role, created_at, last_seen_at, deactivated_at)
SELECT
  md5('user ' || i)::uuid,
  format('%s.%s%s@%s', lower(first), lower(last), i,
    (ARRAY['example.org', 'example.com', 'université.example', 'labor.example'])
      [1 + pg_temp.pick(i, 3, 4)]),
  first || ' ' || last,
  (CASE WHEN i % 500 = 1 THEN 'admin' WHEN i % 7 = 0 THEN 'analyst' ELSE 'member' END)
    ::app.user_role,
  timestamptz '2026-01-05 09:00+00' + make_interval(mins => i * 90),
  CASE WHEN i % 11 > 0 THEN
    timestamptz '2026-11-01 00:00+00' + make_interval(mins => pg_temp.pick(i, 4, 30000)) END,
  CASE WHEN i % 97 = 0 THEN timestamptz '2026-10-01 12:00+00' END
FROM generate_series(1, 2000) AS i,
  LATERAL (SELECT
    (ARRAY['Amélie', 'Bjørn', 'Chloé', 'Dmitri', 'Eléonore', 'Farid', 'Giulia', 'Håkon', 'Inès',
      'Jürgen', 'Katarzyna', 'Léa', 'Mária', 'Nguyễn', 'Óscar', 'Zoë'])
      [1 + pg_temp.pick(i, 1, 16)] AS first,
    (ARRAY['Bernard', 'Dubois', 'Fischer', 'García', 'Kovács', 'Lefèvre', 'Müller', 'Novák',
      'O''Brien', 'Petit', 'Rossi', 'Şahin', 'Świątek', 'Yılmaz', '山田', 'Ώμου'])
      [1 + pg_temp.pick(i, 2, 16)] AS last) AS names;

INSERT INTO app.projects
  (owner_id, slug, name, description, status, settings, tags, created_at, archived_at, updated_at)
SELECT
  1 + pg_temp.pick(i, 10, 2000),
  'project-' || i,
  format('%s study %s', (ARRAY['Thermal', 'Acoustic', 'Structural', 'Flow'])[1 + i % 4], i),
  CASE WHEN i % 3 > 0 THEN repeat('Boundary conditions as agreed.' || E'\n\t', i % 5) END,
  status::app.project_status,
  jsonb_build_object('units', CASE WHEN i % 9 = 0 THEN 'imperial' ELSE 'SI' END, 'limit', i % 40),
  CASE WHEN i % 5 = 0 THEN '{}'
    ELSE ARRAY['team ' || chr(65 + i % 26),
      CASE WHEN i % 2 = 0 THEN 'urgent, "really"' ELSE 'NULL' END] END,
  created,
  CASE WHEN status = 'archived' THEN created + interval '120 days' END,
  created + make_interval(hours => i % 700)
FROM generate_series(1, 500) AS i,
  LATERAL (SELECT
    CASE WHEN i % 10 = 0 THEN 'archived' WHEN i % 10 = 1 THEN 'draft' ELSE 'active' END AS status,
    timestamptz '2026-01-12 08:00+00' + make_interval(hours => i * 12) AS created) AS more;

INSERT INTO app.project_members (project_id, user_id, may_write, added_at)
SELECT DISTINCT ON (1, 2)
  1 + pg_temp.pick(i, 20, 500), 1 + pg_temp.pick(i, 21, 2000), i % 3 = 0,
  timestamptz '2026-02-01 10:00+00' + make_interval(mins => i * 45)
FROM generate_series(1, 4000) AS i
ORDER BY 1, 2, i;

INSERT INTO app.uploads
  (id, project_id, uploaded_by, object_key, file_name, content_type, size_bytes, sha256, state,
   uploaded_at, expires_at)
SELECT
  md5('upload ' || i)::uuid,
  project,
  1 + pg_temp.pick(i, 31, 2000),
  format('projects/%s/%s', project, md5('object ' || i)),
  format('%s-%s.%s',
    (ARRAY['mesh', 'messung', 'données', 'run'])[1 + pg_temp.pick(i, 32, 4)], i, kind),
  (ARRAY['text/csv', 'application/x-hdf5', 'application/step', 'application/zip'])
    [array_position(ARRAY['csv', 'H5', 'step', 'zip'], kind)],
  pg_temp.pick(i, 33, 2147483647)::bigint * (1 + i % 5),
  CASE WHEN state = 'stored' THEN sha256(int8send(i)) END,
  state::app.upload_state,
  at,
  CASE WHEN state = 'rejected' THEN at + interval '7 days' END
FROM generate_series(1, 40000) AS i,
  LATERAL (SELECT
    1 + pg_temp.pick(i, 30, 500) AS project,
    (ARRAY['csv', 'H5', 'step', 'zip'])[1 + pg_temp.pick(i, 34, 4)] AS kind,
    CASE pg_temp.pick(i, 35, 50)
      WHEN 0 THEN 'pending' WHEN 1 THEN 'rejected' ELSE 'stored' END AS state,
    timestamptz '2026-02-02 07:00+00'
      + make_interval(secs => i * 600 + pg_temp.pick(i, 36, 600)) AS at
  ) AS more;

INSERT INTO app.calculations
  (project_id, upload_id, requested_by, kind, parameters, results, cost, state, error, requested_at,
   started_at, finished_at, priority)
SELECT
  1 + pg_temp.pick(i, 40, 500),
  CASE WHEN i % 6 > 0 THEN md5('upload ' || 1 + pg_temp.pick(i, 41, 40000))::uuid END,
  1 + pg_temp.pick(i, 42, 2000),
  (ARRAY['steady-state', 'transient', 'modal', 'fatigue'])[1 + pg_temp.pick(i, 43, 4)],
  jsonb_build_object(
    'model', (ARRAY['k-epsilon', 'k-omega', 'LES'])[1 + pg_temp.pick(i, 44, 3)],
    'mesh', jsonb_build_object('cells', 1000 * (1 + pg_temp.pick(i, 45, 900)), 'refine', i % 4 = 0),
    'tolerance', 1e-6 * (1 + i % 9),
    'note', CASE WHEN i % 13 = 0 THEN E'line one\nline two \\ "quoted" ü' END),
  CASE WHEN state = 'done' THEN
    jsonb_build_object(
      'residuals', jsonb_build_array(
        pg_temp.pick(i, 46, 100000) / 7.0, pg_temp.pick(i, 47, 100000) / 11.0, null),
      'converged', true, 'iterations', 10 + pg_temp.pick(i, 48, 5000)) END,
  CASE WHEN state = 'done' THEN pg_temp.pick(i, 49, 1000000) / 10000.0 END,
  state::app.calculation_state,
  CASE WHEN state = 'failed' THEN
    'diverged after ' || 1 + pg_temp.pick(i, 50, 900) || ' iterations' END,
  at,
  CASE WHEN state NOT IN ('queued', 'cancelled') THEN
    at + make_interval(secs => pg_temp.pick(i, 51, 900)) END,
  CASE WHEN state IN ('done', 'failed') THEN
    at + make_interval(secs => 900 + pg_temp.pick(i, 52, 72000000) / 1000.0) END,
  CASE WHEN i % 40 = 0 THEN 5 ELSE 0 END
FROM generate_series(1, 80000) AS i,
  LATERAL (SELECT
    CASE
      WHEN i > 79900 THEN 'queued'
      WHEN i > 79880 THEN 'running'
      WHEN pg_temp.pick(i, 53, 25) = 0 THEN 'failed'
      WHEN pg_temp.pick(i, 53, 25) = 1 THEN 'cancelled'
      ELSE 'done'
    END AS state,
    timestamptz '2026-02-03 06:00+00'
      + make_interval(secs => i * 310 + pg_temp.pick(i, 54, 300)) AS at
  ) AS more;

INSERT INTO app.audit_log (occurred_at, actor_id, action, subject, details, client)
SELECT
  -- From December 2025, which has no partition of its own, to November 2026.
  timestamptz '2025-12-20 00:00+00' + make_interval(secs => i * 220 + pg_temp.pick(i, 60, 220)),
  CASE WHEN i % 17 > 0 THEN 1 + pg_temp.pick(i, 61, 2000) END,
  (ARRAY['login', 'update', 'insert', 'download', 'delete'])[1 + pg_temp.pick(i, 62, 5)],
  (ARRAY['projects/', 'uploads/', 'calculations/'])[1 + pg_temp.pick(i, 63, 3)]
    || 1 + pg_temp.pick(i, 64, 500),
  CASE WHEN i % 4 > 0 THEN
    jsonb_build_object('request', md5('request ' || i), 'ms', pg_temp.pick(i, 65, 4000)) END,
  ('10.' || pg_temp.pick(i, 66, 256) || '.' || pg_temp.pick(i, 67, 256) || '.' || i % 256)::inet
FROM generate_series(1, 130000) AS i;

ALTER TABLE app.projects ENABLE TRIGGER USER;
ALTER TABLE app.project_members ENABLE TRIGGER USER;

REFRESH MATERIALIZED VIEW app.monthly_usage;
DROP FUNCTION pg_temp.pick;
COMMIT;
