# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an entry is called what: renames and moves of entries that others rename and move, too."""

from __future__ import annotations

from ..._model.dn import first_rdn, fold_dn, format_dn, parent_dn, parse_dn
from ..._model.plans import DONE, Change, Outcome
from .flavours import PLACE
from .outcomes import record_name

DN_CHANGES = frozenset({"rename", "move"})


def new_place(change: Change, place: str) -> str:
    """Give the name that a rename or move gives to an entry that is at `place` now. Only what the plan changes is
    changed: an entry that somebody moved is renamed where it is, one that somebody renamed keeps its name in a move.
    """
    wish, read = str(change.after[PLACE]), _as_read(change)
    rdn = first_rdn(wish if _renames(wish, read) else place)
    above = parent_dn(wish if _moves(wish, read) else place)
    return format_dn((rdn, *parse_dn(above)))


def judge_place(change: Change, place: str) -> Outcome | None:
    """Give the outcome of a rename or move that must not be applied to the entry at `place`, None for one that may."""
    wish, read = str(change.after[PLACE]), _as_read(change)
    renames, moves = _renames(wish, read), _moves(wish, read)
    left = (renames and _renames(wish, place)) or (moves and _moves(wish, place))
    if not left:
        return DONE
    was_renamed = renames and _folded_rdn(place) not in (_folded_rdn(read), _folded_rdn(wish))
    was_moved = moves and _moves(place, read) and _moves(place, wish)
    if not was_renamed and not was_moved:
        return None
    what = "renamed" if was_renamed else "moved"
    message = f"the record {record_name(change)} was {what} since it was read: it was {read!r}, is {place!r}"
    return Outcome(status="skipped", code="moved_on", message=message)


def _as_read(change: Change) -> str:
    return str(change.before.get(PLACE) or change.target or "")


def _renames(one: str, other: str) -> bool:
    """Tell whether two names differ in the RDN, also if only in its case."""
    return _exact_rdn(one) != _exact_rdn(other)


def _exact_rdn(place: str) -> list[tuple[str, str]]:
    return sorted((name.casefold(), value) for name, value in first_rdn(place))


def _folded_rdn(place: str) -> str:
    return fold_dn(format_dn((first_rdn(place),)))


def _moves(one: str, other: str) -> bool:
    return fold_dn(parent_dn(one)) != fold_dn(parent_dn(other))
