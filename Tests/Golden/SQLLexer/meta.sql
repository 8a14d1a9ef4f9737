\restrict Ab3xYz
-- comment \ here
SELECT '\n', "\", $$\$$;
\connect other
SELECT 1 \gexec
+ 2;
  \echo a; b
SELECT 1 \; SELECT 2;
SELECT 2;\unrestrict Ab3xYz
COPY t FROM stdin;
\N
\.
\i file.sql
