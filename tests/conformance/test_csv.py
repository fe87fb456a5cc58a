# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CSV provider on real files."""

from __future__ import annotations

import csv
import typing as t
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Provider
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Row, Value
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import open_provider
from conformance.suite import Box, ProviderConformance


class CsvBox:
    type: t.Literal["csv", "excel", "sql"] = "csv"
    container: str | None = None
    bad_value: Value = "NUL \0 character"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "people.csv"

    def open(self) -> Provider:
        return self._open(self.path)

    def open_unreachable(self) -> Provider:
        return self._open(self.path.parent / "no folder" / "people.csv")

    def make(self, fields: Sequence[str], rows: Iterable[Row], key_fields: Sequence[str] = ("id",)) -> None:
        with self.path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(fields)
            writer.writerows(rows)

    def rows(self) -> list[dict[str, str | None]]:
        with self.path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def state(self) -> object:
        return self.path.stat().st_ino, self.path.stat().st_mtime_ns, self.path.read_bytes()

    def query_text(self, fields: Sequence[str]) -> str | None:
        return None

    def _open(self, path: Path) -> Provider:
        return open_provider(ProviderSpec(name="people", type="csv", options={"path": str(path)}), {})


class TestCsv(ProviderConformance):
    @pytest.fixture
    def box(self, tmp_path: Path) -> Box:
        return CsvBox(tmp_path)
