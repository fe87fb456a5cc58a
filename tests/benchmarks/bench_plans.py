# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan of many changes, sealed and read back, beside the same changes as plain JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.lockstep.sync.plugins.module_utils._model.access import WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Change, ObjectPlan, Plan
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import Statistics
from ansible_collections.lockstep.sync.plugins.module_utils._planning.sealed import read_plan
from ansible_collections.lockstep.sync.plugins.module_utils._running.files import save_plan
from benchmarks.bench_tables import FIELDS, make_rows
from benchmarks.cases import Case

CHANGES = 100_000


def make_changes() -> list[Change]:
    return [
        Change(
            number=number,
            object="rows",
            action="create",
            key=(row[0],),
            target=None,
            before={},
            after=dict(zip(FIELDS, row, strict=True)),
        )
        for number, row in enumerate(make_rows(CHANGES), start=1)
    ]


def seal_and_read(folder: Path) -> None:
    part = ObjectPlan(
        name="rows",
        target=WriteTarget(container="destination", key_fields=("id",), fields=FIELDS),
        changes=_changes,
        held_changes=(),
        held=(),
        problems=(),
        statistics=Statistics(created=CHANGES),
    )
    path = folder / "plan.jsonl"
    sealed = save_plan(Plan(job="bench", definition_digest="0" * 64, objects=(part,)), path)
    with path.open(encoding="utf-8") as lines:
        found = read_plan(lines, str(path))
    if found.digest != sealed.digest or found.change_count != CHANGES:
        raise RuntimeError(f"read {found.change_count} changes of {CHANGES}")


def write_and_read_lines(folder: Path) -> None:
    path = folder / "lines.jsonl"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(
            json.dumps({"number": change.number, "key": change.key, "after": change.after}) + "\n"
            for change in _changes
        )
    with path.open(encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    if len(found) != CHANGES:
        raise RuntimeError(f"read {len(found)} lines of {CHANGES}")


_changes: list[Change] = []


def make_ready(_folder: Path) -> None:
    _changes.extend(make_changes())


def bench_plans() -> list[Case]:
    return [
        Case(
            name=f"P9: a plan of {CHANGES:,} changes x {len(FIELDS)}, sealed, written and read",
            before=make_ready,
            ours=seal_and_read,
            floor=write_and_read_lines,
            floor_name="json, line by line",
            max_seconds=5,
        )
    ]
