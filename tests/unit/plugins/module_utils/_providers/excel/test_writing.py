# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workbook is replaced with changes applied; everything else in it stays, or nothing is written."""

from __future__ import annotations

import datetime as dt
import os
import resource
import typing as t
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query, WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Change, Outcome, PlannedValue
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Row, Value
from ansible_collections.lockstep.sync.plugins.module_utils._providers.excel.provider import ExcelProvider
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table, TableColumn
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook

Edit = Callable[[Worksheet], object]


def provider(path: Path) -> ExcelProvider:
    return ExcelProvider(ProviderSpec(name="hr", type="excel", options={"path": str(path)}), {})


def save(path: Path, *rows: t.Sequence[t.Any], edit: Edit | None = None) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "S"
    for row in rows:
        sheet.append(row)
    if edit:
        edit(sheet)
    book.save(path)


def load(path: Path, sheet: str = "S") -> Worksheet:
    found = openpyxl.load_workbook(path, rich_text=True)[sheet]
    assert isinstance(found, Worksheet)
    return found


def values(path: Path, sheet: str = "S") -> list[tuple[object, ...]]:
    return list(load(path, sheet).iter_rows(values_only=True))


def create(**after: PlannedValue) -> Change:
    return Change(number=1, object="row", action="create", key=(str(after["id"]),), before={}, after=dict(after))


def update(before: dict[str, Value], **after: PlannedValue) -> Change:
    key = (str(before["id"]),)
    return Change(number=1, object="row", action="update", key=key, before=before, after=dict(after))


def delete(**before: Value) -> Change:
    return Change(number=1, object="row", action="delete", key=(str(before["id"]),), before=dict(before), after={})


def apply(
    path: Path, *changes: Change, fields: tuple[str, ...] = ("id", "v"), sheet: str = "S", replace: bool = False
) -> list[Outcome]:
    target = WriteTarget(container=sheet, key_fields=("id",), fields=fields, replace=replace)
    with provider(path).writer(target) as writer:
        return writer.apply(changes)


