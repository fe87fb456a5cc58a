# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sheet is read as canonical text; what a reader would silently take for empty is an error."""

from __future__ import annotations

import datetime as dt
import os
import re
import typing as t
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import (
    ConfigError,
    DependencyError,
    ProviderError,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Row
from ansible_collections.lockstep.sync.plugins.module_utils._providers.excel import libraries, package
from ansible_collections.lockstep.sync.plugins.module_utils._providers.excel.package import (
    column_letters,
    column_number,
)
from ansible_collections.lockstep.sync.plugins.module_utils._providers.excel.provider import ExcelProvider
from openpyxl.worksheet.worksheet import Worksheet

QUERY = Query(container="S")


def provider(path: Path) -> ExcelProvider:
    return ExcelProvider(ProviderSpec(name="hr", type="excel", options={"path": str(path)}), {})


def save(
    path: Path, *rows: t.Sequence[t.Any], name: str = "S", edit: Callable[[Worksheet], None] | None = None
) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = name
    for row in rows:
        sheet.append(row)
    if edit:
        edit(sheet)
    book.save(path)


def read(path: Path, *fields: str, sheet: str = "S") -> list[Row]:
    with provider(path).read(Query(container=sheet), fields) as reading:
        rows = [row for batch in reading.batches() for row in batch]
        assert reading.completeness.proven
    return rows


def rewrite(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    """Change one part of the package."""
    with zipfile.ZipFile(path) as old:
        parts = {info.filename: old.read(info) for info in old.infolist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)


SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hr.xlsx"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("00042", "00042"),
        (" blank ", " blank "),
        (5, "5"),
        (5.0, "5"),
        (1.5, "1.5"),
        (1234567890123456, "1234567890123456"),
        (True, "true"),
        (False, "false"),
        (dt.date(2026, 11, 21), "2026-11-21"),
        (dt.datetime(2026, 11, 21), "2026-11-21"),  # noqa: DTZ001 - cells have no zone
        (dt.datetime(2026, 11, 21, 8, 30, 1), "2026-11-21T08:30:01"),  # noqa: DTZ001
        (dt.time(8, 30), "08:30:00"),
        (dt.timedelta(hours=30), "30:00:00"),
        (None, None),
    ],
)
def test_each_type_of_cell_has_its_canonical_text(path: Path, cell: object, text: str | None) -> None:
    save(path, ["id", "value"], ["1", cell], ["2", "other"])
    assert read(path, "value", "id") == [(text, "1"), ("other", "2")]


def test_a_column_of_numbers_is_read(path: Path) -> None:
    save(path, ["n"], [1], [2.5], [-3])
    assert read(path, "n") == [("1",), ("2.5",), ("-3",)]


def test_empty_rows_are_ignored_and_short_ones_are_filled(path: Path) -> None:
    save(path, ["a", "b", "c"], ["1"], [], ["2", None, "x"], [None, "only b"])
    assert read(path, "a", "b", "c") == [("1", None, None), ("2", None, "x"), (None, "only b", None)]
    assert read(path) == [(), (), ()]


def test_only_the_sheet_named_is_read_hidden_or_not(path: Path) -> None:
    def hide(sheet: Worksheet) -> None:
        assert sheet.parent is not None
        sheet.parent.create_sheet("visible")
        sheet.sheet_state = "veryHidden"

    save(path, ["a"], ["1"], edit=hide)
    assert read(path, "a") == [("1",)]


@pytest.mark.parametrize("name", ["x", "x" * 31, 'Ünï & <co> "q"', "a'b"])
def test_any_name_of_a_sheet_is_found(path: Path, name: str) -> None:
    save(path, ["a"], ["1"], name=name)
    assert read(path, "a", sheet=name) == [("1",)]


def test_three_hundred_columns_are_read(path: Path) -> None:
    names = [f"field {number}" for number in range(300)]
    save(path, names, list(range(300)))
    assert read(path, *names) == [tuple(str(number) for number in range(300))]


def test_the_table_may_start_in_another_column(path: Path) -> None:
    save(path, [None, None, "a", "b"], [None, None, "1", "2"])
    assert read(path, "b", "a") == [("2", "1")]


def test_header_cells_that_are_no_text_are_named_by_their_canonical_text(path: Path) -> None:
    save(path, ["id", 2026, dt.date(2026, 1, 1)], ["1", "x", "y"])
    assert read(path, "2026", "2026-01-01") == [("x", "y")]


