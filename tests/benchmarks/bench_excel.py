# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading Excel: the provider beside python-calamine alone."""

from __future__ import annotations

from pathlib import Path

import openpyxl
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._providers.excel.provider import ExcelProvider
from benchmarks.cases import Case
from python_calamine import CalamineWorkbook

ROWS, COLUMNS = 100_000, 10
FIELDS = tuple(f"field{number}" for number in range(COLUMNS))
SHEET = "People"


def write_workbook(folder: Path) -> None:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet(SHEET)
    sheet.append(FIELDS)
    for row in range(ROWS):
        sheet.append([row, *(f"value {row} of {field}" for field in FIELDS[1:])])
    workbook.save(folder / "people.xlsx")


def read_with_provider(folder: Path) -> None:
    provider = ExcelProvider(
        ProviderSpec(name="people", type="excel", options={"path": str(folder / "people.xlsx")}), {}
    )
    query = Query(container=SHEET)
    provider.describe_container(query)
    with provider.read(query, FIELDS) as reading:
        count = sum(len(batch) for batch in reading.batches())
    if count != ROWS or not reading.completeness.proven:
        raise RuntimeError(f"read {count} of {ROWS} rows, {reading.completeness}")


def read_with_calamine(folder: Path) -> None:
    rows = CalamineWorkbook.from_path(str(folder / "people.xlsx")).get_sheet_by_name(SHEET).to_python()
    if len(rows) != ROWS + 1:
        raise RuntimeError(f"read {len(rows)} rows")


def bench_excel_read() -> list[Case]:
    return [
        Case(
            name=f"P7: read Excel, {ROWS:,} records x {COLUMNS} fields",
            prepare=write_workbook,
            ours=read_with_provider,
            floor=read_with_calamine,
            floor_name="python-calamine to_python",
            max_ratio=1.5,
        )
    ]
