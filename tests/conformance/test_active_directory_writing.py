# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing to Active Directory: accounts in three steps, bits of others, lists of references, tombstones."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Sequence

import ldap3
import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Directory, WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Action, Change, Outcome, ValueChanges
from servers.directories import SambaAd
from servers.ldap_box import USER, DirectoryBox
from support.tapped_channel import Tap, apply_until_done

GOOD = "Wx7!kk-92=qqZ"
DONE = ("done", "")


@pytest.fixture
def box(samba: SambaAd) -> DirectoryBox:
    return DirectoryBox(samba)


@pytest.fixture
def provider(box: DirectoryBox) -> Iterator[Directory]:
    # The base is a unit: what lies outside, such as tombstones, is found all the same.
    opened = box.open(base_dn=box.base)
    yield opened
    opened.close()


def change(action: Action, place: str, anchor: str | None = None, **parts: t.Any) -> Change:
    return Change(
        number=1,
        object="people",
        action=action,
        key=("k",),
        target=place,
        anchor=anchor,
        before=parts.get("before", {}),
        after=parts.get("after", {}),
    )


def account(box: DirectoryBox, name: str, **attributes: t.Any) -> Change:
    login = f"{name}{abs(hash(box.base)) % 10**8}"
    after = {"cn": name, "sAMAccountName": login, **attributes}
    return change("create", f"CN={name},{box.base}", after=after)


def target(box: DirectoryBox, classes: Sequence[str] = USER) -> WriteTarget:
    return WriteTarget(container=box.base, key_fields=("cn",), fields=(), object_classes=tuple(classes))


def apply(
    provider: Directory, box: DirectoryBox, *changes: Change, classes: Sequence[str] = USER
) -> list[tuple[str, str]]:
    return results(outcomes_of(provider, box, *changes, classes=classes))


def outcomes_of(
    provider: Directory, box: DirectoryBox, *changes: Change, classes: Sequence[str] = USER
) -> list[Outcome]:
    with provider.writer(target(box, classes)) as writer:
        return writer.apply(changes)


