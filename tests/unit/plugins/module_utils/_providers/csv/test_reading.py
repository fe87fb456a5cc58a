# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CSV file is read strictly: every way in which it can be damaged is an error with its line."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Row
from ansible_collections.lockstep.sync.plugins.module_utils._providers.csv.dialect import csv_options
from ansible_collections.lockstep.sync.plugins.module_utils._providers.csv.provider import CsvProvider
from ansible_collections.lockstep.sync.plugins.module_utils._providers.csv.table import CsvTable, undecodable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

QUERY = Query()


def provider(path: Path, **options: t.Any) -> CsvProvider:
    return CsvProvider(ProviderSpec(name="hr", type="csv", options={"path": str(path), **options}), {})


def read(path: Path, *fields: str, **options: t.Any) -> list[Row]:
    with provider(path, **options).read(QUERY, fields) as reading:
        return [row for batch in reading.batches() for row in batch]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hr.csv"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty (0 bytes)"),
        (b"\n\n", "only blank lines"),
        (b"id,id,name\n", "line 1: the header names 'id' more than once"),
        (b"id,,name\n", "line 1: column 2 of the header has no name"),
        (b"id,name\n1,Ann\n2,Bob,x\n", "line 3: the row has 3 fields, the header has 2"),
        (b"id,name\n1,Ann\n2\n", "line 3: the row has 1 field, the header has 2"),
        (b'id,name\n\n1,"a\r\nb"\n2\n', "line 5: the row has 1 field"),
        (b'id,name\n1,"Ann\n2,Bob\n', "line 3: a quote is still open at the end of the file"),
        (b'id,name\n1,"Ann"a\n', "line 2: "),
        (b"id,name\n1,A\0nn\n", "line 2: the line holds a NUL byte"),
        (b"i\0d,name\n", "line 1: the line holds a NUL byte"),
        (b"id,name\n1,M\xfcller\n", "line 2: byte 11 (0xfc) is not utf-8 text"),
        (codecs.BOM_UTF8 + b"id,name\n1,M\xfcller\n", "line 2: byte 14 (0xfc) is not utf-8 text"),
        (b"id,name\n1,Ann\n2,M\xc3", "line 3: byte 17 (0xc3) is not utf-8 text"),
    ],
)
def test_a_damaged_file_is_an_error_with_its_line(path: Path, data: bytes, words: str) -> None:
    path.write_bytes(data)
    with pytest.raises(ProviderError, match=re.escape(words)) as caught:
        read(path, "id")
    assert str(path) in caught.value.message
    assert not caught.value.retriable


def test_a_wrong_encoding_proposes_others(path: Path) -> None:
    path.write_bytes(b"id\n\xfc\n")
    with pytest.raises(ProviderError, match="for example windows-1252, iso-8859-1, utf-16"):
        read(path, "id")
    assert read(path, "id", encoding="iso-8859-1") == [("ü",)]


def test_the_bad_byte_is_found_far_into_the_file(path: Path) -> None:
    line = "id ä\n".encode()
    path.write_bytes(line * 400_000 + b"\xfc\n")
    error = undecodable(path, "here", "utf-8")
    assert f"line 400001: byte {len(line) * 400_000} (0xfc)" in error.message


def test_a_file_that_was_repaired_meanwhile_is_worth_another_try(path: Path) -> None:
    path.write_bytes(b"id\n1\n")
    assert undecodable(path, "here", "utf-8").retriable
    path.unlink()
    assert "does not exist" in undecodable(path, "here", "utf-8").message


def test_a_file_cut_in_the_middle_of_a_record_proves_nothing(path: Path) -> None:
    path.write_bytes(b"id,name\n1,Ann\n2,B")
    with provider(path).read(QUERY, ("id", "name")) as reading:
        assert list(reading.batches()) == [[("1", "Ann"), ("2", "B")]]
        assert not reading.completeness.proven
        assert "does not end with a line break" in reading.completeness.reason


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-be", b""),
    ],
)
def test_marks_and_line_breaks_are_not_part_of_the_values(
    path: Path, line_break: str, encoding: str, mark: bytes
) -> None:
    text = line_break.join(["id,name", "1,Änn", "", '2,"a\nb"', ""])
    path.write_bytes(mark + text.encode(encoding))
    with provider(path, encoding=encoding).read(QUERY, ("id", "name")) as reading:
        assert list(reading.batches()) == [[("1", "Änn"), ("2", "a\nb")]]
        assert reading.completeness.proven


def test_a_header_with_a_line_break_in_a_name_is_read(path: Path) -> None:
    path.write_bytes(b'\n"first\nname",id\nAnn,1\n2\n')
    with pytest.raises(ProviderError, match="line 5: the row has 1 field"):
        read(path, "first\nname")


def test_an_empty_cell_is_no_value(path: Path) -> None:
    path.write_bytes(b'id,name,mail\n1,,""\n2, ,x\n')
    assert read(path, "id", "name", "mail") == [("1", None, None), ("2", " ", "x")]
    assert read(path, "name") == [(None,), (" ",)]
    assert read(path) == [(), ()]


