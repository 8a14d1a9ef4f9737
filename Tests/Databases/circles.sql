-- Objects that need each other: none of them can be made whole before the others.
CREATE SCHEMA c;
SET search_path = c, public;
-- Functions whose arguments' defaults call each other.
CREATE FUNCTION first(a integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION second(a integer DEFAULT c.first(1)) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE OR REPLACE FUNCTION first(a integer DEFAULT c.second(2)) RETURNS integer LANGUAGE sql AS 'SELECT $1';
COMMENT ON FUNCTION first(integer) IS 'one of two';
-- Bodies that the server parses when they are made.
CREATE FUNCTION even(n integer) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT false';
CREATE FUNCTION odd(n integer) RETURNS boolean LANGUAGE sql STABLE
  BEGIN ATOMIC SELECT CASE WHEN n = 0 THEN false ELSE c.even(n - 1) END; END;
CREATE OR REPLACE FUNCTION even(n integer) RETURNS boolean LANGUAGE sql STABLE
  BEGIN ATOMIC SELECT CASE WHEN n = 0 THEN true ELSE c.odd(n - 1) END; END;
CREATE FUNCTION tabular(n integer) RETURNS TABLE (x integer, y text) LANGUAGE sql AS 'SELECT 1, ''a''';
CREATE VIEW over_tabular AS SELECT * FROM c.tabular(1);
CREATE OR REPLACE FUNCTION tabular(n integer) RETURNS TABLE (x integer, y text) LANGUAGE sql
  BEGIN ATOMIC SELECT v.x, v.y FROM c.over_tabular v WHERE v.x > n; END;
-- A materialized view and a function that reads it.
CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE MATERIALIZED VIEW counts AS SELECT c.counted() AS n;
CREATE OR REPLACE FUNCTION counted() RETURNS bigint LANGUAGE sql
  BEGIN ATOMIC SELECT 1::bigint WHERE NOT EXISTS (SELECT FROM c.counts m WHERE m.n < 0); END;
-- A generated column and a partition key over functions that know the table.
CREATE FUNCTION tax(v integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE TABLE sold (v integer, t integer GENERATED ALWAYS AS (c.tax(v)) STORED);
INSERT INTO sold VALUES (1), (2);
CREATE OR REPLACE FUNCTION tax(v integer) RETURNS integer LANGUAGE sql IMMUTABLE
  BEGIN ATOMIC SELECT CASE WHEN false THEN (SELECT max(s.v) FROM c.sold s) ELSE v END; END;
CREATE FUNCTION bucket(v integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END';
CREATE TABLE parted (v integer) PARTITION BY LIST ((c.bucket(v)));
CREATE TABLE parted_one PARTITION OF parted FOR VALUES IN (1);
INSERT INTO parted VALUES (5);
CREATE OR REPLACE FUNCTION bucket(v integer) RETURNS integer LANGUAGE sql IMMUTABLE
  BEGIN ATOMIC SELECT CASE WHEN false THEN (SELECT max(s.v) FROM c.parted s) ELSE 1 END; END;
-- Defaults and constraints over functions of the row.
CREATE TABLE rowly (a integer, b integer);
CREATE FUNCTION of_row(r c.rowly DEFAULT NULL) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 7';
ALTER TABLE rowly ALTER b SET DEFAULT c.of_row(), ADD CONSTRAINT good CHECK (c.of_row(rowly) > 0);
CREATE DOMAIN held AS integer;
CREATE FUNCTION good_held(h c.held) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER DOMAIN held ADD CONSTRAINT good CHECK (c.good_held(VALUE));
CREATE TABLE holder (h c.held);
-- An operator, an aggregate and a cast that their own functions use.
CREATE FUNCTION plus(a boolean, b boolean) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR c.+ (LEFTARG = boolean, RIGHTARG = boolean, FUNCTION = c.plus);
CREATE OR REPLACE FUNCTION plus(a boolean, b boolean DEFAULT true OPERATOR(c.+) false) RETURNS boolean
  LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE FUNCTION step(s integer, v integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE AGGREGATE total(integer) (SFUNC = c.step, STYPE = integer, INITCOND = '0');
CREATE OR REPLACE FUNCTION step(s integer, v integer) RETURNS integer LANGUAGE sql
  BEGIN ATOMIC SELECT s + v + (SELECT 0 * c.total(x) FROM (VALUES (1)) AS q (x)); END;
CREATE TYPE pair AS (l integer, r integer);
CREATE FUNCTION as_pair(integer) RETURNS c.pair LANGUAGE sql AS 'SELECT ROW($1, $1)::c.pair';
CREATE CAST (integer AS c.pair) WITH FUNCTION c.as_pair(integer) AS ASSIGNMENT;
-- Views over each other.
CREATE VIEW egg AS SELECT 1 AS x;
CREATE VIEW hen AS SELECT x FROM c.egg;
CREATE OR REPLACE VIEW egg AS SELECT x FROM c.hen;
CREATE VIEW seen AS SELECT 1 AS x;
CREATE FUNCTION sees() RETURNS SETOF c.seen LANGUAGE sql AS 'SELECT 1';
CREATE OR REPLACE VIEW seen AS SELECT x FROM c.sees();
-- A view that was replaced by one over itself.
CREATE VIEW worm AS SELECT 1 AS x, 'a'::text AS y;
CREATE OR REPLACE VIEW worm WITH (security_barrier) AS SELECT x, y FROM c.worm WHERE x > 0;
-- A function over a view that is grouped by a key.
CREATE TABLE keyed (id integer PRIMARY KEY, v text);
CREATE VIEW grouped AS SELECT id, v FROM c.keyed GROUP BY id;
CREATE FUNCTION of_grouped(g c.grouped) RETURNS text LANGUAGE sql AS 'SELECT $1.v';
CREATE FUNCTION groups() RETURNS SETOF c.keyed LANGUAGE sql
  BEGIN ATOMIC SELECT k.id, k.v FROM c.keyed k GROUP BY k.id; END;
CREATE VIEW over_groups AS SELECT * FROM c.groups();
CREATE TABLE stores_grouped (g c.grouped, o c.over_groups);
-- A member of an extension that needs what needs the extension.
CREATE EXTENSION citext WITH SCHEMA public;
CREATE FUNCTION ours(public.citext) RETURNS text LANGUAGE sql AS 'SELECT $1::text';
CREATE FUNCTION theirs(c public.citext) RETURNS text LANGUAGE sql
  BEGIN ATOMIC SELECT c.ours(c); END;
ALTER EXTENSION citext ADD FUNCTION c.theirs(public.citext);
-- A domain whose default calls a function of a row that has a column of the domain.
CREATE DOMAIN lent AS integer;
CREATE TABLE lender (h c.lent NOT NULL);
CREATE FUNCTION return_date(h c.lender DEFAULT NULL) RETURNS integer LANGUAGE sql AS 'SELECT 3';
ALTER DOMAIN lent SET DEFAULT c.return_date();
COMMENT ON DOMAIN lent IS 'with a default';
CREATE DOMAIN late AS c.lent DEFAULT 4 CHECK (VALUE > 0) NOT NULL;
-- A cast whose function, replaced afterwards, uses the cast; and others that use it.
CREATE TYPE degrees AS (d numeric);
CREATE FUNCTION to_degrees(v numeric) RETURNS c.degrees LANGUAGE sql AS 'SELECT ROW($1)::c.degrees';
CREATE CAST (numeric AS c.degrees) WITH FUNCTION c.to_degrees(numeric);
CREATE OR REPLACE FUNCTION to_degrees(v numeric) RETURNS c.degrees LANGUAGE sql
  BEGIN ATOMIC SELECT CASE WHEN v > 360 THEN CAST(v - 360 AS c.degrees) ELSE ROW(v)::c.degrees END; END;
CREATE FUNCTION above(v numeric) RETURNS c.degrees LANGUAGE sql
  BEGIN ATOMIC SELECT CAST(v + 1 AS c.degrees); END;
CREATE VIEW beyond AS SELECT CAST(2.5 AS c.degrees) AS d;
