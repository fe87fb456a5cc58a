# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What servers answer to a writer on a bad day, and what may be in flight at once."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Action, Change, Outcome, ValueChanges
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import controls
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.channel import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.fields import Fields
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.flavours import (
    ACTIVE_DIRECTORY,
    LDAP,
    Flavour,
)
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.left_names import LeftNames
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.schema import parse_schema
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.session import (
    PASSWORD_MODIFY,
    RootDse,
)
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.waves import waves
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.wire import LostConnectionError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.writing import LdapWriter
from support import ldap_codec
from support.fake_ldap import FakeServer, done, entries

BASE = "dc=x"
PLACE = f"cn=Ann,{BASE}"
ANCHOR = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
TEXT, PHOTO, DN = "1.3.6.1.4.1.1466.115.121.1.15", "1.3.6.1.4.1.1466.115.121.1.28", "1.3.6.1.4.1.1466.115.121.1.12"
SCHEMA = parse_schema(
    [
        *(
            f"( 1.1.{n} NAME '{name}' EQUALITY caseIgnoreMatch SYNTAX {TEXT} )"
            for n, name in enumerate(("cn", "sn", "l"))
        ),
        f"( 1.2.1 NAME 'member' EQUALITY distinguishedNameMatch SYNTAX {DN} )",
        f"( 1.2.2 NAME 'jpegPhoto' SYNTAX {PHOTO} )",
        "( 1.2.3 NAME 'entryUUID' EQUALITY UUIDMatch SYNTAX 1.3.6.1.1.16.1 SINGLE-VALUE NO-USER-MODIFICATION )",
        "( 1.2.4 NAME 'userPassword' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )",
        "( 1.2.5 NAME 'objectGUID' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )",
        "( 1.2.6 NAME 'userAccountControl' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )",
        "( 1.2.7 NAME 'unicodePwd' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )",
    ],
    ["( 1.3.1 NAME 'person' STRUCTURAL MUST ( sn $ cn ) )", "( 1.3.2 NAME 'organizationalUnit' STRUCTURAL MUST ou )"],
)
ANSWERS = {
    "addRequest": "addResponse",
    "modifyRequest": "modifyResponse",
    "delRequest": "delResponse",
    "modDNRequest": "modDNResponse",
    "extendedReq": "extendedResp",
    "searchRequest": "searchResDone",
}
Script: t.TypeAlias = Callable[[int, int, str, t.Any], bytes | None]


class StubSession:
    """A session with servers of a few lines; each `open` connects to the next."""

    def __init__(self, flavour: Flavour, supported: tuple[str, ...], scripts: tuple[Script, ...]) -> None:
        self.flavour, self.where, self.url, self.base, self.encrypted = flavour, "provider 'p'", "ldap://x", BASE, True
        names = dict.fromkeys(("namingContexts", "defaultNamingContext"), (BASE,))
        self.root = RootDse(values={"supportedControl": supported, **names})
        self.schema = SCHEMA
        self.begun: set[tuple[str, str]] = set()
        self.left_names = LeftNames()
        self.servers: list[FakeServer] = []
        self._scripts = list(scripts)

    def open(self) -> Channel:
        self.servers.append(FakeServer(self._scripts.pop(0)))
        return self.servers[-1].channel

    @property
    def sent(self) -> list[str]:
        return [name for server in self.servers for name, _operation in server.requests]


@pytest.fixture
def open_writer() -> Iterator[Callable[..., tuple[LdapWriter, StubSession]]]:
    sessions: list[StubSession] = []

    def open_one(
        *scripts: Script,
        flavour: Flavour = LDAP,
        supported: tuple[str, ...] = (),
        classes: tuple[str, ...] = ("person",),
    ) -> tuple[LdapWriter, StubSession]:
        session = StubSession(flavour, supported, scripts)
        sessions.append(session)
        target = WriteTarget(container=BASE, key_fields=("cn",), fields=(), object_classes=classes)
        writer_session: t.Any = session
        return LdapWriter(writer_session, Fields(SCHEMA, flavour), target).__enter__(), session

    yield open_one
    for session in sessions:
        for server in session.servers:
            server.close()


def answers(**codes: int) -> Script:
    """Answer each kind of request with its code, 0 when it is not named; entries are not there."""

    def script(_number: int, message_id: int, name: str, _operation: t.Any) -> bytes:
        code = codes.get(name, 32 if name == "searchRequest" else 0)
        return done(message_id, code, cookie=None, text="its own words", name=ANSWERS[name])

    return script


