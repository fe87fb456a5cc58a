# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The socket: bytes out, whole messages in, and never a wait that only the other side could end.

The socket does not block. What is to be sent is queued and goes out while answers are read, so that a server that stops
reading until its answers are read cannot hang us, with or without TLS.
"""

from __future__ import annotations

import select
import socket
import ssl
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass

from ..._model.errors import ProviderError
from . import ber
from .requests import Request, unbind
from .responses import BUSY, RESULTS, UNAVAILABLE, Response, decode_head, decode_response

CHUNK: t.Final = 256 * 1024
# RFC 4511 section 4.1.1.1: ids are up to maxInt.
_LAST_ID: t.Final = (1 << 31) - 1
_GOODBYE: t.Final = 2.0


class LostConnectionError(ProviderError):
    """The connection is gone or cannot be trusted any more.

    `in_flight` has the indices of the requests that were sent, or were about to be, and got no answer: whether the
    server carried them out is not known.
    """

    def __init__(self, message: str, *, retriable: bool = True, in_flight: tuple[int, ...] = ()) -> None:
        super().__init__(message, retriable=retriable)
        self.in_flight = in_flight


@dataclass(frozen=True, slots=True)
class Message:
    """A message in the buffer: `start` to `stop` is the operation's content, `at` to `end` the whole."""

    message_id: int
    tag: int
    data: bytes
    at: int
    start: int
    stop: int
    end: int

    def response(self) -> Response:
        return decode_response(self.data, self.at, self.end)


