-- strings
SELECT 'a;b', 'it''s;', '\';
SELECT E'a\';b', e'\\', E'x''\';', 1e5, fooE'a\';
SELECT E'one'   -- comment
   'two\'; still two';
SELECT E'one' /* no continuation */ '\'; SELECT 2;
SELECT E'one' 'x\'; SELECT 3;
SELECT U&'d\0061;''t\' , u&"n;\0061""x", U & 'y\';
SELECT B'01;', X'1F;', N'n;\', b'' , "a;b""c;" FROM "select;";
SELECT a-1, a- -1, -1 / 2 * 3, a -- ;comment
  + 1 /* ; /* nested ; */ ' " $$ */ ;
-5; /*x*/ - /* y */ 5;
;;  ;
SELECT 'line
two;
three' AS "x
;y";
SELECT 1; SELECT 2 ; -- tail ;
SELECT '日本;', "é;" ; SELECT 3;
/* leading */ -- comments
/*/ tricky /**/ */ SELECT /*/ x */ 4 **/ 5; //* c */ 6;
SELECT 'last without semicolon' -- end