def test_a_name_given_twice_is_an_error_only_where_it_is_asked_for(path: Path) -> None:
    save(path, ["a", "b", None, "a"], ["1", "2", "3", "4"])
    assert read(path, "b") == [("2",)]
    with pytest.raises(ProviderError, match="names 'a' more than once, in columns A, D"):
        read(path, "a")
    assert [field.name for field in provider(path).describe()[0].fields] == ["a", "b"]


def test_a_value_under_no_name_is_an_error(path: Path) -> None:
    save(path, ["a", "b"], ["1", "2"], ["3", "4", None, "x"])
    with pytest.raises(ProviderError, match="D3 has a value, but its column has no name"):
        read(path, "a")


def test_a_first_row_that_is_empty_is_an_error(path: Path) -> None:
    save(path, [], ["a"], ["1"])
    with pytest.raises(ProviderError, match="the first row is empty"):
        read(path, "a")


def test_an_empty_sheet_is_an_error_to_read_and_a_place_to_write_to(path: Path) -> None:
    save(path)
    with pytest.raises(ProviderError, match="sheet 'S' is empty"):
        read(path, "a")
    info = provider(path).describe_container(QUERY)
    assert (info.exists, info.fields, info.kind) == (False, (), "sheet")
    assert not provider(path).describe()[0].exists


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#REF!"])
def test_an_error_in_a_cell_is_named_when_its_column_is_asked_for(path: Path, error: str) -> None:
    save(path, ["a", "b"], ["1", "x"], ["2", error], ["3", error])
    assert read(path, "a") == [("1",), ("2",), ("3",)]
    with pytest.raises(ProviderError, match="B3 holds an error value") as caught:
        read(path, "a", "b")
    assert not caught.value.retriable


def test_a_formula_gives_its_calculated_value(path: Path) -> None:
    save(path, ["a", "b"], ["1", "=1+1"], ["2", '=""'], ["3", "x"])
    rewrite(path, SHEET, lambda xml: re.sub(rb"<f>1\+1</f><v ?/>", b"<f>1+1</f><v>2</v>", xml))
    rewrite(path, SHEET, lambda xml: re.sub(rb'<c r="B3"><f>""</f><v ?/>', b'<c r="B3" t="str"><f>""</f><v></v>', xml))
    assert read(path, "b") == [("2",), (None,), ("x",)]


def test_a_formula_that_was_never_calculated_is_not_taken_for_empty(path: Path) -> None:
    save(path, ["a", "b"], ["1", "x"], ["2", "=1+1"])
    assert read(path, "a") == [("1",), ("2",)]
    with pytest.raises(ProviderError, match="B3 holds a formula whose value was never calculated"):
        read(path, "b")


def test_a_formula_with_an_error_is_one_finding(path: Path) -> None:
    save(path, ["a", "b"], ["1", "=1/0"], ["2", "=2/0"])
    rewrite(path, SHEET, lambda xml: re.sub(rb'"><f>(\d)/0</f><v ?/>', rb'" t="e"><f>\1/0</f><v>#DIV/0!</v>', xml))
    with pytest.raises(ProviderError, match="B2 holds an error value"):
        read(path, "b")


def test_cells_without_a_place_are_suspect_for_every_column(path: Path) -> None:
    save(path, ["a", "b"], ["1", "=1+1"])
    rewrite(path, SHEET, lambda xml: re.sub(rb'<c r="B2">', b"<c >", xml))
    with pytest.raises(ProviderError, match="a cell holds a formula"):
        read(path, "a")


def test_namespace_prefixes_and_text_that_looks_like_a_mark_are_understood(path: Path) -> None:
    save(path, ["a", "b", "c"], ["1", "x", "t='e'"], ["2", "=1+1", ':f t="e"'])

    def prefix(xml: bytes) -> bytes:
        xml = re.sub(rb"<(/?)([A-Za-z])", rb"<\1x:\2", xml)
        return xml.replace(b"xmlns=", b"xmlns:x=")

    rewrite(path, SHEET, prefix)
    assert read(path, "a", "c") == [("1", "t='e'"), ("2", ':f t="e"')]
    with pytest.raises(ProviderError, match="B3 holds a formula"):
        read(path, "b")


