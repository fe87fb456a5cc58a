# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules bundle_export and bundle_import, called as Ansible calls them."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.modules import bundle_export, bundle_import, job, job_info, provider

Run = Callable[..., dict[str, t.Any]]
PASSPHRASE = "correct horse"  # not a secret
PASSWORD = "erp-s3cret"
JOB: dict[str, t.Any] = {
    "source": {"provider": "hr"},
    "destination": {"provider": "erp", "table": "people"},
    "objects": [{"fields": [{"name": "id", "source": "id", "key": True}]}],
}
OBJECTS = [{"noun": "provider", "name": "erp"}, {"noun": "provider", "name": "hr"}, {"noun": "job", "name": "people"}]


@pytest.fixture
def declared(run: Run, tmp_path: Path) -> Run:
    (tmp_path / "hr.csv").write_text("id\n1\n", encoding="utf-8")
    both = [
        {"name": "hr", "csv": {"path": str(tmp_path / "hr.csv")}},
        {"name": "erp", "sql": {"url": "postgresql://db/erp", "username": "sync", "password": PASSWORD}},
    ]
    run(provider.main, providers=both)
    run(job.main, name="people", **JOB)
    return run


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, str]:
    """The options of another store."""
    return {"store": f"sqlite:///{tmp_path / 'other' / 'state.db'}"}


def test_a_bundle_is_exported_once_and_imported_once(declared: Run, elsewhere: dict[str, str], tmp_path: Path) -> None:
    path = str(tmp_path / "bundle.yml")
    options = {"path": path, "jobs": ["people"], "passphrase": PASSPHRASE}
    planned = declared(bundle_export.main, check=True, diff=True, **options)
    assert planned["msg"] == f"The bundle {path} would be written with 3 objects."
    assert not Path(path).exists()
    made = declared(bundle_export.main, diff=True, **options)
    assert (made["changed"], made["msg"]) == (True, f"The bundle {path} was written with 3 objects.")
    assert (made["bundle"], made["objects"], made["missing_secrets"]) == (path, OBJECTS, [])
    assert made["files"] == [
        {"noun": "provider", "name": "hr", "option": "csv.path", "path": str(tmp_path / "hr.csv")},
    ]
    assert made["diff"] == planned["diff"]
    assert [block["after_header"] for block in made["diff"]] == [
        *("bundle, provider erp", "bundle, provider hr", "bundle, job people")
    ]
    assert made["diff"][0]["after"]["secrets"] == {"password": "********"}
    assert made["warnings"] == [
        (
            f"The bundle holds the paths of files, not the files: {tmp_path / 'hr.csv'}. Copy those that are needed "
            "to the host that imports it."
        )
    ]
    again = declared(bundle_export.main, diff=True, **options)
    assert (again["changed"], again["msg"], again["diff"]) == (False, f"The bundle {path} has 3 objects.", [])

    options = {"path": path, "passphrase": PASSPHRASE, **elsewhere}
    planned = declared(bundle_import.main, check=True, diff=True, **options)
    assert planned["msg"] == "3 objects of the bundle would be imported: 3 created."
    assert not (tmp_path / "other").exists()
    imported = declared(bundle_import.main, diff=True, **options)
    assert (imported["changed"], imported["msg"]) == (True, "3 objects of the bundle were imported: 3 created.")
    assert imported["objects"] == planned["objects"]
    assert imported["objects"][0] == {
        "noun": "provider", "name": "erp", "imported_as": "erp", "state": "created", "changed": True
    }  # fmt: skip
    assert imported["diff"] == planned["diff"]
    assert imported["diff"][0]["after"]["sql"]["password"] == "********"
    assert (imported["missing_secrets"], imported["warnings"]) == ([], [])
    again = declared(bundle_import.main, diff=True, **options)
    assert (again["changed"], again["diff"]) == (False, [])
    assert again["msg"] == "3 objects of the bundle are in the store already."
    shown = [declared(job_info.main, name="people", **where)["jobs"][0] for where in ({}, elsewhere)]
    assert [{**each, "created": "", "modified": ""} for each in shown[:1]] == [
        {**each, "created": "", "modified": ""} for each in shown[1:]
    ]
    for result in (planned, made, again, imported):
        assert PASSWORD not in json.dumps(result)
        assert PASSPHRASE not in json.dumps(result)


