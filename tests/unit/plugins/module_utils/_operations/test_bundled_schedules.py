# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules, job collections and their templates in bundles: they name one another in both directions."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._operations.collection_templates import (
    CollectionTemplateRequest,
    declare_collection_templates,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.collections import (
    CollectionRequest,
    declare_collections,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.schedules import (
    ScheduleRequest,
    declare_schedules,
)
from ansible_collections.lockstep.sync.plugins.module_utils._store.address import StoreAddress
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store, open_store
from support.bundles import bring_in, everything, export, fill, job, names, states

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAILY: dict[str, t.Any] = {"type": "daily", "at": "2026-01-01T03:00:00"}


@pytest.fixture
def filled(store: Store) -> Store:
    """The collection `nightly` runs both jobs; the schedule `early` runs it, and names a job, too; `people` names
    the schedule `late`.
    """
    fill(store)
    schedule(store, "late", triggers=[DAILY])
    job(store, "people", {"schedule": "late"})
    template = {"jobs": [{"job": "rooms"}], "parallel": 2}
    declare_collection_templates(store, [CollectionTemplateRequest(name="staff", definition=template)])
    nightly = {"template": "staff", "jobs": [{"job": "people"}, {"job": "rooms", "on_failure": "continue"}]}
    declare_collections(store, [CollectionRequest(name="nightly", definition=nightly)])
    schedule(store, "early", triggers=[DAILY], collections=["nightly"], jobs=["rooms"])
    declare_collections(store, [CollectionRequest(name="nightly", definition={"schedule": "early"})])
    return store


def schedule(store: Store, name: str, **definition: t.Any) -> None:
    declare_schedules(store, [ScheduleRequest(name=name, definition=definition)], now=NOW)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    address = StoreAddress(url=f"sqlite:///{tmp_path / 'other' / 'state.db'}")
    with closing(open_store(address, create=True, clock=lambda: NOW)) as store:
        yield store


def test_a_collection_brings_its_jobs_its_template_and_its_schedules(filled: Store, tmp_path: Path) -> None:
    found = names(export(filled, tmp_path / "b.yml", collections=["nightly"]))
    wanted = {"schedule early", "schedule late", "job people", "job rooms", "collection_template staff"}
    assert wanted | {"job_collection nightly"} <= set(found)
    assert "provider unused" not in found


def test_an_import_gives_what_was_exported_and_a_second_one_nothing(
    filled: Store, other: Store, tmp_path: Path
) -> None:
    export(filled, tmp_path / "b.yml", workflows=True)
    first = bring_in(other, tmp_path / "b.yml")
    assert {"schedule early", "job_collection nightly", "collection_template staff"} <= set(states(first))
    assert everything(other) == everything(filled)
    again = bring_in(other, tmp_path / "b.yml", "replace")
    assert set(states(again).values()) == {"unchanged"}
    for store, name in ((filled, "one.yml"), (other, "two.yml")):
        export(store, tmp_path / name, workflows=True, passphrase=None)
    assert (tmp_path / "one.yml").read_bytes() == (tmp_path / "two.yml").read_bytes()


def test_new_names_are_followed_in_both_directions(filled: Store, other: Store, tmp_path: Path) -> None:
    export(filled, tmp_path / "b.yml")
    fill(other)
    job(other, "rooms", {"description": "another one"})
    schedule(other, "early", triggers=[{**DAILY, "at": "2026-01-01T04:00:00"}])
    imported = states(bring_in(other, tmp_path / "b.yml", "rename"))
    assert imported["job rooms"] == "renamed rooms (2)"
    assert imported["schedule early"] == "renamed early (2)"
    collection = other.collections.get("nightly")
    early = other.schedules.get("early (2)")
    assert collection is not None
    assert early is not None
    assert [each["job"] for each in collection.definition["jobs"]] == ["people (2)", "rooms (2)"]
    assert collection.definition["schedule"] == "early (2)"
    assert (early.definition["jobs"], early.definition["collections"]) == (["rooms (2)"], ["nightly"])


def test_replacing_resets_what_the_bundle_does_not_have(filled: Store, other: Store, tmp_path: Path) -> None:
    export(filled, tmp_path / "b.yml")
    bring_in(other, tmp_path / "b.yml")
    schedule(other, "late", description="by hand", max_duration="1h")
    declare_collections(other, [CollectionRequest(name="nightly", definition={"owners": ["ann"], "parallel": 9})])
    imported = states(bring_in(other, tmp_path / "b.yml", "replace"))
    assert (imported["schedule late"], imported["job_collection nightly"]) == ("replaced", "replaced")
    assert everything(other) == {name: value for name, value in everything(filled).items() if "workflow" not in name}
