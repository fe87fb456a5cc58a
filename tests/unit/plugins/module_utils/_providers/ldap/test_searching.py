# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches: all pages and nothing twice, and `proven` only when every entry was read."""

from __future__ import annotations

import gc
import typing as t
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import (
    controls,
    filters,
    requests,
    searching,
)
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.responses import LdapResultError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.searching import SearchStream
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.wire import LostConnectionError
from support import ldap_bytes as raw
from support import ldap_codec
from support.fake_ldap import FakeServer

Script: t.TypeAlias = Callable[[int, int, str, t.Any], "bytes | None"]
ALL = filters.present("objectClass")
PAGED = controls.PAGED_RESULTS.encode()


@pytest.fixture
def serve() -> Iterator[Callable[..., FakeServer]]:
    servers: list[FakeServer] = []

    def start(script: Script, **options: t.Any) -> FakeServer:
        servers.append(FakeServer(script, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def row(message_id: int, number: int, **more: t.Any) -> bytes:
    return raw.entry(message_id, b"cn=p%d" % number, [(b"cn", [b"p%d" % number])], four=False, **more)


def rows(message_id: int, *numbers: int) -> bytes:
    return b"".join(row(message_id, number) for number in numbers)


def reference(message_id: int, *uris: bytes) -> bytes:
    return raw.message(message_id, raw.element(0x73, *(raw.element(4, uri) for uri in uris)))


def done(message_id: int, cookie: bytes | None = b"", code: int = 0, referrals: tuple[bytes, ...] = ()) -> bytes:
    """Give the end of a page; `cookie` None leaves the paging control out."""
    listed = raw.element(0xA3, *(raw.element(4, uri) for uri in referrals)) if referrals else b""
    operation = raw.element(0x65, raw.number(code, 10), b"\x04\x00\x04\x00", listed)
    value = raw.element(0x30, b"\x02\x01\x00", raw.element(4, cookie or b""))
    return raw.message(message_id, operation, b"" if cookie is None else raw.element(0xA0, raw.control(PAGED, value)))


def search(server: FakeServer, **options: t.Any) -> SearchStream:
    given: dict[str, t.Any] = {"page_size": 2} | options
    return server.channel.search("dc=x", requests.SUBTREE, ALL, ("cn",), **given)


def found(stream: SearchStream) -> list[str]:
    return [each[0].decode().removeprefix("cn=p") for batch in stream for each in batch]


def test_each_page_is_asked_for_with_the_cookie_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bool, bytes | None]] = []

    def decode_and_note(data: bytes) -> t.Any:
        decoded = decode(data)
        seen.extend(decoded[3])
        return decoded

    decode = ldap_codec.decode_request
    monkeypatch.setattr(ldap_codec, "decode_request", decode_and_note)
    cookies = {1: b"\x00one", 2: b"two", 3: b""}
    server = FakeServer(lambda number, each, _name, _op: rows(each, number) + done(each, cookies[number]))
    stream = search(server, controls=controls.show_deleted(), size_limit=9, time_limit=8)
    assert found(stream) == ["1", "2", "3"]
    server.close()
    assert stream.outcome.proven
    assert (stream.outcome.reason, stream.outcome.code, stream.outcome.pages) == ("", 0, 3)
    assert set(stream.outcome.controls) == {controls.PAGED_RESULTS}
    assert [oid for oid, _critical, _value in seen[::2]] == [controls.SHOW_DELETED] * 3
    assert [controls.decode_paged_cookie({oid: value or b""}) for oid, _critical, value in seen[1::2]] == [
        b"",
        b"\x00one",
        b"two",
    ]
    asked = [operation for name, operation in server.requests if name == "searchRequest"]
    assert {(int(each["sizeLimit"]), int(each["timeLimit"]), int(each["derefAliases"])) for each in asked} == {
        (9, 8, 0)
    }


@pytest.mark.parametrize("piece", [1, 3, 50])
def test_a_slow_writer_is_understood(serve: Callable[..., FakeServer], piece: int) -> None:
    server = serve(lambda number, each, _name, _op: rows(each, 1, 2) + done(each, b"c" * (2 - number)), piece=piece)
    stream = search(server)
    assert found(stream) == ["1", "2"] * 2
    assert stream.outcome.proven


