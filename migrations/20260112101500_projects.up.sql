CREATE TYPE app.project_status AS ENUM ('draft', 'active', 'archived');

CREATE TABLE app.projects (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner_id bigint NOT NULL REFERENCES app.users (id) ON DELETE RESTRICT,
  slug text NOT NULL,
  name text NOT NULL,
  description text,
  status app.project_status NOT NULL DEFAULT 'draft',
  settings jsonb NOT NULL DEFAULT '{}',
  tags text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  CONSTRAINT projects_owner_slug_key UNIQUE (owner_id, slug),
  CONSTRAINT projects_slug_is_plain CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  CONSTRAINT projects_archived_has_a_time
    CHECK ((status = 'archived') = (archived_at IS NOT NULL))
);

CREATE INDEX projects_active_idx ON app.projects (created_at DESC) WHERE status = 'active';
CREATE INDEX projects_tags_idx ON app.projects USING gin (tags);

CREATE TABLE app.project_members (
  project_id bigint NOT NULL REFERENCES app.projects (id) ON DELETE CASCADE,
  user_id bigint NOT NULL REFERENCES app.users (id) ON DELETE CASCADE,
  may_write boolean NOT NULL DEFAULT false,
  added_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (project_id, user_id)
);

CREATE INDEX project_members_user_idx ON app.project_members (user_id) INCLUDE (may_write);

COMMENT ON TABLE app.projects IS 'What uploads and calculations belong to';
COMMENT ON CONSTRAINT projects_slug_is_plain ON app.projects IS 'It stands in URLs';
