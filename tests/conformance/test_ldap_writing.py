# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing to real directories while others write, too, and while lines break and servers die."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Sequence

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Directory, WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.dn import escape_value
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Action, Change, Outcome, ValueChanges
from servers.directories import OpenLdap
from servers.ldap_box import PERSON, USER, DirectoryBox
from support.tapped_channel import Tap, apply_until_done

Result: t.TypeAlias = tuple[str, str]
DONE: Result = ("done", "")
MOVED_ON: Result = ("skipped", "moved_on")
GONE: Result = ("skipped", "gone")


@pytest.fixture(params=["openldap", "samba"])
def box(request: pytest.FixtureRequest) -> DirectoryBox:
    return DirectoryBox(request.getfixturevalue(request.param))


@pytest.fixture
def plain_box(openldap: OpenLdap) -> DirectoryBox:
    return DirectoryBox(openldap)


@pytest.fixture
def open_provider() -> Iterator[Callable[..., Directory]]:
    opened: list[Directory] = []

    def open_one(box: DirectoryBox, password: str | None = None, **options: t.Any) -> Directory:
        opened.append(box.open(password, **options))
        return opened[-1]

    yield open_one
    for provider in opened:
        provider.close()


@pytest.fixture
def provider(box: DirectoryBox, open_provider: Callable[..., Directory]) -> Directory:
    return open_provider(box)


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


def rename(box: DirectoryBox, place: str, new: str) -> Change:
    return change("rename", place, box.anchor(place), before={"dn": place}, after={"dn": new})


def move(box: DirectoryBox, place: str, new: str) -> Change:
    return change("move", place, box.anchor(place), before={"dn": place}, after={"dn": new})


def target(box: DirectoryBox, classes: Sequence[str] | None = None) -> WriteTarget:
    classes = tuple(classes or (USER if box.is_ad else PERSON))
    return WriteTarget(container=box.base, key_fields=("cn",), fields=(), object_classes=classes)


def apply(
    provider: Directory, box: DirectoryBox, *changes: Change, classes: Sequence[str] | None = None
) -> list[Result]:
    return results(outcomes_of(provider, box, *changes, classes=classes))


def outcomes_of(
    provider: Directory, box: DirectoryBox, *changes: Change, classes: Sequence[str] | None = None
) -> list[Outcome]:
    with provider.writer(target(box, classes)) as writer:
        return writer.apply(changes)


def results(outcomes: Sequence[Outcome]) -> list[Result]:
    return [(outcome.status, outcome.code) for outcome in outcomes]


def person(box: DirectoryBox, name: str, **attributes: t.Any) -> dict[str, t.Any]:
    login = {"sAMAccountName": f"y{abs(hash((box.base, name))) % 10**10}"} if box.is_ad else {"sn": name}
    return {"cn": name, **login, **attributes}


def group(box: DirectoryBox, name: str, members: Sequence[str]) -> str:
    naming, classes = ("CN", ("top", "group")) if box.is_ad else ("cn", ("top", "groupOfNames"))
    login = {"sAMAccountName": f"g{abs(hash((box.base, name))) % 10**10}"} if box.is_ad else {}
    return box.add(f"{naming}={name},{box.base}", classes, member=list(members), **login)


def phones(box: DirectoryBox) -> str:
    return "otherTelephone" if box.is_ad else "telephoneNumber"


def same(one: Sequence[str], other: Sequence[str]) -> bool:
    return sorted(value.lower() for value in one) == sorted(value.lower() for value in other)


