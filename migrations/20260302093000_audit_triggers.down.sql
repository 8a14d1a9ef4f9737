DROP TRIGGER project_members_audit ON app.project_members;
DROP TRIGGER projects_audit ON app.projects;
DROP FUNCTION app.record_change();
DROP TRIGGER projects_touch ON app.projects;
DROP FUNCTION app.touch_updated_at();
ALTER TABLE app.projects DROP COLUMN updated_at;
