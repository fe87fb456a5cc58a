# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which a directory's changes are taken back."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Action, Change, Image
from ansible_collections.lockstep.sync.plugins.module_utils._planning.undoing import (
    Inverse,
    Surroundings,
    Written,
    plan_undo,
)

ANN, OLD, NEW, PERSON = "cn=ann,dc=x", "cn=bob,dc=x", "cn=bob,ou=o,dc=x", "cn=new,ou=o,dc=x"
AROUND = Surroundings(place="dn", fold=lambda _name, value: value.lower() if isinstance(value, str) else value)
Step = tuple[Action, str, str, Mapping[str, t.Any], Mapping[str, t.Any]]


def change_of(step: Step, number: int) -> Change:
    action, key, target, before, after = step
    return Change(
        number=number,
        object="people",
        action=action,
        key=(key,) if key else (),
        target=target,
        before=before,
        after=after,
        image=Image(fields={}) if action == "delete" else None,
    )


def undo(steps: list[Step], records: Mapping[str, t.Any], around: Surroundings = AROUND) -> Inverse:
    """Take back `steps` (action, key, target, before, after); `records` are by key."""
    done = [Written(change=change_of(step, number), anchor=None) for number, step in enumerate(steps, 1)]
    found = {written.change.number: records.get("".join(written.change.key)) for written in done}
    return plan_undo(done, found, around)


def planned(inverse: Inverse) -> list[tuple[str, str | None]]:
    return [(change.action, change.target) for change in inverse.changes]


def test_references_to_new_records_are_taken_back_when_everybody_has_the_old_name() -> None:
    steps: list[Step] = [
        ("create", "new", PERSON, {}, {"sn": "N"}),
        ("move", "ann", ANN, {"dn": ANN}, {"dn": "cn=ann,ou=o,dc=x"}),
        ("move", "bob", OLD, {"dn": OLD}, {"dn": NEW}),
        ("link", "ann", "cn=ann,ou=o,dc=x", {"manager": OLD}, {"manager": PERSON}),
    ]
    inverse = undo(
        steps,
        {
            "new": {"dn": PERSON, "sn": "N"},
            "ann": {"dn": "cn=ann,ou=o,dc=x", "manager": PERSON},
            "bob": {"dn": NEW},
        },
    )
    assert planned(inverse) == [
        ("move", NEW),
        ("move", "cn=ann,ou=o,dc=x"),
        ("update", ANN),
        ("delete", PERSON),
    ]
    assert inverse.changes[2].after == {"manager": OLD}


def test_containers_and_records_that_went_come_back_from_the_top_and_their_references_last() -> None:
    steps: list[Step] = [
        ("move", "bob", OLD, {"dn": OLD}, {"dn": NEW}),
        ("delete", "cid", "cn=cid,ou=p,dc=x", {"sn": "C", "manager": OLD}, {}),
        ("delete", "", "ou=p,dc=x", {}, {}),
    ]
    around = Surroundings(place="dn", fold=AROUND.fold, references=frozenset({"manager"}))
    done = undo(steps, {"bob": {"dn": NEW}})
    assert planned(done)[:2] == [("create_container", "ou=p,dc=x"), ("create", "cn=cid,ou=p,dc=x")]
    assert done.changes[0].after == {"ou": "p"}
    checked = undo(steps, {"bob": {"dn": NEW}}, around)
    assert planned(checked)[-2:] == [("move", NEW), ("link", "cn=cid,ou=p,dc=x")]
    assert checked.changes[-1].after == {"manager": OLD}
