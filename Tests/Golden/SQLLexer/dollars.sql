SELECT $$a;b'c"d--e/*$$;
SELECT $q$a;$$b$x$ $Q$ $q $q$ || $q$$q$, $ä$;$ä$;
SELECT a$b$c;$d$;$d$;
SELECT $1, $2::int, $1$a$;$a$;
SELECT 1$$;$$;
SELECT $a $ b$c$ ; SELECT 2;
SELECT $a$$b$a$; SELECT $a$b$$a$; SELECT $aa$$a$aa$;
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
  PERFORM $$;$$; -- ' unbalanced
END;
$body$;
DO $$ BEGIN RAISE NOTICE 'x;'; END $$; SELECT $_1$;$_1$;
