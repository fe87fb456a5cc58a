# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The channel against a server that does what real ones do only on a bad day."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import filters, requests
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.responses import (
    LdapResultError,
    NoSuchObjectError,
)
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.searching import SearchStream
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.wire import LostConnectionError
from support import ldap_codec
from support.fake_ldap import Entry, FakeServer, done, entries

Script: t.TypeAlias = Callable[[int, int, str, t.Any], "bytes | None"]
ALL = filters.present("objectClass")


@pytest.fixture
def serve() -> Iterator[Callable[..., FakeServer]]:
    servers: list[FakeServer] = []

    def start(script: Script, **options: t.Any) -> FakeServer:
        servers.append(FakeServer(script, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def person(number: int) -> Entry:
    return f"cn=p{number},dc=x".encode(), [("cn", [f"p{number}".encode()])]


def search(server: FakeServer, *names: str, **options: t.Any) -> SearchStream:
    given: dict[str, t.Any] = {"page_size": 2} | options
    return server.channel.search("dc=x", requests.SUBTREE, ALL, names or ("cn",), **given)


def found(stream: SearchStream) -> list[t.Any]:
    return [row for batch in stream for row in batch]


def test_pages_are_read_to_the_last(serve: Callable[..., FakeServer]) -> None:
    def script(number: int, message_id: int, _name: str, _operation: t.Any) -> bytes:
        cookie = b"" if number == 3 else b"c%d" % number
        return entries(message_id, person(2 * number), person(2 * number + 1)) + done(message_id, cookie=cookie)

    stream = search(serve(script))
    rows = found(stream)
    assert [row[0] for row in rows] == [b"cn=p%d,dc=x" % number for number in range(2, 8)]
    assert (stream.outcome.proven, stream.outcome.pages) == (True, 3)


@pytest.mark.parametrize(("code", "word"), [(3, "timeLimit"), (4, "sizeLimit"), (11, "adminLimit"), (10, "referral")])
def test_a_limit_on_a_later_page_proves_nothing(serve: Callable[..., FakeServer], code: int, word: str) -> None:
    def script(number: int, message_id: int, _name: str, _operation: t.Any) -> bytes:
        end = done(message_id, cookie=b"more") if number < 3 else done(message_id, code, text="enough")
        return entries(message_id, person(number)) + end

    stream = search(serve(script))
    assert len(found(stream)) == 3
    assert not stream.outcome.proven
    assert "page 3" in stream.outcome.reason
    assert word in stream.outcome.reason


@pytest.mark.parametrize(("code", "retriable"), [(51, True), (52, True), (1, False), (80, False), (50, False)])
def test_a_fault_on_a_later_page_is_an_error(serve: Callable[..., FakeServer], code: int, retriable: bool) -> None:
    def script(number: int, message_id: int, name: str, _operation: t.Any) -> bytes:
        if name == "delRequest":
            return done(message_id, name="delResponse")
        end = done(message_id, cookie=b"more") if number < 2 else done(message_id, code, text="not now")
        return entries(message_id, person(number)) + end

    server = serve(script)
    with pytest.raises(LdapResultError, match="not now") as caught:
        found(search(server))
    assert caught.value.retriable == retriable
    assert server.channel.call(requests.delete("cn=x")).code == 0, "the connection is sound"


def test_a_base_that_is_not_there_is_told_apart(serve: Callable[..., FakeServer]) -> None:
    with pytest.raises(NoSuchObjectError, match="searching 'dc=x' on the fake server"):
        found(search(serve(lambda _n, message_id, _name, _op: done(message_id, 32))))


def test_the_same_page_again_is_no_endless_loop(serve: Callable[..., FakeServer]) -> None:
    def script(_number: int, message_id: int, _name: str, _operation: t.Any) -> bytes:
        return entries(message_id, person(1)) + done(message_id, cookie=b"same")

    with pytest.raises(ProviderError, match="makes no progress"):
        found(search(serve(script)))


def test_a_server_that_does_not_say_whether_more_follows_proves_nothing(serve: Callable[..., FakeServer]) -> None:
    stream = search(
        serve(lambda _n, message_id, _name, _op: entries(message_id, person(1)) + done(message_id, cookie=None))
    )
    assert len(found(stream)) == 1
    assert not stream.outcome.proven
    unpaged = search(
        serve(lambda _n, message_id, _name, _op: entries(message_id, person(1)) + done(message_id, cookie=None)),
        page_size=None,
    )
    assert len(found(unpaged)) == 1
    assert unpaged.outcome.proven


def test_a_lost_referral_proves_nothing_unless_it_leads_elsewhere(serve: Callable[..., FakeServer]) -> None:
    def script(_number: int, message_id: int, _name: str, _operation: t.Any) -> bytes:
        uris = ldap_codec.reference(message_id, ["ldap://other/dc=y,dc=x"])
        return entries(message_id, person(1)) + uris + done(message_id)

    stream = search(serve(script))
    assert len(found(stream)) == 1
    assert not stream.outcome.proven
    assert "ldap://other/dc=y,dc=x" in stream.outcome.reason
    known = search(serve(script), known_elsewhere=lambda uri: uri.endswith("dc=y,dc=x"))
    assert len(found(known)) == 1
    assert known.outcome.proven


def members(start: int, end: int) -> list[bytes]:
    return [b"cn=m%d,dc=x" % number for number in range(start, end)]


def asked(operation: t.Any) -> str:
    return str(operation["attributes"][0])


def test_a_member_list_in_parts_is_completed(serve: Callable[..., FakeServer]) -> None:
    """pg-ldap-sync#32, apache/ranger#966: `member;range=0-1499` was taken for all members."""

    def script(_number: int, message_id: int, _name: str, operation: t.Any) -> bytes:
        part = {"member": ("0-1", 0, 2), "member;range=2-*": ("2-3", 2, 4), "member;range=4-*": ("4-*", 4, 5)}
        text, start, end = part[asked(operation)]
        whole: Entry = (b"cn=g,dc=x", [(f"member;range={text}", members(start, end))])
        return entries(message_id, whole) + done(message_id)

    server = serve(script)
    stream = search(server, "member")
    ((_dn, values),) = found(stream)
    assert list(values) == members(0, 5)
    assert stream.outcome.proven
    ((_index, row),) = server.channel.read_entries(["cn=g,dc=x"], ["member"])
    assert row is not None
    assert list(row[1]) == members(0, 5)


@pytest.mark.parametrize("second", ["3-*", "1-*", None])
def test_a_gap_in_a_member_list_is_never_overlooked(serve: Callable[..., FakeServer], second: str | None) -> None:
    def script(number: int, message_id: int, _name: str, _operation: t.Any) -> bytes:
        if number == 1:
            return entries(message_id, (b"cn=g,dc=x", [("member;range=0-1", members(0, 2))]), person(1)) + done(
                message_id
            )
        rest = [] if second is None else [(f"member;range={second}", members(3, 4))]
        return entries(message_id, (b"cn=g,dc=x", rest)) + done(message_id)

    stream = search(serve(script), "member")
    assert [row[0] for row in found(stream)] == [b"cn=p1,dc=x"]
    assert not stream.outcome.proven
    assert "the values of member of 'cn=g,dc=x' could not be read to the end" in stream.outcome.reason


def test_a_line_that_is_cut_in_the_middle_of_an_entry_is_lost(serve: Callable[..., FakeServer]) -> None:
    server = serve(lambda _n, message_id, _name, _op: entries(message_id, person(1), person(2))[:-4], answers=1)
    stream = search(server)
    with pytest.raises(LostConnectionError, match="closed the connection") as caught:
        found(stream)
    assert caught.value.retriable
    assert not stream.outcome.proven


def test_a_server_that_says_goodbye_is_heard(serve: Callable[..., FakeServer]) -> None:
    notice = ldap_codec.result(0, "extendedResp", 52, diagnostic="shutting down", oid="1.3.6.1.4.1.1466.20036")
    server = serve(lambda _n, _id, _name, _op: notice)
    with pytest.raises(LostConnectionError, match="shutting down") as caught:
        found(search(server))
    assert caught.value.retriable
    with pytest.raises(LostConnectionError):
        server.channel.call(requests.delete("cn=x"))


def test_silence_ends_by_the_timeout(serve: Callable[..., FakeServer]) -> None:
    server = serve(lambda _n, _id, _name, _op: b"", timeout=0.2)
    with pytest.raises(LostConnectionError, match=r"sent nothing for 0\.2 seconds"):
        found(search(server))


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\x30\x80\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x05\x02\x01\x05\x64\x00",
        b"\x30\x03\x02\x01\x05",
    ],
)
def test_what_is_no_ldap_is_an_error_and_not_the_end(serve: Callable[..., FakeServer], garbage: bytes) -> None:
    server = serve(lambda _n, message_id, _name, _op: entries(message_id, person(1)) + garbage + done(message_id))
    with pytest.raises(LostConnectionError, match="not valid LDAP"):
        found(search(server))


