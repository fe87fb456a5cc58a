# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a bundle in a store that is empty, has the same, or has something else."""

from __future__ import annotations

import contextlib
import tempfile
import typing as t
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.bundles import Bundle, Item
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import (
    BundleError,
    ConfigError,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import JobSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._operations.bundle_conflicts import OnConflict
from ansible_collections.lockstep.sync.plugins.module_utils._operations.bundle_documents import bundle_text, read_bundle
from ansible_collections.lockstep.sync.plugins.module_utils._operations.bundle_noun import BundleNoun, Means, Mention
from ansible_collections.lockstep.sync.plugins.module_utils._operations.bundle_nouns import JOBS, NOUNS
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declared import Declared
from ansible_collections.lockstep.sync.plugins.module_utils._operations.import_bundle import import_bundle, open_bundle
from ansible_collections.lockstep.sync.plugins.module_utils._store.named import Named, Noun
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundles import (
    ERP,
    HR,
    KEY,
    MEANS,
    PASSWORD,
    TREE,
    bring_in,
    everything,
    export,
    fill,
    job,
    job_template,
    provider,
    smart_group,
    states,
    workflow,
)
from support.damage import Damage, damages

if t.TYPE_CHECKING:
    from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

NEW_HR = {"csv": {"path": "/srv/new.csv"}}
ALL = (
    *("provider erp", "provider hr", "provider tree", "provider unused", "smart_group bern", "job_template joiners"),
    *("job people", "job rooms", "workflow deletes", "workflow rooms"),
)


def open_at(folder: Path, *, create: bool = True) -> Store:
    from ansible_collections.lockstep.sync.plugins.module_utils._store.address import StoreAddress  # noqa: PLC0415
    from ansible_collections.lockstep.sync.plugins.module_utils._store.store import open_store  # noqa: PLC0415

    address = StoreAddress(url=f"sqlite:///{folder / 'state.db'}")
    return open_store(address, create=create, clock=lambda: datetime(2026, 11, 22, tzinfo=UTC))


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    return store


@pytest.fixture
def path(filled: Store, tmp_path: Path) -> Path:
    """A bundle with everything."""
    path = tmp_path / "bundle.yml"
    export(filled, path, workflows=True)
    return path


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """An empty store with a key of its own."""
    with closing(open_at(tmp_path / "other")) as store:
        yield store


def test_an_import_gives_what_was_exported(filled: Store, other: Store, path: Path, tmp_path: Path) -> None:
    imported = bring_in(other, path)
    assert states(imported) == dict.fromkeys(ALL, "created")
    assert all(each.changed for each in imported.objects)
    assert imported.missing_secrets == ()
    assert everything(other) == everything(filled)
    assert everything(other)["provider tree"][1] == {"password": PASSWORD}
    keys = [(folder / "state.key").read_bytes() for folder in (tmp_path / "store", tmp_path / "other")]
    assert keys[0] != keys[1]
    # Also to the byte: definitions, their order, and that of their options.
    for store, name in ((filled, "first.yml"), (other, "second.yml")):
        export(store, tmp_path / name, workflows=True, passphrase=None)
    assert (tmp_path / "first.yml").read_bytes() == (tmp_path / "second.yml").read_bytes()
    assert not export(other, path, workflows=True).changed


@pytest.mark.parametrize("on_conflict", ["fail", "rename", "replace"])
def test_what_is_there_already_is_left_alone(filled: Store, other: Store, path: Path, on_conflict: OnConflict) -> None:
    for store in (filled, other):
        bring_in(store, path, on_conflict)
        before = store.jobs.list(), store.providers.list(), store.workflows.list()
        again = bring_in(store, path, on_conflict)
        assert states(again) == dict.fromkeys(ALL, "unchanged")
        assert not any(each.changed for each in again.objects)
        assert (store.jobs.list(), store.providers.list(), store.workflows.list()) == before


def test_a_rehearsal_tells_the_same_and_keeps_nothing(filled: Store, other: Store, path: Path, tmp_path: Path) -> None:
    provider(other, "hr", NEW_HR)
    before = everything(other)
    with closing(open_at(tmp_path / "other", create=False)) as rehearsal:
        planned = bring_in(rehearsal, path, "replace")
    assert everything(other) == before
    made = bring_in(other, path, "replace")
    assert planned == made
    assert states(made)["provider hr"] == "replaced"


def test_before_and_after_show_no_secret(other: Store, path: Path) -> None:
    provider(other, "tree", TREE, password=Secret("another-s3cret"))
    (tree,) = (each for each in bring_in(other, path, "replace").objects if each.name == "tree")
    assert (tree.before or {})["ldap"]["password"] == "********"
    assert (tree.after or {})["ldap"]["password"] == "******** (changed)"
    assert PASSWORD not in repr(tree)


# -- clashes


def test_all_that_clash_are_named_and_nothing_is_imported(other: Store, path: Path) -> None:
    provider(other, "hr", NEW_HR)
    provider(other, "tree", TREE, password=Secret("another-s3cret"))
    workflow(other, "deletes", actions=["delete"])
    before = everything(other)
    with pytest.raises(ConfigError, match=r"other objects of these names: provider 'hr', provider 'tree'\. Nothing"):
        bring_in(other, path)
    assert everything(other) == before


def test_renamed_objects_keep_together(filled: Store, other: Store, path: Path) -> None:
    provider(other, "hr", NEW_HR)
    there = everything(other)
    expected = {
        **dict.fromkeys(ALL, "created"),
        "provider hr": "renamed hr (2)",
    }
    assert states(bring_in(other, path, "rename")) == expected
    found = everything(other)
    assert {name: found[name] for name in there} == there
    assert found["job people"][0]["source"]["provider"] == "hr (2)"
    assert found["provider hr (2)"] == everything(filled)["provider hr"]
    again = bring_in(other, path, "rename")
    assert states(again) == {**dict.fromkeys(ALL, "unchanged"), "provider hr": "unchanged hr (2)"}
    assert everything(other) == found


def test_a_new_name_goes_on_to_all_that_mention_it(other: Store, path: Path) -> None:
    bring_in(other, path)
    provider(other, "tree", {"ldap": {**TREE["ldap"], "base_dn": "dc=other"}})
    job_template(other, "joiners", owners=["others"])
    expected = {
        **dict.fromkeys(ALL, "unchanged"),
        "provider tree": "renamed tree (2)",
        "smart_group bern": "renamed bern (2)",
        "job_template joiners": "renamed joiners (2)",
        "job people": "renamed people (2)",
    }
    assert states(bring_in(other, path, "rename")) == expected
    people = everything(other)["job people (2)"][0]
    assert (people["destination"]["provider"], people["smart_groups"]) == ("tree (2)", ["bern (2)"])
    assert people["template"] == "joiners (2)"
    assert everything(other)["smart_group bern (2)"][0]["provider"] == "tree (2)"
    assert set(states(bring_in(other, path, "rename")).values()) == {
        *("unchanged", "unchanged tree (2)", "unchanged bern (2)", "unchanged joiners (2)", "unchanged people (2)")
    }


def test_workflows_follow_renamed_jobs(other: Store, path: Path) -> None:
    provider(other, "a", HR)
    provider(other, "b", ERP)
    sides = {"source": {"provider": "a"}, "destination": {"provider": "b", "table": "x"}}
    job(other, "rooms", {**sides, "objects": [{"fields": [KEY]}]})
    found = states(bring_in(other, path, "rename"))
    assert (found["job rooms"], found["workflow rooms"]) == ("renamed rooms (2)", "created")
    assert everything(other)["workflow rooms"][0]["jobs"] == ["rooms (2)"]


def test_names_that_are_taken_are_passed_over(store: Store, other: Store, tmp_path: Path) -> None:
    longest = "x" * 200
    for name in ("hr", "hr (2)", longest):
        provider(store, name, HR)
    export(store, tmp_path / "b.yml", passphrase=None)
    for name in ("hr", "hr (3)", longest):
        provider(other, name, NEW_HR)
    expected = {
        # `hr (2)` is in the bundle and means something else, `hr (3)` is in the store.
        "provider hr": "renamed hr (4)",
        "provider hr (2)": "created",
        f"provider {longest}": f"renamed {'x' * 196} (2)",
    }
    assert states(bring_in(other, tmp_path / "b.yml", "rename", passphrase=None)) == expected
    again = states(bring_in(other, tmp_path / "b.yml", "rename", passphrase=None))
    assert again["provider hr"] == "unchanged hr (4)"


def test_replaced_objects_are_whole(filled: Store, other: Store, path: Path, tmp_path: Path) -> None:
    """Nothing that only the store says is left, as it would be after a declaration."""
    provider(other, "hr", NEW_HR)
    provider(other, "tree", TREE, password=SecretReference(kind="env", name="TREE"))
    provider(other, "erp", ERP, password=Secret("some-s3cret"))
    smart_group(other, "bern", container="ou=x,dc=example", limits={"min_members": 7})
    job_template(other, "joiners", protect="(cn=x)", allow_circular=True)
    people: dict[str, t.Any] = {
        "template": "joiners",
        "source": {"provider": "hr"},
        "destination": {"provider": "tree", "container": "ou=x,dc=example", "filter": "(a=b)"},
        "changed_only": {"field": "modified"},
        "limits": {"creates": "5"},
        "on_error": {"retries": 3},
        "enabled": False,
    }
    job(other, "people", people)
    workflow(other, "rooms", quorum=2, fields=["mail"])
    found = states(bring_in(other, path, "replace"))
    assert [name for name, state in found.items() if state == "replaced"] == [
        *("provider erp", "provider hr", "provider tree", "smart_group bern", "job_template joiners", "job people"),
        "workflow rooms",
    ]
    assert everything(other) == everything(filled)
    assert not export(other, path, workflows=True).changed


def test_a_secret_that_the_bundle_does_not_have_is_removed(store: Store, other: Store, tmp_path: Path) -> None:
    provider(store, "tree", TREE)
    export(store, tmp_path / "b.yml")
    provider(other, "tree", TREE, password=Secret("some-s3cret"))
    with pytest.raises(ConfigError, match="provider 'tree'"):
        bring_in(other, tmp_path / "b.yml")
    assert states(bring_in(other, tmp_path / "b.yml", "replace")) == {"provider tree": "replaced"}
    assert everything(other)["provider tree"][1] == {}


def test_a_secret_that_was_left_out_is_kept_or_missing(store: Store, other: Store, tmp_path: Path) -> None:
    path = tmp_path / "b.yml"
    provider(store, "tree", TREE, password=Secret(PASSWORD))
    export(store, path, passphrase=None)
    imported = bring_in(other, path, passphrase=None)
    assert [(each.name, each.option) for each in imported.missing_secrets] == [("tree", "password")]
    assert len(bring_in(other, path, passphrase=None).missing_secrets) == 1
    provider(other, "tree", TREE, password=Secret("own-s3cret"))
    # It counts as the same, and stays when the rest is replaced.
    imported = bring_in(other, path, passphrase=None)
    assert (states(imported), imported.missing_secrets) == ({"provider tree": "unchanged"}, ())
    provider(other, "tree", {"ldap": {**TREE["ldap"], "page_size": 5}})
    assert states(bring_in(other, path, "replace", passphrase=None)) == {"provider tree": "replaced"}
    assert everything(other)["provider tree"] == (everything(store)["provider tree"][0], {"password": "own-s3cret"})


def test_a_template_that_is_gone_keeps_its_name(filled: Store, other: Store, path: Path) -> None:
    filled.job_templates.delete("joiners")
    export(filled, path, jobs=["people"])
    bring_in(other, path)
    assert everything(other)["job people"] == everything(filled)["job people"]
    # A template of that name in the other store changes nothing, either.
    job_template(other, "joiners", owners=["others"])
    assert states(bring_in(other, path))["job people"] == "unchanged"


# -- all or nothing


def test_when_one_breaks_a_rule_none_is_imported(other: Store, path: Path) -> None:
    def refuse(spec: JobSpec, _destination: object) -> None:
        if spec.name == "rooms":
            raise ConfigError("job 'rooms': its script is not here.")

    with pytest.raises(ConfigError, match=r"bundle_import: jobs, entry 2 .* its script is not here\. Nothing was imp"):
        bring_in(other, path, means=replace(MEANS, check_mapping=refuse))
    assert everything(other) == {}


def test_a_rule_of_the_store_is_kept(filled: Store, other: Store, path: Path) -> None:
    """`tree` becomes a table in the bundle, while the other store has a smart group in it."""
    provider(other, "tree", TREE)
    smart_group(other, "own")
    with closing(open_at(path.parent / "third")) as third:
        provider(third, "tree", HR)
        export(third, path)
    before = everything(other)
    with pytest.raises(ConfigError, match=r"provider 'tree' cannot become csv, because smart groups are in it: 'own'"):
        bring_in(other, path, "replace")
    assert everything(other) == before


def test_a_workflow_for_a_job_that_is_nowhere_is_refused(filled: Store, other: Store, path: Path) -> None:
    filled.jobs.delete("rooms")
    assert len(export(filled, path, workflows=True).warnings) == 1
    with pytest.raises(ConfigError, match="workflow 'rooms', jobs: there is no job 'rooms'"):
        bring_in(other, path)
    assert everything(other) == {}


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (Item(section="jobs", name="a", definition={"sauce": {}}), "job 'a': there is no option 'sauce'"),
        (Item(section="providers", name="a", definition={"csv": {"path": "/a", "x": 1}}), "there is no option 'x'"),
        (Item(section="job_templates", name="a", definition={"description": ""}), "`job` must be a mapping of options"),
        (Item(section="job_templates", name="a", definition={"job": {}, "x": 1}), "'a': there is no option 'x'"),
        (Item(section="smart_groups", name="a", definition={}), "smart group 'a': `group`, `filter` is missing"),
        (Item(section="workflows", name="a", definition={"quorum": 0}), "`quorum` must be a whole number"),
    ],
)
def test_a_definition_that_is_not_understood_is_named(other: Store, item: Item, message: str) -> None:
    with pytest.raises(ConfigError, match=f"bundle x: .*{message}.*written by release 1.0.0. Nothing was imported"):
        bring_in(other, bundle_text([item], None).encode(), passphrase=None)