def test_marks_are_found_across_the_blocks_of_a_big_sheet(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(path, ["a", "b"], *[[str(number), "=1+1" if number == 300 else "x"] for number in range(400)])
    for block in (7, 64, 1000):
        monkeypatch.setattr(package, "_BLOCK", block)
        found = package.scan_sheet(path, "here", "S")
        assert found.formulas == {1: "B302"}
        assert found.unreadable[1].place == "B302"


def test_merged_cells_are_an_error_where_they_touch_records_of_asked_columns(path: Path) -> None:
    save(path, ["a", "b", "c"], ["1", "x", "y"], ["2", None, "z"], edit=lambda sheet: sheet.merge_cells("B2:B3"))
    assert read(path, "a", "c") == [("1", "y"), ("2", "z")]
    with pytest.raises(ProviderError, match="the cells B2:B3 are merged"):
        read(path, "b")


def test_merged_cells_in_the_header_harm_nobody(path: Path) -> None:
    save(path, ["a", "b", None, "d"], ["1", "x", None, "y"], edit=lambda sheet: sheet.merge_cells("B1:C1"))
    assert read(path, "a", "b", "d") == [("1", "x", "y")]


def test_a_missing_sheet_that_writing_will_make_is_described_as_such(path: Path) -> None:
    save(path, ["id"], name="People")
    info = provider(path).describe_container(Query(container="New", optional=True))
    assert not info.exists
    assert info.fields == ()


def test_a_missing_sheet_names_those_there_are(path: Path) -> None:
    save(path, ["a"], name="People")
    with pytest.raises(ConfigError, match=r"there is no sheet 'Peple'. Did you mean 'People'"):
        provider(path).describe_container(Query(container="Peple"))
    with pytest.raises(ConfigError, match=r"the job must name a sheet.*'People'"):
        provider(path).describe_container(Query())
    with pytest.raises(ConfigError, match="has no query"):
        provider(path).describe_container(Query(text="SELECT 1"))


def test_a_workbook_that_does_not_exist_yet_is_a_place_to_write_to(path: Path) -> None:
    assert not provider(path).describe_container(QUERY).exists
    with pytest.raises(ProviderError, match="does not exist"):
        provider(path).read(QUERY, ("a",))
    with pytest.raises(ConfigError, match="Valid: none"):
        provider(path).describe_container(Query())


@pytest.mark.parametrize("name", ["hr.xls", "hr.ods", "hr.xlsm", "hr.csv", "hr"])
def test_other_formats_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"must be an .xlsx workbook"):
        provider(tmp_path / name)


def test_every_way_of_cutting_a_workbook_is_an_error(path: Path) -> None:
    save(path, ["a", "b"], *[["1", "x"]] * 50)
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ProviderError, match=r"is empty|is damaged, cut|protected"):
            read(path, "a")


def test_a_damaged_part_is_an_error(path: Path) -> None:
    save(path, ["a", "b"], *[["1", "x"]] * 50)
    with zipfile.ZipFile(path) as package_file:
        info = package_file.getinfo(SHEET)
    data = bytearray(path.read_bytes())
    for offset in range(60, 160):
        data[info.header_offset + offset] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ProviderError, match="is damaged, cut"):
        read(path, "a")