def test_an_answer_to_nobody_is_an_error(serve: Callable[..., FakeServer]) -> None:
    server = serve(lambda _n, _id, _name, _op: entries(999, person(1)))
    with pytest.raises(LostConnectionError, match="id 999, which no operation has"):
        found(search(server))


def test_answers_may_come_in_any_order(serve: Callable[..., FakeServer]) -> None:
    held: list[int] = []

    def script(_number: int, message_id: int, _name: str, _operation: t.Any) -> bytes:
        held.append(message_id)
        if len(held) < 4:
            return b""
        answers = b"".join(done(each, name="delResponse", code=each % 2 * 32) for each in reversed(held))
        held.clear()
        return answers

    server = serve(script)
    answers = dict(server.channel.run([requests.delete(f"cn=p{number}") for number in range(8)], window=4))
    assert sorted(answers) == list(range(8))
    assert {number: response.code for number, response in answers.items()} == {
        number: (number + 5) % 2 * 32 for number in range(8)
    }


def test_a_lost_line_names_what_was_in_flight(serve: Callable[..., FakeServer]) -> None:
    def script(number: int, message_id: int, _name: str, _operation: t.Any) -> bytes | None:
        return done(message_id, name="delResponse") if number < 3 else None

    server = serve(script)
    with pytest.raises(LostConnectionError) as caught:
        list(server.channel.run([requests.delete(f"cn=p{number}") for number in range(6)], window=2))
    assert caught.value.in_flight
    assert set(caught.value.in_flight) <= {2, 3}