def test_the_wrong_passphrase_is_told_before_anything_is_changed(other: Store, path: Path) -> None:
    with pytest.raises(BundleError, match="the passphrase is not the one"):
        bring_in(other, path, passphrase="wrong horse")
    assert everything(other) == {}


# -- nouns that name each other


@dataclass(frozen=True, kw_only=True, slots=True)
class Timetables:
    """A noun that jobs name (as owners, for want of an option) and that names jobs: as schedules do."""

    def of(self, store: Store) -> Named:
        noun = Noun(word="timetable", table=lambda tables: tables.collections)
        return Named(store._session, lambda: datetime(2026, 11, 22, tzinfo=UTC), noun)

    def declare(self, store: Store, items: Sequence[Item], _means: Means) -> list[Declared]:
        declared = []
        for item in items:
            for name in item.definition.get("jobs", ()):
                if store.jobs.get(name) is None:
                    raise ConfigError(f"timetable {item.name!r}: there is no job {name!r}.")
            stored = self.of(store).get(item.name)
            before = None if stored is None else stored.definition
            self.of(store).save(item.name, item.definition)
            after = dict(item.definition)
            declared.append(
                Declared(
                    name=item.name,
                    state="present",
                    changed=before != after,
                    before=before,
                    after=after,
                    effective=after,
                )
            )
        return declared

    @property
    def noun(self) -> BundleNoun:
        return BundleNoun(
            section="timetables",
            module="timetable",
            stored=lambda store: [
                Item(section="timetables", name=each.name, definition=each.definition) for each in self.of(store).list()
            ],
            normalize=lambda _name, definition: dict(definition),
            declare=self.declare,
            mentions=(Mention(section="jobs", path=("jobs",)),),
            deferred=("jobs",),
        )


