-- Users log in through Keycloak: its subject is who they are, e-mail and name may change.
CREATE SCHEMA app;
COMMENT ON SCHEMA app IS 'Everything that the service keeps';

CREATE DOMAIN app.email_address AS text
  CONSTRAINT email_address_has_an_at CHECK (VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+$');

CREATE TYPE app.user_role AS ENUM ('member', 'analyst', 'admin');

CREATE TABLE app.users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  keycloak_subject uuid NOT NULL UNIQUE,
  email app.email_address NOT NULL,
  display_name text NOT NULL,
  role app.user_role NOT NULL DEFAULT 'member',
  created_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz,
  deactivated_at timestamptz,
  CONSTRAINT users_display_name_is_not_blank CHECK (btrim(display_name) <> '')
);

-- One account an address, whatever its spelling; a closed account frees its address.
CREATE UNIQUE INDEX users_email_key ON app.users (lower(email)) WHERE deactivated_at IS NULL;

COMMENT ON TABLE app.users IS 'People who have logged in at least once';
COMMENT ON COLUMN app.users.keycloak_subject IS 'The "sub" claim of the Keycloak token';
COMMENT ON COLUMN app.users.deactivated_at IS 'Set when the account was closed; its rows stay';