# -- others write, too ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["before the batch", "within the batch"])
@pytest.mark.parametrize(
    ("others", "expected"),
    [("changed", MOVED_ON), ("cleared", MOVED_ON), ("deleted", GONE), ("renamed", DONE), ("moved", DONE)],
)
@pytest.mark.parametrize("action", ["update", "disable", "delete"])
def test_what_others_did_since_the_record_was_read(
    box: DirectoryBox, provider: Directory, action: Action, others: str, expected: Result, moment: str
) -> None:
    place, unit = box.person("Ann", description="old", telephoneNumber="1"), box.unit("elsewhere")
    now = {"renamed": f"cn=Anna,{box.base}", "moved": f"cn=Ann,{unit}"}.get(others, place)
    edits: dict[str, Callable[[], None]] = {
        "changed": lambda: box.modify(place, description="by hand"),
        "cleared": lambda: box.modify(place, description=[]),
        "deleted": lambda: box.delete(place),
        "renamed": lambda: box.move(place, "cn=Anna"),
        "moved": lambda: box.move(place, "cn=Ann", unit),
    }
    after = {} if action == "delete" else {"description": "new"}
    planned = change(
        action, place, box.anchor(place), before={"description": "old", "telephoneNumber": "1"}, after=after
    )
    tap = Tap(provider)
    if moment == "before the batch":
        edits[others]()
    else:
        tap.before_writing = edits[others]
    if action == "delete" and box.is_ad and expected == MOVED_ON and moment == "within the batch":
        return  # Active Directory has no assertions, and a delete names no values
    (outcome,) = outcomes_of(provider, box, planned)
    if action == "delete" and others == "deleted":
        expected = DONE
    assert (outcome.status, outcome.code) == expected, outcome
    if expected == MOVED_ON:
        assert "description was 'old', is " in outcome.message
        assert box.texts(place, "description") == (["by hand"] if others == "changed" else [])
    elif expected == DONE:
        found = box.read(now, "description")
        assert found == (None if action == "delete" else {"description": [b"new"]})


@pytest.mark.parametrize("moment", ["before the batch", "within the batch"])
def test_values_that_others_added_or_took_away_contradict_nothing(
    box: DirectoryBox, provider: Directory, moment: str
) -> None:
    name = phones(box)
    place = box.person("Ann", **{name: ["1", "2", "3"]})
    values = ValueChanges(added=("4", "5"), removed=("1", "2"))
    tap = Tap(provider)
    if moment == "before the batch":
        box.modify(place, **{name: ["2", "3", "4", "9"]})
    else:
        tap.before_writing = lambda: box.modify(place, **{name: ["2", "3", "4", "9"]})
    planned = change("update", place, box.anchor(place), after={name: values})
    assert apply(provider, box, planned) == [DONE]
    assert box.texts(place, name) == ["3", "4", "5", "9"]
    assert len(tap.operations("modifyRequest")) == 2


def test_what_others_moved_is_renamed_where_it_is(box: DirectoryBox, provider: Directory) -> None:
    place, unit = box.person("Ann"), box.unit("elsewhere")
    planned = rename(box, place, f"cn=Anna,{box.base}")
    box.move(place, "cn=Ann", unit)
    assert apply(provider, box, planned) == [DONE]
    assert box.read(f"cn=Anna,{unit}") is not None


def test_what_others_renamed_keeps_its_name_when_it_is_moved(box: DirectoryBox, provider: Directory) -> None:
    place, unit = box.person("Ann"), box.unit("elsewhere")
    planned = move(box, place, f"cn=Ann,{unit}")
    box.move(place, "cn=Anna")
    assert apply(provider, box, planned) == [DONE]
    assert box.read(f"cn=Anna,{unit}") is not None


def test_what_others_renamed_or_moved_is_not_renamed_or_moved_back(box: DirectoryBox, provider: Directory) -> None:
    ann, bob = box.person("Ann"), box.person("Bob")
    first, second = box.unit("first"), box.unit("second")
    renaming, moving = rename(box, ann, f"cn=Anna,{box.base}"), move(box, bob, f"cn=Bob,{first}")
    box.move(ann, "cn=Hanna")
    box.move(bob, "cn=Bob", second)
    renamed, moved = outcomes_of(provider, box, renaming, moving)
    assert results([renamed, moved]) == [MOVED_ON, MOVED_ON]
    assert "was renamed since it was read" in renamed.message
    assert "was moved since it was read" in moved.message
    assert box.read(f"cn=Hanna,{box.base}") is not None
    assert box.read(f"cn=Bob,{second}") is not None


