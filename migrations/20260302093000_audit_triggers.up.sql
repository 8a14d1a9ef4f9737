ALTER TABLE app.projects ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();

CREATE FUNCTION app.touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $function$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END
$function$;

CREATE TRIGGER projects_touch BEFORE UPDATE ON app.projects
  FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.*)
  EXECUTE FUNCTION app.touch_updated_at();

-- The service says who acts: SET LOCAL app.user_id = '42'.
CREATE FUNCTION app.record_change() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog
AS $function$
DECLARE
  changed record := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
  INSERT INTO app.audit_log (actor_id, action, subject, details, client)
  VALUES (
    nullif(current_setting('app.user_id', true), '')::bigint,
    lower(TG_OP),
    TG_TABLE_NAME || '/' || coalesce(to_jsonb(changed) ->> TG_ARGV[0], '?'),
    CASE TG_OP
      WHEN 'UPDATE' THEN jsonb_build_object('before', to_jsonb(OLD), 'after', to_jsonb(NEW))
      ELSE to_jsonb(changed)
    END,
    inet_client_addr());
  RETURN NULL;
END
$function$;

CREATE TRIGGER projects_audit AFTER INSERT OR UPDATE OR DELETE ON app.projects
  FOR EACH ROW EXECUTE FUNCTION app.record_change('id');
CREATE TRIGGER project_members_audit AFTER INSERT OR UPDATE OR DELETE ON app.project_members
  FOR EACH ROW EXECUTE FUNCTION app.record_change('project_id');

COMMENT ON FUNCTION app.record_change() IS
  'Writes the change of a row to the audit log; its argument names the key column';
COMMENT ON TRIGGER projects_audit ON app.projects IS 'Projects are what auditors ask about';