def results(outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    return [(outcome.status, outcome.code) for outcome in outcomes]


def can_log_on(box: DirectoryBox, name: str, password: str = GOOD) -> bool:
    login = box.texts(f"CN={name},{box.base}", "sAMAccountName")[0]
    server = ldap3.Server(box.server.url, get_info=ldap3.NONE)
    return ldap3.Connection(server, f"{login}@ad.test", password).bind()


def control(box: DirectoryBox, name: str) -> int:
    return int(box.texts(f"CN={name},{box.base}", "userAccountControl")[0])


@pytest.mark.parametrize("answers", range(7))
@pytest.mark.parametrize(
    ("planned", "bits"),
    [({}, 512), ({"enabled": "false"}, 514), ({"pwdLastSet": "0"}, 512), ({"password_never_expires": "true"}, 66048)],
)
def test_an_account_that_was_cut_off_is_finished(
    box: DirectoryBox, provider: Directory, planned: dict[str, str], bits: int, answers: int
) -> None:
    creates = [account(box, name, unicodePwd=GOOD, **planned) for name in ("ann", "bob")]
    tap = Tap(provider)
    tap.cut_after = answers
    outcomes = apply_until_done(provider, target(box), creates)
    assert results(outcomes) == [DONE, DONE]
    for name, outcome in zip(("ann", "bob"), outcomes, strict=True):
        place = f"CN={name},{box.base}"
        assert outcome.anchor == box.anchor(place)
        assert control(box, name) == bits
        if planned.get("pwdLastSet") == "0":
            assert box.texts(place, "pwdLastSet") == ["0"]
            box.modify(place, pwdLastSet="-1")
        box.modify(place, userAccountControl="512")
        assert can_log_on(box, name)


def test_three_passes_over_the_batch(box: DirectoryBox, provider: Directory) -> None:
    tap = Tap(provider)
    assert apply(provider, box, *(account(box, f"p{n}", unicodePwd=GOOD) for n in range(5))) == [DONE] * 5
    assert tap.sent_at_once == [5, 5, 5]
    assert len(tap.read) == 1, "the anchors of all are read at once"


def test_an_account_that_somebody_else_made_gets_no_password_and_is_not_enabled(
    box: DirectoryBox, provider: Directory
) -> None:
    create = account(box, "ann", unicodePwd=GOOD)
    assert apply(provider, box, account(box, "ann")) == [DONE]
    (outcome,) = outcomes_of(provider, box, create)
    assert (outcome.status, outcome.code) == ("skipped", "exists")
    assert GOOD not in outcome.message
    assert control(box, "ann") == 514


def test_a_refused_password_is_explained_by_the_domains_policy(box: DirectoryBox, provider: Directory) -> None:
    bad, good = outcomes_of(provider, box, account(box, "ann", unicodePwd="sh"), account(box, "bob", unicodePwd=GOOD))
    assert results([bad, good]) == [("failed", "password"), DONE]
    assert "at least 7 characters, three kinds of them" in bad.message
    assert "The record was not made." in bad.message
    assert box.read(f"CN=ann,{box.base}") is None


def test_without_encryption_nothing_of_the_batch_is_written(box: DirectoryBox, provider: Directory) -> None:
    session = provider._session  # type: ignore[attr-defined]
    assert session.encrypted
    session._bound.encrypted = False
    with pytest.raises(ConfigError, match="a password is written over an encrypted connection only") as caught:
        apply(provider, box, account(box, "ann"), account(box, "bob", unicodePwd=GOOD))
    assert GOOD not in caught.value.message
    assert box.places() == []


def test_an_account_of_a_class_below_user(box: DirectoryBox, provider: Directory) -> None:
    classes = (*USER, "inetOrgPerson")
    assert apply(provider, box, account(box, "ann", unicodePwd=GOOD), classes=classes) == [DONE]
    assert control(box, "ann") == 512
    assert can_log_on(box, "ann")


@pytest.mark.parametrize("moment", ["before the batch", "within the batch"])
def test_members_that_others_added_or_took_away(box: DirectoryBox, provider: Directory, moment: str) -> None:
    people = [box.person(f"m{number}") for number in range(5)]
    login = f"g{abs(hash(box.base)) % 10**8}"
    place = box.add(f"CN=G,{box.base}", ("top", "group"), sAMAccountName=login, member=people[:3])
    values = ValueChanges(added=(people[3], people[4]), removed=(people[0], people[1]))
    tap = Tap(provider)
    edit: Callable[[], None] = lambda: box.modify(place, member=[people[1], people[2], people[3]])  # noqa: E731
    if moment == "before the batch":
        edit()
    else:
        tap.before_writing = edit
    assert apply(provider, box, change("update", place, box.anchor(place), after={"member": values})) == [DONE]
    assert box.texts(place, "member") == people[2:]


def test_a_member_that_is_not_there_is_told(box: DirectoryBox, provider: Directory) -> None:
    login = f"g{abs(hash(box.base)) % 10**8}"
    place = box.add(f"CN=G,{box.base}", ("top", "group"), sAMAccountName=login)
    values = ValueChanges(added=(f"CN=nobody,{box.base}",))
    (outcome,) = outcomes_of(provider, box, change("membership", place, box.anchor(place), after={"member": values}))
    assert (outcome.status, outcome.code) == ("failed", "missing_container")
    assert "a record that is referred to does not exist" in outcome.message


def test_bits_that_others_set_are_kept(box: DirectoryBox, provider: Directory) -> None:
    place = box.person("Ann", userAccountControl="544")
    planned = change("disable", place, box.anchor(place), before={"enabled": "true"}, after={"enabled": "false"})
    box.modify(place, userAccountControl="66080")
    assert apply(provider, box, planned) == [DONE]
    assert control(box, "Ann") == 66082


def test_what_was_deleted_outside_the_base_is_told(box: DirectoryBox, provider: Directory) -> None:
    place = box.person("Ann", description="old")
    planned = change("update", place, box.anchor(place), before={"description": "old"}, after={"description": "new"})
    box.delete(place)
    (outcome,) = outcomes_of(provider, box, planned)
    assert (outcome.status, outcome.code) == ("skipped", "gone")
    assert "it was deleted at 20" in outcome.message
    assert f"out of {box.base}" in outcome.message


def test_what_was_moved_out_of_the_base_is_followed(box: DirectoryBox, provider: Directory) -> None:
    other = DirectoryBox(box.server)
    place = box.person("Ann", description="old")
    planned = change("update", place, box.anchor(place), before={"description": "old"}, after={"description": "new"})
    box.move(place, "CN=Ann", other.base)
    assert apply(provider, box, planned) == [DONE]
    assert box.texts(f"CN=Ann,{other.base}", "description") == ["new"]
