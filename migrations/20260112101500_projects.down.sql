DROP TABLE app.project_members;
DROP TABLE app.projects;
DROP TYPE app.project_status;