@pytest.mark.parametrize("collecting", [True, False])
def test_large_pages_come_in_batches(serve: Callable[..., FakeServer], collecting: bool) -> None:
    count = 3 * searching.BATCH
    server = serve(lambda _n, each, _name, _op: rows(each, *range(count)) + done(each), piece=30_000)
    if not collecting:
        gc.disable()
    try:
        sizes = [len(batch) for batch in search(server, page_size=None)]
        assert gc.isenabled() == collecting
    finally:
        gc.enable()
    assert sum(sizes) == count
    assert all(size >= searching.BATCH for size in sizes[:-1])


def test_nothing_is_sent_before_the_first_batch_is_asked_for(serve: Callable[..., FakeServer]) -> None:
    server = serve(lambda _n, each, _name, _op: done(each))
    stream = search(server)
    assert stream.outcome.reason == "the search was not read to its end"
    stream.close()
    assert found(search(server)) == []
    assert len(server.requests) == 1


def test_columns_may_be_others_than_what_is_asked_for(serve: Callable[..., FakeServer]) -> None:
    server = serve(lambda _n, each, _name, _op: rows(each, 1) + done(each))
    stream = search(server, columns=("sn", "CN"))
    assert [each for batch in stream for each in batch] == [(b"cn=p1", (), (b"p1",))]


def test_empty_pages_are_no_end(serve: Callable[..., FakeServer]) -> None:
    cookies = {1: b"a", 2: b"b", 3: b"c", 4: b""}
    server = serve(lambda number, each, _name, _op: rows(each, *[number] * (number == 3)) + done(each, cookies[number]))
    stream = search(server)
    assert found(stream) == ["3"]
    assert (stream.outcome.proven, stream.outcome.pages) == (True, 4)


def test_a_cookie_may_stay_the_same_while_the_entries_change(serve: Callable[..., FakeServer]) -> None:
    server = serve(lambda number, each, _name, _op: rows(each, number) + done(each, b"same" if number < 4 else b""))
    stream = search(server)
    assert found(stream) == ["1", "2", "3", "4"]
    assert stream.outcome.proven


@pytest.mark.parametrize("numbers", [(1, 2), ()])
def test_the_same_page_again_is_no_endless_loop(serve: Callable[..., FakeServer], numbers: tuple[int, ...]) -> None:
    server = serve(lambda _n, each, _name, _op: rows(each, *numbers) + done(each, b"same"))
    stream = search(server)
    with pytest.raises(ProviderError, match="makes no progress: page 2 is like the page before"):
        found(stream)
    assert not stream.outcome.proven
    assert found(search(serve(lambda _n, each, _name, _op: done(each)))) == []