def test_a_name_that_changes_in_case_only(box: DirectoryBox, provider: Directory) -> None:
    place = box.person("ann", description="x")
    planned = rename(box, place, f"CN=Ann,{box.base}")
    assert apply(provider, box, planned) == [DONE]
    assert [found.partition(",")[0].partition("=")[2] for found in box.places("(description=x)")] == ["Ann"]
    assert apply(provider, box, planned) == [DONE]


def test_the_server_keeps_the_other_end_of_references(box: DirectoryBox, provider: Directory) -> None:
    """Overlays and back links do it; a control of ours that they hand on must not keep them from it."""
    places = [box.person(name) for name in ("Ann", "Bob", "Cid", "Dan")]
    ann, bob, cid, dan = places
    unit, anna = box.unit("elsewhere"), f"cn=Anna,{box.base}"
    team = group(box, "team", [ann, bob, cid])
    delete = change("delete", cid, box.anchor(cid))
    assert apply(provider, box, rename(box, ann, anna), move(box, bob, f"cn=Bob,{unit}"), delete) == [DONE] * 3
    assert same(box.texts(team, "member"), [anna, f"cn=Bob,{unit}"])
    after = {"member": ValueChanges(added=(dan,), removed=(anna,))}
    joined = change("update", team, box.anchor(team), before={}, after=after)
    assert apply(provider, box, joined) == [DONE]
    assert same(box.texts(dan, "memberOf"), [team])
    assert box.texts(anna, "memberOf") == []


def test_names_are_handed_on_in_one_batch(box: DirectoryBox, provider: Directory) -> None:
    places = [box.person(f"p{number}", description=str(number)) for number in range(20)]
    changes = [rename(box, places[number], f"cn=p{number + 1},{box.base}") for number in reversed(range(20))]
    assert apply(provider, box, *changes) == [DONE] * 20
    assert box.texts(f"cn=p20,{box.base}", "description") == ["19"]
    assert box.texts(f"cn=p1,{box.base}", "description") == ["0"]


def test_many_that_are_gone_are_looked_for_in_few_searches(
    plain_box: DirectoryBox, openldap: OpenLdap, open_provider: Callable[..., Directory]
) -> None:
    places = [plain_box.person(f"p{number}") for number in range(120)]
    deletes = [change("delete", place, plain_box.anchor(place)) for place in places]
    provider = open_provider(plain_box)
    provider.check()
    assert apply(provider, plain_box, *deletes) == [DONE] * 120
    with openldap.counting() as counts:
        assert apply(provider, plain_box, *deletes) == [DONE] * 120
    assert counts["SRCH"] == 120 + 3


# -- order and size -------------------------------------------------------------------------------------------------


def test_trees_come_and_go_in_whatever_order_they_stand_in_the_plan(box: DirectoryBox, provider: Directory) -> None:
    odd = escape_value('a, "b" + c')
    units = [f"ou={odd},{box.base}", f"ou=y,ou={odd},{box.base}", f"ou=z,ou=y,ou={odd},{box.base}", f"ou=w,{box.base}"]
    creates = [change("create_container", unit, after={"ou": "x"}) for unit in (units[2], units[0], units[3], units[1])]
    tap = Tap(provider)
    assert apply(provider, box, *creates) == [DONE] * 4
    assert tap.sent_at_once == [2, 1, 1]
    deletes = [change("delete", unit, box.anchor(unit)) for unit in units]
    assert apply(provider, box, *deletes) == [DONE] * 4
    assert box.places() == []


