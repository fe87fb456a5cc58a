# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Leaver
from ansible_collections.lockstep.sync.plugins.module_utils._store import remembered
from ansible_collections.lockstep.sync.plugins.module_utils._store.leavers import Leavers
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

ANN = Leaver(
    anchor="a1",
    since="2026-11-20T03:00:00Z",
    container="OU=Größe,DC=x",
    groups=(("CN=a\\,b,DC=x", "member"), ("CN=c,DC=x", "uniqueMember")),
    stamped={"description": "was \x00", "photo": b"\xff", "mail": ("a@x", "b@x"), "manager": None},
    was_enabled=False,
)
BOB = Leaver(anchor="a2", since="2026-11-21T03:00:00Z", container="DC=x")
SIDES = {"source": {"provider": "hr"}, "destination": {"provider": "hr"}}


@pytest.fixture
def leavers(store_with_job: Store) -> Leavers:
    store_with_job.leavers.put("people", "users", [ANN, BOB])
    return store_with_job.leavers


def test_leavers_come_back_with_all_they_had(leavers: Leavers) -> None:
    assert leavers.load("people", "users") == {"a1": ANN, "a2": BOB}
    assert leavers.load("people", "guests") == leavers.load("nobody", "users") == {}


def test_leaver_who_is_put_again_is_replaced(leavers: Leavers) -> None:
    other = replace(ANN, since="2026-11-22T03:00:00Z", was_enabled=True)
    leavers.put("people", "users", [BOB, ANN, other])
    leavers.put("people", "guests", [ANN])
    assert leavers.load("people", "users") == {"a1": other, "a2": BOB}
    assert leavers.load("people", "guests") == {"a1": ANN}


def test_who_came_back_is_forgotten(leavers: Leavers) -> None:
    leavers.put("people", "guests", [ANN])
    leavers.forget("people", "users", ["a1", "a7"])
    leavers.forget("nobody", "users", ["a2"])
    assert leavers.load("people", "users") == {"a2": BOB}
    assert leavers.load("people", "guests") == {"a1": ANN}


def test_leavers_of_a_large_clearance_are_put_and_forgotten(leavers: Leavers) -> None:
    many = [replace(BOB, anchor=f"b{number}") for number in range(2 * remembered.CHUNK + 1)]
    leavers.put("people", "users", many)
    leavers.put("people", "users", many)
    assert len(leavers.load("people", "users")) == len(many) + 2
    leavers.forget("people", "users", [each.anchor for each in many])
    assert leavers.load("people", "users") == {"a1": ANN, "a2": BOB}


def test_leavers_follow_the_job_and_end_with_it(store_with_job: Store, leavers: Leavers) -> None:
    store_with_job.jobs.rename("people", "staff")
    assert leavers.load("staff", "users") == {"a1": ANN, "a2": BOB}
    store_with_job.jobs.delete("staff")
    store_with_job.jobs.save("staff", SIDES)
    assert leavers.load("staff", "users") == {}


def test_leavers_of_an_unknown_job_are_refused(store: Store) -> None:
    with pytest.raises(ConfigError, match=re.escape("there is no job 'x'")):
        store.leavers.put("x", "users", [ANN])


def test_check_mode_keeps_no_leaver(leavers: Leavers, open_at: t.Callable[..., Store], path: t.Any) -> None:
    rehearsal = open_at(path, create=False)
    with rehearsal.transaction():
        rehearsal.leavers.forget("people", "users", ["a1", "a2"])
        assert rehearsal.leavers.load("people", "users") == {}
    assert leavers.load("people", "users") == {"a1": ANN, "a2": BOB}
