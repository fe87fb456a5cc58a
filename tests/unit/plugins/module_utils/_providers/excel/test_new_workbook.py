# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workbook written row by row holds what one written from memory holds."""

from __future__ import annotations

import tempfile
from pathlib import Path

import openpyxl
import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query, WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Change, Outcome
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Row
from ansible_collections.lockstep.sync.plugins.module_utils._providers.excel import writing
from ansible_collections.lockstep.sync.plugins.module_utils._providers.excel.provider import ExcelProvider
from ansible_collections.lockstep.sync.plugins.module_utils._providers.excel.writing import ExcelWriter
from hypothesis import example, given
from hypothesis import strategies as st

FIELDS = ("id", "first", "second")
LAST = ("last", "one")
TEXTS = (
    st.none() | st.text(max_size=20) | st.sampled_from(["=1+1", "-1", "#N/A", "@x", "00042", "_x0041_", " ", "a\rb\n"])
)


def apply(path: Path, rows: list[tuple[str | None, ...]]) -> list[Outcome]:
    changes = [
        Change(
            number=number,
            object="row",
            action="create",
            key=(str(number),),
            before={},
            after=dict(zip(FIELDS, (str(number), *row), strict=True)),
        )
        for number, row in enumerate(rows, 1)
    ]
    target = WriteTarget(container="S", key_fields=("id",), fields=FIELDS, replace=False)
    return ExcelWriter(path, "provider 'hr'", "S", target).apply(changes)


def save_empty(path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].title = "S"
    book.save(path)


def cells(path: Path) -> list[list[tuple[object, ...]]]:
    sheet = openpyxl.load_workbook(path)["S"]
    return [
        [(cell.data_type, cell.value, bool(cell.quotePrefix), cell.number_format) for cell in row] for row in sheet.rows
    ]


def read(path: Path) -> list[Row]:
    provider = ExcelProvider(ProviderSpec(name="hr", type="excel", options={"path": str(path)}), {})
    with provider.read(Query(container="S"), FIELDS) as reading:
        return [row for batch in reading.batches() for row in batch]


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1))
@example([("=1", "plain"), ("plain", "plain"), (None, "-"), ("plain", None)])
def test_a_new_workbook_holds_what_a_present_one_would(rows: list[tuple[str | None, str | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        new, present = Path(folder) / "new.xlsx", Path(folder) / "present.xlsx"
        save_empty(present)
        outcomes = apply(new, [*rows, LAST])
        assert outcomes == apply(present, [*rows, LAST])
        assert cells(new) == cells(present)
        done = [row for row, outcome in zip([*rows, LAST], outcomes, strict=True) if outcome.status == "done"]
        assert [row[1:] for row in read(new)] == [(first or None, second or None) for first, second in done]


@pytest.mark.parametrize("present", [True, False])
def test_more_rows_than_excel_opens_are_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, present: bool
) -> None:
    monkeypatch.setattr(writing, "ROW_LIMIT", 4)
    path = tmp_path / "hr.xlsx"
    if present:
        save_empty(path)
    before = path.read_bytes() if present else None
    with pytest.raises(ProviderError, match="would have 5 rows with its header and Excel opens 4 at most"):
        apply(path, [("a", "b")] * 4)
    assert (path.read_bytes() if path.exists() else None) == before
    assert len(apply(path, [("a", "b")] * 3)) == 3
    with pytest.raises(ProviderError, match="would have 5 rows"):
        apply(path, [("a", "b")] * 4)
    assert len(read(path)) == 3
