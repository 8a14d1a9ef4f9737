-- Names that hurt, and objects that shadow the server's own.
create schema "select";
create schema "Ünïcødé %s";
create schema "dot.ted";
create schema "quo""te";
create schema "new
line";
create schema "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
create table "select"."from" ("where" int primary key, "Group" text default '%d \', "a""b" int check ("a""b" > 0), "new
col" int, "select.from" int);
create index "in dex" on "select"."from" ("new
col", "a""b");
comment on column "select"."from"."a""b" is E'multi\nline \\ ''quote''';
comment on table "select"."from" is '';
create type "quo""te"."ty'pe" as enum ('a''b', 'c\d', 'e"f', E'new\nline', ' ');
create table "quo""te"."t'able" (a "quo""te"."ty'pe" default 'a''b', b "quo""te"."ty'pe"[] default '{"a''b"}');
create sequence "dot.ted"."se.q";
create table "dot.ted"."T.able" (a int default nextval('"dot.ted"."se.q"'), b serial);
create function "Ünïcødé %s"."fn""; drop table x; --"("ar g" int, out "Out" int) language sql as 'select 1';
create view "new
line"."vi
ew" as select 1 as "colu
mn", 2 as "?column?";
comment on view "new
line"."vi
ew" is '-- not a comment; /*';
create rule "ru
le" as on insert to "new
line"."vi
ew" do instead nothing;
create table "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"."yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" ("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz" int not null primary key, w int not null);
create table public.pg_class (oid int, relname text);
create table public."text" (a text);
create type public."integer" as (x int);
create table public.uses (a public."integer", b "text", c public."text");
create domain public."int4" as bigint;
create table public.u2 (a public."int4" default 5);
create function public.lower(text) returns text language sql immutable as 'select $1';
create index on public.uses (public.lower(b));
create function public.now() returns timestamptz language sql as 'select pg_catalog.now()';
create table public.u3 (a timestamptz default public.now(), b timestamptz default pg_catalog.now());
create operator public.= (function = texteq, leftarg = text, rightarg = text);
create view public.vop as select b operator(public.=) 'x' as p, b = 'y' as q from public.uses;
create view public.vs as select * from public.pg_class c where relname = 'x';
create table public.nothing ();
create table public.dropped (a int, b int, c int, d int);
alter table public.dropped drop a, drop c, add e int default 4;
create view public.vdrop as select * from public.dropped;
create table public.alldropped (a int);
alter table public.alldropped drop a;
do $$begin create role "Role; drop"; exception when duplicate_object or unique_violation then end$$;
grant select on "select"."from" to "Role; drop";
grant usage on schema "new
line" to "Role; drop";
alter table "quo""te"."t'able" owner to "Role; drop";
grant all on "quo""te"."t'able" to "Role; drop" with grant option;
create policy "po""l" on "select"."from" to "Role; drop" using ("Group" = '\');
