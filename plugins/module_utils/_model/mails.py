# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mails about runs: what they tell, what became of them with each recipient, and when they are tried again."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .plans import Held
from .runs import AppliedChange, LogLine, Problem, Statistics, Status

RecipientStatus: t.TypeAlias = t.Literal["waiting", "sent", "refused"]
MailStatus: t.TypeAlias = t.Literal["queued", "sent", "partly_sent", "failed"]
MAIL_STATUSES: tuple[MailStatus, ...] = t.get_args(MailStatus)

DELAYS: tuple[float, ...] = (60, 300, 900, 3600, 14400)
"""Seconds between two tries; the last one stays."""
GIVE_UP = 2 * 86400.0
"""Seconds after which a mail that could not be delivered is given up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary:
    """What is told of a run, of a job or of a collection.

    Attributes:
        subject: who ran, as `Job 'people'`.
        number: of the run in the history.
        parts: what the run is made of - the objects of a job, the jobs of a collection - with the counts of each.
        changes: all that were made, for an attachment; `log` likewise.
        files: where the whole of it is, on the host that ran it.
    """

    subject: str
    number: int | None
    status: Status
    message: str
    started: str
    finished: str
    duration: float
    host: str
    statistics: Statistics
    parts: Sequence[tuple[str, Statistics]] = ()
    problems: Sequence[Problem] = ()
    held: Sequence[Held] = ()
    changes: Iterable[AppliedChange] = ()
    changes_total: int = 0
    log: Sequence[LogLine] = ()
    files: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """One address of a mail; `answer` is what the server last said of it."""

    address: str
    status: RecipientStatus = "waiting"
    answer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A mail as it is put into the outbox: ASCII text as it is sent, line ends and all."""

    subject: str
    recipients: tuple[str, ...]
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """What one try to deliver a mail came to.

    Attributes:
        answers: of each address that the server took (`sent`) or refused for good (`refused`); one that is missing
            is tried again.
        server: what the server said when it took the mail.
        fault: why somebody is still waiting, empty when nobody is.
        unreachable: nothing could be said to the server at all, so other mails need not be tried there now.
    """

    answers: Mapping[str, Recipient]
    server: str = ""
    fault: str = ""
    unreachable: bool = False


def next_try(attempts: int, created: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """Give when a mail is tried again after so many attempts; None when it is given up."""
    end = created + dt.timedelta(seconds=GIVE_UP)
    if now >= end:
        return None
    return min(end, now + dt.timedelta(seconds=DELAYS[min(max(attempts, 1), len(DELAYS)) - 1]))