TIMETABLES = Timetables()
BOTH_WAYS: tuple[BundleNoun, ...] = (
    NOUNS[0],
    TIMETABLES.noun,
    *(
        replace(noun, mentions=(*noun.mentions, Mention(section="timetables", path=("owners",))))
        if noun is JOBS
        else noun
        for noun in NOUNS[1:]
    ),
)


@pytest.fixture
def circle(store: Store, tmp_path: Path) -> Path:
    """A bundle with a job that names a timetable that names this job and another one."""
    provider(store, "hr", HR)
    provider(store, "erp", ERP)
    timed_jobs(store)
    path = tmp_path / "circle.yml"
    exported = export(store, path, jobs=["rooms"], nouns=BOTH_WAYS)
    assert [item.ref[1] for item in exported.items] == ["erp", "hr", "nightly", "desks", "rooms"]
    return path


def timed_jobs(store: Store) -> None:
    sides = {"source": {"provider": "hr"}, "destination": {"provider": "erp", "table": "x"}}
    for name in ("rooms", "desks"):
        job(store, name, {**sides, "objects": [{"fields": [KEY]}], "owners": ["nightly"]})
    TIMETABLES.of(store).save("nightly", {"at": "03:00", "jobs": ["desks", "rooms"]})


def timetables(store: Store) -> dict[str, t.Any]:
    return {each.name: each.definition for each in TIMETABLES.of(store).list()}


