# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes with everything that they can hold, for properties that are true of all of them."""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import (
    ACTIONS,
    Change,
    Image,
    Leaver,
    Outcome,
    ValueChanges,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import AppliedChange
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from hypothesis import strategies as st

NAMES = st.text(max_size=5) | st.sampled_from(["%s", 'a"b', "é%"])
# Lone surrogates among them.
TEXTS = st.text(st.characters(), max_size=8)
SINGLES = TEXTS | st.binary(max_size=8)
VALUES = st.none() | SINGLES | st.lists(SINGLES, max_size=3).map(tuple)
SETS = st.lists(SINGLES, max_size=3).map(tuple)
PASSWORDS = st.builds(
    GeneratedPassword, rule=st.builds(PasswordRule, length=st.integers(6, 99), special=st.sampled_from(["", "!#"]))
)
GROUPS = st.lists(st.tuples(st.text(max_size=4), st.sampled_from(["member", "uniqueMember"])), max_size=2).map(tuple)
FIELDS = st.dictionaries(NAMES, VALUES, max_size=3)
IMAGES = st.builds(Image, fields=FIELDS, groups=GROUPS)
LEAVERS = st.builds(
    Leaver,
    anchor=st.text(max_size=4),
    since=st.just("2026-11-25T00:00:00+00:00"),
    container=st.text(max_size=4),
    groups=GROUPS,
    stamped=FIELDS,
    was_enabled=st.booleans(),
)
PLANNED = VALUES | PASSWORDS | st.builds(ValueChanges, added=SETS, removed=SETS)
PLAIN = st.dictionaries(NAMES, st.none() | TEXTS, max_size=3)
OUTCOMES = st.builds(
    Outcome,
    status=st.sampled_from(["done", "failed", "skipped"]),
    code=st.sampled_from(["", "exists"]),
    message=st.text(max_size=5),
)


@st.composite
def any_change(draw: st.DrawFn) -> Change:
    """Every second change holds nothing but texts, as most do."""
    return Change(
        number=draw(st.integers(1, 10**6)),
        object="person",
        action=draw(st.sampled_from(ACTIONS)),
        key=tuple(draw(st.lists(TEXTS, min_size=1, max_size=3))),
        target=draw(st.none() | TEXTS),
        anchor=draw(st.none() | st.text(max_size=8)),
        before=draw(PLAIN | FIELDS),
        after=draw(PLAIN | st.dictionaries(NAMES, PLANNED, max_size=3)),
        image=draw(st.none() | IMAGES),
    )


@st.composite
def any_applied(draw: st.DrawFn) -> AppliedChange:
    """A change with its outcome, if it has one."""
    return AppliedChange(change=draw(any_change()), outcome=draw(st.none() | OUTCOMES))