class Wire:
    """A connected socket, plain or wrapped by ssl, whose bind is done.

    `data` from `at` on is what was received and not yet used. One operation at a time holds the wire, see `claim`.
    """

    def __init__(self, sock: socket.socket, *, timeout: float, first_message_id: int, server: str) -> None:
        """Take the socket over; `timeout` is in seconds, for each wait for the server's next bytes."""
        sock.setblocking(False)
        self.data = b""
        self.at = 0
        self.server = server
        # Ids whose answers nobody waits for any more.
        self.forgotten: set[int] = set()
        self._sock = sock
        self._tls = isinstance(sock, ssl.SSLSocket)
        self._timeout = timeout
        self._next_id = first_message_id
        self._out = b""
        self._chunk = memoryview(bytearray(CHUNK))
        self._claimed = False
        self._broken: LostConnectionError | None = None

    def claim(self) -> None:
        """Begin an operation; answers of two at once would be mixed up."""
        if self._broken is not None:
            raise self._broken
        if self._claimed:
            raise RuntimeError(
                "the LDAP channel is in use: read the search or the results before to the end, or close them"
            )
        self._claimed = True

    def release(self) -> None:
        """End the operation."""
        self._claimed = False

    def queue(self, requests: Sequence[Request]) -> list[int]:
        """Queue requests; gives their message ids. They go out with the next `flush` or `fill`."""
        first = self._next_id
        if first + len(requests) > _LAST_ID:
            first = 1
        self._next_id = first + len(requests)
        ids = list(range(first, self._next_id))
        self._out += b"".join([request(message_id) for request, message_id in zip(requests, ids, strict=True)])
        return ids

    def flush(self) -> None:
        """Send what goes out at once; the rest goes out while reading."""
        if self._out:
            self._push()

    def fill(self) -> None:
        """Wait until the message at `at` is complete, or there is more of it; send what is queued meanwhile."""
        end = ber.message_end(self.data, self.at)
        missing = max(end - len(self.data), 1)
        pieces = [self.data[self.at :]]
        while missing > 0:
            piece = self._read()
            pieces.append(piece)
            missing -= len(piece)
        self.data = b"".join(pieces)
        self.at = 0

    def buffered(self) -> bool:
        """Say whether a whole message is in the buffer."""
        end = ber.message_end(self.data, self.at)
        return 0 < end <= len(self.data)

    def receive(self) -> Message:
        """Give the next message that somebody waits for."""
        while True:
            while not self.buffered():
                self.fill()
            at = self.at
            end = self.at = ber.message_end(self.data, at)
            try:
                message_id, tag, start, stop = decode_head(self.data, at, end)
            except IndexError:
                raise ber.MalformedError("a message is cut off within an element") from None
            if message_id == 0:
                raise self.notice(decode_response(self.data, at, end))
            if message_id not in self.forgotten:
                return Message(message_id, tag, self.data, at, start, stop, end)
            if tag in RESULTS:
                self.forgotten.discard(message_id)

    def notice(self, response: Response) -> LostConnectionError:
        """Give the error for an unsolicited message (RFC 4511 section 4.4); there is only that of disconnection."""
        return self.lose(
            f"{self.server} ended the connection with a notice of disconnection: {response.result}",
            retriable=response.code in (BUSY, UNAVAILABLE),
        )

    def malformed(self, error: ber.MalformedError) -> LostConnectionError:
        """Give the error for bytes that are not LDAP."""
        return self.lose(
            f"{self.server} sent something that is not valid LDAP: {error}. Check that the port speaks LDAP and that no"
            " proxy changes it.",
            retriable=False,
        )

    def lose(self, message: str, *, retriable: bool = True) -> LostConnectionError:
        """Give the error for a connection of no more use, and remember it for whoever tries next."""
        self._broken = LostConnectionError(message, retriable=retriable)
        return self._broken

    def close(self) -> None:
        """Say goodbye if the server listens, and close the socket."""
        try:
            if self._broken is None:
                self.queue([unbind()])
                self._broken = LostConnectionError(f"the connection to {self.server} was closed", retriable=False)
                if events := self._push():
                    self._poll(events, min(self._timeout, _GOODBYE))
                    self._push()
        except LostConnectionError:
            pass
        finally:
            self._sock.close()

    def _read(self) -> bytes:
        while True:
            sending = self._push() if self._out else 0
            size, reading = self._pull()
            if size:
                return bytes(self._chunk[:size])
            if not self._poll(sending | reading, self._timeout):
                raise self.lose(
                    f"{self.server} sent nothing for {self._timeout:g} seconds. Raise the timeout of the provider if"
                    " the server needs longer."
                )

    def _poll(self, events: int, timeout: float) -> bool:
        # Made anew each time: it costs a microsecond, and poll, other than select, takes any descriptor.
        poll = select.poll()
        poll.register(self._sock, events)
        return bool(poll.poll(timeout * 1000))

    def _push(self) -> int:
        """Send until nothing is left or the socket is full; gives the events to wait for, 0 when all is sent."""
        out = memoryview(self._out)
        sent = 0
        events = 0
        try:
            while sent < len(out):
                sent += self._sock.send(out[sent:])
        except (BlockingIOError, ssl.SSLWantWriteError):
            events = select.POLLOUT
        except ssl.SSLWantReadError:
            events = select.POLLIN
        except OSError:
            # Reading tells more: first what the server still said, such as a notice of disconnection, then the fault.
            sent = len(out)
        self._out = self._out[sent:]
        return events

    def _pull(self) -> tuple[int, int]:
        """Read what is there into the chunk; gives how many bytes, or 0 and the events to wait for."""
        filled = 0
        try:
            while filled < CHUNK:
                size = self._sock.recv_into(self._chunk[filled:])
                if not size:
                    break
                filled += size
                # One TLS record at a time comes out; a plain socket gives all it has at once.
                if not self._tls:
                    return filled, 0
        except (BlockingIOError, ssl.SSLWantReadError):
            return filled, select.POLLIN
        except ssl.SSLWantWriteError:
            return filled, select.POLLOUT
        except OSError as error:
            if not filled:
                raise self.lose(f"the connection to {self.server} broke: {error}") from None
        if not filled:
            raise self.lose(f"{self.server} closed the connection")
        return filled, 0
