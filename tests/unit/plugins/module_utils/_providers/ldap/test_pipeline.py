# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many requests in flight: each answer finds its request, and what has none is known."""

from __future__ import annotations

import random
import typing as t
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import requests
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.responses import LdapResultError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.wire import LostConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ldap_bytes as raw
from support.fake_ldap import FakeServer

Script: t.TypeAlias = Callable[[int, int, str, t.Any], "bytes | None"]


@pytest.fixture
def serve() -> Iterator[Callable[..., FakeServer]]:
    servers: list[FakeServer] = []

    def start(script: Script, **options: t.Any) -> FakeServer:
        servers.append(FakeServer(script, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def deletes(count: int) -> list[requests.Request]:
    return [requests.delete(f"cn=p{number}") for number in range(count)]


def deleted(message_id: int, code: int = 0, text: str = "") -> bytes:
    return raw.result(message_id, 0x6B, code=code, text=text.encode())


def row(message_id: int, base: str) -> bytes:
    return raw.entry(message_id, base.encode(), [(b"cn", [base[3:].encode()])], four=False)


def end(message_id: int, code: int = 0) -> bytes:
    return raw.result(message_id, 0x65, code=code)


@settings(max_examples=25)
@given(st.integers(0, 20), st.integers(1, 6), st.integers(0, 1000))
def test_each_answer_finds_its_request_in_any_order(count: int, window: int, seed: int) -> None:
    dice = random.Random(seed)
    held: list[tuple[int, str]] = []
    most: list[int] = []

    def script(number: int, message_id: int, _name: str, operation: t.Any) -> bytes:
        held.append((message_id, str(operation)))
        most.append(len(held))
        # The server waits until no more can come, and then answers some of them.
        if len(held) < window and number < count:
            return b""
        dice.shuffle(held)
        answered = [held.pop() for _each in range(len(held) if number == count else dice.randint(1, len(held)))]
        return b"".join(deleted(each, text=dn) for each, dn in answered)

    server = FakeServer(script)
    answers = list(server.channel.run(deletes(count), window=window))
    server.close()
    assert sorted(index for index, _response in answers) == list(range(count))
    assert all(response.diagnostic == f"cn=p{index}" for index, response in answers)
    assert max(most, default=0) <= window


@pytest.mark.parametrize("piece", [1, 5, None])
def test_a_slow_writer_is_understood(serve: Callable[..., FakeServer], piece: int | None) -> None:
    server = serve(lambda number, message_id, _name, _op: deleted(message_id, number), piece=piece)
    assert [response.code for _index, response in server.channel.run(deletes(5))] == [1, 2, 3, 4, 5]


def test_nothing_is_sent_ahead_of_the_window(serve: Callable[..., FakeServer]) -> None:
    server = serve(lambda _n, message_id, _name, _op: deleted(message_id))
    taken: list[int] = []

    def source() -> Iterator[requests.Request]:
        for number, request in enumerate(deletes(10)):
            taken.append(number)
            yield request

    answers = server.channel.run(source(), window=3)
    next(answers)
    assert taken == [0, 1, 2]
    t.cast("t.Any", answers).close()
    assert server.channel.call(requests.delete("cn=x")).code == 0, "the answers of the others are dropped"


@pytest.mark.parametrize("answered", [0, 1, 3])
def test_requests_without_an_answer_are_named(serve: Callable[..., FakeServer], answered: int) -> None:
    def script(number: int, message_id: int, _name: str, _operation: t.Any) -> bytes | None:
        return deleted(message_id) if number <= answered else None

    found: list[int] = []
    with pytest.raises(LostConnectionError) as caught:
        found.extend(index for index, _response in serve(script).channel.run(deletes(4), window=1))
    assert caught.value.in_flight == (answered,)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"\x31\x00", "begin with the byte 30"),
        (deleted(999), "id 999, which no operation has"),
        (raw.message(5, raw.element(0x79, raw.element(0x80, b"1.2.3"))), r"intermediate response 1\.2\.3 that nobody"),
        (raw.message(5, raw.element(0x73, raw.element(4, b"ldap://x"))), "operation 73 is not a result"),
        (deleted(5) + deleted(5), "id 5, which no operation has"),
        (b"\x30\x02\x02\x82", "(cut off|ends at)"),
    ],
)
def test_what_is_no_answer_loses_the_line_and_names_what_is_open(
    serve: Callable[..., FakeServer], answer: bytes, complaint: str
) -> None:
    server = serve(lambda number, message_id, _name, _op: answer if number == 1 else deleted(message_id))
    with pytest.raises(LostConnectionError, match=f"not valid LDAP: .*{complaint}") as caught:
        list(server.channel.run(deletes(2), window=2))
    assert not caught.value.retriable
    assert set(caught.value.in_flight) <= {0, 1}
    assert 1 in caught.value.in_flight
    with pytest.raises(LostConnectionError, match="not valid LDAP"):
        server.channel.call(requests.delete("cn=x"))


def test_a_fault_of_the_source_leaves_the_channel_sound(serve: Callable[..., FakeServer]) -> None:
    server = serve(lambda _n, message_id, _name, _op: deleted(message_id))

    def source() -> Iterator[requests.Request]:
        yield from deletes(2)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(server.channel.run(source(), window=1))
    assert server.channel.call(requests.delete("cn=x")).code == 0


def test_a_search_is_no_request_with_one_answer(serve: Callable[..., FakeServer]) -> None:
    def script(_number: int, message_id: int, name: str, _operation: t.Any) -> bytes:
        return row(message_id, "cn=x") + end(message_id) if name == "searchRequest" else deleted(message_id)

    server = serve(script)
    wanted = requests.search("cn=x", requests.BASE, b"\x87\x02cn", ["cn"])
    with pytest.raises(ProviderError, match="use `search` or `read_entries`"):
        server.channel.call(wanted)
    assert server.channel.call(requests.delete("cn=x")).code == 0


def read(serve: Callable[..., FakeServer], script: Callable[[str, int], bytes], *names: str, **options: t.Any) -> t.Any:
    server = serve(lambda _n, message_id, _name, operation: script(str(operation["baseObject"]), message_id))
    return dict(server.channel.read_entries(names, ["cn"], **options))


def test_entries_are_read_by_name_and_may_not_be_there(serve: Callable[..., FakeServer]) -> None:
    def script(base: str, message_id: int) -> bytes:
        if base == "cn=none":
            return end(message_id)
        return end(message_id, 32) if base == "cn=gone" else row(message_id, base) + end(message_id)

    found = read(serve, script, "cn=a", "cn=gone", "cn=b", "cn=none", window=3, filter_bytes=b"\x87\x02sn")
    assert found == {0: (b"cn=a", (b"a",)), 1: None, 2: (b"cn=b", (b"b",)), 3: None}


def test_any_other_result_of_one_entry_is_an_error(serve: Callable[..., FakeServer]) -> None:
    with pytest.raises(LdapResultError, match=r"reading one entry of the fake server: .*insufficientAccessRights"):
        read(serve, lambda _base, message_id: end(message_id, 50), "cn=a")


@pytest.mark.parametrize(
    ("more", "complaint"),
    [(row(5, "cn=b"), "two entries in answer"), (raw.message(5, b"\x64\x02\x04\x7f"), "cut off within an element")],
)
def test_a_name_has_one_sound_entry(serve: Callable[..., FakeServer], more: bytes, complaint: str) -> None:
    first = row(5, "cn=a") if "two" in complaint else b""
    with pytest.raises(LostConnectionError, match=complaint):
        read(serve, lambda _base, message_id: first + more + end(message_id), "cn=a")
