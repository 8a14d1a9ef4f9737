DROP TABLE app.uploads;
DROP TYPE app.upload_state;