def test_a_cell_of_ten_megabytes_is_read(path: Path) -> None:
    big = "x" * 10_000_000
    path.write_text(f"id,name\n1,{big}\n")
    assert read(path, "name") == [(big,)]


def test_a_cell_beyond_the_limit_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("id,name\n1," + "x" * 1000 + "\n")
    table = CsvTable(csv_options(ProviderSpec(name="hr", type="csv", options={"path": str(path)})))
    old = csv.field_size_limit(100)
    try:
        with table, pytest.raises(ProviderError, match="line 2: a cell has more than"):
            list(table.batches())
    finally:
        csv.field_size_limit(old)


def test_other_delimiters_and_quotes_are_read(path: Path) -> None:
    path.write_text("id;name\n1;'a;b'\n2;\"c\"\n")
    assert read(path, "name", delimiter=";", quote="'") == [("a;b",), ('"c"',)]


def test_a_file_without_a_header_takes_the_declared_names(path: Path) -> None:
    path.write_text("1,Ann\n2,Bob\n")
    assert read(path, "name", header=False, fields=["id", "name"]) == [("Ann",), ("Bob",)]
    with pytest.raises(ProviderError, match="line 1: the row has 2 fields, the header has 3"):
        read(path, "id", header=False, fields=["id", "name", "mail"])
    path.write_text("")
    assert read(path, "name", header=False, fields=["id", "name"]) == []


def test_formula_like_text_is_untouched(path: Path) -> None:
    path.write_text("id,name\n1,=1+1\n")
    assert read(path, "name") == [("=1+1",)]


def test_blanks_around_a_name_are_told(path: Path) -> None:
    path.write_text("id, mail\n1,x\n")
    with pytest.raises(ConfigError, match="The header has ' mail'"):
        read(path, "mail")
    assert read(path, " mail") == [("x",)]


@pytest.mark.parametrize(("query", "what"), [(Query(container="t"), "table or sheet"), (Query(text="SELECT"), "query")])
def test_a_file_has_no_tables_and_queries(path: Path, query: Query, what: str) -> None:
    path.write_text("id\n")
    with pytest.raises(ConfigError, match=f"has no {what}"):
        provider(path).describe_container(query)


def test_a_destination_that_does_not_exist_yet_is_described_so(path: Path) -> None:
    info = provider(path).describe_container(QUERY)
    assert (info.exists, info.fields, info.kind) == (False, (), "file")
    with pytest.raises(ProviderError, match="does not exist"):
        provider(path).read(QUERY, ("id",))


def test_the_check_tells_fields_and_encoding(path: Path) -> None:
    path.write_text("id,name\n")
    status = provider(path).check()
    assert (status.server, status.version) == ("csv file", "")
    assert status.details == f"{path}: 2 fields, utf-8"


def test_a_file_that_changes_while_it_is_read_is_worth_another_try(path: Path) -> None:
    path.write_text("id\n" + "1\n" * 3000)
    with provider(path).read(QUERY, ("id",)) as reading:
        batches = reading.batches()
        next(batches)
        with path.open("a") as file:
            file.write("2\n")
        with pytest.raises(ProviderError, match="was changed") as caught:
            list(batches)
    assert caught.value.retriable
    assert not reading.completeness.proven


def test_keys_are_read_from_the_same_file_as_before_or_not_at_all(path: Path) -> None:
    path.write_text("id,name\n1,a\n2,b\n")
    source = provider(path)
    with source.read(QUERY, ("id",)) as reading:
        list(reading.batches())
    with source.read_keys(QUERY, ("name",), ("id",), [("2",)]) as reading:
        assert list(reading.batches()) == [[("b",)]]
    path.write_text("id,name\n1,a\n2,c\n")
    os.utime(path, (1, 1))
    with pytest.raises(ProviderError, match="was changed") as caught:
        source.read_keys(QUERY, ("name",), ("id",), [("2",)])
    assert caught.value.retriable
    source.release()
    with source.read_keys(QUERY, ("name",), ("id",), [("2",), ("9",)]) as reading:
        assert list(reading.batches()) == [[("c",)]]


def test_no_batch_is_empty_when_no_key_is_found(path: Path) -> None:
    path.write_text("id\n1\n")
    with provider(path).read_keys(QUERY, ("id",), ("id",), [("9",)]) as reading:
        assert list(reading.batches()) == []
        assert reading.completeness.proven


def test_a_thousand_blank_lines_are_no_end(path: Path) -> None:
    path.write_text("id,name\n" + "\n" * 3000 + "1,a\n")
    assert read(path, "id", "name") == [("1", "a")]


cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(st.text("ab", min_size=1, max_size=2), cells, cells), max_size=20))
def test_what_another_writer_wrote_is_read_as_it_was(path: Path, rows: list[tuple[str, str, str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([("x", "y", "z"), *rows])
    path.write_bytes(text.getvalue().encode())
    assert read(path, "x", "y", "z") == [tuple(cell or None for cell in row) for row in rows]
