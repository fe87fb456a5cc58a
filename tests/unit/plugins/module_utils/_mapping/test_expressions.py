# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import sys

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._mapping import expressions
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import (
    ConfigError,
    DependencyError,
    RecordError,
    SkipRecord,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import Expression, FieldSpec, Trim

ROW = {
    "First": "Ann",
    "Last": "O'Neil",
    "Empty": None,
    "Many": ("a", "b"),
    "Photo": b"\xff\x00",
    "Big": "x" * 990_000,
    "_id": "7",
    "a b": "s",
}


@pytest.fixture
def run(map_value):
    """`run(text, value)`: what the expression gives on ROW."""

    def evaluate(text: str, value=None):
        return map_value(Expression(text=text), value, **ROW)

    return evaluate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("source.First", "Ann"),
        ("source['First'] ~ ' ' ~ source.Last", "Ann O'Neil"),
        ("source['a b'] + source._id", "s7"),
        ("source.Empty", None),
        ("source.Empty ~ 'x'", "x"),
        ("source.Empty.upper() ~ 'x'", "x"),
        ("source.Many", ("a", "b")),
        ("source.Many | join(';')", "a;b"),
        ("source.Photo", b"\xff\x00"),
        ("value", "v"),
        ("value | upper", "V"),
        ("context.job ~ '/' ~ context.object", "hr/people"),
        ("context['job']", "hr"),
        ("now().year", "2026"),
        ("now().isoformat()", "2026-11-21T08:30:15+00:00"),
        ("now() | strftime('%d.%m.%Y')", "21.11.2026"),
        ("now().strftime('%H')", "08"),
        ("'%Y' | strftime(now())", "2026"),
        ("'%Y-%m-%d' | strftime(0)", "1970-01-01"),
        ("(now() - ('2026-11-20 08:30:15' | to_datetime)).days", "1"),
        ("('2026-11-20T00:00:00+0200' | to_datetime('%Y-%m-%dT%H:%M:%S%z')).isoformat()", "2026-11-20T00:00:00+02:00"),
        ("(now() - now()).total_seconds()", "0"),
        ("now().date().isoformat()", "2026-11-21"),
        ("1 + 2 * 3 - 4 / 2 // 1 % 5 ** 2", "5"),
        ("-1", "-1"),
        ("2 ** -1", "0.5"),
        ("'abcd'[1:3] ~ 'abcd'[::-1] ~ 'abcd'[:1] ~ ('a', 'b')[1:][0]", "bcdcbaab"),
        ("0.5", "0.5"),
        ("1 == 1", "true"),
        ("not true", "false"),
        ("none", None),
        ("''", None),
        ("['a', 1, true, none, '']", ("a", "1", "true")),
        ("('a', 'b')", ("a", "b")),
        ("'a' if source.First == 'Ann' else 'b'", "a"),
        ("{'x': 'y'}['x'] ~ {'x': 'z'}.x", "yz"),
        ("source.First[0] ~ source.First[-2:]", "Ann"),
        ("source.Many[1]", "b"),
        ("source.First.replace('n', 'm').ljust(5, '.').center(7).strip()", "Amm.."),
        ("'-'.join(source.Many)", "a-b"),
        ("source.First.zfill(5) ~ source.First.rjust(4)", "00Ann Ann"),
        ('source.Last.split("\'")', ("O", "Neil")),
        ("source.Many.index('b')", "1"),
        ("source.First | replace('n', 'm', 1) | center(5)", " Amn "),
        ("source.First | replace('n', 'm')", "Amm"),
        ("source.First | regex_replace('(n)$', '<\\\\1>')", "An<n>"),
        ("source.First | regex_replace(pattern='N', replacement='', ignorecase=true)", "A"),
        ("source.First | regex_search('n+')", "nn"),
        ("source.First | regex_search('(A)(?P<rest>n)', 2)", "n"),
        ("source.First | regex_search('(A)(?P<rest>n)', '\\\\1')", "A"),
        ("source.First | regex_search('(A)(?P<rest>n)', '\\\\g<rest>')", "n"),
        ("source.First | regex_search('(x)?A', 1)", None),
        ("source.First | regex_search('zz')", None),
        ("source.First is match('an', true) and source.First is search('n')", "true"),
        ("source.First is match('n')", "false"),
        ("5 is match('5')", "true"),
        ("source.Many | map('upper') | list", ("A", "B")),
        ("source.Many | map('regex_replace', 'a', 'x') | join", "xb"),
        ("source.Many | select('match', 'a') | list", ("a",)),
        ("source.Many | reject('equalto', 'a') | first", "b"),
        ("[{'n': 'x', 'k': 'y'}] | selectattr('n', 'equalto', 'x') | map(attribute='k') | first", "y"),
        ("range(3) | list", ("0", "1", "2")),
        ("range(1, 9, 4) | map('string') | join(',')", "1,5"),
        ("source.First | b64encode", "QW5u"),
        ("source.Photo | b64encode", "/wA="),
        ("'QW5u' | b64decode", "Ann"),
        ("source.First | hash('sha256')", hashlib.sha256(b"Ann").hexdigest()),
        ("source.Photo | hash('md5') | length", "32"),
        ("'%05d-%s-%%' | format(42, 'x')", "00042-x-%"),
        ("'%(a)s' | format(a='x')", "x"),
        ("3.14159 | round(2)", "3.14"),
        ("'yes' | bool", "true"),
        ("(source.Empty | bool) or ('Off' | bool)", "false"),
        ("true | bool", "true"),
        ("1 | bool", "true"),
        ("source.Empty | default('d', true)", "d"),
        ("{}.x | default('d')", "d"),
        ("source.First is defined", "true"),
        ("source | length", "9"),
        ("'First' in source", "true"),
        ("source | list | sort | last", "S"),
        ("source[source.First | replace('Ann', 'Last')]", "O'Neil"),
        ("(source ~ '').startswith('record of S, First')", "true"),
        ("[3, 1, 2] | sort(reverse=true) | map('string') | list", ("3", "2", "1")),
        ("[1, 2] | sum + ([3, 4] | max)", "7"),
        ("'a b' | urlencode ~ ('a b' | wordcount)", "a%20b2"),
    ],
)
def test_expressions(run, text, expected):
    assert run(text, "v") == expected


