# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell people of runs: decide whether, queue a mail with the history, deliver what is due.

A mail is queued in the transaction that writes what it tells of, and sent outside of any. Nothing here makes a run
fail. Two processes never send one mail at once: each try begins with a claim. What can still double a mail is a crash
(or more than 15 minutes) between the server's 250 and the note of it; both copies then have the same Message-ID.
"""

from __future__ import annotations

import datetime as dt
import random
import typing as t
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from .._model.channels import CHANNEL, channels_of, is_channel
from .._model.errors import ConfigError, LockstepError
from .._model.mails import Delivery, Recipient, RunSummary
from .._model.notifications import (
    PASSWORD,
    URLS,
    NotificationSpec,
    Wish,
    is_told,
    parse_notification,
    with_notify,
)
from .._model.secrets import Secret, redact
from .._store.notifications import StoredNotification
from .._store.outbox import MOST_QUEUED, StoredMail
from .._store.secrets import resolve
from .._store.store import Store

if t.TYPE_CHECKING:
    from .._providers.smtp.sending import Caller
    from .mail_texts import Writing

BUDGET = 60.0
"""Seconds after which no further mail is begun; the rest is for the next tick."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """What telling people needs of the world.

    Attributes:
        host: the name of this machine.
        clock: gives the present, with time zone; `monotonic` seconds that never go back.
        randomness: for the numbers of mails.
        environ: where references find the servers' passwords.
        protect: told every password that was resolved.
    """

    host: str
    clock: Callable[[], dt.datetime]
    monotonic: Callable[[], float]
    randomness: random.Random
    environ: Mapping[str, str]
    protect: Callable[[str], None]

    def writing(self, secrets: Collection[str] = ()) -> Writing:
        """Give what writing one mail needs; `secrets` are masked in it."""
        from .mail_texts import Writing

        return Writing(
            now=self.clock(),
            number=uuid.UUID(int=self.randomness.getrandbits(128), version=4),
            mask=lambda text: redact(text, secrets),
        )


def notify(
    store: Store, wish: Wish, summary: RunSummary, post: Post, *, secrets: Collection[str] = ()
) -> tuple[int | None, str]:
    """Queue the mail about a run of a job or collection, if its notification says so.

    It belongs into the transaction that writes the history of the run; `deliver` sends it afterwards.

    Args:
        store: the state store.
        wish: the notification, and what is different for this job or collection.
        summary: what is told.
        post: the world.
        secrets: texts that must not be in the mail.

    Returns:
        The mail's number in the outbox or None, and a warning when there should be a mail and is none.

    Raises:
        StoreError: the store cannot be read or written.
    """
    from .mail_texts import write_run_mail

    stored = store.notifications.get(wish.notification)
    if stored is None:
        return None, f"nobody was told: there is no notification {wish.notification!r} any more."
    try:
        spec = with_notify(parse_notification(stored.name, stored.definition), wish.notify)
        if not spec.enabled or not is_told(spec.send, summary.status, summary.statistics):
            return None, ""
        mail = write_run_mail(spec, summary, post.writing(secrets), _channels(stored, post))
        if not mail.recipients:
            return None, f"nobody was told: notification {spec.name!r} has no recipients. Give some, or disable it."
    except ConfigError as error:
        return None, f"nobody was told: {error.message}"
    number = store.outbox.add(stored.id, summary.number, mail)
    if number is None:
        return None, f"nobody was told: {MOST_QUEUED} mails of notification {spec.name!r} wait for its server already."
    return number, ""


def deliver_due(store: Store, post: Post, *, budget: float = BUDGET) -> list[str]:
    """Try to deliver every mail that is due, each once, and give a warning for each that nobody or not everybody got.

    When a server takes a mail, those of the same notification that wait for their next try go along. After `budget`
    seconds no further mail is begun.

    Raises:
        StoreError: the store cannot be read or written.
    """
    if store.rehearsal:
        return []
    round_ = _Round(store, post, budget=budget)
    while (mail := round_.claim()) is not None:
        round_.deliver(mail)
    return round_.warnings


@dataclass(kw_only=True, slots=True)
class _Tried:
    mails: set[int] = field(default_factory=set)
    away: set[int] = field(default_factory=set)
    back: list[int] = field(default_factory=list)


class _Round:
    """One round over the outbox."""

    def __init__(self, store: Store, post: Post, *, budget: float) -> None:
        self.warnings: list[str] = []
        self._store = store
        self._post = post
        self._end = post.monotonic() + budget
        self._tried = _Tried()

    def claim(self) -> StoredMail | None:
        """Take the next mail; None when there is none or the time is over."""
        if self._post.monotonic() > self._end:
            return None
        tried, outbox = self._tried, self._store.outbox
        mail = outbox.claim(without=tried.away, tried=tried.mails)
        while mail is None and tried.back:
            mail = outbox.claim(of=tried.back[-1], without=tried.away, tried=tried.mails)
            if mail is None:
                tried.back.pop()
        return mail

    def deliver(self, mail: StoredMail) -> None:
        """Try one mail and note what became of it."""
        delivery = self._try(mail)
        after = self._store.outbox.settle(mail, delivery)
        self._tried.mails.add(mail.id)
        if delivery.unreachable:
            self._tried.away.add(mail.notification_id)
        elif delivery.server and mail.notification_id not in self._tried.back:
            self._tried.back.append(mail.notification_id)
        if after.error:
            self.warnings.append(_warning(after))

    def _try(self, mail: StoredMail) -> Delivery:
        stored = next((each for each in self._store.notifications.list() if each.id == mail.notification_id), None)
        try:
            if stored is None:
                raise ConfigError("its notification was deleted meanwhile.")
            spec = parse_notification(stored.name, stored.definition)
            if not spec.enabled:
                raise ConfigError(f"notification {spec.name!r} is disabled.")
        except LockstepError as error:
            return Delivery(answers={}, fault=error.message, unreachable=True)
        waiting = [each.address for each in mail.recipients if each.status == "waiting"]
        people = [address for address in waiting if not is_channel(address)]
        return _together(self._send(stored, spec, people, mail.content), self._tell(stored, mail, waiting))

    def _tell(self, stored: StoredNotification, mail: StoredMail, waiting: Sequence[str]) -> Delivery | None:
        """Tell the channels; whatever is wrong with them must not keep people from getting their mail."""
        try:
            return tell_through_channels(stored, self._post, waiting, mail.subject, mail.content)
        except LockstepError as error:
            return Delivery(answers={}, fault=error.message, unreachable=True)

    def _send(
        self, stored: StoredNotification, spec: NotificationSpec, people: Sequence[str], content: str
    ) -> Delivery | None:
        """Send a mail to those who get one; None when nobody does. Without a server any more they are refused."""
        from .._providers.smtp.sending import send_mail

        if not people:
            return None
        if spec.smtp is None:
            gone = "the notification has no mail server any more"
            return Delivery(answers={each: Recipient(address=each, status="refused", answer=gone) for each in people})
        try:
            caller = caller_of(stored, self._post)
        except LockstepError as error:
            return Delivery(answers={}, fault=error.message, unreachable=True)
        return send_mail(spec.smtp, caller, people, content)


def _together(*deliveries: Delivery | None) -> Delivery:
    """Give what became of a mail that went several ways."""
    tried = [each for each in deliveries if each is not None]
    return Delivery(
        answers={address: answer for each in tried for address, answer in each.answers.items()},
        server="; ".join(each.server for each in tried if each.server),
        fault=" ".join(each.fault for each in tried if each.fault),
        unreachable=all(each.unreachable for each in tried),
    )


def tell_through_channels(
    stored: StoredNotification, post: Post, waiting: Sequence[str], subject: str, content: str
) -> Delivery | None:
    """Tell the channels among those who wait; None when there are none. Raises ConfigError, DependencyError."""
    from .._providers.apprise.sending import tell_channels
    from .mail_texts import plain_text

    channels = [address for address in waiting if is_channel(address)]
    if not channels:
        return None
    return tell_channels(urls_of(stored, post) or Secret(""), channels, subject, plain_text(content))


def _channels(stored: StoredNotification, post: Post) -> list[str]:
    """Give the channels to tell; one when their addresses cannot be had now: then the delivery says why, and waits."""
    try:
        urls = urls_of(stored, post)
    except LockstepError:
        return [f"{CHANNEL}1"]
    return [] if urls is None else channels_of(urls)


def urls_of(stored: StoredNotification, post: Post) -> Secret | None:
    """Give the addresses of other channels, None without any. Raises ConfigError, StoreError."""
    if URLS not in stored.secrets:
        return None
    urls = resolve(stored.secrets[URLS], f"notification {stored.name!r}, option urls", post.environ)
    for line in urls.reveal().splitlines():
        post.protect(line.strip())
    return urls


def caller_of(stored: StoredNotification, post: Post) -> Caller:
    """Give who talks to the server of a notification, with its password. Raises ConfigError, StoreError."""
    from .._providers.smtp.sending import Caller

    password: Secret | None = None
    if PASSWORD in stored.secrets:
        password = resolve(stored.secrets[PASSWORD], f"notification {stored.name!r}, option password", post.environ)
        post.protect(password.reveal())
    return Caller(host=post.host, monotonic=post.monotonic, password=password)


def _warning(mail: StoredMail) -> str:
    what = f"the mail about run {mail.run_id}" if mail.run_id is not None else f"the mail {mail.subject!r}"
    reason = mail.error.rstrip(".")
    if mail.status == "queued":
        return f"{what} was not delivered: {reason}. It is tried again after {mail.next_try}."
    done = "was delivered in part only" if mail.status == "partly_sent" else "could not be delivered"
    return f"{what} {done}: {reason}. It is not tried again."


def described(mail: StoredMail) -> dict[str, object]:
    """Give a mail of the outbox as `notification_info` shows it."""
    return {
        "id": mail.id,
        "run": mail.run_id,
        "subject": mail.subject,
        "status": mail.status,
        "attempts": mail.attempts,
        "created": mail.created,
        "next_try": mail.next_try,
        "finished": mail.finished,
        "error": mail.error,
        "recipients": [
            {"address": each.address, "status": each.status, "answer": each.answer} for each in mail.recipients
        ],
    }
