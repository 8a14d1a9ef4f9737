SELECT 1;
-- c
SELECT
  2;
COPY t FROM stdin;
1
\.
SELECT 3;
\restrict abc