def test_one_joins_and_one_leaves_a_group_of_5000(box: DirectoryBox, provider: Directory) -> None:
    if box.is_ad:
        people = [box.person(f"m{number}") for number in range(150)]
    else:
        people = [f"cn=m{number},{box.base}" for number in range(5001)]
    place = group(box, "big", people[:-1])
    planned = change(
        "update", place, box.anchor(place), after={"member": ValueChanges(added=(people[-1],), removed=(people[0],))}
    )
    tap = Tap(provider)
    assert apply(provider, box, planned) == [DONE]
    (modify,) = tap.operations("modifyRequest")
    written = [(int(each["operation"]), len(each["modification"]["vals"])) for each in modify["changes"]]
    assert sorted(written) == [(0, 1), (1, 1)]
    assert not any("member" in names for names in tap.read), "the members are not read because one joins"
    assert same(box.texts(place, "member"), people[1:])
    assert apply(provider, box, planned) == [DONE]
    assert same(box.texts(place, "member"), people[1:])


def test_all_members_of_a_group_are_exchanged(plain_box: DirectoryBox, open_provider: Callable[..., Directory]) -> None:
    old = [f"cn=old{number},{plain_box.base}" for number in range(1100)]
    new = [f"cn=new{number},{plain_box.base}" for number in range(1200)]
    place = group(plain_box, "all", old)
    values = ValueChanges(added=tuple(new), removed=tuple(old))
    provider = open_provider(plain_box)
    assert apply(provider, plain_box, change("update", place, plain_box.anchor(place), after={"member": values})) == [
        DONE
    ]
    assert same(plain_box.texts(place, "member"), new)


def test_a_name_of_several_attributes(plain_box: DirectoryBox, open_provider: Callable[..., Directory]) -> None:
    provider = open_provider(plain_box)
    place = f"cn=Ann+uid=a1,{plain_box.base}"
    made = outcomes_of(provider, plain_box, change("create", place, after={"cn": "Ann", "sn": "A"}))
    assert results(made) == [DONE]
    assert plain_box.texts(place, "uid") == ["a1"]
    renamed = f"uid=a1+cn=Anna,{plain_box.base}"
    assert apply(provider, plain_box, rename(plain_box, place, renamed)) == [DONE]
    assert plain_box.anchor(renamed) == made[0].anchor


# -- lines break and servers die ------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [0, 1, 2, 3, 5, 7, 9])
def test_a_batch_that_was_cut_off_is_written_once(box: DirectoryBox, provider: Directory, answers: int) -> None:
    name = phones(box)
    numbers = tuple(str(number) for number in range(1_000_000, 1_002_100))
    creates = [change("create", f"cn=p{n},{box.base}", after=person(box, f"p{n}", **{name: numbers})) for n in range(2)]
    tap = Tap(provider)
    tap.cut_after = answers
    made = apply_until_done(provider, target(box), creates)
    assert results(made) == [DONE, DONE]
    assert [outcome.anchor for outcome in made] == [box.anchor(f"cn=p{n},{box.base}") for n in range(2)]
    assert [len(box.texts(f"cn=p{n},{box.base}", name)) for n in range(2)] == [2100, 2100]
    more = ValueChanges(added=tuple(str(number) for number in range(2_000_000, 2_001_100)), removed=numbers[:1050])
    updates = [
        change(
            "update",
            f"cn=p{n},{box.base}",
            made[n].anchor,
            before={"description": None},
            after={"description": "new", name: more},
        )
        for n in range(2)
    ]
    tap.cut_after = answers
    assert results(apply_until_done(provider, target(box), updates)) == [DONE, DONE]
    assert [box.texts(f"cn=p{n},{box.base}", "description") for n in range(2)] == [["new"], ["new"]]
    assert [len(box.texts(f"cn=p{n},{box.base}", name)) for n in range(2)] == [2150, 2150]
    unit = box.unit("elsewhere")
    moves = [move(box, f"cn=p{n},{box.base}", f"cn=p{n},{unit}") for n in range(2)]
    tap.cut_after = min(answers, 1)
    assert results(apply_until_done(provider, target(box), moves)) == [DONE, DONE]
    deletes = [change("delete", f"cn=p{n},{unit}", made[n].anchor, before={"description": "new"}) for n in range(2)]
    tap.cut_after = min(answers, 1)
    assert results(apply_until_done(provider, target(box), deletes)) == [DONE, DONE]
    assert same(box.places(), [unit])


