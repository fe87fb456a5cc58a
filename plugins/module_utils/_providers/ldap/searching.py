# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One search from the first page to the last, and whether what came is all there is."""

from __future__ import annotations

import gc
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..._model.errors import ProviderError
from . import controls, requests
from .ber import MalformedError
from .entries import EntryDecoder, Row
from .ranges import OpenRow, complete, split
from .requests import Name, Request
from .responses import (
    ADMIN_LIMIT_EXCEEDED,
    REFERRAL,
    SIZE_LIMIT_EXCEEDED,
    SUCCESS,
    TIME_LIMIT_EXCEEDED,
    UNAVAILABLE_CRITICAL_EXTENSION,
    Response,
    result_error,
)
from .wire import Wire

# Rows of one batch, when the server has more: enough that what is done per batch does not count.
BATCH: t.Final = 1000
# A server may find nothing within a page's time and say "go on"; one that says so forever has lost its way.
MAX_EMPTY_PAGES: t.Final = 1000

_PARTIAL: t.Final = (TIME_LIMIT_EXCEEDED, SIZE_LIMIT_EXCEEDED, REFERRAL, ADMIN_LIMIT_EXCEEDED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a search ended. `proven` says that every entry it stands for was read; if not, `reason` says why.

    `code` is the last result code, `controls` those of the last result, `pages` how many were read, `references` the
    servers that were named and not asked.
    """

    proven: bool
    reason: str = ""
    code: int = -1
    pages: int = 0
    references: tuple[str, ...] = ()
    controls: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """What is searched. `attributes` are asked for, `columns` make the row; `page_size` None is without paging."""

    base: Name
    scope: int
    filter_bytes: bytes
    attributes: Sequence[str]
    columns: Sequence[str]
    page_size: int | None
    size_limit: int
    time_limit: int
    controls: bytes
    known_elsewhere: Callable[[str], bool]

    def request(self, cookie: bytes) -> Request:
        paged = controls.paged_results(self.page_size, cookie) if self.page_size else b""
        return requests.search(
            self.base,
            self.scope,
            self.filter_bytes,
            self.attributes,
            size_limit=self.size_limit,
            time_limit=self.time_limit,
            controls=self.controls + paged,
        )


class SearchStream:
    """The batches of rows of a search, one after the other; the search begins with the first.

    After the last batch, `outcome` says whether all was read. Value lists that the server gives in parts are completed
    before their row is handed out. `intermediates` and, by name, `entry_controls` are filled as they come.

    Raises while iterating:
        NoSuchObjectError: the base is not there.
        LdapResultError: the server refused; retriable when it is busy or unavailable.
        LostConnectionError: the connection is gone.
    """

    def __init__(self, wire: Wire, query: Query) -> None:
        self.outcome = Outcome(proven=False, reason="the search was not read to its end")
        self.intermediates: list[Response] = []
        self.entry_controls: dict[bytes, Mapping[str, bytes]] = {}
        self._wire = wire
        self._query = query
        self._decoder = EntryDecoder(query.columns, forgotten=wire.forgotten)
        self._decoder.intermediates = self.intermediates
        # The id of the search the server is working at, or -1.
        self._running = -1
        self._page = 0
        self._open_rows: list[OpenRow] = []
        self._complaints: list[str] = []
        self._progress = _Progress()
        self._batches = self._read()

    def __iter__(self) -> Iterator[list[Row]]:
        return self

    def __next__(self) -> list[Row]:
        return next(self._batches)

    def close(self) -> None:
        """Stop reading; the server is told if it is still sending."""
        self._batches.close()

    @property
    def _where(self) -> str:
        base = self._query.base
        shown = base.decode(errors="backslashreplace") if isinstance(base, bytes) else base
        return f"searching {shown!r} on {self._wire.server}"

    def _read(self) -> t.Generator[list[Row], None, None]:
        self._wire.claim()
        try:
            cookie: bytes | None = b""
            self._send(b"")
            while cookie is not None:
                self._page += 1
                done = yield from self._read_page()
                rows = self._take()
                if self._open_rows:
                    rows = rows + self._fetch_parts()
                cookie = self._judge(done)
                if cookie is not None:
                    # The server makes the next page while the caller looks at this one.
                    self._send(cookie)
                if rows:
                    yield rows
        except MalformedError as error:
            raise self._wire.malformed(error) from None
        finally:
            if self._running >= 0:
                self._wire.forgotten.add(self._running)
                self._wire.queue([requests.abandon(self._running)])
                self._wire.flush()
            self._wire.release()

    def _send(self, cookie: bytes) -> None:
        (self._running,) = self._wire.queue([self._query.request(cookie)])
        self._decoder.expect(self._running)
        self._wire.flush()

    def _read_page(self) -> t.Generator[list[Row], None, Response]:
        wire, decoder = self._wire, self._decoder
        while True:
            self._decode()
            if decoder.notice is not None:
                raise wire.notice(decoder.notice)
            if decoder.done is not None:
                self._running = -1
                return decoder.done
            if len(decoder) >= BATCH and (rows := self._take()):
                yield rows
            wire.fill()

    def _decode(self) -> None:
        # Rows do not refer back to themselves. Looking for such garbage, while hundreds of thousands of them are kept,
        # would double the time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            self._wire.at = self._decoder.feed(self._wire.data, self._wire.at)
        finally:
            if collecting:
                gc.enable()

    def _take(self) -> list[Row]:
        """Give the rows that are complete; the others wait for the end of the page."""
        taken = self._decoder.take()
        self._progress.add(taken.rows)
        for index, found in taken.controls.items():
            self.entry_controls[taken.rows[index][0]] = found
        sorted_rows = split(taken, self._query.columns)
        self._open_rows += sorted_rows.open_rows
        self._complaints += sorted_rows.complaints
        return sorted_rows.rows

    def _fetch_parts(self) -> list[Row]:
        open_rows, self._open_rows = self._open_rows, []
        finished, complaints = complete(self._wire, self._query.columns, self._query.controls, open_rows)
        self._complaints += complaints
        return [one.row() for one in finished]

    def _judge(self, done: Response) -> bytes | None:
        """Give the cookie of the next page; None at the end, and then set the outcome."""
        if done.code != SUCCESS and done.code not in _PARTIAL:
            raise result_error(self._where, done, self._advice(done))
        reasons: list[str] = []
        if done.code != SUCCESS:
            reasons.append(f"page {self._page}: the server answered {done.result}")
        elif self._query.page_size:
            cookie = controls.decode_paged_cookie(done.controls)
            if cookie:
                self._progress.check(cookie, self._page, self._where)
                return cookie
            if cookie is None:
                reasons.append(f"page {self._page}: the server did not say whether more pages follow")
        referred = tuple(uri for uris in self._decoder.references for uri in uris)
        references = tuple(uri for uri in referred if not self._query.known_elsewhere(uri)) + done.referrals
        if references:
            reasons.append(
                f"page {self._page}: the server refers to other servers, which were not asked:"
                f" {', '.join(references[:3])}{' and more' if len(references) > 3 else ''}"
            )
        self._set_outcome(done, reasons + self._complaints, references)
        return None

    def _set_outcome(self, done: Response, reasons: list[str], references: tuple[str, ...]) -> None:
        more = f"; and {len(reasons) - 5} more" if len(reasons) > 5 else ""
        self.outcome = Outcome(
            proven=not reasons,
            reason=f"{self._where}: {'; '.join(reasons[:5])}{more}" if reasons else "",
            code=done.code,
            pages=self._page,
            references=references,
            controls=done.controls,
        )

    def _advice(self, done: Response) -> str:
        if done.code == UNAVAILABLE_CRITICAL_EXTENSION and self._query.page_size:
            return "If the server cannot page its results, set the page size to 0."
        return ""


class _Progress:
    """Watches that pages get somewhere, for a server that gives the same page again would be read forever."""

    def __init__(self) -> None:
        self._last: tuple[bytes, bytes, int] | None = None
        self._first_dn = b""
        self._rows = 0
        self._empty_pages = 0

    def add(self, rows: list[Row]) -> None:
        if rows and not self._rows:
            self._first_dn = rows[0][0]
        self._rows += len(rows)

    def check(self, cookie: bytes, page: int, where: str) -> None:
        """Compare the page with the one before."""
        current = (cookie, self._first_dn, self._rows)
        self._empty_pages = 0 if self._rows else self._empty_pages + 1
        if current == self._last or self._empty_pages > MAX_EMPTY_PAGES:
            raise ProviderError(
                f"{where}: the server makes no progress: page {page} is like the page before, {self._rows} entries and"
                " the same cookie. Try another page size, or without paging."
            )
        self._last = current
        self._first_dn, self._rows = b"", 0
