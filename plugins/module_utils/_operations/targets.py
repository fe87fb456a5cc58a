# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What schedules run: the jobs and job collections that they list, and those that name them."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from .._model.due import Target, TargetKind
from .._store.store import Store

Definition: t.TypeAlias = Mapping[str, t.Any]


Naming: t.TypeAlias = Mapping[str, Sequence[Target]]
"""The jobs and job collections that name a schedule, by the schedule's name."""


def targets_of(name: str, definition: Definition, naming: Naming) -> list[Target]:
    """Give the targets of the schedule `name`, each once: its own lists in their order, then those that name it."""
    listed = [
        *(Target(kind="job", name=each) for each in definition.get("jobs", ())),
        *(Target(kind="collection", name=each) for each in definition.get("collections", ())),
    ]
    return list(dict.fromkeys([*listed, *naming.get(name, ())]))


def find_naming(store: Store) -> Naming:
    """Give who names which schedule. Raises StoreError."""
    nouns: list[tuple[TargetKind, Sequence[tuple[str, Definition]]]] = [
        ("job", [(each.name, each.definition) for each in store.jobs.list()]),
        ("collection", [(each.name, each.definition) for each in store.collections.list()]),
    ]
    found: dict[str, list[Target]] = {}
    for kind, owners in nouns:
        for owner, definition in owners:
            if definition.get("schedule"):
                found.setdefault(definition["schedule"], []).append(Target(kind=kind, name=owner))
    return found


def next_run_of_jobs(store: Store) -> dict[str, str]:
    """Give when each job is due next (ISO 8601, UTC), by name, also in a job collection; the others are left out.

    Raises StoreError.
    """
    definitions = {each.name: each.definition for each in store.schedules.list()}
    members = {
        each.name: [entry["job"] for entry in each.definition.get("jobs", ())] for each in store.collections.list()
    }
    naming = find_naming(store)
    found: dict[str, str] = {}
    for schedule, due in store.schedules.next_due().items():
        for target in targets_of(schedule, definitions[schedule], naming):
            for job in [target.name] if target.kind == "job" else members.get(target.name, []):
                found.setdefault(job, due)
    return found