def change(action: Action, place: str = PLACE, **parts: t.Any) -> Change:
    return Change(
        number=1,
        object="people",
        action=action,
        key=("k",),
        target=place,
        anchor=parts.get("anchor"),
        before=parts.get("before", {}),
        after=parts.get("after", {}),
    )


CREATE = change("create", after={"cn": "Ann", "sn": "A"})


def result(outcome: Outcome) -> tuple[str, str]:
    return outcome.status, outcome.code


# -- servers at fault -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [51, 52])
def test_a_server_that_is_busy_fails_the_batch_and_may_be_tried_again(
    open_writer: Callable[..., t.Any], code: int
) -> None:
    writer, _session = open_writer(answers(addRequest=code))
    with pytest.raises(ProviderError, match="the directory answered") as caught:
        writer.apply([CREATE])
    assert caught.value.retriable


def test_after_a_lost_line_the_same_writer_connects_anew(open_writer: Callable[..., t.Any]) -> None:
    writer, session = open_writer(lambda *_request: None, answers())
    with pytest.raises(LostConnectionError):
        writer.apply([CREATE])
    assert session.begun == {("create", "cn=ann,dc=x")}
    assert result(writer.apply([CREATE])[0]) == ("done", "")
    assert session.begun == set()


def test_a_copy_that_takes_no_changes_names_who_does(open_writer: Callable[..., t.Any]) -> None:
    def refer(_number: int, message_id: int, name: str, _operation: t.Any) -> bytes:
        return ldap_codec.result(message_id, ANSWERS[name], 10, referrals=("ldap://main.example/dc=x",))

    writer, _session = open_writer(refer)
    (outcome,) = writer.apply([CREATE])
    assert result(outcome) == ("failed", "refused")
    assert "must name ldap://main.example/dc=x" in outcome.message


@pytest.mark.parametrize(
    ("code", "expected", "advice"),
    [
        (17, "constraint", "no such attribute"),
        (19, "constraint", "used already"),
        (21, "value", "has not the form"),
        (32, "missing_container", "does not exist"),
        (34, "value", "not valid"),
        (50, "permission", "the right to write"),
        (53, "refused", ""),
        (64, "constraint", "naming attribute"),
        (65, "constraint", "mandatory attribute"),
        (68, "exists", "Another entry"),
        (80, "refused", ""),
    ],
)
def test_answers_have_stable_codes_and_the_servers_words(
    open_writer: Callable[..., t.Any], code: int, expected: str, advice: str
) -> None:
    writer, _session = open_writer(answers(addRequest=code))
    (outcome,) = writer.apply([CREATE])
    assert result(outcome) == ("failed", expected)
    assert f"create of k ({PLACE}): the server answered" in outcome.message
    assert "its own words" in outcome.message
    assert advice in outcome.message


# -- what is there --------------------------------------------------------------------------------------------------


def test_when_the_search_for_an_anchor_is_cut_short_nobody_is_taken_for_gone(open_writer: Callable[..., t.Any]) -> None:
    def script(_number: int, message_id: int, name: str, operation: t.Any) -> bytes:
        by_anchor = name == "searchRequest" and int(operation["scope"]) == 2
        return done(message_id, 4 if by_anchor else 32, cookie=None, name=ANSWERS[name])

    writer, _session = open_writer(script, supported=(controls.ASSERTION,))
    with pytest.raises(ProviderError, match=r"which entries are gone is not known: .*sizeLimitExceeded"):
        writer.apply([change("delete", anchor=ANCHOR)])


def test_without_assertions_the_record_is_read_and_judged_first(open_writer: Callable[..., t.Any]) -> None:
    def script(_number: int, message_id: int, name: str, _operation: t.Any) -> bytes:
        found = b""
        if name == "searchRequest":
            found = entries(message_id, (PLACE.encode(), [("l", [b"by hand"]), ("entryUUID", [ANCHOR.encode()])]))
        return found + done(message_id, cookie=None, name=ANSWERS[name])

    writer, session = open_writer(script)
    update = change("update", anchor=ANCHOR, before={"l": "old"}, after={"l": "new"})
    (outcome,) = writer.apply([update])
    assert result(outcome) == ("skipped", "moved_on")
    assert session.sent == ["searchRequest"]