def test_a_server_that_dies_while_a_batch_is_written(
    start_openldap: Callable[..., OpenLdap], open_provider: Callable[..., Directory]
) -> None:
    server = start_openldap({"SLAPD_SYNC": "1"})
    box = DirectoryBox(server)
    provider = open_provider(box)
    creates = [change("create", f"cn=p{n},{box.base}", after=person(box, f"p{n}")) for n in range(300)]
    writer = provider.writer(target(box)).__enter__()
    killed = _KillAfter(writer, server, answers=100)
    with pytest.raises(ProviderError) as caught:
        writer.apply(creates)
    assert killed.done
    assert caught.value.retriable
    server.start()
    box = _again(box)
    there = len(box.places())
    assert 100 <= there < 300
    outcomes = writer.apply(creates)
    writer.__exit__(None, None, None)
    assert results(outcomes) == [DONE] * 300
    assert len(box.places()) == 300
    assert outcomes[0].anchor == box.anchor(f"cn=p0,{box.base}")


class _KillAfter:
    """Kills the server after some answers."""

    def __init__(self, writer: t.Any, server: OpenLdap, *, answers: int) -> None:
        self.done = False
        channel = writer._channel
        run = channel.run

        def run_and_kill(requests: t.Any, window: int) -> Iterator[t.Any]:
            for number, answer in enumerate(run(requests, window), 1):
                yield answer
                if number == answers:
                    server.kill()
                    self.done = True

        channel.run = run_and_kill


def _again(box: DirectoryBox) -> DirectoryBox:
    fresh = DirectoryBox(box.server)
    fresh.base = box.base
    return fresh


# -- what servers refuse --------------------------------------------------------------------------------------------


def test_who_may_not_write_is_told_so(plain_box: DirectoryBox, open_provider: Callable[..., Directory]) -> None:
    user = plain_box.person("Reader", userPassword="reader")
    place = plain_box.person("Ann", description="old")
    provider = open_provider(plain_box, "reader", bind_dn=user)
    planned = change(
        "update", place, plain_box.anchor(place), before={"description": "old"}, after={"description": "x"}
    )
    (outcome,) = outcomes_of(provider, plain_box, planned)
    assert (outcome.status, outcome.code) == ("failed", "permission")
    assert "insufficientAccessRights (50)" in outcome.message
    assert "Give the provider's account the right to write this." in outcome.message


@pytest.mark.parametrize(
    ("after", "code", "words"),
    [
        ({"manager": "no dn"}, "value", "manager"),
        ({"employeeType": None, "preferredLanguage": ("a", "b")}, "constraint", "preferredLanguage"),
        ({"homeDirectory": "/x"}, "constraint", "objectClassViolation"),
        ({"sn": None}, "constraint", "objectClassViolation"),
    ],
)
def test_refusals_have_stable_codes_and_say_why(
    plain_box: DirectoryBox, open_provider: Callable[..., Directory], after: dict[str, t.Any], code: str, words: str
) -> None:
    place = f"cn=Ann,{plain_box.base}"
    create = change("create", place, after={"cn": "Ann", "sn": "A", **after})
    (outcome,) = outcomes_of(open_provider(plain_box), plain_box, create)
    assert (outcome.status, outcome.code) == ("failed", code), outcome
    assert words in outcome.message
    assert place in outcome.message


def test_a_record_with_a_password_that_somebody_else_made_is_not_taken_for_ours(
    plain_box: DirectoryBox, open_provider: Callable[..., Directory]
) -> None:
    place = plain_box.person("Ann")
    create = change("create", place, after={"cn": "Ann", "sn": "Ann", "userPassword": "very secret"})
    (outcome,) = outcomes_of(open_provider(plain_box), plain_box, create)
    assert (outcome.status, outcome.code) == ("skipped", "exists")
    assert "whether it has the planned password is not known" in outcome.message
    assert "very secret" not in outcome.message
