# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory server of a few lines, to do what real ones do only on a bad day."""

from __future__ import annotations

import socket
import threading
import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import ber, controls
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.channel import Channel
from support import ldap_codec

Entry: t.TypeAlias = tuple[bytes, Sequence[tuple[str, Sequence[bytes]]]]


class FakeServer:
    """Answers requests by a script: a function from (number of the request, message id, its operation's name, the
    operation) to the bytes to send, None to close the line. After `answers` of them the line is closed. With `piece`
    the bytes come that many at a time.
    """

    def __init__(
        self,
        script: Callable[[int, int, str, t.Any], bytes | None],
        *,
        timeout: float = 30,
        answers: int | None = None,
        piece: int | None = None,
    ) -> None:
        ours, theirs = socket.socketpair()
        self.requests: list[tuple[str, t.Any]] = []
        self._script = script
        self._answers = answers
        self._piece = piece
        self._socket = theirs
        self.channel = Channel(ours, timeout=timeout, first_message_id=5, server="the fake server")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        buffer = b""
        with self._socket:
            while True:
                try:
                    data = self._socket.recv(65536)
                except OSError:
                    return
                if not data:
                    return
                buffer += data
                while 0 < (end := ber.message_end(buffer, 0)) <= len(buffer):
                    message_id, name, operation, _controls = ldap_codec.decode_request(buffer[:end])
                    buffer = buffer[end:]
                    self.requests.append((name, operation))
                    if name == "unbindRequest":
                        return
                    answer = self._script(len(self.requests), message_id, name, operation)
                    if answer is None or not self._send(answer) or len(self.requests) == self._answers:
                        return

    def _send(self, answer: bytes) -> bool:
        """Send; false when the other side is gone, which is nothing unusual here."""
        step = self._piece or max(len(answer), 1)
        try:
            for at in range(0, len(answer), step):
                self._socket.sendall(answer[at : at + step])
        except OSError:
            return False
        return True

    def close(self) -> None:
        self.channel.close()
        self._thread.join(5)


def entries(message_id: int, *found: Entry) -> bytes:
    """Give the messages of entries."""
    return b"".join(ldap_codec.entry(message_id, dn, attributes) for dn, attributes in found)


def done(
    message_id: int, code: int = 0, cookie: bytes | None = b"", text: str = "", name: str = "searchResDone"
) -> bytes:
    """Give the end of an operation; `cookie` None leaves the paging control out."""
    given: Mapping[str, bytes] = {}
    if cookie is not None and name == "searchResDone":
        value = ber.tlv(ber.SEQUENCE, ber.integer(0) + ber.octets(cookie))
        given = {controls.PAGED_RESULTS: value}
    return ldap_codec.result(message_id, name, code, diagnostic=text, controls=given)
