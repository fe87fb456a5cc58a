# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many requests at once: a window of operations in flight, answers in whatever order (RFC 4511 section 3.1)."""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Iterable
from contextlib import closing

from .ber import MalformedError
from .entries import EntryDecoder, Taken
from .requests import Request
from .responses import ENTRY, INTERMEDIATE, NO_SUCH_OBJECT, SUCCESS, Response, result_error
from .wire import LostConnectionError, Message, Wire


def exchange(
    wire: Wire, requests: Iterable[Request], window: int
) -> t.Generator[tuple[int, Message | None, Response | None], None, None]:
    """Send requests, at most `window` unanswered; yield what comes with the index of its request.

    What comes is an entry's message, or the response that ends the request. The caller holds the wire.

    Raises:
        LostConnectionError: with the indices of the requests in flight.
    """
    source = enumerate(requests)
    waiting: dict[int, int] = {}
    try:
        while True:
            # All answers at hand come first, so that one send fills the window.
            batch = list(itertools.islice(source, window - len(waiting)))
            ids = wire.queue([request for _index, request in batch])
            waiting.update(zip(ids, [index for index, _request in batch], strict=True))
            if not waiting:
                return
            wire.flush()
            while True:
                message = wire.receive()
                if message.message_id not in waiting:
                    raise MalformedError(f"a message with the id {message.message_id}, which no operation has")
                if message.tag == ENTRY:
                    yield waiting[message.message_id], message, None
                else:
                    response = message.response()
                    if response.tag == INTERMEDIATE:
                        raise MalformedError(f"an intermediate response {response.name} that nobody asked for")
                    yield waiting.pop(message.message_id), None, response
                if not wire.buffered():
                    break
    except MalformedError as error:
        raise _with_indices(wire.malformed(error), waiting) from None
    except LostConnectionError as error:
        raise _with_indices(error, waiting) from None
    finally:
        # Whoever stops listening may use the channel again; the answers still come.
        wire.forgotten.update(waiting)


def fetch(
    wire: Wire, requests: Iterable[Request], decoder: EntryDecoder, window: int
) -> t.Generator[tuple[int, Taken], None, None]:
    """Send base searches; yield for each what it found: one row, or none when the entry is not there.

    Raises:
        LdapResultError: any result but success and noSuchObject.
        LostConnectionError: the connection is gone.
    """
    found: dict[int, Taken] = {}
    with closing(exchange(wire, requests, window)) as answers:
        for index, message, response in answers:
            if message is not None:
                found[index] = _decode_only(wire, message, decoder, index in found)
            elif response is not None:
                if response.code not in (SUCCESS, NO_SUCH_OBJECT):
                    raise result_error(f"reading one entry of {wire.server}", response)
                yield index, found.pop(index, Taken(rows=[], ranges=(), controls={}))


def _decode_only(wire: Wire, message: Message, decoder: EntryDecoder, again: bool) -> Taken:
    try:
        if again:
            raise MalformedError("two entries in answer to the search for one")
        decoder.decode_entry(message.data, message.start, message.stop, message.end)
    except MalformedError as error:
        raise wire.malformed(error) from None
    return decoder.take()


def _with_indices(error: LostConnectionError, waiting: dict[int, int]) -> LostConnectionError:
    error.in_flight = tuple(sorted(waiting.values()))
    return error
