# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Value lists in parts: of one entry or many, they are complete or the entry is left out and named."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import requests
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.entries import EntryDecoder
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.ranges import Split, split
from support import ldap_bytes as raw
from support.fake_ldap import FakeServer

COLUMNS = ("member", "memberOf")


def sort(*entries: tuple[bytes, list[tuple[bytes, list[bytes]]]]) -> Split:
    decoder = EntryDecoder(COLUMNS)
    decoder.expect(7)
    decoder.feed(b"".join(raw.entry(7, dn, attributes, four=True) for dn, attributes in entries))
    return split(decoder.take(), COLUMNS)


def test_rows_without_parts_are_handed_on() -> None:
    found = sort((b"cn=a", [(b"member", [b"x"])]), (b"cn=b", []))
    assert [row[0] for row in found.rows] == [b"cn=a", b"cn=b"]
    assert (found.open_rows, found.complaints) == ([], [])


def test_a_part_that_is_the_whole_makes_a_complete_row() -> None:
    found = sort((b"cn=a", [(b"member;range=0-*", [b"x", b"y"])]), (b"cn=b", []))
    assert found.rows == [(b"cn=b", (), ()), (b"cn=a", (b"x", b"y"), ())]
    assert found.open_rows == []


def test_a_first_part_leaves_the_row_open() -> None:
    found = sort((b"cn=a", [(b"member;range=0-1", [b"x", b"y"]), (b"memberOf;range=0-*", [b"g"])]))
    (one,) = found.open_rows
    assert (one.next_start, one.row()) == ({0: 2}, (b"cn=a", (b"x", b"y"), (b"g",)))
    assert (found.rows, found.complaints) == ([], [])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (b"member;range=1-*", [b"x"]),
        (b"member;range=0-1", [b"x"]),
        (b"member;range=0-0", [b"x", b"y"]),
        (b"member;range=5-3", [b"x"]),
        (b"member;range=0-*", []),
    ],
)
def test_a_part_that_cannot_be_the_first_is_named(name: bytes, values: list[bytes]) -> None:
    found = sort((b"cn=a", [(name, values), (b"memberOf;range=0-*", [b"g"])]), (b"cn=b", []))
    assert found.rows == [(b"cn=b", (), ())]
    assert found.open_rows == []
    assert found.complaints == ["the values of member of 'cn=a' could not be read to the end"]


class Groups:
    """A server whose groups give their members `step` at a time; `change` may alter what is given."""

    def __init__(self, step: int, **groups: int) -> None:
        self.step = step
        self.members = {
            name: [f"cn=m{number},{name}".encode() for number in range(size)] for name, size in groups.items()
        }
        self.change: Callable[[str, int, list[bytes]], tuple[str, list[bytes]] | None] = lambda _n, _s, _v: None
        self.asked: list[tuple[str, list[str]]] = []

    def script(self, _number: int, message_id: int, _name: str, operation: t.Any) -> bytes:
        base = str(operation["baseObject"])
        wanted = [str(each) for each in operation["attributes"]]
        if base == "dc=x":
            return b"".join(self.entry(message_id, name, ["member"]) for name in self.members) + done(message_id)
        self.asked.append((base, wanted))
        return self.entry(message_id, base.removeprefix("cn="), wanted) + done(message_id)

    def entry(self, message_id: int, name: str, wanted: list[str]) -> bytes:
        attributes = [self.part(name, each) for each in wanted if each.startswith("member")]
        return raw.entry(message_id, f"cn={name}".encode(), attributes, four=True)

    def part(self, name: str, wanted: str) -> tuple[bytes, list[bytes]]:
        start = int(wanted.partition("=")[2].partition("-")[0] or 0)
        values = self.members[name][start : start + self.step]
        last = start + len(values) >= len(self.members[name])
        text = f"{start}-{'*' if last else start + len(values) - 1}"
        text, values = self.change(name, start, values) or (text, values)
        return f"member;range={text}".encode(), values


def done(message_id: int) -> bytes:
    return raw.result(message_id, 0x65)


