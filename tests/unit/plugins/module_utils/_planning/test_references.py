# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""References: a value that several records have is never guessed at, and takes nobody out of a list."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Change
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from ansible_collections.lockstep.sync.plugins.module_utils._planning.references import (
    Pending,
    ReferenceBook,
    ReferenceIndex,
    resolve_value,
    settle_value,
)

ANN, BOB, OTHER, CID = "cn=Ann,o=x", "cn=Bob,o=x", "cn=Other Bob,o=x", "cn=Cid,o=x"


@pytest.fixture
def index() -> ReferenceIndex:
    made = ReferenceIndex()
    for value, place in (("1", ANN), ("2", BOB), ("2", OTHER), ("3", CID)):
        made.add(value, place)
    return made


def settle(index: ReferenceIndex, wish: Value, current: Value) -> tuple[Value, str]:
    pending = resolve_value(index, wish)
    assert isinstance(pending, Pending)
    now, later, unresolved = settle_value(index, pending, "member", current)
    assert (later, unresolved is None) == (None, False)
    return now, t.cast("t.Any", unresolved).reason


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        ((ANN, BOB), (ANN, BOB)),
        ((ANN, "CN=bob, O=X"), (ANN, "CN=bob, O=X")),
        ((ANN, BOB, OTHER, CID), (ANN, BOB, OTHER)),
        ((ANN,), ANN),
        (None, ANN),
    ],
)
def test_a_member_whose_number_two_records_have_is_neither_taken_out_nor_put_in(
    index: ReferenceIndex, current: Value, expected: Value
) -> None:
    """A look-up that failed for one member took others out of the group (Alfresco#1149)."""
    now, reason = settle(index, ("1", "2"), current)
    assert (now if isinstance(now, str) else set(t.cast("t.Any", now))) == (
        expected if isinstance(expected, str) else set(t.cast("t.Any", expected))
    )
    assert reason == "several records have it"


def test_who_has_no_record_is_left_out(index: ReferenceIndex) -> None:
    assert settle(index, ("1", "9"), (ANN, BOB)) == (ANN, "no record has it")


def test_those_who_share_a_number_are_known_where_they_move_to(index: ReferenceIndex) -> None:
    book = ReferenceBook(directory=t.cast("t.Any", None), place="dn", indexes={(None, None, "uid"): index})
    there = "cn=Bob,ou=new,o=x"
    move = Change(number=1, object="p", action="move", key=("2",), target=BOB, before={"dn": BOB}, after={"dn": there})
    book.note_moves([move])
    now, _reason = settle(index, ("1", "2"), (ANN, there))
    assert set(t.cast("t.Any", now)) == {ANN, there}
