import Postgres
import Testing

@testable import Schema

/// Casts of arrays get the array's own type between, and nothing else is touched.
@Suite struct ArrayCastsTests {
  @Test(arguments: [
    (
      "((x)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
      """
      ((x)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying]\
      ::character varying[])::text[]))
      """
    ),
    ("ARRAY['a'::public.\"T y\"]::text[]", "ARRAY['a'::public.\"T y\"]::public.\"T y\"[]::text[]"),
    (
      "(ARRAY[('a]'::character varying)::character varying(3)])::text[]",
      "(ARRAY[('a]'::character varying)::character varying(3)]::character varying[])::text[]"
    ),
    (
      "(ARRAY['x''])::'::cidr, ('1'::text)::cidr])::inet[] || (ARRAY['y'::bpchar])::text[]",
      "(ARRAY['x''])::'::cidr, ('1'::text)::cidr]::cidr[])::inet[] "
        + "|| (ARRAY['y'::bpchar]::bpchar[])::text[]"
    ),
  ])
  func `a cast array keeps its type`(before: String, after: String) {
    #expect(ArrayCasts.kept(SQLText(before)).string == after)
  }

  @Test(arguments: [
    "ARRAY['a'::text, 'b'::text]", "ARRAY[]::text[]", "(ARRAY[a, 'b'::character varying])::text[]",
    "(ARRAY['{}'::integer[]])::text[]", "(ARRAY['a'::integer, 'b'::text])::text[]",
    "'(ARRAY[''a''::character varying])::text[]'", "\"(ARRAY['a'::x])::text[]\"",
    "AS $f$ (ARRAY['a'::x])::text[] $1 $f$", "(($1)[1])::text", "('{a}'::text[])::name[]",
    "(ARRAY[",
    "]::x[", "$a", "'",
  ])
  func `other text stays as it is`(text: String) {
    #expect(ArrayCasts.kept(SQLText(text)).string == text)
  }
}
