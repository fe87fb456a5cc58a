# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server's answer to a write means for the record: stable codes, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from ..._model.errors import ProviderError
from ..._model.plans import Change, Outcome, ValueChanges
from ..._model.values import show_key
from . import responses
from .responses import Response

REFERRAL, NO_SUCH_ATTRIBUTE, CONSTRAINT, VALUE_EXISTS, INVALID_SYNTAX = 10, 16, 19, 20, 21
NO_SUCH_OBJECT, INSUFFICIENT, UNWILLING, NAMING = 32, 50, 53, 64
OBJECT_CLASS, NOT_LEAF, EXISTS, ASSERTION_FAILED = 65, 66, 68, 122

_MOVED_ON = frozenset({NO_SUCH_ATTRIBUTE, VALUE_EXISTS, NO_SUCH_OBJECT, ASSERTION_FAILED, EXISTS})

_CODES: Mapping[int, tuple[str, str]] = {
    NO_SUCH_ATTRIBUTE: ("constraint", ""),
    17: ("constraint", "The directory's schema has no such attribute."),
    18: ("constraint", ""),
    CONSTRAINT: ("constraint", "A value is not allowed by the directory, or used already."),
    VALUE_EXISTS: ("constraint", ""),
    INVALID_SYNTAX: ("value", "A value has not the form its attribute takes."),
    NO_SUCH_OBJECT: ("missing_container", "The container or a record that is referred to does not exist."),
    34: ("value", "A distinguished name is not valid."),
    INSUFFICIENT: ("permission", "Give the provider's account the right to write this."),
    UNWILLING: ("refused", ""),
    NAMING: ("constraint", "The naming attribute does not fit the object's classes."),
    OBJECT_CLASS: ("constraint", "A mandatory attribute is missing, or one is mapped that the classes do not allow."),
    NOT_LEAF: ("not_empty", "It contains other entries; delete or move those first."),
    EXISTS: ("exists", "Another entry has this name."),
    69: ("constraint", "The structural class of an entry cannot be changed."),
}
_PASSWORD_POLICY = "0000052D"  # noqa: S105 - ERROR_PASSWORD_RESTRICTION of winerror.h


def failed(change: Change, response: Response, *, written: int = 0) -> Outcome:
    """Give the outcome of a change that the server refused; `written` is how many of its requests it took before.

    Raises ProviderError when the server itself is at fault.
    """
    refuse_server_fault(response)
    code, advice = _CODES.get(response.code, ("refused", ""))
    if response.code == REFERRAL:
        advice = f"It is a copy that takes no changes; the provider's `url` must name {', '.join(response.referrals)}."
    part = "A part of it was written before; the next run writes what is left. " if written else ""
    what = change.action.replace("_", " ")
    message = f"{what} of {record_name(change)}: the server answered {response.result}. {part}{advice}".strip()
    return Outcome(status="failed", code=code, message=message)


def may_have_moved_on(change: Change, response: Response) -> bool:
    """Tell whether the record is to be looked at again: somebody else may have been there, or an earlier try of ours.

    Active Directory is unwilling to take a value out of a list of references that does not have it.
    """
    sets = any(isinstance(value, ValueChanges) for value in change.after.values())
    return response.code in _MOVED_ON or (response.code == UNWILLING and sets)


def refuse_server_fault(response: Response) -> None:
    """Raise ProviderError for an answer that is about the server and not about a record."""
    if response.code in (responses.BUSY, responses.UNAVAILABLE):
        raise ProviderError(f"the directory answered {response.result}", retriable=True)


def password_refused(change: Change, response: Response, policy: str, taken_back: Response) -> Outcome:
    """Give the outcome of a new record whose password was refused. `taken_back` is the answer to its deletion."""
    refuse_server_fault(response)
    by_policy = _PASSWORD_POLICY in response.diagnostic or response.code == CONSTRAINT
    reason = f"the password does not meet {policy}" if by_policy else f"the server answered {response.result}"
    left = "The record was not made."
    if taken_back.code not in (0, NO_SUCH_OBJECT):
        left = (
            f"The record was made and cannot be taken back, the server answered {taken_back.result}: delete it, it has "
            "no password."
        )
    advice = "Raise the length of the password, or use more kinds of characters. " if by_policy else ""
    return Outcome(
        status="failed", code="password", message=f"create of {record_name(change)}: {reason}. {advice}{left}"
    )


def record_name(change: Change) -> str:
    """Give the record for messages: its key, and where it is."""
    if not change.key:
        return repr(change.target)
    return f"{show_key(change.key)} ({change.target})"


def gone(change: Change, more: str = "") -> Outcome:
    """Give the outcome for a record that is not there any more."""
    message = f"the record {record_name(change)} is not there any more{more}"
    return Outcome(status="skipped", code="gone", message=message)