@pytest.mark.parametrize(
    ("other", "expected"), [("delete", ("done", "")), ("move", ("done", "")), ("update", ("skipped", "moved_on"))]
)
def test_references_that_follow_another_change_of_the_run_are_no_edit_by_others(
    open_writer: Callable[..., t.Any], other: Action, expected: tuple[str, str]
) -> None:
    bob = f"CN=Bob, {BASE}"

    def script(_number: int, message_id: int, name: str, _operation: t.Any) -> bytes:
        found = b""
        if name == "searchRequest":
            member = [("member", [b"cn=bob,ou=x,dc=x"])] if other == "move" else []
            found = entries(message_id, (PLACE.encode(), [("l", [b"old"]), ("entryUUID", [ANCHOR.encode()]), *member]))
        return found + done(message_id, cookie=None, name=ANSWERS[name])

    writer, _session = open_writer(script)
    writer.apply(
        [change(other, f"cn=Bob,{BASE}", after={"dn": f"cn=Bob,ou=x,{BASE}"} if other == "move" else {"l": "x"})]
    )
    ann = change("delete", anchor=ANCHOR, before={"l": "old", "member": (bob,)})
    assert result(writer.apply([ann])[0]) == expected


def test_a_value_that_cannot_be_written_fails_its_record_only(open_writer: Callable[..., t.Any]) -> None:
    writer, session = open_writer(answers())
    bad = change("create", f"cn=Bob,{BASE}", after={"cn": "Bob", "entryUUID": ValueChanges(added=("x",))})
    first, second = writer.apply([bad, CREATE])
    assert (result(first), result(second)) == (("failed", "value"), ("done", ""))
    assert session.sent.count("addRequest") == 1


def test_what_has_no_equality_is_replaced(open_writer: Callable[..., t.Any]) -> None:
    writer, session = open_writer(answers(), supported=(controls.ASSERTION,))
    update = change("update", before={"jpegPhoto": b"old", "l": "old"}, after={"jpegPhoto": b"new", "l": "new"})
    assert result(writer.apply([update])[0]) == ("done", "")
    ((_name, modify),) = session.servers[0].requests
    written = [
        (int(each["operation"]), str(each["modification"]["type"]), [bytes(v) for v in each["modification"]["vals"]])
        for each in modify["changes"]
    ]
    assert written == [(2, "jpegPhoto", [b"new"]), (1, "l", [b"old"]), (0, "l", [b"new"])]


def test_a_part_that_was_written_is_told(open_writer: Callable[..., t.Any]) -> None:
    def script(number: int, message_id: int, name: str, _operation: t.Any) -> bytes:
        return done(message_id, 0 if number == 1 else 19, name=ANSWERS[name])

    writer, _session = open_writer(script, supported=(controls.ASSERTION,))
    many = ValueChanges(added=tuple(str(number) for number in range(1500)))
    (outcome,) = writer.apply([change("update", after={"l": many})])
    assert result(outcome) == ("failed", "constraint")
    assert "A part of it was written before; the next run writes what is left." in outcome.message


# -- passwords ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("deleted", "words"), [(0, "The record was not made."), (50, "cannot be taken back")])
def test_a_refused_password_takes_the_record_back_or_says_that_it_cannot(
    open_writer: Callable[..., t.Any], deleted: int, words: str
) -> None:
    script = answers(extendedReq=19, delRequest=deleted)
    writer, session = open_writer(script, supported=(PASSWORD_MODIFY,))
    create = change("create", after={"cn": "Ann", "sn": "A", "userPassword": "very secret"})
    (outcome,) = writer.apply([create])
    assert result(outcome) == ("failed", "password")
    assert "the password does not meet the directory's policy" in outcome.message
    assert words in outcome.message
    assert "very secret" not in outcome.message
    assert session.sent == ["addRequest", "extendedReq", "delRequest"]


def test_a_server_that_is_busy_when_the_password_comes_fails_the_batch(open_writer: Callable[..., t.Any]) -> None:
    writer, _session = open_writer(answers(extendedReq=51), supported=(PASSWORD_MODIFY,))
    with pytest.raises(ProviderError) as caught:
        writer.apply([change("create", after={"cn": "Ann", "sn": "A", "userPassword": "very secret"})])
    assert caught.value.retriable


