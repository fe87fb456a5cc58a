# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token of a directory: real servers, and what a server may answer that none of ours does."""

from __future__ import annotations

import typing as t
import uuid
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.session import RootDse
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.standing import read_token
from servers.directories import OpenLdap, SambaAd
from servers.ldap_box import DirectoryBox

FIRST, SECOND = b"20261126100000.000001Z#000000#001#000000", b"20261126110000.000002Z#000000#002#000000"
DC, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


class Answers:
    """Stands for a session: entries by DN, attributes by name."""

    def __init__(self, entries: Mapping[str, Mapping[str, list[bytes]]], *contexts: str, guid: bool = False) -> None:
        self.entries = entries
        self.base = "OU=People, dc=example,dc=test"
        self.flavour = SimpleNamespace(guid=guid)
        self.root = RootDse(values={"namingContexts": contexts})

    def read_one(self, place: str, names: tuple[str, ...]) -> tuple[tuple[bytes, ...], ...] | None:
        entry = self.entries.get(place)
        return None if entry is None else tuple(tuple(entry.get(name, ())) for name in names)

    def token(self) -> str | None:
        return read_token(t.cast("t.Any", self))


def csn(*values: bytes) -> dict[str, list[bytes]]:
    return {"contextCSN": list(values)}


def test_only_contexts_that_are_read_count() -> None:
    contexts = ("", "dc=test", "dc=example,dc=test", "dc=other", "ou=far,OU=people,dc=example,dc=test")
    entries = {contexts[2]: csn(FIRST), contexts[3]: csn(SECOND), contexts[4]: csn(FIRST)}
    before = Answers(entries, *contexts).token()
    assert before is not None
    assert Answers({**entries, "dc=other": csn(FIRST), "dc=test": csn(FIRST)}, *contexts).token() == before
    assert Answers({**entries, contexts[2]: csn(SECOND)}, *contexts).token() != before
    assert Answers({**entries, contexts[4]: csn(SECOND)}, *contexts).token() != before


def test_the_csns_of_several_servers_have_no_order() -> None:
    context = "dc=example,dc=test"
    token = Answers({context: csn(FIRST, SECOND)}, context).token()
    assert token == Answers({context: csn(SECOND, FIRST)}, context).token()
    assert token != Answers({context: csn(FIRST)}, context).token()


@pytest.mark.parametrize(
    ("entries", "contexts"),
    [
        ({"dc=example,dc=test": {}}, ["dc=example,dc=test"]),
        ({}, ["dc=example,dc=test"]),
        ({"dc=other": csn(FIRST)}, ["dc=other"]),
        ({}, []),
        (
            {"dc=example,dc=test": csn(FIRST), "ou=a,ou=people,dc=example,dc=test": {}},
            ["dc=example,dc=test", "ou=a,ou=people,dc=example,dc=test"],
        ),
    ],
)
def test_a_server_that_does_not_tell_all_tells_nothing(
    entries: Mapping[str, Mapping[str, list[bytes]]], contexts: list[str]
) -> None:
    assert Answers(entries, *contexts).token() is None


def active_directory(number: bytes, controller: uuid.UUID = DC) -> dict[str, dict[str, list[bytes]]]:
    service = "CN=NTDS Settings,CN=DC1"
    return {
        "": {"highestCommittedUSN": [number], "dsServiceName": [service.encode()]},
        service: {"invocationId": [controller.bytes_le]},
    }


def test_a_number_counts_with_the_controller_that_gave_it() -> None:
    token = Answers(active_directory(b"42"), guid=True).token()
    assert token == f"usn:{DC}:42"
    assert Answers(active_directory(b"42", OTHER), guid=True).token() != token
    hidden = active_directory(b"42")
    del hidden["CN=NTDS Settings,CN=DC1"]
    assert Answers(hidden, guid=True).token() is None
    assert Answers({"": {}}, guid=True).token() is None


@pytest.fixture(params=["openldap", "samba"])
def box(request: pytest.FixtureRequest) -> DirectoryBox:
    server: OpenLdap | SambaAd = request.getfixturevalue(request.param)
    return DirectoryBox(server)


def test_every_kind_of_write_is_seen(box: DirectoryBox) -> None:
    with_provider = box.open()
    unit = box.unit("unit")
    tokens = [with_provider.change_token()]
    naming = "CN" if box.is_ad else "cn"
    person = box.person("Ann")
    tokens.append(with_provider.change_token())
    box.modify(person, description="new")
    tokens.append(with_provider.change_token())
    box.move(person, f"{naming}=Eve")
    tokens.append(with_provider.change_token())
    box.move(f"{naming}=Eve,{box.base}", f"{naming}=Eve", unit)
    tokens.append(with_provider.change_token())
    box.delete(f"{naming}=Eve,{unit}")
    tokens.append(with_provider.change_token())
    assert None not in tokens
    assert len(set(tokens)) == len(tokens)
    with_provider.close()
