COPY public.t (a, "from", b) FROM stdin;
1	x;	\N
\.x
\\.
  \.
it's $$ "

\
\.
SELECT 1;
copy t from STDIN with (format csv); -- comment
"a;
b",\.
\.
COPY (SELECT a FROM stdin) TO STDOUT;
COPY t TO stdin;
COPY t FROM 'stdin';
COPY "from" TO stdout;
COPY u FROM
/* here */ stdin
;   
\.
SELECT 2; COPY t FROM stdout;
last
\.