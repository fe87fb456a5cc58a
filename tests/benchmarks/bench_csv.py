# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading CSV: the provider beside Python's own csv.reader."""

from __future__ import annotations

import csv
from pathlib import Path

from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._providers.csv.provider import CsvProvider
from benchmarks.cases import Case

ROWS, COLUMNS = 100_000, 10
FIELDS = tuple(f"field{number}" for number in range(COLUMNS))


def write_file(folder: Path) -> None:
    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        writer.writerows([f"value {row} of {field}" for field in FIELDS] for row in range(ROWS))


def read_with_provider(folder: Path) -> None:
    provider = CsvProvider(ProviderSpec(name="people", type="csv", options={"path": str(folder / "people.csv")}), {})
    with provider.read(Query(), FIELDS) as reading:
        count = sum(len(batch) for batch in reading.batches())
    if count != ROWS or not reading.completeness.proven:
        raise RuntimeError(f"read {count} of {ROWS} rows, {reading.completeness}")


def read_with_csv_reader(folder: Path) -> None:
    with (folder / "people.csv").open(encoding="utf-8", newline="") as file:
        count = sum(len(row) == COLUMNS for row in csv.reader(file))
    if count != ROWS + 1:
        raise RuntimeError(f"read {count} rows")


def bench_csv_read() -> list[Case]:
    return [
        Case(
            name=f"read CSV, {ROWS:,} records x {COLUMNS} fields",
            prepare=write_file,
            ours=read_with_provider,
            floor=read_with_csv_reader,
            floor_name="csv.reader",
            max_ratio=2,
        )
    ]