@pytest.fixture
def serve() -> Iterator[Callable[[Groups], FakeServer]]:
    servers: list[FakeServer] = []

    def start(groups: Groups) -> FakeServer:
        servers.append(FakeServer(groups.script))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def search(server: FakeServer) -> tuple[dict[bytes, tuple[bytes, ...]], str]:
    stream = server.channel.search("dc=x", requests.SUBTREE, b"\x87\x02cn", ["member"], page_size=None)
    rows = {row[0]: row[1] for batch in stream for row in batch}
    assert stream.outcome.proven == (not stream.outcome.reason)
    return rows, stream.outcome.reason


def test_several_groups_are_completed_side_by_side(serve: Callable[[Groups], FakeServer]) -> None:
    groups = Groups(10, a=35, b=10, c=1, d=40, e=100)
    rows, reason = search(serve(groups))
    assert rows == {f"cn={name}".encode(): tuple(members) for name, members in groups.members.items()}
    assert reason == ""
    # One part of each at a time.
    assert [base for base, _wanted in groups.asked[:6]] == ["cn=a", "cn=d", "cn=e"] * 2
    assert groups.asked[3][1] == ["member;range=20-*"]


@pytest.mark.parametrize(
    "change",
    [
        lambda start, values: (f"{start + 1}-*", values),
        lambda start, values: (f"{start}-{start + len(values)}", values),
        lambda start, values: (f"{start}-*", []),
        lambda start, values: ("x", values),
    ],
)
def test_a_gap_costs_its_group_and_no_other(
    serve: Callable[[Groups], FakeServer], change: Callable[[int, list[bytes]], tuple[str, list[bytes]]]
) -> None:
    groups = Groups(10, a=35, b=35, c=5)
    groups.change = lambda name, start, values: change(start, values) if (name, start) == ("b", 20) else None
    server = serve(groups)
    rows, reason = search(server)
    assert rows.keys() == {b"cn=a", b"cn=c"}
    assert "the values of member of 'cn=b' could not be read to the end" in reason
    with pytest.raises(ProviderError, match="the fake server: the values of member of 'cn=b' could not be"):
        list(server.channel.read_entries(["cn=a", "cn=b"], ["member"]))
    assert dict(server.channel.read_entries(["cn=a"], ["member"]))[0] == (b"cn=a", rows[b"cn=a"])


def test_a_first_part_with_a_gap_is_an_error_when_reading_by_name(serve: Callable[[Groups], FakeServer]) -> None:
    groups = Groups(10, a=35)
    groups.change = lambda _name, start, values: (f"{start + 1}-*", values)
    with pytest.raises(ProviderError, match="could not be read to the end"):
        list(serve(groups).channel.read_entries(["cn=a"], ["member"]))


def test_open_and_complete_entries_keep_their_index(serve: Callable[[Groups], FakeServer]) -> None:
    groups = Groups(10, a=35, b=5, c=25)
    found = dict(serve(groups).channel.read_entries(["cn=c", "cn=b", "cn=a"], ["member"]))
    assert {index: row and row[0] for index, row in found.items()} == {0: b"cn=c", 1: b"cn=b", 2: b"cn=a"}
    assert [len(row[1]) for _index, row in sorted(found.items()) if row] == [25, 5, 35]


def test_a_group_with_an_extended_name_is_asked_for_by_its_guid() -> None:
    asked: list[str] = []

    def script(number: int, message_id: int, _name: str, operation: t.Any) -> bytes:
        asked.append(str(operation["baseObject"]))
        name, values = (b"member;range=0-0", [b"x"]) if number == 1 else (b"member;range=1-*", [b"y"])
        dn = b"<GUID=6f5e>;<SID=S-1-5>;CN=a,DC=x"
        return raw.entry(message_id, dn, [(name, values)], four=True) + done(message_id)

    server = FakeServer(script)
    rows, _reason = search(server)
    server.close()
    assert asked == ["dc=x", "<GUID=6f5e>"]
    assert rows == {b"<GUID=6f5e>;<SID=S-1-5>;CN=a,DC=x": (b"x", b"y")}


def test_a_group_that_is_gone_meanwhile_is_named() -> None:
    def script(number: int, message_id: int, _name: str, _operation: t.Any) -> bytes:
        if number > 1:
            return raw.result(message_id, 0x65, code=32)
        return raw.entry(message_id, b"cn=\xff", [(b"member;range=0-0", [b"x"])], four=True) + done(message_id)

    server = FakeServer(script)
    rows, reason = search(server)
    server.close()
    assert rows == {}
    assert r"the values of member of 'cn=\\xff' could not be read to the end" in reason