def test_an_expression_sees_the_value_so_far(map_value):
    assert map_value((Trim(), Expression(text="value ~ '!'")), " a ") == "a!"
    assert map_value((Trim(), Expression(text="value ~ '!'")), None) == "!"


@pytest.mark.parametrize("reason", ["skip('no mail')", "source.Empty or skip('no mail')"])
def test_skip_leaves_the_record_with_its_reason(run, reason):
    with pytest.raises(SkipRecord, match=r"^no mail$"):
        run(reason)


# -- refused when the job is compiled ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ source.First }}", "write the expression without braces: 'source.First'"),
        ("{% if x %}", "without braces"),
        ("source.First +", "is not an expression"),
        ("source.First source.Last", "unexpected 'source' after its end"),
        ("'a', 'b'", "unexpected ',' after its end"),
        ("}}", "is not an expression"),
        ("'open", "is not an expression"),
        ("", "is not an expression"),
        ("(" * 3000 + ")" * 3000, "is not an expression"),
        ("-" * 3000 + "1", "is not an expression"),
        ("value" + ".upper()" * 300, "too many parts in a row"),
        ("9" * 9000, "is not an expression"),
        ("x" * 10_001, "at most 10,000 characters"),
        ("sauce.First", "there is no name 'sauce'. Did you mean 'source'"),
        ("self", "there is no name 'self'"),
        ("lipsum()", "there is no name 'lipsum'"),
        ("cycler.__init__.__globals__", "there is no name 'cycler'|cannot reach"),
        ("source.Frist", "there is no source field 'Frist'. Did you mean 'First'"),
        ("source['Frist']", "there is no source field 'Frist'"),
        ("source[0]", r"source\[0\]: fields are named by text"),
        ("source.__class__", "cannot reach '__class__'"),
        ("''.__class__.__mro__", "cannot reach"),
        ("value | nosuch", "there is no filter 'nosuch'"),
        ("value | attr('__class__')", "there is no filter 'attr'"),
        ("value | xmlattr", "there is no filter 'xmlattr'"),
        ("value | concatenate", "there is no filter 'concatenate'"),
        ("'a' if true else (value | nosuch)", "there is no filter 'nosuch'"),
        ("'x' if source.Empty", "an `if` in an expression needs an `else`"),
        ("value is nosuch", "there is no test 'nosuch'"),
        ("[] | map('nosuch') | list", "there is no filter or test for map 'nosuch'"),
        ("[] | map(source.First) | list", "there is no filter or test for map '.computed.'"),
        ("[] | map([]) | list", "there is no filter or test for map"),
        ("[] | select('nosuch') | list", "there is no filter or test for select 'nosuch'"),
        ("[] | selectattr('a', 'nosuch') | list", "for selectattr 'nosuch'"),
        ("range(*[1])", "cannot spread arguments"),
        ("value | replace(**{})", "cannot spread arguments"),
        ("value | regex_replace(source.First, '')", "takes its pattern as a text written in the expression"),
        ("value | regex_replace(5, '')", "takes its pattern as a text"),
        ("value | regex_search", "takes its pattern as a text"),
        ("value | regex_search('(')", "'.' is not a regular expression"),
        ("value is match(value)", "takes its pattern as a text"),
        ("[] | map('regex_replace', value) | list", "takes its pattern as a text"),
        ("[] | select('search', '[') | list", "is not a regular expression"),
    ],
)
def test_a_wrong_expression_is_a_config_error(run, text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        run(text)

    assert caught.value.message.startswith("object 'people', field 'out', step 1 (expression): ")


# -- refused for a record ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{'a': 1}", "of the kind dict"),
        ("now()", "of the kind datetime"),
        ("[[1]]", "of the kind list"),
        ("source.First.upper", "of the kind builtin_function_or_method"),
        ("source.First.nosuch", "there is no attribute of texts called 'nosuch'"),
        ("source.First.format()", "called 'format'.*'upper'"),
        ("source.First.format_map({})", "called 'format_map'"),
        ("source.First.translate({})", "called 'translate'"),
        ("source.First.encode()", "called 'encode'"),
        ("source.First.expandtabs(9)", "called 'expandtabs'"),
        ("source.First['upper']()", "string indices must be integers"),
        ("source.First[9]", "has no element 9"),
        ("[1].append(2)", "called 'append'"),
        ("now().replace(year=1)", "called 'replace'"),
        ("(1).real", "called 'real'"),
        ("(1)['real']", "a value of the kind int has no parts"),
        ("now().tzinfo", "called 'tzinfo'"),
        ("now.x", "of the kind function called 'x'"),
        ("{}.x", "has no attribute 'x'"),
        ("{}['x'].y", "has no attribute 'x'"),
        ("{}['x']['y']", "has no attribute 'x'"),
        ("{}['x']()", "only methods and the functions now, range and skip can be called"),
        ("source.First()", "can be called"),
        ("source[source.First]", "there is no source field 'Ann'"),
        ("source[1 - 1]", "there is no source field 0"),
        ("source[1:2]", "a value of the kind TextRowView has no parts"),
        ("source.First.upper ~ ''", "a value of the kind builtin_function_or_method cannot be used here"),
        ("['a'] | map(attribute='__class__') | list", "string indices must be integers"),
        ("['a'] | selectattr('__class__') | list", "string indices must be integers"),
        ("['a', 'b'] | sort(attribute='__class__')", "string indices must be integers"),
        ("[now] | map(attribute='__globals__') | list", "kind function cannot be used here"),
        ("[{}] | map(attribute='__class__') | list", "has no attribute '__class__'"),
        ("[{}] | map(attribute='__class__.__mro__') | list", "has no attribute '__class__'"),
        ("source.First | default(skip)", "kind function cannot be used here"),
        ("1 / 0", "division by zero"),
        ("1 + 'a'", "unsupported operand"),
        ("1 < 'a'", "not supported between"),
        ("'maybe' | bool", "'maybe' is neither true nor false. Valid: 0, 1, f, false"),
        ("[1] | bool", "expected a text, got list"),
        ("'x' | to_datetime", "does not match format"),
        ("'x' | to_datetime('%Y' * 200)", "at most 200 characters"),
        ("1.5 | strftime(3)", "strftime takes a date and a format"),
        ("now() | strftime(3)", "strftime takes a date"),
        ("source.First | b64decode", "padding"),
        ("source.First | hash('crc')", "there is no hash 'crc'. Valid: md5"),
        ("source.Big | regex_search('x')", "at most 32,768 characters"),
        ("'a' | regex_search('a', 3)", "no such group"),
        ("[{}] | join(attribute='a')", "join takes no attribute"),
        ("skip('')", "skip.. takes the reason"),
        ("skip(5)", "skip.. takes the reason"),
        ("'a' | truncate(1)", "AssertionError|expected length"),
    ],
)
def test_a_failing_expression_is_an_error_of_that_record(run, text, message):
    with pytest.raises(RecordError, match=message) as caught:
        run(text)

    assert caught.value.field == "out"
    assert caught.value.message.startswith("field 'out', step 1 (expression): ")
    assert len(caught.value.message) < 2000


