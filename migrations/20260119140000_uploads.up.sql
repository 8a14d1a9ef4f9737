-- The bytes are in the object storage; here is what is known of them.
CREATE TYPE app.upload_state AS ENUM ('pending', 'stored', 'rejected');

CREATE TABLE app.uploads (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id bigint NOT NULL REFERENCES app.projects (id) ON DELETE CASCADE,
  uploaded_by bigint NOT NULL REFERENCES app.users (id),
  object_key text NOT NULL UNIQUE,
  file_name text NOT NULL,
  file_extension text GENERATED ALWAYS AS (lower(substring(file_name FROM '\.([^.]+)$'))) STORED,
  content_type text NOT NULL DEFAULT 'application/octet-stream',
  size_bytes bigint NOT NULL,
  sha256 bytea,
  state app.upload_state NOT NULL DEFAULT 'pending',
  uploaded_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uploads_size_is_not_negative CHECK (size_bytes >= 0),
  CONSTRAINT uploads_sha256_is_whole CHECK (octet_length(sha256) = 32),
  CONSTRAINT uploads_stored_has_a_checksum CHECK (state <> 'stored' OR sha256 IS NOT NULL)
);

CREATE INDEX uploads_project_idx ON app.uploads (project_id, uploaded_at DESC);
CREATE INDEX uploads_pending_idx ON app.uploads (uploaded_at) WHERE state = 'pending';
-- The same file twice in a project is found by its checksum.
CREATE INDEX uploads_checksum_idx ON app.uploads USING hash (sha256);

COMMENT ON COLUMN app.uploads.object_key IS 'Key in the object storage, without the bucket';
COMMENT ON COLUMN app.uploads.size_bytes IS 'As the object storage reports it, in bytes';
