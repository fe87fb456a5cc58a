# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings against a server that errs: nothing is believed absent, and a connection is not held longer than needed."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Sequence

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Row
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import filters, requests
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.fields import Fields, RowMaker
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.flavours import LDAP
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.reading import (
    EntriesReading,
    SweepReading,
    scopes,
)
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.responses import NoSuchObjectError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.schema import parse_schema
from support import ldap_codec
from support.fake_ldap import FakeServer, done, entries

FIELDS = Fields(
    parse_schema(
        [
            "( 2.5.4.3 NAME 'cn' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
            "( 2.5.4.31 NAME 'member' EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )",
        ],
        [],
    ),
    LDAP,
)
ONE = ("dc=x", requests.SUBTREE, False)


@pytest.fixture
def serve() -> Iterator[Callable[..., FakeServer]]:
    servers: list[FakeServer] = []

    def start(script: t.Any, **options: t.Any) -> FakeServer:
        servers.append(FakeServer(script, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def sweep(
    server: FakeServer,
    *names: str,
    bases: Sequence[tuple[str, int, bool]] = (ONE,),
    filter_bytes: Sequence[bytes] = (filters.present("objectClass"),),
    elsewhere: Callable[[str], bool] = lambda _uri: False,
) -> SweepReading:
    return SweepReading(
        server.channel,
        RowMaker(FIELDS, names or ("cn",), "provider 'p'"),
        bases=bases,
        filter_bytes=filter_bytes,
        page_size=2,
        known_elsewhere=elsewhere,
        names=names or ("cn",),
    )


def rows(reading: SweepReading | EntriesReading) -> list[Row]:
    with reading:
        return [row for batch in reading.batches() for row in batch]


def named(*names: str) -> list[t.Any]:
    return [(f"cn={name},dc=x".encode(), [("cn", [name.encode()])]) for name in names]


def test_pages_are_read_to_the_last_and_proven(serve: Callable[..., FakeServer]) -> None:
    def script(number: int, message_id: int, name: str, operation: t.Any) -> bytes:
        if number == 1:
            return entries(message_id, *named("a", "b")) + done(message_id, cookie=b"more")
        return entries(message_id, *named("c")) + done(message_id)

    reading = sweep(serve(script))
    assert (reading.completeness.proven, reading.completeness.reason) == (False, "the reading was not finished")
    assert rows(reading) == [("a",), ("b",), ("c",)]
    assert reading.completeness.proven


@pytest.mark.parametrize("code", [3, 4, 10, 11])
def test_a_limit_on_the_second_page_proves_nothing_and_names_the_page(
    serve: Callable[..., FakeServer], code: int
) -> None:
    def script(number: int, message_id: int, name: str, operation: t.Any) -> bytes:
        if number == 1:
            return entries(message_id, *named("a", "b")) + done(message_id, cookie=b"more")
        return done(message_id, code=code)

    reading = sweep(serve(script))
    assert rows(reading) == [("a",), ("b",)]
    assert not reading.completeness.proven
    assert "page 2: " in reading.completeness.reason


def test_one_unproven_container_of_several_makes_the_reading_unproven(serve: Callable[..., FakeServer]) -> None:
    def script(number: int, message_id: int, name: str, operation: t.Any) -> bytes:
        return entries(message_id, *named("a" if number == 1 else "b")) + done(message_id, code=4 if number == 1 else 0)

    reading = sweep(serve(script), bases=[ONE, ("dc=y", requests.SUBTREE, True)])
    assert rows(reading) == [("a",), ("b",)]
    assert not reading.completeness.proven
    assert "'dc=x'" in reading.completeness.reason


def test_an_entry_in_two_containers_or_two_searches_comes_once(serve: Callable[..., FakeServer]) -> None:
    def script(number: int, message_id: int, name: str, operation: t.Any) -> bytes:
        return entries(message_id, *named("a", str(number))) + done(message_id)

    several = [filters.equals("cn", b"a"), filters.equals("cn", b"b")]
    reading = sweep(serve(script), bases=[ONE, ("dc=y", requests.SUBTREE, True)], filter_bytes=several)
    assert rows(reading) == [("a",), ("1",), ("2",), ("3",), ("4",)]
    assert reading.completeness.proven


def test_only_a_container_that_may_be_missing_may_be_missing(serve: Callable[..., FakeServer]) -> None:
    def script(number: int, message_id: int, name: str, operation: t.Any) -> bytes:
        if number == 1:
            return entries(message_id, *named("a")) + done(message_id)
        return done(message_id, code=32)

    reading = sweep(serve(script), bases=[ONE, ("dc=y", requests.SUBTREE, True)])
    assert rows(reading) == [("a",)]
    assert reading.completeness.proven
    with pytest.raises(NoSuchObjectError):
        rows(sweep(serve(script), bases=[ONE, ("dc=y", requests.SUBTREE, False)]))


def test_a_reference_is_lost_unless_it_leads_to_what_is_not_read(serve: Callable[..., FakeServer]) -> None:
    def script(number: int, message_id: int, name: str, operation: t.Any) -> bytes:
        return ldap_codec.reference(message_id, ["ldap://h/cn=c,dc=x"]) + done(message_id)

    lost = sweep(serve(script))
    assert rows(lost) == []
    assert "ldap://h/cn=c,dc=x" in lost.completeness.reason
    known = sweep(serve(script), elsewhere=lambda uri: uri.endswith("/cn=c,dc=x"))
    assert rows(known) == []
    assert known.completeness.proven


def test_a_member_list_in_parts_is_whole_or_the_reading_unproven(serve: Callable[..., FakeServer]) -> None:
    def part(start: int, end: str, *names: str) -> Callable[[int], bytes]:
        values = [f"cn={name},dc=x".encode() for name in names]
        return lambda message_id: entries(
            message_id, (b"cn=g,dc=x", [("member", []), (f"member;range={start}-{end}", values)])
        )

    def script(second: Callable[[int], bytes]) -> Callable[..., bytes]:
        def answer(number: int, message_id: int, name: str, operation: t.Any) -> bytes:
            first = part(0, "1", "a", "b")
            return (first if number == 1 else second)(message_id) + done(message_id)

        return answer

    whole = sweep(serve(script(part(2, "*", "c"))), "member")
    assert rows(whole) == [(("cn=a,dc=x", "cn=b,dc=x", "cn=c,dc=x"),)]
    assert whole.completeness.proven
    gap = sweep(serve(script(part(3, "*", "d"))), "member")
    assert rows(gap) == []
    assert not gap.completeness.proven
    assert "member" in gap.completeness.reason


def test_a_line_that_breaks_ends_in_an_error_that_can_be_tried_again(serve: Callable[..., FakeServer]) -> None:
    def script(number: int, message_id: int, name: str, operation: t.Any) -> bytes | None:
        return entries(message_id, *named("a", "b")) + done(message_id, cookie=b"more") if number == 1 else None

    reading = sweep(serve(script))
    with pytest.raises(ProviderError) as caught:
        rows(reading)
    assert caught.value.retriable
    assert not reading.completeness.proven


def test_a_reading_that_is_left_early_frees_the_connection(serve: Callable[..., FakeServer]) -> None:
    def script(number: int, message_id: int, name: str, operation: t.Any) -> bytes:
        if name == "abandonRequest":
            return b""
        return entries(message_id, *named("a", "b")) + done(message_id, cookie=b"more%d" % number)

    server = serve(script)
    reading = sweep(server)
    with reading:
        batches = reading.batches()  # held on to, as a traceback would
        assert next(batches) == [("a",), ("b",)]
    assert not reading.completeness.proven
    second = sweep(server)
    with second:
        assert next(second.batches()) == [("a",), ("b",)]
    del batches


def test_a_value_that_cannot_be_read_ends_the_reading(serve: Callable[..., FakeServer]) -> None:
    def script(number: int, message_id: int, name: str, operation: t.Any) -> bytes:
        return entries(message_id, (b"cn=a,dc=x", [("cn", [b"M\xfcller"])])) + done(message_id)

    reading = sweep(serve(script))
    with pytest.raises(ProviderError, match=r"provider 'p', entry 'cn=a,dc=x', attribute 'cn': .*'cn;bytes'"):
        rows(reading)
    assert not reading.completeness.proven


def test_entries_by_name_that_are_gone_are_left_out_and_each_is_asked_for_once(
    serve: Callable[..., FakeServer],
) -> None:
    def script(number: int, message_id: int, name: str, operation: t.Any) -> bytes:
        if number == 1:
            return entries(message_id, *named("a")) + done(message_id)
        return done(message_id, code=32)

    server = serve(script)
    reading = EntriesReading(
        server.channel,
        RowMaker(FIELDS, ("cn", "dn"), "provider 'p'"),
        places=["cn=a,dc=x", "CN=A, DC=X", "cn=b,dc=x"],
        filter_bytes=filters.present("objectClass"),
        names=("cn", "dn"),
    )
    assert rows(reading) == [("a", "cn=a,dc=x")]
    assert len(server.requests) == 2


def test_containers_within_others_are_searched_once() -> None:
    sub, one = requests.SUBTREE, requests.ONE_LEVEL
    assert scopes("dc=x", subtree=True, more=["OU=a,DC=X", "dc=x", "dc=y"]) == [
        ("dc=x", sub, False),
        ("dc=y", sub, True),
    ]
    assert scopes("ou=a,dc=x", subtree=False, more=["dc=x", "ou=b,dc=x"]) == [
        ("ou=a,dc=x", one, False),
        ("dc=x", sub, True),
    ]
    # A name that only ends alike lies elsewhere.
    assert scopes("dc=x", subtree=True, more=["ou=a,adc=x"]) == [("dc=x", sub, False), ("ou=a,adc=x", sub, True)]