def test_the_error_shows_the_expression_and_what_it_read(run):
    with pytest.raises(RecordError) as caught:
        run("value ~ (source.First | int(base=99)) ~ 1 / source.Empty", "v")

    assert "The expression is 'value ~ (source.First" in caught.value.message
    assert caught.value.message.endswith("value = 'v', source.First = 'Ann', source.Empty = nothing.")


# -- limits: each ends soon, and only that record fails -----------------------------------------------------------

BOMBS = [
    "'a' * 10**9",
    "10**9 * 'a'",
    "['a'] * 10**6",
    "source.Photo * 10**9",
    "10**(10**10)",
    "2**(2**40)",
    "(10**1000) * (10**3000)",
    "(10**2999) ** 3",
    "'%1000000000d' % 1",
    "'%1000000000d' | format(1)",
    "'%.1000000000f' | format(1)",
    "'%*d' | format(1000000000, 1)",
    "'%(a)1000000000d' | format(a=1)",
    "('%s' * 1000) | format(source.Big, source.Big)",
    "'a'.ljust(10**9)",
    "'a'.rjust(10**9)",
    "'a'.center(10**9)",
    "'a'.zfill(10**9)",
    "'a' | center(10**9)",
    "'a'.ljust('x')",
    "1.5 | round(10**9)",
    "range(10**9) | list",
    "range(10**30) | list",
    "range(10**12) | sum",
    "source.Big + source.Big",
    "source.Big ~ source.Big",
    "source.Big ~ [source.Big]",
    " ~ ".join(["source.Big"] * 100),
    "[source.Big, source.Big] | join",
    "[source.Big, source.Big] | string",
    "(range(5000) | list) | join(source.Big)",
    "source.Big.join(['a'] * 100)",
    "source.Big | replace('x', 'xx')",
    "source.Big.replace('x', 'xx')",
    "source.Big.replace('', 'xx')",
    "source.Big | list",
    "source.Big | map('upper') | list",
    "source.Big.split('x')",
    "[" + ", ".join(["source.Big[::-1]"] * 500) + "] | length",
    "source.Big | urlencode | urlencode ~ source.Big",
    "[[1] * 10000] * 10000",
    "([[1] * 100] * 99) + ([[1] * 100] * 99)",
    "('a' * 30000) | regex_replace('a', 'b' * 1000)",
    "'%' * 250 | strftime(now())",
    "now().strftime('%1000000000d')",
    "range(10000)" + " | map('string')" * 100 + " | list",
    "range(10000)" + " | map('string') | list | sort" * 30,
    "[" + ", ".join(["source.Big | lower"] * 400) + "] | first",
    "(" + " + ".join(["[source.Big.upper()]"] * 100) + ") | length",
    "source.Big" + ".upper().lower()" * 40,
    "('f' * 999999) | int(base=16)",
    "[range(10000) | list, range(10000) | list] | sum(start=[])",
]


