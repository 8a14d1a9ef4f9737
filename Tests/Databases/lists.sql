-- Lists of values over columns whose type has no operator of its own.
CREATE SCHEMA lists;
SET search_path = lists, public;
CREATE TABLE orders (
  id integer PRIMARY KEY,
  state varchar(20) NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'it''s', E'back\\slash', 'a]::b')),
  other varchar CHECK (other NOT IN ('x', 'y')),
  address cidr CHECK (address IN ('10.0.0.0/8', '192.168.0.0/16')),
  letter character(1) CHECK (letter IN ('a', 'b')),
  "Strange [type" varchar CHECK ("Strange [type" IN ('p', NULL, 'q')),
  isopen boolean GENERATED ALWAYS AS (state IN ('new', 'open')) STORED);
INSERT INTO orders (id, state) VALUES (1, 'new');
CREATE INDEX ON orders (id) WHERE state IN ('new', 'open');
CREATE INDEX ON orders ((state IN ('new', 'open')), (CASE WHEN other IN ('a', 'b') THEN 1 END));
CREATE DOMAIN colour AS varchar CHECK (VALUE IN ('red', 'green'));
CREATE DOMAIN shade AS varchar(5) DEFAULT 'x' CHECK (VALUE IN ('red', 'green'));
CREATE VIEW opened AS SELECT id, state IN ('new', 'open') AS o, 'x'::varchar IN ('a', 'b') AS p,
  state = ANY (ARRAY['a', 'b']::varchar[]) AS q, ARRAY['a'::varchar, 'b']::text[] AS r,
  ARRAY[ARRAY['a'::varchar], ARRAY['b'::varchar]]::text[] AS s, ARRAY[]::text[] AS t,
  (SELECT array_agg(x.state)::text[] FROM orders x WHERE x.state IN ('u', 'v')) AS u,
  array_to_string(ARRAY[state, other], '$a$') AS v, ARRAY[id, 2]::bigint[] AS w,
  state LIKE ANY (ARRAY['a%'::varchar, 'b%']) AS x, state IN (other, 'b') AS y, other IN (other, state) AS z
  FROM orders WHERE other NOT IN ('f', 'g');
CREATE MATERIALIZED VIEW kept AS SELECT id FROM orders WHERE state IN ('new', 'open');
CREATE POLICY seen ON orders USING (state IN ('new', 'open')) WITH CHECK (state NOT IN ('a', 'b'));
CREATE FUNCTION changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (ARRAY['a'::character varying])::text[] IS NOT NULL THEN RETURN new; END IF; END $$;
CREATE TRIGGER changed BEFORE UPDATE ON orders FOR EACH ROW WHEN (new.state IN ('new', 'open')) EXECUTE FUNCTION changed();
CREATE RULE quiet AS ON UPDATE TO orders WHERE new.state IN ('a', 'b') DO INSTEAD NOTHING;
CREATE FUNCTION counted(s varchar) RETURNS bigint LANGUAGE sql
  BEGIN ATOMIC SELECT count(*) FROM orders WHERE state IN ('new', 'open') AND s IN ('c', 'd') AND $1 <> 'e'; END;
CREATE FUNCTION listed(s text[] DEFAULT ARRAY['a'::varchar, 'b'::varchar]) RETURNS text[] LANGUAGE sql AS 'SELECT $1';
CREATE STATISTICS st ON (state IN ('new', 'open')), id FROM orders;
CREATE STATISTICS su ON (other || CASE WHEN state IN (other, 'u') THEN 'a' END), (state LIKE ANY (ARRAY['a%'::varchar, 'b%'])) FROM orders;
CREATE PUBLICATION pub_lists FOR TABLE orders WHERE (id IN (1, 2) OR letter IN ('new', 'open'));
COMMENT ON TABLE orders IS 'not a cast: (ARRAY[''a''::character varying])::text[]';
CREATE TABLE parted (s varchar) PARTITION BY LIST (s);
CREATE TABLE parted_a PARTITION OF parted FOR VALUES IN ('a', 'b');
ALTER TABLE orders ADD CONSTRAINT xx EXCLUDE USING btree (id WITH =) WHERE (state IN ('new', 'open'));
COMMENT ON SCHEMA public IS NULL;