def test_much_in_both_directions_does_not_stop(serve: Callable[..., FakeServer]) -> None:
    big = b"x" * 200_000

    def script(_number: int, message_id: int, _name: str, _operation: t.Any) -> bytes:
        return ldap_codec.result(message_id, "addResponse", 0, diagnostic="y" * 200_000)

    server = serve(script)
    wanted = [requests.add(f"cn=p{number}", [("cn", [big])]) for number in range(30)]
    assert len(list(server.channel.run(wanted, window=30))) == 30


def test_a_search_that_is_left_early_frees_the_channel(serve: Callable[..., FakeServer]) -> None:
    def script(_number: int, message_id: int, name: str, _operation: t.Any) -> bytes:
        if name == "searchRequest":
            return entries(message_id, person(1)) * 2000 + done(message_id, cookie=b"more")
        return b"" if name == "abandonRequest" else done(message_id, name="delResponse")

    server = serve(script)
    stream = search(server, page_size=2000)
    assert next(iter(stream))
    with pytest.raises(RuntimeError, match="in use"):
        server.channel.call(requests.delete("cn=x"))
    stream.close()
    assert not stream.outcome.proven
    assert server.channel.call(requests.delete("cn=x")).code == 0


def test_one_entry_of_a_name_and_no_other(serve: Callable[..., FakeServer]) -> None:
    def script(_number: int, message_id: int, _name: str, operation: t.Any) -> bytes:
        base = str(operation["baseObject"])
        if base == "cn=gone":
            return done(message_id, 32, cookie=None)
        twice = 2 if base == "cn=two" else 1
        return entries(message_id, *[person(1)] * twice) + done(message_id, 53 if base == "cn=no" else 0, cookie=None)

    server = serve(script)
    assert dict(server.channel.read_entries(["cn=gone", "cn=p1"], ["cn"])) == {0: None, 1: (b"cn=p1,dc=x", (b"p1",))}
    with pytest.raises(LdapResultError, match="unwillingToPerform"):
        list(server.channel.read_entries(["cn=no"], ["cn"]))
    with pytest.raises(LostConnectionError, match="two entries in answer to the search for one"):
        list(server.channel.read_entries(["cn=two"], ["cn"]))