def test_without_secrets_it_says_which_have_to_be_given(
    declared: Run, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "bundle.yml"
    made = declared(bundle_export.main, path=str(path), secrets="omit", mode="0644")
    missing = [{"noun": "provider", "name": "erp", "option": "password"}]
    assert made["missing_secrets"] == missing
    assert path.stat().st_mode & 0o777 == 0o644
    (tmp_path / "hr.csv").unlink()
    imported = declared(bundle_import.main, content=path.read_text(encoding="utf-8"), **elsewhere)
    assert imported["missing_secrets"] == missing
    assert imported["warnings"] == [
        (
            "The bundle was exported without these secrets, and the store has none either: password of provider 'erp'. "
            "Declare them before the jobs run."
        ),
        f"These files, which the bundle names, are not on this host: {tmp_path / 'hr.csv'}.",
    ]
    assert imported["invocation"]["module_args"]["content"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def test_the_passphrase_may_come_from_elsewhere(
    declared: Run, elsewhere: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "bundle.yml")
    secret = tmp_path / "passphrase"
    secret.write_text(f"{PASSPHRASE}\n", encoding="utf-8")
    secret.chmod(0o600)
    assert declared(bundle_export.main, path=path, passphrase_from={"file": str(secret)})["changed"]
    monkeypatch.setenv("BUNDLE", PASSPHRASE)
    assert declared(bundle_import.main, path=path, passphrase_from={"env": "BUNDLE"}, **elsewhere)["changed"]
    monkeypatch.setenv("BUNDLE", "wrong horse")
    failed = declared(bundle_import.main, path=path, passphrase_from={"env": "BUNDLE"}, **elsewhere)
    assert (failed["failed"], failed["error"]) == (True, {"code": "bundle"})
    assert failed["msg"].startswith(f"bundle {path}: the passphrase is not the one that it was exported with.")
    assert "wrong horse" not in json.dumps(failed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "secrets is encrypt but any of the following are missing: passphrase, passphrase_from"),
        ({"passphrase": "short"}, "bundle_export: `passphrase` must have at least 8 characters"),
        ({"passphrase": PASSPHRASE, "secrets": "omit"}, "`passphrase` does not go with `secrets: omit`"),
        ({"passphrase": PASSPHRASE, "mode": "384"}, "mode: got '384'. Give permissions as four octal digits in quotes"),
        ({"passphrase": PASSPHRASE, "jobs": ["x"]}, "bundle_export, jobs: there is no job 'x'"),
        ({"passphrase_from": {"env": "NOT_SET_ANYWHERE"}}, "option passphrase: the environment variable NOT_SET_ANY"),
    ],
)
def test_wrong_options_of_an_export_are_named(
    declared: Run, tmp_path: Path, options: dict[str, t.Any], message: str
) -> None:
    failed = declared(bundle_export.main, path=str(tmp_path / "bundle.yml"), **options)
    assert message in failed["msg"]
    assert not (tmp_path / "bundle.yml").exists()


def test_wrong_options_of_an_import_are_named(run: Run, tmp_path: Path) -> None:
    assert "one of the following is required: path, content" in run(bundle_import.main)["msg"]
    assert (
        "path: '/nowhere/b.yml' cannot be read: No such file" in run(bundle_import.main, path="/nowhere/b.yml")["msg"]
    )
    failed = run(bundle_import.main, content="a: 1")
    assert failed["msg"].startswith("bundle_import, content: it is not a bundle: `format` must be 'lockstep-bundle-1'")
    assert failed["error"] == {"code": "bundle"}


def test_clashes_are_told_and_made_good(declared: Run, elsewhere: dict[str, str], tmp_path: Path) -> None:
    path = str(tmp_path / "bundle.yml")
    declared(bundle_export.main, path=path, passphrase=PASSPHRASE)
    declared(provider.main, name="hr", csv={"path": "/x.csv"}, **elsewhere)
    options = {"path": path, "passphrase": PASSPHRASE, **elsewhere}
    failed = declared(bundle_import.main, **options)
    assert (failed["error"], "provider 'hr'. Nothing was imported" in failed["msg"]) == ({"code": "config"}, True)
    renamed = declared(bundle_import.main, on_conflict="rename", **options)
    assert renamed["msg"] == "3 objects of the bundle were imported: 2 created, 1 renamed."
    assert [each["imported_as"] for each in renamed["objects"]] == ["erp", "hr (2)", "people"]
    again = declared(bundle_import.main, on_conflict="rename", **options)
    assert not again["changed"]


def test_one_object_and_many_files_are_told_shortly(run: Run, elsewhere: dict[str, str], tmp_path: Path) -> None:
    many = [{"name": f"p{number:02}", "csv": {"path": f"/srv/{number:02}.csv"}} for number in range(12)]
    run(provider.main, providers=many[:1])
    options = {"path": str(tmp_path / "bundle.yml"), "secrets": "omit"}
    assert run(bundle_export.main, **options)["msg"].endswith("was written with 1 object.")
    run(bundle_import.main, path=options["path"], **elsewhere)
    assert run(bundle_import.main, path=options["path"], **elsewhere)["msg"] == "1 object is there already."
    run(provider.main, providers=many)
    (warning,) = run(bundle_export.main, **options)["warnings"]
    assert "/srv/09.csv and 2 more. Copy those" in warning
