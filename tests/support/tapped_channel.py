# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tap on the connection a writer uses: what it sends, what others do at the same moment, and a line that is cut."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Iterator, Sequence

from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Directory, WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Change, Outcome
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import channel as channels
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.channel import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.requests import Request
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.responses import Response
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.wire import LostConnectionError
from support import ldap_codec

Sent: t.TypeAlias = tuple[str, t.Any]


class Tap:
    """Sits on every channel that the provider's writers open.

    Attributes:
        sent: the operations that were sent to be carried out, by name, in order.
        sent_at_once: how many operations each call of `run` sent.
        read: the attributes that were asked for of each list of entries.
        before_writing: called once, before the next operations are sent.
        cut_after: after this many answers the line is cut; those in flight may still be carried out.
    """

    def __init__(self, provider: Directory) -> None:
        self.sent: list[Sent] = []
        self.sent_at_once: list[int] = []
        self.read: list[tuple[str, ...]] = []
        self.before_writing: Callable[[], None] | None = None
        self.cut_after: int | None = None
        self._session = provider._session  # type: ignore[attr-defined]
        self._open = self._session.open
        self._session.open = self._tapped

    def _tapped(self) -> Channel:
        return t.cast("Channel", _Tapped(self._open(), self))

    def operations(self, name: str) -> list[t.Any]:
        """Give the operations of one kind (modifyRequest, addRequest, ...)."""
        return [operation for sent, operation in self.sent if sent == name]


class _Tapped:
    def __init__(self, channel: Channel, tap: Tap) -> None:
        self._channel = channel
        self._tap = tap

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._channel, name)

    def read_entries(self, dns: Iterable[str], attributes: Sequence[str], **options: t.Any) -> t.Any:
        self._tap.read.append(tuple(attributes))
        return self._channel.read_entries(dns, attributes, **options)

    def run(self, requests: Iterable[Request], window: int = channels.DEFAULT_WINDOW) -> Iterator[tuple[int, Response]]:
        tap, requests = self._tap, list(requests)
        hook, tap.before_writing = tap.before_writing, None
        if hook is not None:
            hook()
        if tap.cut_after == 0:
            tap.cut_after = None
            raise LostConnectionError("the line was cut")
        for request in requests:
            _message_id, name, operation, _controls = ldap_codec.decode_request(request(1))
            tap.sent.append((name, operation))
        tap.sent_at_once.append(len(requests))
        for index, response in self._channel.run(requests, window):
            yield index, response
            if tap.cut_after is not None:
                tap.cut_after -= 1
                if tap.cut_after == 0:
                    tap.cut_after = None
                    raise LostConnectionError("the line was cut")


def apply_until_done(provider: Directory, target: WriteTarget, changes: Sequence[Change]) -> list[Outcome]:
    """Apply as the executor does: after a lost line with a new writer, again and again."""
    for _try in range(10):
        try:
            with provider.writer(target) as writer:
                return writer.apply(changes)
        except LostConnectionError:
            continue
    raise AssertionError("the batch was never applied")
