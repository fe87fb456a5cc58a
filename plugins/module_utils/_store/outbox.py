# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mails that are to be sent: queued with the history of the run they tell of, claimed by one process at a time."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace

from .._model.mails import Delivery, Mail, MailStatus, Recipient, next_try
from .session import Session, inserted_id
from .tables import tables
from .texts import clean, from_json_text, to_json_text
from .times import Clock, to_text

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Row

MOST_QUEUED = 500
"""A notification whose server is away keeps at most so many mails."""
KEPT_DAYS = 30
"""How long the outbox remembers mails that nobody waits for any more."""
LEASE = dt.timedelta(minutes=15)
"""How long a claim lasts: longer than a try may take."""
SHOWN = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredMail:
    """A mail in the outbox. Times are ISO 8601, UTC; `content` is empty once nobody waits for it."""

    id: int
    notification_id: int
    run_id: int | None
    subject: str
    recipients: tuple[Recipient, ...]
    content: str
    status: MailStatus
    attempts: int
    created: str
    next_try: str | None
    finished: str | None
    error: str


StoredMails: t.TypeAlias = list[StoredMail]


class Outbox:
    """The mails of one store."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def add(self, notification_id: int, run_id: int | None, mail: Mail) -> int | None:
        """Queue a mail, due at once; give its number, or None when too many of the notification wait already.

        What is older than 30 days and waits for nobody is forgotten.
        """
        table = tables().messages
        now = self._clock()
        with self._session.write() as connection:
            old = to_text(now - dt.timedelta(days=KEPT_DAYS))
            connection.execute(table.delete().where(table.c.status != "queued", table.c.finished < old))
            if self._count_queued(notification_id) >= MOST_QUEUED:
                return None
            result = connection.execute(
                table.insert().values(
                    notification_id=notification_id,
                    run_id=run_id,
                    subject=clean(mail.subject),
                    recipients=_to_text([Recipient(address=each) for each in mail.recipients]),
                    content=mail.content,
                    status="queued",
                    attempts=0,
                    created=to_text(now),
                    next_try=to_text(now),
                    error="",
                )
            )
            return inserted_id(result)

    def claim(
        self, *, of: int | None = None, without: Collection[int] = (), tried: Collection[int] = ()
    ) -> StoredMail | None:
        """Take the mail that has been due for longest, so that nobody else sends it for 15 minutes; None for none.

        Args:
            of: take one of this notification only, also when it is not due yet: its server answers again.
            without: notifications whose mails are left.
            tried: mails that are left.
        """
        table = tables().messages
        now = to_text(self._clock())
        conditions = [
            table.c.status == "queued",
            table.c.claimed_until.is_(None) | (table.c.claimed_until <= now),
            table.c.notification_id.not_in(list(without)),
            table.c.id.not_in(list(tried)),
            table.c.next_try <= now if of is None else table.c.notification_id == of,
        ]
        with self._session.write() as connection:
            query = table.select().where(*conditions).order_by(table.c.next_try, table.c.id).limit(1)
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            claim = {"claimed_until": to_text(self._clock() + LEASE), "attempts": row.attempts + 1}
            connection.execute(table.update().where(table.c.id == row.id).values(**claim))
            return replace(_to_mail(row), attempts=row.attempts + 1)

    def settle(self, mail: StoredMail, delivery: Delivery) -> StoredMail:
        """Enter what a try came to, and give the mail as it is then.

        A claim that somebody else took over meanwhile changes nothing but that; the other enters what it did.
        """
        table = tables().messages
        after = _after(mail, delivery, self._clock())
        values = {
            "recipients": _to_text(after.recipients),
            "content": after.content or None,
            "status": after.status,
            "next_try": after.next_try,
            "finished": after.finished,
            "error": clean(after.error),
            "claimed_until": None,
        }
        mine = (table.c.id == mail.id, table.c.attempts == mail.attempts)
        with self._session.write() as connection:
            connection.execute(table.update().where(*mine).values(**values))
        return after

    def find(self, notification_id: int, *, limit: int = SHOWN) -> StoredMails:
        """Give the mails of a notification that are not sent to all, newest first."""
        table = tables().messages
        query = table.select().where(table.c.notification_id == notification_id, table.c.status != "sent")
        with self._session.read() as connection:
            rows = connection.execute(query.order_by(table.c.id.desc()).limit(limit)).all()
        return [_to_mail(row) for row in rows]

    def get(self, number: int) -> StoredMail | None:
        """Give one mail, or None."""
        table = tables().messages
        with self._session.read() as connection:
            row = connection.execute(table.select().where(table.c.id == number)).one_or_none()
        return None if row is None else _to_mail(row)

    def _count_queued(self, notification_id: int) -> int:
        import sqlalchemy as sa

        table = tables().messages
        query = sa.select(sa.func.count()).select_from(table)
        with self._session.read() as connection:
            return connection.execute(
                query.where(table.c.notification_id == notification_id, table.c.status == "queued")
            ).scalar_one()


def _after(mail: StoredMail, delivery: Delivery, now: dt.datetime) -> StoredMail:
    recipients = tuple(delivery.answers.get(each.address, each) for each in mail.recipients)
    waiting = [each for each in recipients if each.status == "waiting"]
    again = next_try(mail.attempts, dt.datetime.fromisoformat(mail.created), now) if waiting else None
    error = "; ".join(
        [f"{each.address}: {each.answer}" for each in recipients if each.status == "refused"]
        + ([delivery.fault] if delivery.fault else [])
    )
    if again is not None:
        return replace(mail, recipients=recipients, next_try=to_text(again), error=error)
    if waiting:
        error += "; given up after 2 days"
    sent = sum(1 for each in recipients if each.status == "sent")
    status: MailStatus = "sent" if sent == len(recipients) else "partly_sent" if sent else "failed"
    return replace(
        mail, recipients=recipients, next_try=None, error=error, status=status, content="", finished=to_text(now)
    )


def _to_text(recipients: Sequence[Recipient]) -> str:
    return to_json_text([asdict(each) for each in recipients])


def _to_mail(row: Row[t.Any]) -> StoredMail:
    return StoredMail(
        id=row.id,
        notification_id=row.notification_id,
        run_id=row.run_id,
        subject=row.subject,
        recipients=tuple(Recipient(**each) for each in from_json_text(row.recipients)),
        content=row.content or "",
        status=row.status,
        attempts=row.attempts,
        created=row.created,
        next_try=row.next_try,
        finished=row.finished,
        error=row.error,
    )