@pytest.mark.parametrize("text", BOMBS, ids=lambda text: text[:40])
def test_a_bomb_fails_soon_and_the_next_record_goes_on(compile_fields, text):
    # Without its limit each of these runs for minutes or takes gigabytes.
    compiled = compile_fields(
        FieldSpec(name="ok", source="First", key=True),
        FieldSpec(name="out", transform=(Expression(text=text),)),
        known=list(ROW),
    )
    row = tuple(ROW.get(name) for name in compiled.source_fields)

    with pytest.raises(RecordError) as caught:
        compiled.map_row(row)

    assert caught.value.field == "out"
    assert compiled.map_key(row) == ("Ann",)


@pytest.mark.parametrize("text", ["('9' * 999999) | int", "('12' * 4000) | int(base=3)"])
def test_long_texts_that_are_no_numbers_end_soon_too(run, text):
    assert run(text) == "0"


def test_work_is_counted_for_each_record_anew(compile_fields):
    text = "(range(2000) | map('string') | join | length) ~ source.x"
    compiled = compile_fields(FieldSpec(name="f", transform=(Expression(text=text),)))

    assert {compiled.map_row((str(number),)) for number in range(60)} == {(f"6890{number}",) for number in range(60)}


# -- when --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("source.Status == 'active'", True),
        ("source.Status != 'active'", False),
        ("source.Flag | bool", True),
        ("source.Status in ['active', 'new'] and not source.Gone", True),
        ("true", True),
    ],
)
def test_when(compile_fields, text, expected):
    compiled = compile_fields(FieldSpec(name="f", source="Status"), when=text)
    values = {"Status": "active", "Flag": "yes", "Gone": None}

    assert compiled.in_scope(tuple(values[name] for name in compiled.source_fields)) is expected


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("source.Status", "'active'"),
        ("1", "'1'"),
        ("none", "'None'"),
        ("source.Status | length", "'6'"),
        ("{}.x | default(none)", "'None'"),
    ],
)
def test_a_condition_that_gives_neither_true_nor_false_is_an_error_of_that_record(compile_fields, text, got):
    compiled = compile_fields(FieldSpec(name="f", source="Status"), when=text)

    with pytest.raises(RecordError) as caught:
        compiled.in_scope(("active",))

    assert (
        f"when: the condition must give true or false, it gave {got}. Compare it with something, or use `| bool`"
        in caught.value.message
    )
    assert caught.value.field is None


