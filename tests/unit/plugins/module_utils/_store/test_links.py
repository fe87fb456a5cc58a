# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Link
from ansible_collections.lockstep.sync.plugins.module_utils._store import remembered
from ansible_collections.lockstep.sync.plugins.module_utils._store.links import Links
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

ANN = Link(identity="1", anchor="a1", key=("1", "Größe \x00 \ud800"))
BOB = Link(identity="2", anchor="a2", key=("2",))
SIDES = {"source": {"provider": "hr"}, "destination": {"provider": "hr"}}


def numbered(count: int) -> list[Link]:
    return [Link(identity=f"{n}\x1fx", anchor=f"a{n}", key=(str(n), "x")) for n in range(count)]


def by_identity(*links: Link) -> dict[str, str]:
    return {link.identity: link.anchor for link in links}


@pytest.fixture
def links(store_with_job: Store) -> Links:
    store_with_job.links.put("people", "users", [ANN, BOB])
    return store_with_job.links


def test_links_come_back_for_their_job_and_object(links: Links) -> None:
    assert links.anchors("people", "users") == by_identity(ANN, BOB)
    assert links.anchors("people", "groups") == links.anchors("nobody", "users") == {}


def test_new_link_of_an_identity_replaces_the_old_one_and_no_other(links: Links) -> None:
    links.put("people", "groups", [replace(ANN, anchor="g1")])
    links.put("people", "users", [replace(ANN, anchor="a9"), replace(ANN, anchor="a3")])
    assert links.anchors("people", "users") == by_identity(replace(ANN, anchor="a3"), BOB)
    assert links.anchors("people", "groups") == by_identity(replace(ANN, anchor="g1"))


def test_forgotten_are_the_links_to_these_records_of_this_object(links: Links) -> None:
    links.put("people", "groups", [ANN])
    links.put("people", "users", [Link(identity="3", anchor="a1", key=("3",))])
    links.forget("people", "users", ["a1", "a7"])
    assert links.anchors("people", "users") == by_identity(BOB)
    assert links.anchors("people", "groups") == by_identity(ANN)
    links.forget("nobody", "users", ["a2"])
    links.forget("people", "users", [])
    assert links.anchors("people", "users") == by_identity(BOB)


def test_links_follow_the_job_and_end_with_it(store_with_job: Store, links: Links) -> None:
    store_with_job.jobs.rename("people", "staff")
    store_with_job.jobs.save("staff", SIDES)
    assert links.anchors("staff", "users") == by_identity(ANN, BOB)
    store_with_job.jobs.delete("staff")
    store_with_job.jobs.save("staff", SIDES)
    assert links.anchors("staff", "users") == {}


def test_links_of_an_unknown_job_are_refused(store: Store) -> None:
    with pytest.raises(ConfigError, match=re.escape("there is no job 'x'")):
        store.links.put("x", "users", [ANN])


def test_more_links_than_one_statement_takes_are_put_changed_and_forgotten(links: Links) -> None:
    many = numbered(3 * remembered.CHUNK + 1)
    links.put("people", "users", many)
    changed = [replace(link, anchor=f"new {link.anchor}") for link in many[:: remembered.CHUNK // 5]]
    links.put("people", "users", [*many[5:-5], *changed])
    assert links.anchors("people", "users") == by_identity(ANN, BOB, *many, *changed)
    links.forget("people", "users", [link.anchor for link in (*many, *changed)])
    assert links.anchors("people", "users") == {}


def test_links_that_are_known_already_are_not_written_again(links: Links, monkeypatch: pytest.MonkeyPatch) -> None:
    many = numbered(2 * remembered.CHUNK)
    links.put("people", "users", many)
    monkeypatch.setattr(remembered, "forget_digests", counted := Counted(remembered.forget_digests))
    links.put("people", "users", many)
    links.put("people", "users", [replace(link, key=("other",)) for link in many[:7]])
    assert counted.sizes == [0, 0, 0]
    links.put("people", "users", [replace(link, anchor=f"new {link.anchor}") for link in many[:7]])
    assert counted.sizes == [0, 0, 0, 7]


class Counted:
    """Notes how many rows are about to be replaced."""

    def __init__(self, forget: t.Callable[..., None]) -> None:
        self._forget = forget
        self.sizes: list[int] = []

    def __call__(self, connection: t.Any, table: t.Any, number: int, digests: t.Sequence[str]) -> None:
        self.sizes.append(len(digests))
        self._forget(connection, table, number, digests)


def test_identity_and_key_may_be_longer_than_a_database_indexes(links: Links) -> None:
    long = Link(identity="é" * 5000, anchor="a5", key=("é" * 5000,))
    links.put("people", "users", [long, replace(long, identity="é" * 5000 + "x")])
    assert links.anchors("people", "users")["é" * 5000] == "a5"
    assert len(links.anchors("people", "users")) == 4


def test_check_mode_keeps_no_link(links: Links, open_at: t.Callable[..., Store], path: t.Any) -> None:
    rehearsal = open_at(path, create=False)
    with rehearsal.transaction():
        rehearsal.links.put("people", "users", numbered(1))
        rehearsal.links.forget("people", "users", ["a1"])
        assert len(rehearsal.links.anchors("people", "users")) == 2
        assert "1" not in rehearsal.links.anchors("people", "users")
    assert links.anchors("people", "users") == by_identity(ANN, BOB)