def statuses(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    return [(outcome.status, outcome.code) for outcome in outcomes]


def read(path: Path, *fields: str, sheet: str = "S") -> list[Row]:
    with provider(path).read(Query(container=sheet), fields) as reading:
        return [row for batch in reading.batches() for row in batch]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hr.xlsx"


# -- values


@pytest.mark.parametrize("text", ["=1+1", '=cmd|"/C calc"!A0', "+1", "-1", "@x", "#N/A", "00042", "1e5", "TRUE"])
def test_text_is_never_taken_for_a_formula_an_error_or_a_number(path: Path, text: str) -> None:
    save(path, ["id", "v"], ["1", "x"])
    assert statuses(apply(path, create(id="2", v=text), update({"id": "1", "v": "x"}, v=text))) == [("done", "")] * 2
    for row in (2, 3):
        cell = load(path).cell(row, 2)
        assert (cell.data_type, cell.value) == ("s", text)
        assert bool(cell.quotePrefix) == text.startswith(("=", "+", "-", "@"))
    assert read(path, "v") == [(text,), (text,)]


@pytest.mark.parametrize("text", ["a\rb", "a\r\nb", "\x01\x1f", "_x0041_", "_x005F_", "a_xb", "\t\n", " ", "\x7f\x85"])
def test_characters_that_xml_alters_survive(path: Path, text: str) -> None:
    save(path, ["id", "v"])
    apply(path, create(id="1", v=text))
    assert read(path, "v") == [(text,)]
    apply(path, create(id="2", v="x"))
    assert read(path, "v") == [(text,), ("x",)]


def test_escaped_text_of_other_sheets_and_columns_survives(path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        assert sheet.parent is not None
        sheet.parent.create_sheet("Other").append([None, "_x005F_x0042_"])
        sheet.parent.create_sheet("Empty")

    rows = [["1", "x", "_x005F_x0041_"], ["2", "y", "a_x000D_b"], ["3", "z", "=_x0041_"]]
    save(path, ["id", "v", "n"], *rows, edit=edit)
    apply(path, create(id="4", v="w"))
    book = CalamineWorkbook.from_path(path)
    assert [line[2] for line in book.get_sheet_by_name("S").to_python()[1:3]] == ["_x0041_", "a\rb"]
    assert book.get_sheet_by_name("Other").to_python() == [["_x0042_"]]
    assert load(path)["C4"].value == "=_x0041_"


def test_a_column_of_numbers_gets_numbers(path: Path) -> None:
    save(path, ["id", "v"], ["1", 5], ["2", None], ["3", 2.5])
    apply(path, create(id="4", v="7"), update({"id": "2", "v": None}, v="0.5"), create(id="5", v="007"))
    assert [row[1] for row in values(path)[1:]] == [5, 0.5, 2.5, 7, "007"]
    assert read(path, "v") == [("5",), ("0.5",), ("2.5",), ("7",), ("007",)]


def test_a_column_of_dates_gets_dates_in_its_format(path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        sheet["B2"].number_format = "dd.mm.yyyy"

    save(path, ["id", "v"], ["1", dt.date(2020, 1, 31)], ["2", None], edit=edit)
    texts = {"2": "2026-11-21", "3": "2026-11-21T08:30:01", "4": "2026-11-21T00:00:00", "5": "soon"}
    apply(path, update({"id": "2", "v": None}, v=texts["2"]), *(create(id=n, v=texts[n]) for n in "345"))
    sheet = load(path)
    assert [sheet.cell(row, 2).number_format for row in (3, 4)] == ["dd.mm.yyyy"] * 2
    assert [sheet.cell(row, 2).is_date for row in (2, 3, 4)] == [True] * 3
    assert [sheet.cell(row, 2).data_type for row in (5, 6)] == ["s", "s"]
    assert dict(read(path, "id", "v")) == {"1": "2020-01-31", **texts}


def test_every_second_of_a_day_and_the_epoch_of_old_macs_survive(path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        assert sheet.parent is not None
        sheet.parent.epoch = dt.datetime(1904, 1, 1)  # noqa: DTZ001 - cells have no zone

    day = dt.datetime(2026, 11, 21)  # noqa: DTZ001
    texts = [(day + dt.timedelta(seconds=second)).isoformat() for second in range(1, 86400, 371)]
    for change in (None, edit):
        save(path, ["id", "v"], ["0", day], edit=change)
        apply(path, *(create(id=text, v=text) for text in texts))
        assert [row[0] for row in read(path, "v")] == ["2026-11-21", *texts]


def test_columns_of_truth_values_and_times_keep_their_type(path: Path) -> None:
    save(path, ["id", "v", "w"], ["1", True, dt.time(8, 0)])
    apply(path, create(id="2", v="false", w="09:30:00"), fields=("id", "v", "w"))
    assert values(path)[2] == ("2", False, dt.time(9, 30))


def test_an_emptied_cell_is_empty(path: Path) -> None:
    save(path, ["id", "v"], ["1", "x"], ["2", 5])
    apply(path, update({"id": "1", "v": "x"}, v=None), update({"id": "2", "v": "5"}, v=""))
    assert read(path, "id", "v") == [("1", None), ("2", None)]


def test_a_value_too_long_for_a_cell_fails_that_record(path: Path) -> None:
    save(path, ["id", "v"])
    assert statuses(apply(path, create(id="1", v="x" * 32768), create(id="2", v="ok"))) == [
        ("failed", "too_long"),
        ("done", ""),
    ]


def test_a_key_that_two_rows_have_is_ambiguous(path: Path) -> None:
    save(path, ["id", "v"], ["1", "x"], [1, "x"])
    assert statuses(apply(path, delete(id="1", v="x"))) == [("failed", "ambiguous")]
    assert len(values(path)) == 3


# -- what stays


def decorate(sheet: Worksheet) -> None:
    sheet["A2"].font = Font(bold=True)
    sheet["C3"].comment = Comment("a note", "me")
    sheet["C3"].hyperlink = "https://example.org/"
    sheet["C2"] = CellRichText("plain ", TextBlock(InlineFont(b=True), "bold"))
    sheet.column_dimensions["B"].width = 42
    sheet.row_dimensions[3].height = 33
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = "A1:C4"
    validation = DataValidation(type="list", formula1='"x,y"')
    validation.add("B2:B100")
    sheet.add_data_validation(validation)
    assert sheet.parent is not None
    other = sheet.parent.create_sheet("Other")
    other.append(["keep", "=1+1", "_x000D_"])
    other.sheet_state = "hidden"


def test_other_sheets_formats_widths_and_notes_stay(path: Path) -> None:
    save(path, ["id", "v", "n"], ["1", "x", ""], ["2", "y", "c"], ["3", "z", ""], edit=decorate)
    apply(path, update({"id": "2", "v": "y"}, v="Y"), create(id="4", v="w"))
    sheet = load(path)
    assert sheet["A2"].font.bold
    assert sheet["C3"].comment is not None
    assert sheet["C3"].comment.text == "a note"
    assert str(sheet["C2"].value) == "plain bold"
    assert isinstance(sheet["C2"].value, CellRichText)
    assert sheet.column_dimensions["B"].width == 42
    assert sheet.row_dimensions[3].height == 33
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:C5"
    assert len(sheet.data_validations.dataValidation) == 1
    assert values(path, "Other") == [("keep", "=1+1", "_x000D_")]
    assert load(path, "Other").sheet_state == "hidden"


def test_new_rows_look_like_the_last_one(path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        sheet["A2"].font = Font(italic=True)
        sheet["C2"].number_format = "0.00"

    save(path, ["id", "v", "n"], ["1", "x", 5], edit=edit)
    apply(path, create(id="2", v="y"), create(id="3", v="z"))
    sheet = load(path)
    assert [sheet.cell(row, 1).font.i for row in (2, 3, 4)] == [True] * 3
    assert sheet["C4"].number_format == "0.00"


def test_rows_move_up_with_what_belongs_to_them(path: Path) -> None:
    save(path, ["id", "v", "n"], ["1", "x", ""], ["2", "y", "c"], ["3", "z", "d"], edit=decorate)
    outcomes = apply(path, delete(id="1", v="x"), delete(id="3", v="z"), create(id="4", v="w"))
    assert statuses(outcomes) == [("done", "")] * 3
    sheet = load(path)
    assert values(path) == [("id", "v", "n"), ("2", "y", "c"), ("4", "w", None)]
    assert not sheet["A2"].font.bold
    assert sheet["C2"].comment is not None
    assert sheet["C2"].hyperlink is not None
    assert sheet["C2"].hyperlink.ref == "C2"
    assert sheet["C3"].comment is None
    assert sheet.row_dimensions[2].height == 33
    assert sheet.row_dimensions[3].height is None
    assert sheet.auto_filter.ref == "A1:C3"


def test_scattered_rows_are_taken_out_in_one_go(path: Path) -> None:
    save(path, ["id", "v"], *[[str(number), f"v{number}"] for number in range(300)])
    doomed = [number for number in range(300) if number % 3]
    outcomes = apply(path, *(delete(id=str(number), v=f"v{number}") for number in doomed))
    assert set(statuses(outcomes)) == {("done", "")}
    assert values(path)[1:] == [(str(number), f"v{number}") for number in range(0, 300, 3)]


def test_all_records_can_be_deleted(path: Path) -> None:
    save(path, ["id", "v"], ["1", "x"], ["2", "y"])
    apply(path, delete(id="1", v="x"), delete(id="2", v="y"))
    assert values(path) == [("id", "v")]
    assert read(path, "id") == []


def test_a_table_grows_and_shrinks_with_its_records(path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        sheet.add_table(Table(displayName="People", ref="A1:B3"))

    save(path, ["id", "v"], ["1", "x"], ["2", "y"], edit=edit)
    apply(path, create(id="3", v="z"))
    assert load(path).tables["People"].ref == "A1:B4"
    apply(path, delete(id="1", v="x"), delete(id="2", v="y"))
    table = load(path).tables["People"]
    assert table.ref == "A1:B2"
    assert table.autoFilter is not None
    assert table.autoFilter.ref == "A1:B2"
    apply(path, delete(id="3", v="z"))
    assert load(path).tables["People"].ref == "A1:B2"


def test_a_table_and_a_filter_that_end_elsewhere_stay(path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        sheet.add_table(Table(displayName="Part", ref="A1:B2"))
        sheet.auto_filter.ref = "D:D"

    save(path, ["id", "v"], ["1", "x"], ["2", "y"], edit=edit)
    apply(path, create(id="3", v="z"))
    assert load(path).tables["Part"].ref == "A1:B2"
    assert load(path).auto_filter.ref == "D:D"


def test_a_table_without_a_filter_grows(path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        table = Table(displayName="Plain", ref="A1:B2", headerRowCount=1)
        table.tableColumns = [TableColumn(id=1, name="id"), TableColumn(id=2, name="v")]
        sheet.add_table(table)

    save(path, ["id", "v"], ["1", "x"], edit=edit)
    apply(path, create(id="2", v="y"))
    table = load(path).tables["Plain"]
    assert (table.ref, table.autoFilter) == ("A1:B3", None)


def test_a_table_with_a_totals_row_is_refused(path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        table = Table(displayName="People", ref="A1:B3", totalsRowCount=1)
        table.tableColumns = [TableColumn(id=1, name="id"), TableColumn(id=2, name="v")]
        sheet.add_table(table)

    save(path, ["id", "v"], ["1", "x"], ["Total", "1"], edit=edit)
    before = path.read_bytes()
    with pytest.raises(ProviderError, match="the table People has a totals row"):
        apply(path, create(id="2", v="y"))
    assert path.read_bytes() == before


def formula_elsewhere(sheet: Worksheet) -> None:
    assert sheet.parent is not None
    sheet.parent.create_sheet("Sums")["B2"] = "=SUM(s!B2:B9)"


def name_elsewhere(sheet: Worksheet) -> None:
    assert sheet.parent is not None
    sheet.parent.defined_names["Boss"] = DefinedName("Boss", attr_text="'S'!$A$3")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda sheet: sheet.merge_cells("C2:C3"), "merged cells"),
        (lambda sheet: sheet.cell(3, 3, "=1+1"), "a formula in C3"),
        (formula_elsewhere, "the formula in Sums!B2 refers to it"),
        (name_elsewhere, "the name Boss refers to it"),
        (
            lambda sheet: sheet.conditional_formatting.add("A2:A9", CellIsRule("equal", ["1"], font=Font(bold=True))),
            "conditional formats",
        ),
    ],
)
def test_rows_do_not_move_where_something_points_to_them(path: Path, edit: Edit, words: str) -> None:
    save(path, ["id", "v", "n"], ["1", "x", ""], ["2", "y", ""], edit=edit)
    outcomes = apply(path, delete(id="1", v="x"), update({"id": "2", "v": "y"}, v="Y"), create(id="3", v="\0"))
    assert statuses(outcomes) == [("failed", "layout"), ("done", ""), ("failed", "character")]
    assert words in outcomes[0].message
    assert [row[:2] for row in values(path)] == [("id", "v"), ("1", "x"), ("2", "Y")]


def test_nothing_is_written_when_all_deletes_fail(path: Path) -> None:
    save(path, ["id", "v", "n"], ["1", "x", "=1+1"])
    before = path.read_bytes()
    assert statuses(apply(path, delete(id="1", v="x"))) == [("failed", "layout")]
    assert path.read_bytes() == before


def test_a_formula_elsewhere_that_is_about_other_sheets_is_no_obstacle(path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        assert sheet.parent is not None
        sheet.parent.create_sheet("Other")["A1"] = "=1+1"
        sheet.parent.defined_names["Rate"] = DefinedName("Rate", attr_text="0.19")

    save(path, ["id", "v"], ["1", "x"], edit=edit)
    assert statuses(apply(path, delete(id="1", v="x"))) == [("done", "")]


# -- what is refused


def test_a_mapped_column_with_formulas_is_refused(path: Path) -> None:
    save(path, ["id", "v"], ["1", "=1+1"], ["2", "y"])
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    with zipfile.ZipFile(path, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data.replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>"))
    before = path.read_bytes()
    with pytest.raises(ProviderError, match="B2 holds a formula; writing the workbook would lose its calculated value"):
        apply(path, update({"id": "2", "v": "y"}, v="z"))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "part",
    [
        "xl/charts/chart1.xml",
        "xl/drawings/drawing1.xml",
        "xl/media/image1.png",
        "xl/pivotTables/pivotTable1.xml",
        "xl/pivotCache/pivotCacheDefinition1.xml",
        "xl/vbaProject.bin",
        "xl/slicers/slicer1.xml",
        "xl/ctrlProps/ctrlProp1.xml",
        "xl/threadedComments/threadedComment1.xml",
        "xl/embeddings/oleObject1.bin",
        "xl/metadata.xml",
        "customXml/item1.xml",
    ],
)
def test_a_workbook_with_parts_that_would_be_lost_is_not_written(path: Path, part: str) -> None:
    save(path, ["id", "v"], ["1", "x"])
    with zipfile.ZipFile(path, "a") as package:
        package.writestr(part, "x")
    before = path.read_bytes()
    with pytest.raises(ProviderError, match="would be lost") as caught:
        apply(path, create(id="2", v="y"))
    assert part in caught.value.message
    assert path.read_bytes() == before
    assert read(path, "id") == [("1",)]


@pytest.mark.parametrize("part", ["xl/calcChain.xml", "docProps/thumbnail.jpeg", "xl/printerSettings/p1.bin"])
def test_parts_that_excel_makes_anew_are_no_obstacle(path: Path, part: str) -> None:
    save(path, ["id", "v"], ["1", "x"])
    with zipfile.ZipFile(path, "a") as package:
        package.writestr(part, "x")
    assert statuses(apply(path, create(id="2", v="y"))) == [("done", "")]


def test_elements_of_a_sheet_that_would_be_lost_are_named(path: Path) -> None:
    save(path, ["id", "v"], ["1", "x"])
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    with zipfile.ZipFile(path, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data.replace(b"</worksheet>", b"<extLst><ext/></extLst></worksheet>"))
    with pytest.raises(ProviderError, match=r"extLst in xl/worksheets/sheet1\.xml"):
        apply(path, create(id="2", v="y"))


def test_many_lost_parts_are_counted(path: Path) -> None:
    save(path, ["id", "v"])
    with zipfile.ZipFile(path, "a") as package:
        for number in range(8):
            package.writestr(f"xl/media/image{number}.png", "x")
    with pytest.raises(ProviderError, match="and 3 more"):
        apply(path, create(id="2", v="y"))


def test_a_workbook_that_changes_before_it_is_replaced_is_left_alone(path: Path) -> None:
    save(path, ["id", "v"], ["1", "x"])

    class Meddling(tuple[Change, ...]):
        """Changes whose reading rewrites the file: somebody else was faster."""

        __slots__ = ()

        def __iter__(self) -> Iterator[Change]:
            save(path, ["id", "v"], ["9", "theirs"])
            os.utime(path, (9, 9))
            return super().__iter__()

    target = WriteTarget(container="S", key_fields=("id",), fields=("id", "v"))
    with provider(path).writer(target) as writer, pytest.raises(ProviderError, match="was changed") as caught:
        writer.apply(Meddling((create(id="n", v="new"),)))
    assert caught.value.retriable
    assert values(path) == [("id", "v"), ("9", "theirs")]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_workbook_that_the_library_cannot_load_is_left_alone(path: Path) -> None:
    save(path, ["id", "v"], ["1", "x"])
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    with zipfile.ZipFile(path, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data.replace(b'<pageMargins left="0.75"', b'<pageMargins left="wide"'))
    before = path.read_bytes()
    with pytest.raises(ProviderError, match="the library openpyxl cannot load it"):
        apply(path, create(id="2", v="y"))
    assert path.read_bytes() == before


def test_a_full_disk_leaves_the_old_workbook(path: Path) -> None:
    save(path, ["id", "v"], ["1", "x"])
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(ProviderError, match="no space is left"):
            apply(path, *(create(id=f"{number}x", v=f"{number * 7919}") for number in range(2000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_excel_is_told_to_calculate_formulas_anew(path: Path) -> None:
    save(path, ["id", "v", "n"], ["1", "x", "=1+1"])
    apply(path, create(id="2", v="y"))
    assert openpyxl.load_workbook(path).calculation.fullCalcOnLoad


# -- new sheets and workbooks


def test_a_missing_workbook_is_made_with_its_sheet(path: Path) -> None:
    assert statuses(apply(path, create(id="1", v="=x"), create(id="2", v=None), sheet="P " * 15)) == [("done", "")] * 2
    assert openpyxl.load_workbook(path).sheetnames == ["P " * 15]
    assert read(path, "id", "v", sheet="P " * 15) == [("1", "=x"), ("2", None)]
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_workbook_is_made_for_nothing(path: Path) -> None:
    assert statuses(apply(path, delete(id="1", v="x"))) == [("skipped", "gone")]
    assert not path.exists()


@pytest.mark.parametrize("name", ["", "x" * 32, "a/b", "a[b", "what?", "'a", "a'"])
def test_a_name_that_no_sheet_can_have_is_refused(path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the name of a sheet"):
        apply(path, create(id="1", v="x"), sheet=name)


def test_an_empty_sheet_is_filled(path: Path) -> None:
    save(path, edit=lambda sheet: t.cast("openpyxl.Workbook", sheet.parent).create_sheet("Other").append(["keep"]))
    apply(path, create(id="1", v="x"))
    assert values(path) == [("id", "v"), ("1", "x")]
    assert values(path, "Other") == [("keep",)]


def test_a_missing_sheet_is_made_only_when_the_file_is_replaced(path: Path) -> None:
    save(path, ["id", "v"], ["1", "x"])
    with pytest.raises(ConfigError, match="there is no sheet 'New'"):
        apply(path, create(id="1", v="y"), sheet="New")
    apply(path, create(id="1", v="y"), sheet="New", replace=True)
    assert values(path, "New") == [("id", "v"), ("1", "y")]
    assert values(path) == [("id", "v"), ("1", "x")]


def test_replace_keeps_only_mapped_columns_in_their_order(path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        sheet["C2"].number_format = "0.00"
        sheet.column_dimensions["C"].width = 30
        sheet.freeze_panes = "A2"
        assert sheet.parent is not None
        sheet.parent.create_sheet("Other", 0).append(["keep"])

    save(path, ["n", "id", "v"], ["a", "1", 5], ["b", "2", 6], ["c", "3", 7], edit=edit)
    fields = ("v", "id", "mail")
    outcomes = apply(
        path,
        update({"id": "1", "v": "5"}, mail="a@b"),
        delete(id="2", v="6"),
        create(id="4", v="8", mail=None),
        fields=fields,
        replace=True,
    )
    assert statuses(outcomes) == [("done", "")] * 3
    assert values(path) == [fields, (5, "1", "a@b"), (7, "3", None), (8, "4", None)]
    sheet = load(path)
    assert sheet["A2"].number_format == "0.00"
    assert sheet.column_dimensions["A"].width == 30
    assert sheet.freeze_panes == "A2"
    assert openpyxl.load_workbook(path).sheetnames == ["Other", "S"]


def test_replace_leaves_a_sheet_that_has_just_the_mapped_columns(path: Path) -> None:
    save(path, ["id", "v"], ["1", "x"], edit=lambda sheet: sheet.add_table(Table(displayName="P", ref="A1:B2")))
    apply(path, create(id="2", v="y"), replace=True)
    assert load(path).tables["P"].ref == "A1:B3"


def test_a_mapped_field_the_sheet_lacks_is_refused(path: Path) -> None:
    save(path, ["id"], ["1"])
    with pytest.raises(ConfigError, match="there is no field 'v'"):
        apply(path, create(id="2", v="x"))


def test_the_table_may_start_in_another_column(path: Path) -> None:
    save(path, [None, "id", "v"], [None, "1", "x"])
    apply(path, update({"id": "1", "v": "x"}, v="X"), create(id="2", v="y"))
    assert values(path) == [(None, "id", "v"), (None, "1", "X"), (None, "2", "y")]


def test_formatted_but_empty_rows_below_are_used(path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        for row in range(2, 50):
            sheet.cell(row, 1).font = Font(bold=True)

    save(path, ["id", "v"], ["1", "x"], [], ["3", "z"], edit=edit)
    apply(path, create(id="4", v="w"), delete(id="3", v="z"))
    assert read(path, "id", "v") == [("1", "x"), ("4", "w")]