def test_a_server_without_the_password_operation_gets_it_as_a_value(open_writer: Callable[..., t.Any]) -> None:
    writer, session = open_writer(answers())
    writer.apply([change("create", after={"cn": "Ann", "sn": "A", "userPassword": "very secret"})])
    _name, add = session.servers[0].requests[0]
    values = {str(each["type"]): [bytes(v) for v in each["vals"]] for each in add["attributes"]}
    assert values["userPassword"] == [b"very secret"]


@pytest.mark.parametrize("value", [("one", "two"), b"bytes"])
def test_a_password_is_one_text(open_writer: Callable[..., t.Any], value: t.Any) -> None:
    writer, session = open_writer(answers())
    (outcome,) = writer.apply([change("create", after={"cn": "Ann", "sn": "A", "userPassword": value})])
    assert result(outcome) == ("failed", "value")
    assert "one" not in outcome.message.replace("is one text", "")
    assert session.sent == []


def test_active_directory_names_entries_by_guid(open_writer: Callable[..., t.Any]) -> None:
    guid = bytes.fromhex("10b8a76bad9dd11180b400c04fd430c8")

    def script(_number: int, message_id: int, name: str, _operation: t.Any) -> bytes:
        found = b""
        if name == "searchRequest":
            found = entries(message_id, (b"cn=Hanna,ou=y,dc=x", [("l", [b"old"]), ("objectGUID", [guid])]))
        return found + done(message_id, cookie=None, name=ANSWERS[name])

    writer, session = open_writer(script, flavour=ACTIVE_DIRECTORY)
    update = change("update", anchor=ANCHOR, before={"l": "old"}, after={"l": "new"})
    delete = change("delete", anchor=ANCHOR, before={"l": "old"})
    move = change("move", anchor=ANCHOR, before={"dn": "cn=Ann,ou=y,dc=x"}, after={"dn": "cn=Ann,ou=z,dc=x"})
    assert [result(outcome) for outcome in writer.apply([update, move, delete])] == [("done", "")] * 3
    sent = dict(session.servers[0].requests)
    assert str(sent["modifyRequest"]["object"]) == f"<GUID={ANCHOR}>"
    assert str(sent["delRequest"]) == f"<GUID={ANCHOR}>"
    assert str(sent["modDNRequest"]["entry"]) == "cn=Hanna,ou=y,dc=x"
    assert (str(sent["modDNRequest"]["newrdn"]), str(sent["modDNRequest"]["newSuperior"])) == ("cn=Hanna", "ou=z,dc=x")


# -- what may be in flight at once ----------------------------------------------------------------------------------


def numbers(*changes: Change) -> list[list[int]]:
    return list(waves(changes))


def test_new_entries_wait_for_those_above_them_only() -> None:
    def create(place: str) -> Change:
        return change("create", place)

    places = ["cn=a,ou=x,dc=x", "cn=b,dc=x", "cn=c,ou=y,ou=x,dc=x", "cn=d,dc=x", "ou=y,ou=x,dc=x", "OU=X, dc=x"]
    assert numbers(*map(create, places)) == [[1, 3, 5], [0, 4], [2]]
    assert numbers(*map(create, places[:4])) == [[0, 1, 2, 3]]
    odd = ["cn=a,ou=\\,x,dc=x", "ou=\\2cx,dc=x"]
    assert numbers(*map(create, odd)) == [[1], [0]]


def test_deletions_wait_for_those_below_them() -> None:
    places = ["ou=x,dc=x", "cn=a,ou=x,dc=x", "cn=b,dc=x", "cn=c,cn=a,ou=x,dc=x"]
    assert numbers(*(change("delete", place) for place in places)) == [[2, 3], [1], [0]]


def test_one_change_of_an_entry_waits_for_the_other_but_not_in_lists_of_members() -> None:
    assert numbers(change("update"), change("update", "cn=b,dc=x"), change("update", PLACE.upper())) == [[0, 1], [2]]
    assert numbers(change("membership"), change("membership")) == [[0, 1]]
    assert numbers(change("update"), change("rename", after={"dn": "cn=b,dc=x"}), change("update")) == [[0], [1], [2]]


def test_a_name_waits_for_whoever_has_it() -> None:
    def rename(old: str, new: str) -> Change:
        return change("rename", f"cn={old},dc=x", after={"dn": f"cn={new},dc=x"})

    assert numbers(rename("b", "c"), rename("a", "b"), rename("x", "y")) == [[0, 2], [1]]
