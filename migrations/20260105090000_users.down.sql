DROP TABLE app.users;
DROP TYPE app.user_role;
DROP DOMAIN app.email_address;
DROP SCHEMA app;
