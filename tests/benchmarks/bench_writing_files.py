# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing CSV and Excel: our writers, which look at each change, beside the libraries alone."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import openpyxl
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Provider, WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Change
from ansible_collections.lockstep.sync.plugins.module_utils._providers.csv.provider import CsvProvider
from ansible_collections.lockstep.sync.plugins.module_utils._providers.excel.provider import ExcelProvider
from benchmarks.cases import Case

LINES, CHANGED, ROWS = 1_000_000, 10_000, 100_000
FIELDS = tuple(f"field{number}" for number in range(10))
SHEET = "People"
# What is to be written is made before the clock starts.
_changes: list[Change] = []
_rows: list[tuple[str, ...]] = []


def make_rows(count: int) -> Iterator[tuple[str, ...]]:
    return ((str(row), *(f"value {row} of {field}" for field in FIELDS[1:])) for row in range(count))


def make_creates(count: int) -> Iterator[Change]:
    for number, row in enumerate(make_rows(count), 1):
        after = dict(zip(FIELDS, row, strict=True))
        yield Change(number=number, object="row", action="create", key=row[:1], before={}, after=after)


def make_updates() -> Iterator[Change]:
    every = LINES // CHANGED
    for number in range(CHANGED):
        key = str(number * every)
        before = {FIELDS[1]: f"value {key} of {FIELDS[1]}"}
        after = {FIELDS[1]: f"changed {key}"}
        yield Change(number=number + 1, object="row", action="update", key=(key,), before=before, after=after)


def ready(name: str, count: int, folder: Path) -> None:
    """Make what both sides write; nothing is at the destination."""
    _changes[:] = make_creates(count)
    _rows[:] = [tuple(map(str, change.after.values())) for change in _changes]
    (folder / name).unlink(missing_ok=True)


def apply(provider: Provider, container: str | None, changes: Sequence[Change]) -> None:
    target = WriteTarget(container=container, key_fields=FIELDS[:1], fields=FIELDS)
    with provider.writer(target) as writer:
        outcomes = writer.apply(changes)
    wrong = [outcome for outcome in outcomes if outcome.status != "done"]
    if wrong or len(outcomes) != len(changes):
        raise RuntimeError(f"{len(outcomes)} outcomes, {len(wrong)} wrong, such as {wrong[:1]}")


# -- CSV


def write_lines(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        writer.writerows(_rows)


def write_csv_with_provider(folder: Path) -> None:
    apply(csv_provider(folder), None, _changes)


def csv_provider(folder: Path) -> Provider:
    return CsvProvider(ProviderSpec(name="people", type="csv", options={"path": str(folder / "new.csv")}), {})


def write_csv_alone(folder: Path) -> None:
    write_lines(folder / "new.csv")


def make_present(folder: Path) -> None:
    _rows[:] = make_rows(LINES)
    write_lines(folder / "present.csv")


def ready_to_change(folder: Path) -> None:
    _changes[:] = make_updates()
    shutil.copy(folder / "present.csv", folder / "new.csv")


def rewrite_alone(folder: Path) -> None:
    changed = {change.key[0]: change.after[FIELDS[1]] for change in _changes}
    with (
        (folder / "new.csv").open(encoding="utf-8", newline="") as old,
        (folder / "newer.csv").open("w", encoding="utf-8", newline="") as new,
    ):
        writer = csv.writer(new)
        for row in csv.reader(old):
            if row[0] in changed:
                row[1] = str(changed[row[0]])
            writer.writerow(row)
    (folder / "newer.csv").replace(folder / "new.csv")


# -- Excel


def write_excel_with_provider(folder: Path) -> None:
    options = {"path": str(folder / "new.xlsx")}
    apply(ExcelProvider(ProviderSpec(name="people", type="excel", options=options), {}), SHEET, _changes)


def write_excel_alone(folder: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(SHEET)
    sheet.append(FIELDS)
    for row in _rows:
        sheet.append(row)
    book.save(folder / "new.xlsx")


def bench_writing_files() -> list[Case]:
    return [
        Case(
            name=f"write a new CSV file, {LINES:,} records x {len(FIELDS)}",
            before=partial(ready, "new.csv", LINES),
            ours=write_csv_with_provider,
            floor=write_csv_alone,
            floor_name="csv.writer",
            max_ratio=1.5,
        ),
        Case(
            name=f"change {CHANGED:,} of {LINES:,} records of a CSV file",
            prepare=make_present,
            before=ready_to_change,
            ours=write_csv_with_provider,
            floor=rewrite_alone,
            floor_name="csv.reader and csv.writer",
        ),
        Case(
            name=f"write a new Excel file, {ROWS:,} records x {len(FIELDS)}",
            before=partial(ready, "new.xlsx", ROWS),
            ours=write_excel_with_provider,
            floor=write_excel_alone,
            floor_name="openpyxl, write-only",
            max_ratio=1.5,
        ),
    ]
