# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into a bundle, and when its file is written."""

from __future__ import annotations

import os
import sys
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import (
    ConfigError,
    DependencyError,
    ProviderError,
    StoreError,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret
from ansible_collections.lockstep.sync.plugins.module_utils._operations import export_bundle as exporting
from support.bundles import (
    HR,
    PASSWORD,
    TREE,
    export,
    fill,
    job,
    names,
    provider,
    smart_group,
    workflow,
)

if t.TYPE_CHECKING:
    from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

OF_PEOPLE = ["provider hr", "provider tree", "smart_group bern", "job_template joiners", "job people"]
OF_ROOMS = ["provider erp", "provider hr", "job rooms"]


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    return store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bundle.yml"


def test_what_a_job_depends_on_comes_with_it(filled: Store, path: Path) -> None:
    assert names(export(filled, path, jobs=["people"])) == OF_PEOPLE
    assert names(export(filled, path, jobs=["rooms"])) == OF_ROOMS


def test_nothing_named_means_everything_but_workflows(filled: Store, path: Path) -> None:
    whole = ["provider erp", "provider hr", "provider tree", "provider unused", *OF_PEOPLE[2:], "job rooms"]
    assert names(export(filled, path, jobs=[], collections=[])) == whole
    assert names(export(filled, path, workflows=True)) == [*whole, "workflow deletes", "workflow rooms"]


def test_workflows_that_cover_an_exported_job_come_along_when_asked_for(filled: Store, path: Path) -> None:
    assert names(export(filled, path, jobs=["people"], workflows=True)) == [*OF_PEOPLE, "workflow deletes"]
    with_workflows = [*OF_ROOMS, "workflow deletes", "workflow rooms"]
    assert names(export(filled, path, jobs=["rooms"], workflows=True)) == with_workflows
    # One that names other jobs, too, brings them, and these what covers them.
    workflow(filled, "both", jobs=["people", "rooms"])
    both = names(export(filled, path, jobs=["people"], workflows=True))
    assert both[-5:] == ["job people", "job rooms", "workflow both", "workflow deletes", "workflow rooms"]


def test_what_does_not_exist_is_named(filled: Store, path: Path) -> None:
    with pytest.raises(ConfigError, match=r"bundle_export, jobs: there is no job 'poeple'. Did you mean 'people'\?"):
        export(filled, path, jobs=["poeple"])
    with pytest.raises(ConfigError, match=r"bundle_export, collections: there is no .*collection 'c'"):
        export(filled, path, collections=["c"])
    assert not path.exists()


def test_of_an_empty_store_nothing_is_written_over_a_good_bundle(store: Store, path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is nothing to export: the state store .*state.db has no objects"):
        export(store, path)
    assert not path.exists()


def test_a_name_of_something_deleted_stays_and_is_told(filled: Store, path: Path) -> None:
    filled.job_templates.delete("joiners")
    assert export(filled, path, jobs=["people"]).warnings == (
        "The job 'people' names job template 'joiners', which does not exist any more; the bundle keeps the name.",
    )
    assert "template: joiners" in path.read_text()


def test_predefined_templates_are_everywhere(filled: Store, path: Path) -> None:
    provider(filled, "ad", {"active_directory": {"url": ["ldaps://dc"], "username": "a"}})
    sides: dict[str, t.Any] = {"source": {"provider": "hr"}, "destination": {"provider": "ad"}}
    job(filled, "move", {"template": "move_objects", **sides})
    exported = export(filled, path, jobs=["move"])
    assert (names(exported), exported.warnings) == (["provider ad", "provider hr", "job move"], ())


def test_a_required_name_that_does_not_exist_is_an_error(filled: Store, path: Path) -> None:
    stored = filled.jobs.get("people")
    assert stored is not None
    filled.jobs.save("people", {**stored.definition, "smart_groups": ["gone"]})
    with pytest.raises(ConfigError, match=r"job 'people' names smart group 'gone', which does not exist. Declare it"):
        export(filled, path, jobs=["people"])


def test_secrets_are_encrypted_left_out_or_references(filled: Store, path: Path) -> None:
    told: list[Secret] = []
    request = exporting.ExportRequest(path=path, roots={}, passphrase=Secret("correct horse"))
    exported = exporting.export_bundle(
        filled, request, check=False, random_bytes=os.urandom, protect=told.append, cost=2**15
    )
    assert told == [Secret(PASSWORD)]
    assert exported.missing_secrets == ()
    text = path.read_text()
    assert PASSWORD not in text
    assert "encrypted: " in text
    assert "file: /etc/erp" in text
    omitted = export(filled, path, passphrase=None)
    assert [(each.noun, each.name, each.option) for each in omitted.missing_secrets] == [
        ("provider", "tree", "password")
    ]
    text = path.read_text()
    assert "omitted: true" in text
    assert "file: /etc/erp" in text
    assert "encrypt" not in text


def test_files_that_are_not_in_the_bundle_are_listed(filled: Store, path: Path) -> None:
    provider(filled, "tree", {"ldap": {**TREE["ldap"], "ca_cert": "/etc/ca.pem"}})
    files = [(f.noun, f.name, f.option, f.path) for f in export(filled, path, jobs=["people", "rooms"]).files]
    assert files == [
        ("provider", "erp", "sql.url", "/srv/erp.db"),
        ("provider", "erp", "password_from", "/etc/erp"),
        ("provider", "hr", "csv.path", "/srv/hr.csv"),
        ("provider", "tree", "ldap.ca_cert", "/etc/ca.pem"),
        ("job_template", "joiners", "fields.sn.function", "/srv/names.py"),
        ("job", "people", "fields.sn.function", "/srv/names.py"),
    ]


def test_a_second_export_changes_nothing(filled: Store, path: Path) -> None:
    assert export(filled, path, check=True).changed
    assert not path.exists()
    assert export(filled, path).changed
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino
    again = export(filled, path)
    assert (again.changed, any(each.changed for each in again.differences)) == (False, False)
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_a_change_shows_in_the_lines_that_it_is_about(filled: Store, path: Path) -> None:
    provider(filled, "other", TREE, password=Secret("other-s3cret"))
    export(filled, path)
    before = path.read_text().splitlines()
    provider(filled, "hr", {"csv": {"path": "/srv/new.csv"}})
    provider(filled, "other", TREE, password=Secret("new-s3cret"))
    exported = export(filled, path)
    after = path.read_text().splitlines()
    lines = [(old.split()[0], new.split()[0]) for old, new in zip(before, after, strict=True) if old != new]
    assert lines == [("digest:",) * 2, ("seal:",) * 2, ("path:",) * 2, ("encrypted:",) * 2]
    changed = {each.name: (each.before, each.after) for each in exported.differences if each.changed}
    assert set(changed) == {"provider hr", "provider other"}
    old, new = changed["provider other"]
    assert (old or {})["secrets"] == {"password": "********"}
    assert (new or {})["secrets"] == {"password": "******** (changed)"}


def test_what_is_no_longer_there_goes_from_the_bundle(filled: Store, path: Path) -> None:
    export(filled, path)
    filled.providers.delete("unused")
    (gone,) = (each for each in export(filled, path).differences if each.changed)
    assert (gone.name, gone.after) == ("provider unused", None)
    assert "unused" not in path.read_text()


def test_another_way_with_secrets_is_another_bundle(filled: Store, path: Path) -> None:
    export(filled, path, jobs=["people"])
    assert export(filled, path, jobs=["people"], passphrase="another horse").changed
    assert export(filled, path, jobs=["people"], passphrase=None).changed
    assert not export(filled, path, jobs=["people"], passphrase=None).changed
    assert export(filled, path, jobs=["people"]).changed
    # Also where there is no secret at all: a bundle with a passphrase is sealed.
    filled.jobs.delete("rooms")
    filled.providers.delete("erp")
    filled.jobs.delete("people")
    filled.smart_groups.delete("bern")
    filled.providers.delete("tree")
    for passphrase in ("correct horse", None):
        assert export(filled, path, passphrase=passphrase).changed
        assert not export(filled, path, passphrase=passphrase).changed


@pytest.mark.parametrize("content", [b"", b"a: 1\n", b"\xff\x00", b"format: lockstep-bundle-1\n"])
def test_a_file_that_is_no_bundle_is_replaced(filled: Store, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert export(filled, path, check=True).changed
    assert path.read_bytes() == content
    assert export(filled, path).changed
    assert not export(filled, path).changed


def test_the_mode_is_kept_to(filled: Store, path: Path) -> None:
    export(filled, path, mode=0o640)
    assert path.stat().st_mode & 0o777 == 0o640
    assert export(filled, path, check=True).changed
    assert path.stat().st_mode & 0o777 == 0o640
    before = path.read_bytes()
    assert export(filled, path).changed
    assert (path.stat().st_mode & 0o777, path.read_bytes()) == (0o600, before)
    path.chmod(0o666)
    provider(filled, "hr", {"csv": {"path": "/srv/new.csv"}})
    assert export(filled, path).changed
    assert path.stat().st_mode & 0o777 == 0o600
    assert not export(filled, path).changed


def test_a_place_that_cannot_be_written_is_named(filled: Store, tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"bundle_export: the folder .*nowhere does not exist"):
        export(filled, tmp_path / "nowhere" / "bundle.yml", check=True)
    with pytest.raises(ProviderError, match="is a directory, not a file"):
        export(filled, tmp_path)


def test_a_file_that_cannot_be_read_is_named(filled: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch()

    def refuse(*_arguments: object) -> t.NoReturn:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        with pytest.raises(ConfigError, match=r"path: '.*bundle.yml' cannot be read: Permission denied"):
            export(filled, path, passphrase=None)


def test_a_mode_that_cannot_be_set_is_named(filled: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(filled, path)

    def refuse(*_arguments: object) -> t.NoReturn:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "chmod", refuse)
        with pytest.raises(
            ConfigError, match=r"bundle.yml' cannot be set to 0640: Operation not permitted\. Run this as"
        ):
            export(filled, path, mode=0o640)


def test_what_no_import_would_read_is_not_written(filled: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "MAX_BYTES", 1000)
    with pytest.raises(ConfigError, match=r"the bundle would be bigger than .* Export fewer objects at a time"):
        export(filled, path)
    assert not path.exists()


def test_a_secret_that_cannot_be_decrypted_ends_the_export(filled: Store, path: Path, tmp_path: Path) -> None:
    (tmp_path / "store" / "state.key").unlink()
    with pytest.raises(StoreError, match=r"provider 'tree', option password: the key file .* does not exist"):
        export(filled, path)
    assert not path.exists()
    assert export(filled, path, passphrase=None).changed


def test_cryptography_is_needed_for_a_passphrase_only(
    filled: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.providers.delete("unused")
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(DependencyError, match="pip install cryptography"):
        export(filled, path, jobs=["rooms"])
    assert export(filled, path, jobs=["rooms"], passphrase=None).changed


def test_a_store_that_is_only_read_is_exported(filled: Store, path: Path, open_again: Callable[..., Store]) -> None:
    assert names(export(open_again(create=False), path, jobs=["people"])) == OF_PEOPLE


def test_objects_are_in_order_whatever_the_order_of_their_declaration(store: Store, tmp_path: Path) -> None:
    for name in ("z", "tree", "a"):
        provider(store, name, TREE if name == "tree" else HR)
    for name in ("n", "m"):
        smart_group(store, name)
    assert names(export(store, tmp_path / "b.yml", passphrase=None)) == [
        *("provider a", "provider tree", "provider z", "smart_group m", "smart_group n")
    ]