@pytest.mark.parametrize("on_conflict", ["fail", "rename", "replace"])
def test_what_names_each_other_is_imported(other: Store, circle: Path, on_conflict: OnConflict) -> None:
    assert set(states(bring_in(other, circle, on_conflict, nouns=BOTH_WAYS)).values()) == {"created"}
    assert timetables(other) == {"nightly": {"at": "03:00", "jobs": ["desks", "rooms"]}}
    assert set(states(bring_in(other, circle, on_conflict, nouns=BOTH_WAYS)).values()) == {"unchanged"}


@pytest.mark.parametrize("different", ["timetable", "its jobs", "job"])
def test_what_names_each_other_is_renamed_together_and_once(other: Store, circle: Path, different: str) -> None:
    bring_in(other, circle, nouns=BOTH_WAYS)
    if different == "timetable":
        TIMETABLES.of(other).save("nightly", {"at": "04:00", "jobs": ["desks", "rooms"]})
    elif different == "its jobs":
        TIMETABLES.of(other).save("nightly", {"at": "03:00", "jobs": ["desks"]})
    else:
        job(other, "rooms", {"description": "ours"})
    there = timetables(other), [(each.name, each.definition) for each in other.jobs.list()]
    found = states(bring_in(other, circle, "rename", nouns=BOTH_WAYS))
    assert found["timetable nightly"] == "renamed nightly (2)"
    assert (found["job rooms"], found["job desks"]) == ("renamed rooms (2)", "renamed desks (2)")
    assert timetables(other)["nightly (2)"] == {"at": "03:00", "jobs": ["desks (2)", "rooms (2)"]}
    assert {name: each for name, each in timetables(other).items() if name == "nightly"} == there[0]
    assert [(each.name, each.definition) for each in other.jobs.list() if "(2)" not in each.name] == there[1]
    again = states(bring_in(other, circle, "rename", nouns=BOTH_WAYS))
    assert (again["timetable nightly"], again["job rooms"]) == ("unchanged nightly (2)", "unchanged rooms (2)")


