# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bound LDAP connection, and the three things done with it: search, read some entries, write many."""

from __future__ import annotations

import socket
import typing as t
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing

from ..._model.errors import ProviderError
from . import filters, requests
from .entries import EntryDecoder, Row
from .pipeline import exchange, fetch
from .ranges import OpenRow, complete, split
from .requests import Name, Request
from .responses import Response
from .searching import Query, SearchStream
from .wire import Wire

DEFAULT_WINDOW: t.Final = 32


class Channel:
    """Owns a socket on which a bind was done, plain or wrapped by ssl. One operation at a time, many requests in it.

    All methods raise `LostConnectionError` when the connection is gone, the server says that it closes it, sends
    nothing for `timeout` seconds, or sends what is not LDAP.
    """

    def __init__(
        self, sock: socket.socket, *, timeout: float, first_message_id: int, server: str = "the LDAP server"
    ) -> None:
        """Take over the socket.

        Args:
            sock: connected and bound; nobody else may read or write it from now on.
            timeout: seconds, for each wait for the server's next bytes.
            first_message_id: the first id that was not used yet.
            server: how messages name the server.
        """
        self._wire = Wire(sock, timeout=timeout, first_message_id=first_message_id, server=server)

    def search(
        self,
        base: Name,
        scope: int,
        filter_bytes: bytes,
        attributes: Sequence[str],
        *,
        page_size: int | None,
        size_limit: int = 0,
        time_limit: int = 0,
        controls: bytes = b"",
        columns: Sequence[str] | None = None,
        known_elsewhere: Callable[[str], bool] = lambda _uri: False,
    ) -> SearchStream:
        """Search, page by page if `page_size` is a number; aliases are never followed.

        Args:
            base: where to begin.
            scope: `requests.BASE`, `ONE_LEVEL` or `SUBTREE`.
            filter_bytes: from `filters.parse` or its builders.
            attributes: what to ask for.
            page_size: entries a page, None for all at once.
            size_limit: entries, 0 for no limit.
            time_limit: seconds on the server, 0 for no limit.
            controls: encoded controls, sent with each page and with each request for more values.
            columns: what a row has after the name, if it is not the attributes in their order.
            known_elsewhere: says of a reference that what it leads to is no part of what is searched for.

        Gives a stream of batches of rows, which sends nothing before the first batch is asked for.
        """
        return SearchStream(
            self._wire,
            Query(
                base=base,
                scope=scope,
                filter_bytes=filter_bytes,
                attributes=attributes,
                columns=attributes if columns is None else columns,
                page_size=page_size,
                size_limit=size_limit,
                time_limit=time_limit,
                controls=controls,
                known_elsewhere=known_elsewhere,
            ),
        )

    def read_entries(
        self,
        dns: Iterable[Name],
        attributes: Sequence[str],
        *,
        window: int = DEFAULT_WINDOW,
        controls: bytes = b"",
        filter_bytes: bytes | None = None,
    ) -> Iterator[tuple[int, Row | None]]:
        """Read entries by name; yield each with its index, in the order of the answers.

        None stands for an entry that is not there, or to which `filter_bytes` does not apply. Value lists given in
        parts are completed.

        Raises:
            LdapResultError: any other result for one of them.
            ProviderError: a value list could not be completed.
        """
        condition = filters.present("objectClass") if filter_bytes is None else filter_bytes
        wanted = (requests.search(dn, requests.BASE, condition, attributes, controls=controls) for dn in dns)
        decoder = EntryDecoder(attributes, forgotten=self._wire.forgotten)
        open_rows: list[OpenRow] = []
        self._wire.claim()
        try:
            with closing(fetch(self._wire, wanted, decoder, window)) as answers:
                for index, taken in answers:
                    found = split(taken, attributes)
                    self._refuse(found.complaints)
                    for one in found.open_rows:
                        one.key = index
                        open_rows.append(one)
                    if not found.open_rows:
                        yield index, found.rows[0] if found.rows else None
            finished, complaints = complete(self._wire, attributes, controls, open_rows)
            self._refuse(complaints)
            for one in finished:
                yield one.key, one.row()
        finally:
            self._wire.release()

    def run(self, requests: Iterable[Request], window: int = DEFAULT_WINDOW) -> Iterator[tuple[int, Response]]:
        """Send requests, at most `window` unanswered; yield each answer with the index of its request, as they come.

        A result other than success is an answer like any other. When the iterator is closed early, the requests in
        flight may still be carried out; their answers are dropped.

        Raises:
            LostConnectionError: `in_flight` has the indices of the requests without an answer.
        """
        self._wire.claim()
        try:
            for index, _entry, response in exchange(self._wire, requests, window):
                if response is None:
                    raise ProviderError(
                        "a search was sent as a request with one answer; use `search` or `read_entries`"
                    )
                yield index, response
        finally:
            self._wire.release()

    def call(self, request: Request) -> Response:
        """Send one request and give its answer, whatever its result."""
        ((_index, response),) = self.run([request], window=1)
        return response

    def close(self) -> None:
        """Tell the server (unbind) and close the socket. Never raises."""
        self._wire.close()

    def _refuse(self, complaints: list[str]) -> None:
        if complaints:
            raise ProviderError(f"{self._wire.server}: {complaints[0]}")