def test_xml_that_is_cut_inside_a_whole_package_is_an_error(path: Path) -> None:
    save(path, ["a", "b"], *[["1", "x"]] * 50)
    rewrite(path, SHEET, lambda xml: xml[: len(xml) // 2])
    with pytest.raises(ProviderError, match="cannot be read as a workbook"):
        read(path, "a")


def test_a_zip_that_is_no_workbook_is_an_error(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as package_file:
        package_file.writestr("x.txt", "x")
    with pytest.raises(ProviderError, match="not an Excel workbook"):
        read(path, "a")


def test_a_workbook_that_does_not_tell_where_its_sheet_is_is_an_error(path: Path) -> None:
    save(path, ["a"], ["1"])
    rewrite(path, "xl/workbook.xml", lambda xml: xml.replace(b'name="S"', b'name="&#83;"'))
    assert read(path, "a") == [("1",)]
    with pytest.raises(ProviderError, match="does not say where its sheet 'T' is"):
        package.scan_sheet(path, "here", "T")


def test_absolute_places_of_sheets_are_understood(path: Path) -> None:
    save(path, ["a"], ["=1"])
    relations = "xl/_rels/workbook.xml.rels"
    for target in (b'Target="/xl/worksheets/sheet1.xml"', b'Target="worksheets/sheet1.xml"'):
        rewrite(path, relations, lambda xml, target=target: re.sub(rb'Target="[^"]*sheet1.xml"', target, xml))
        with pytest.raises(ProviderError, match="A2 holds a formula"):
            read(path, "a")


def test_entities_are_refused(path: Path) -> None:
    save(path, ["a"], ["1"])
    doctype = b'<!DOCTYPE x [<!ENTITY y "z">]><workbook '
    rewrite(path, "xl/workbook.xml", lambda xml: xml.replace(b"<workbook ", doctype))
    with pytest.raises(ProviderError, match="declares entities"):
        package.scan_sheet(path, "here", "S")


def test_a_workbook_that_goes_away_is_an_error(path: Path) -> None:
    with pytest.raises(ProviderError, match="does not exist"):
        package.check_package(path, "here")


def test_a_sheet_without_a_part_is_not_found(path: Path) -> None:
    save(path, ["a"], ["1"])
    rewrite(path, "xl/workbook.xml", lambda xml: xml.replace(b'r:id="rId1"', b'r:id="rId99"'))
    with pytest.raises(ProviderError):
        read(path, "a")
    with pytest.raises(ProviderError, match="does not say where"):
        package.scan_sheet(path, "here", "S")


def test_a_password_protected_workbook_is_told(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    with pytest.raises(ProviderError, match=r"protected with a password, or an old .xls"):
        read(path, "a")


def test_a_zip_bomb_is_refused_by_its_numbers(path: Path) -> None:
    save(path, ["a"], ["1"])
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package_file,
        package_file.open("xl/media/bomb.bin", "w") as part,
    ):
        for _each in range(210):
            part.write(bytes(1_000_000))
    with pytest.raises(ProviderError, match=r"it unpacks to 210,\d\d\d,\d\d\d bytes, \d+ times its size"):
        provider(path).check()


def test_the_check_lists_the_sheets(path: Path) -> None:
    save(path, ["a"], name="People")
    status = provider(path).check()
    assert (status.server, status.details) == ("excel workbook", f"{path}: sheets 'People'")


def test_a_workbook_that_changes_while_it_is_read_is_worth_another_try(path: Path) -> None:
    save(path, ["a"], *[["1"]] * 3000)
    with provider(path).read(QUERY, ("a",)) as reading:
        batches = reading.batches()
        next(batches)
        os.utime(path, (1, 1))
        with pytest.raises(ProviderError, match="was changed") as caught:
            list(batches)
    assert caught.value.retriable
    assert not reading.completeness.proven


def test_keys_are_read_from_the_same_workbook_as_before_or_not_at_all(path: Path) -> None:
    save(path, ["id", "n"], ["1", "a"], ["2", "b"])
    source = provider(path)
    with source.read(QUERY, ("id",)) as reading:
        list(reading.batches())
    with source.read_keys(QUERY, ("n",), ("id",), [("2",)]) as reading:
        assert list(reading.batches()) == [[("b",)]]
    save(path, ["id", "n"], ["1", "a"], ["2", "c"])
    os.utime(path, (1, 1))
    with pytest.raises(ProviderError) as caught:
        source.read_keys(QUERY, ("n",), ("id",), [("2",)])
    assert caught.value.retriable
    source.release()
    with source.read_keys(QUERY, ("n",), ("id",), [("2",), ("9",)]) as reading:
        assert list(reading.batches()) == [[("c",)]]
    with source.read_keys(QUERY, ("n",), ("id",), [("9",)]) as reading:
        assert list(reading.batches()) == []


def test_a_changed_workbook_is_read_anew(path: Path) -> None:
    save(path, ["a"], ["1"])
    source = provider(path)
    source.describe_container(QUERY)
    save(path, ["a", "b"], ["1", "2"])
    os.utime(path, (1, 1))
    assert [field.name for field in source.describe_container(QUERY).fields] == ["a", "b"]


def test_blanks_around_a_name_are_told(path: Path) -> None:
    save(path, ["id", " mail"], ["1", "x"])
    with pytest.raises(ConfigError, match="The header has ' mail'"):
        read(path, "mail")


@pytest.mark.parametrize(("number", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_columns_have_letters(number: int, letters: str) -> None:
    assert column_letters(number) == letters
    assert column_number(letters) == number


@pytest.mark.parametrize(
    ("module", "load", "library"),
    [
        ("python_calamine", libraries.load_calamine, "python-calamine"),
        ("openpyxl", libraries.load_openpyxl, "openpyxl"),
    ],
)
def test_a_missing_library_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, module: str, load: Callable[[], object], library: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(DependencyError, match=f"needs the Python library {library}.*pip install {library}"):
        load()