def test_empty_pages_without_end_are_no_endless_loop(
    serve: Callable[..., FakeServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MAX_EMPTY_PAGES", 3)
    server = serve(lambda number, each, _name, _op: done(each, b"%d" % number))
    with pytest.raises(ProviderError, match="no progress: page 4"):
        found(search(server))


@pytest.mark.parametrize(("code", "word"), [(3, "timeLimit"), (4, "sizeLimit"), (11, "adminLimit"), (10, "referral")])
def test_a_limit_on_the_third_page_keeps_the_rows_and_proves_nothing(
    serve: Callable[..., FakeServer], code: int, word: str
) -> None:
    def script(number: int, each: int, _name: str, _operation: t.Any) -> bytes:
        return rows(each, number) + (done(each, b"%d" % number) if number < 3 else done(each, b"more", code))

    stream = search(serve(script))
    assert found(stream) == ["1", "2", "3"]
    assert (stream.outcome.proven, stream.outcome.code, stream.outcome.pages) == (False, code, 3)
    assert stream.outcome.reason.startswith("searching 'dc=x' on the fake server: page 3: the server answered " + word)


def test_a_server_that_cannot_page_is_told_apart(serve: Callable[..., FakeServer]) -> None:
    with pytest.raises(LdapResultError, match="set the page size to 0"):
        found(search(serve(lambda _n, each, _name, _op: done(each, None, 12))))
    with pytest.raises(LdapResultError, match=r"unavailableCriticalExtension \(12\)\.$"):
        found(search(serve(lambda _n, each, _name, _op: done(each, None, 12)), page_size=0))


@pytest.mark.parametrize("code", [51, 52])
def test_a_busy_server_may_be_asked_again(serve: Callable[..., FakeServer], code: int) -> None:
    server = serve(lambda number, each, _name, _op: rows(each, 1) + done(each, b"", code if number == 1 else 0))
    stream = search(server)
    with pytest.raises(LdapResultError) as caught:
        found(stream)
    assert caught.value.retriable
    assert found(search(server)) == ["1"]


def test_a_server_that_does_not_say_whether_more_follows_proves_nothing(serve: Callable[..., FakeServer]) -> None:
    server = serve(lambda _n, each, _name, _op: rows(each, 1) + done(each, None))
    paged, unpaged = search(server), search(server, page_size=None)
    assert found(paged) == found(unpaged) == ["1"]
    assert (paged.outcome.proven, unpaged.outcome.proven) == (False, True)
    assert "page 1: the server did not say whether more pages follow" in paged.outcome.reason


def test_a_name_in_bytes_is_shown_as_well_as_can_be(serve: Callable[..., FakeServer]) -> None:
    server = serve(lambda _n, each, _name, _op: done(each, None, 32))
    with pytest.raises(LdapResultError, match=r"searching 'dc=\\\\xff' on"):
        found(server.channel.search(b"dc=\xff", requests.BASE, ALL, ("cn",), page_size=None))


def test_references_that_lead_elsewhere_are_no_gap(serve: Callable[..., FakeServer]) -> None:
    def script(number: int, each: int, _name: str, _operation: t.Any) -> bytes:
        uris = reference(each, b"ldap://known/1", b"ldap://other/%d" % number)
        return rows(each, number) + uris + done(each, b"more" if number < 2 else b"")

    stream = search(serve(script), known_elsewhere=lambda uri: "known" in uri)
    assert found(stream) == ["1", "2"]
    assert not stream.outcome.proven
    assert stream.outcome.references == ("ldap://other/1", "ldap://other/2")
    assert "which were not asked: ldap://other/1, ldap://other/2" in stream.outcome.reason
    all_known = search(serve(script), known_elsewhere=lambda _uri: True)
    assert found(all_known) == ["1", "2"]
    assert (all_known.outcome.proven, all_known.outcome.references) == (True, ())


def test_many_references_are_shown_in_part_and_referrals_count(serve: Callable[..., FakeServer]) -> None:
    uris = tuple(b"ldap://s%d" % number for number in range(5))
    stream = search(serve(lambda _n, each, _name, _op: reference(each, *uris) + done(each, b"", 10, (b"ldap://r",))))
    assert found(stream) == []
    assert "ldap://s0, ldap://s1, ldap://s2 and more" in stream.outcome.reason
    assert "referral (10)" in stream.outcome.reason
    assert stream.outcome.references[-1] == "ldap://r"


def test_many_reasons_are_shown_in_part(serve: Callable[..., FakeServer]) -> None:
    def script(_number: int, each: int, _name: str, _operation: t.Any) -> bytes:
        groups = [raw.entry(each, b"cn=g%d" % number, [(b"cn;range=1-*", [b"x"])], four=True) for number in range(8)]
        return b"".join(groups) + done(each)

    stream = search(serve(script))
    assert found(stream) == []
    assert "'cn=g4'" in stream.outcome.reason
    assert "'cn=g5'" not in stream.outcome.reason
    assert stream.outcome.reason.endswith("; and 3 more")


def test_what_comes_beside_rows_is_kept(serve: Callable[..., FakeServer]) -> None:
    def script(_number: int, each: int, _name: str, _operation: t.Any) -> bytes:
        other = raw.message(each, raw.element(0x79, raw.element(0x80, b"1.2.3")))
        return row(each, 1, controls={b"1.2": b"v"}) + other + row(each, 2) + done(each)

    stream = search(serve(script))
    assert found(stream) == ["1", "2"]
    assert stream.entry_controls == {b"cn=p1": {"1.2": b"v"}}
    assert [each.name for each in stream.intermediates] == ["1.2.3"]


def test_parts_are_completed_before_the_row_is_handed_out_also_in_mid_page(
    serve: Callable[..., FakeServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 40
    monkeypatch.setattr(searching, "BATCH", 10)

    def script(number: int, each: int, _name: str, _operation: t.Any) -> bytes:
        if number == 1:
            first = [raw.entry(each, b"cn=pg", [(b"cn;range=0-0", [b"a"])], four=True)] * count
            return b"".join(first) + rows(each, 7) + done(each)
        return raw.entry(each, b"cn=pg", [(b"cn;range=1-*", [b"b"])], four=True) + done(each)

    server = serve(script, piece=500)
    stream = search(server, page_size=None)
    read = [each for batch in stream for each in batch]
    assert read.count((b"cn=pg", (b"a", b"b"))) == count
    assert (b"cn=p7", (b"p7",)) in read
    assert stream.outcome.proven


@pytest.mark.parametrize("cut", [-1, -5, 20, 1])
def test_a_line_that_is_cut_is_lost_and_proves_nothing(serve: Callable[..., FakeServer], cut: int) -> None:
    server = serve(lambda _n, each, _name, _op: (rows(each, 1, 2) + done(each))[:cut], answers=1)
    stream = search(server)
    with pytest.raises(LostConnectionError, match="the fake server closed the connection") as caught:
        found(stream)
    assert caught.value.retriable
    assert not stream.outcome.proven
    assert list(stream) == [], "an iterator that failed is at its end"
    with pytest.raises(LostConnectionError):
        found(search(server))


def test_a_notice_of_disconnection_in_mid_page_is_heard(serve: Callable[..., FakeServer]) -> None:
    notice = raw.result(0, 0x78, raw.element(0x8A, b"1.3.6.1.4.1.1466.20036"), code=52, text=b"restarting")
    server = serve(lambda _n, each, _name, _op: rows(each, 1) + notice + rows(each, 2))
    with pytest.raises(LostConnectionError, match=r"notice of disconnection: .*restarting") as caught:
        found(search(server))
    assert caught.value.retriable


def test_a_paging_control_that_cannot_be_loses_the_line(serve: Callable[..., FakeServer]) -> None:
    control = raw.element(0xA0, raw.control(PAGED, b"\x04\x00"))
    end = raw.element(0x65, b"\x0a\x01\x00\x04\x00\x04\x00")
    server = serve(lambda _n, each, _name, _op: rows(each, 1) + raw.message(each, end, control))
    with pytest.raises(LostConnectionError, match=r"not valid LDAP: the paged results control .*Check that the port"):
        found(search(server))


def test_closing_early_abandons_the_search_and_drops_its_answers(serve: Callable[..., FakeServer]) -> None:
    ids: list[int] = []

    def script(number: int, each: int, name: str, operation: t.Any) -> bytes:
        ids.append(each)
        if name == "abandonRequest":
            return b""
        # Of the first search the end is missing; it comes late, before the answer to the second.
        late = b"" if number == 1 else row(ids[0], 99) + done(ids[0])
        count = searching.BATCH if number == 1 else 1
        return late + rows(each, *range(count)) + (b"" if number == 1 else done(each))

    server = serve(script)
    stream = search(server)
    assert len(next(stream)) == searching.BATCH
    with pytest.raises(RuntimeError, match="in use"):
        found(search(server))
    stream.close()
    assert found(search(server)) == ["0"]
    assert [name for name, _operation in server.requests] == ["searchRequest", "abandonRequest", "searchRequest"]
    assert int(server.requests[1][1]) == ids[0]
    assert not stream.outcome.proven


def test_closing_between_pages_abandons_the_page_that_is_on_its_way(serve: Callable[..., FakeServer]) -> None:
    def script(number: int, each: int, name: str, _operation: t.Any) -> bytes:
        if name == "searchRequest":
            return rows(each, number) + done(each, b"%d" % number)
        return b"" if name == "abandonRequest" else raw.result(each, 0x6B)

    server = serve(script)
    stream = search(server)
    assert next(stream)
    stream.close()
    stream.close()
    assert server.channel.call(requests.delete("cn=x")).code == 0
    assert [name for name, _operation in server.requests] == [
        "searchRequest",
        "searchRequest",
        "abandonRequest",
        "delRequest",
    ]


def test_a_search_may_outlive_its_channel(serve: Callable[..., FakeServer]) -> None:
    server = serve(lambda number, each, _name, _op: rows(each, number) + done(each, b"%d" % number))
    stream = search(server)
    assert next(stream)
    server.channel.close()
    stream.close()
    with pytest.raises(LostConnectionError, match="was closed"):
        found(search(server))
