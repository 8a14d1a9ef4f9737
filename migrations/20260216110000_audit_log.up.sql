-- Who did what. A table a month, so that what is too old goes with a DROP.
CREATE SEQUENCE app.audit_log_id_seq AS bigint;

CREATE TABLE app.audit_log (
  id bigint NOT NULL DEFAULT nextval('app.audit_log_id_seq'),
  occurred_at timestamptz NOT NULL DEFAULT now(),
  actor_id bigint REFERENCES app.users (id) ON DELETE SET NULL,
  action text NOT NULL,
  subject text NOT NULL,
  details jsonb,
  client inet,
  PRIMARY KEY (id, occurred_at)
) PARTITION BY RANGE (occurred_at);

ALTER SEQUENCE app.audit_log_id_seq OWNED BY app.audit_log.id;

CREATE INDEX audit_log_actor_idx ON app.audit_log (actor_id, occurred_at DESC);
CREATE INDEX audit_log_subject_idx ON app.audit_log (subject text_pattern_ops, occurred_at DESC);

CREATE PROCEDURE app.make_audit_log_month(month date)
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $procedure$
DECLARE
  first_day date := date_trunc('month', month);
  partition text := 'audit_log_' || to_char(first_day, 'YYYY_MM');
BEGIN
  -- Months are UTC's, whatever zone the session is in.
  EXECUTE format(
    'CREATE TABLE IF NOT EXISTS app.%I PARTITION OF app.audit_log FOR VALUES FROM (%L) TO (%L)',
    partition, first_day || ' 00:00:00+00', (first_day + interval '1 month')::date || ' 00:00:00+00');
END
$procedure$;

COMMENT ON PROCEDURE app.make_audit_log_month(date) IS
  'Makes the partition for the month of a day; run it before the month begins';

DO $months$
BEGIN
  FOR month IN 1..12 LOOP
    CALL app.make_audit_log_month(make_date(2026, month, 1));
  END LOOP;
END
$months$;

-- For what no month has been made for: nothing is lost.
CREATE TABLE app.audit_log_rest PARTITION OF app.audit_log DEFAULT;

COMMENT ON TABLE app.audit_log IS 'Append-only; partitioned by month';