def test_what_was_deferred_is_replaced_and_told(other: Store, circle: Path) -> None:
    bring_in(other, circle, nouns=BOTH_WAYS)
    TIMETABLES.of(other).save("nightly", {"at": "03:00", "jobs": ["desks"]})
    with pytest.raises(ConfigError, match="timetable 'nightly'"):
        bring_in(other, circle, nouns=BOTH_WAYS)
    imported = bring_in(other, circle, "replace", nouns=BOTH_WAYS)
    (nightly,) = (each for each in imported.objects if each.changed)
    assert (nightly.state, nightly.before, nightly.after) == (
        "replaced",
        {"at": "03:00", "jobs": ["desks"]},
        {"at": "03:00", "jobs": ["desks", "rooms"]},
    )


# -- damage


@pytest.fixture(scope="module")
def bundles() -> Iterator[dict[str, tuple[bytes, Bundle, dict[str, t.Any]]]]:
    """A bundle with and one without a passphrase, with what is in them."""
    with tempfile.TemporaryDirectory() as folder, closing(open_at(Path(folder))) as store:
        fill(store)
        made = {}
        for kind, passphrase in (("sealed", "correct horse"), ("open", None)):
            path = Path(folder) / f"{kind}.yml"
            export(store, path, passphrase=passphrase, workflows=True)
            secret = None if passphrase is None else Secret(passphrase)
            made[kind] = (path.read_bytes(), open_bundle(path.read_bytes(), secret, where=""), everything(store))
        yield made


@given(damage=damages(), more=damages(), twice=st.booleans(), kind=st.sampled_from(["sealed", "open"]))
@settings(max_examples=settings().max_examples * 3)
def test_of_a_damaged_bundle_nothing_or_all_is_imported(
    bundles: dict[str, tuple[bytes, Bundle, dict[str, t.Any]]],
    damage: Damage,
    more: Damage,
    twice: bool,
    kind: str,
) -> None:
    data, whole, _everything = bundles[kind]
    damaged = damage(data)
    if twice and damaged:
        damaged = more(damaged)
    # Any other error than this one, which is for what cannot be used, fails the test.
    with contextlib.suppress(BundleError):
        assert open_bundle(damaged, Secret("correct horse"), where="bundle x").items == whole.items


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["sealed", "open"])
def test_no_byte_of_a_bundle_can_be_changed_unseen(
    bundles: dict[str, tuple[bytes, Bundle, dict[str, t.Any]]], other: Store, kind: str
) -> None:
    """Each byte in turn: what is not refused says the same."""
    data, whole, _everything = bundles[kind]
    sections = [noun.section for noun in NOUNS]
    original = read_bundle(data, sections, "bundle x")
    for at in range(len(data)):
        damaged = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            assert read_bundle(damaged, sections, "bundle x") == original
        except BundleError:
            continue
    import_bundle(other, whole, "fail", MEANS)


def test_a_callable_is_never_made_of_a_bundle(other: Store, tmp_path: Path, path: Path) -> None:
    made = tmp_path / "made"
    text = path.read_text().replace("path: /srv/hr.csv", f"path: !!python/object/apply:os.mkdir ['{made}']")
    with pytest.raises(BundleError, match="has a tag"):
        bring_in(other, text.encode())
    assert not made.exists()