def test_a_condition_can_skip_with_a_reason(compile_fields):
    compiled = compile_fields(FieldSpec(name="f", source="Status"), when="source.Status == 'x' or skip('gone')")

    assert compiled.in_scope(("x",))
    with pytest.raises(SkipRecord, match="gone"):
        compiled.in_scope(("y",))


def test_a_condition_has_no_value(compile_fields):
    with pytest.raises(ConfigError, match=r"object 'people', when: .*there is no name 'value'"):
        compile_fields(FieldSpec(name="f", source="a"), when="value == 'x'")


# -- remembered results ------------------------------------------------------------------------------------------------


def test_remembered_results_are_those_of_the_same_values(compile_fields):
    compiled = compile_fields(
        FieldSpec(name="f", source="a", transform=(Expression(text="value ~ '-' ~ source.b"),)),
        FieldSpec(name="g", transform=(Expression(text="'fixed'"),)),
        FieldSpec(name="h", transform=(Expression(text="source.a ~ source.b"),)),
    )
    rows = [("1", "2"), ("12", None), (None, "12"), ("1", "2"), (("1", "2"), "x" * 2000), ("x" * 2000, "")]

    expected = [
        ("1-2", "fixed", "12"),
        ("12-", "fixed", "12"),
        ("-12", "fixed", "12"),
        ("1-2", "fixed", "12"),
        (f"('1', '2')-{'x' * 2000}", "fixed", f"('1', '2'){'x' * 2000}"),
        (f"{'x' * 2000}-", "fixed", "x" * 2000),
    ]
    assert [compiled.map_row(row) for row in rows] == expected
    assert [compiled.map_row(row) for row in rows] == expected


def test_many_different_values_are_not_remembered_for_ever(compile_fields, monkeypatch):
    monkeypatch.setattr(expressions, "_REMEMBERED", 4)
    compiled = compile_fields(FieldSpec(name="f", transform=(Expression(text="source.a | upper"),)))

    assert [compiled.map_row((f"a{number % 7}",)) for number in range(50)] == [
        (f"A{number % 7}",) for number in range(50)
    ]


def test_errors_are_told_for_every_record(compile_fields):
    compiled = compile_fields(FieldSpec(name="f", transform=(Expression(text="1 / (source.a | int)"),)))

    for _time in range(2):
        with pytest.raises(RecordError, match="division by zero"):
            compiled.map_row(("0",))


def test_without_jinja2_the_error_names_the_command(compile_fields, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)

    with pytest.raises(DependencyError, match=r"Jinja2 is needed .* pip install jinja2"):
        compile_fields(FieldSpec(name="f", transform=(Expression(text="1"),)))
