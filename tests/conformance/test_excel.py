# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Excel provider on real workbooks."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Sequence
from pathlib import Path

import openpyxl
import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Provider
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Row, Value
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import open_provider
from conformance.suite import Box, ProviderConformance
from python_calamine import CalamineWorkbook


class ExcelBox:
    type: t.Literal["csv", "excel", "sql"] = "excel"
    container: str | None = "People"
    bad_value: Value = "NUL \0 character"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "people.xlsx"

    def open(self) -> Provider:
        return self._open(self.path)

    def open_unreachable(self) -> Provider:
        return self._open(self.path.parent / "no folder" / "people.xlsx")

    def make(self, fields: Sequence[str], rows: Iterable[Row], key_fields: Sequence[str] = ("id",)) -> None:
        book = openpyxl.Workbook()
        book.worksheets[0].title = "Cover"
        book.worksheets[0]["A1"] = "title"
        sheet = book.create_sheet("People")
        for number, row in enumerate([tuple(fields), *rows], 1):
            for column, value in enumerate(row, 1):
                if isinstance(value, str):
                    cell = sheet.cell(number, column, value.replace("_x0041_", "_x005F_x0041_"))
                    cell.data_type = "s"
        book.save(self.path)

    def rows(self) -> list[dict[str, str | None]]:
        lines = CalamineWorkbook.from_path(self.path).get_sheet_by_name("People").to_python(skip_empty_area=False)
        header = [str(name) for name in lines[0]]
        return [dict(zip(header, [str(cell) for cell in line], strict=True)) for line in lines[1:] if any(line)]

    def state(self) -> object:
        return self.path.stat().st_ino, self.path.stat().st_mtime_ns, self.path.read_bytes()

    def query_text(self, fields: Sequence[str]) -> str | None:
        return None

    def _open(self, path: Path) -> Provider:
        return open_provider(ProviderSpec(name="people", type="excel", options={"path": str(path)}), {})


class TestExcel(ProviderConformance):
    @pytest.fixture
    def box(self, tmp_path: Path) -> Box:
        return ExcelBox(tmp_path)
