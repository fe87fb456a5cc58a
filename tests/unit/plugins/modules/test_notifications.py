# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules notification and notification_info, and what others do with notifications, as Ansible calls them."""

from __future__ import annotations

import sqlite3
import typing as t
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.modules import (
    bundle_export,
    bundle_import,
    job,
    job_collection,
    job_template,
    job_template_info,
    notification,
    notification_info,
    provider,
)
from ansible_collections.lockstep.sync.plugins.modules import run as run_module
from servers.mails import MailServer

Run = Callable[..., dict[str, t.Any]]
PASSPHRASE = "correct horse"  # not a secret
SMTP: dict[str, t.Any] = {
    "host": "mail.example.com",
    "username": "lockstep",
    "password": "mail-s3cret",
    "sender": "lockstep@example.com",
}


@pytest.fixture
def declared(run: Run, tmp_path: Path) -> Run:
    """A store with the job `people` from one file to another."""
    (tmp_path / "hr.csv").write_text("id\n1\n", encoding="utf-8")
    both = [{"name": name, "csv": {"path": str(tmp_path / f"{name}.csv")}} for name in ("hr", "crm")]
    run(provider.main, providers=both)
    run(
        job.main,
        name="people",
        source={"provider": "hr"},
        destination={"provider": "crm"},
        missing_at_destination="create",
        objects=[{"fields": [{"name": "id", "source": "id", "key": True}]}],
    )
    return run


def test_a_notification_is_made_once_and_its_password_never_shown(run: Run) -> None:
    options = {"name": "ops", "recipients": ["ann@example.com"], "smtp": SMTP}
    planned = run(notification.main, check=True, diff=True, **options)
    assert (planned["changed"], planned["msg"]) == (True, "The notification 'ops' would be created.")
    made = run(notification.main, diff=True, **options)
    assert (made["changed"], made["diff"]) == (True, planned["diff"])
    assert made["notification"]["smtp"]["password"] == "********"
    assert not run(notification.main, **options)["changed"]
    without = {name: value for name, value in SMTP.items() if name != "password"}
    assert not run(notification.main, name="ops", smtp=without)["changed"]
    other = run(notification.main, diff=True, name="ops", smtp={**SMTP, "password": "an0ther-one"})
    assert other["diff"]["after"]["smtp"]["password"] == "******** (changed)"
    assert not [text for text in map(str, (made, other)) if "s3cret" in text or "an0ther" in text]


def test_relative_paths_start_where_the_task_runs(run: Run, tmp_path: Path) -> None:
    smtp = {"host": "x", "sender": "a@b.c", "username": "me", "ca_cert": "ca.pem", "password_from": {"file": "pw"}}
    made = run(notification.main, name="ops", smtp=smtp)
    shown = made["notification"]["smtp"]
    assert (shown["ca_cert"], shown["password_from"]) == (str(tmp_path / "ca.pem"), {"file": str(tmp_path / "pw")})


def test_several_are_declared_all_or_none(run: Run) -> None:
    good = {"name": "a", "smtp": SMTP}
    failed = run(notification.main, notifications=[good, {"name": "b", "smtp": {**SMTP, "port": 0}}])
    assert (failed["failed"], failed["error"]["code"]) == (True, "config")
    assert run(notification_info.main)["notifications"] == []
    made = run(notification.main, notifications=[good, {"name": "b", "smtp": SMTP}])
    assert made["msg"] == "2 of 2 notifications were changed."


def test_jobs_and_collections_name_one_that_exists(declared: Run) -> None:
    refused = declared(job.main, name="people", notification="ops")
    assert "job 'people', notification: there is no notification 'ops'" in refused["msg"]
    members = [{"job": "people"}]
    refused = declared(job_collection.main, name="all", jobs=members, notification="ops")
    assert "job collection 'all', notification: there is no notification 'ops'" in refused["msg"]
    declared(notification.main, name="ops", smtp=SMTP)
    made = declared(job.main, name="people", notification="ops", notify={"send": "failed"})
    assert (made["job"]["notification"], made["job"]["notify"]) == ("ops", {"send": "failed"})
    assert declared(job_collection.main, name="all", jobs=members, notification="ops")["changed"]
    (found,) = declared(notification_info.main)["notifications"]
    assert found["used_by"] == ["job 'people'", "job collection 'all'"]
    kept = declared(notification.main, name="ops", state="absent")
    assert "it is used by job 'people', job collection 'all'" in kept["msg"]
    declared(notification.main, name="ops", new_name="operators")
    assert not declared(job.main, name="people", notification="operators")["changed"]
    assert declared(job.main, name="people", notification="", notify={})["changed"]


def test_a_template_takes_over_no_notification(declared: Run) -> None:
    declared(notification.main, name="ops", smtp=SMTP)
    declared(job.main, name="people", notification="ops", notify={"send": "failed"})
    declared(job_template.main, name="copy", from_job="people")
    (found,) = declared(job_template_info.main, name="copy")["job_templates"]
    assert {"notification", "notify"} & set(found["job"]) == set()


def test_a_test_sends_a_mail_but_not_in_check_mode(run: Run, mail_server: MailServer) -> None:
    smtp = mail_server.smtp(password=MailServer.password)
    run(notification.main, name="ops", recipients=["ann@example.com"], smtp=smtp)
    (checked,) = run(notification_info.main, check=True, test=True)["notifications"]
    assert (checked["test"]["reached"], checked["test"]["sent"], mail_server.mails) == (True, False, [])
    (tested,) = run(notification_info.main, name="ops", test=True)["notifications"]
    assert tested["test"]["answer"] == "250 2.0.0 queued as 0001"
    assert len(mail_server.mails) == 1


def test_a_tick_delivers_what_waits(declared: Run, mail_server: MailServer, tmp_path: Path) -> None:
    smtp = mail_server.smtp(password=MailServer.password)
    declared(notification.main, name="ops", enabled=True, recipients=["ann@example.com"], smtp=smtp)
    declared(job.main, name="people", notification="ops")
    mail_server.stop()
    ran = declared(run_module.main, job="people")
    assert (ran["changed"], ran["run"]["status"]) == (True, "succeeded")
    assert "was not delivered" in ran["run"]["log"][-1]["message"]
    (found,) = declared(notification_info.main)["notifications"]
    assert (found["outbox"][0]["status"], found["outbox"][0]["attempts"]) == ("queued", 1)
    with closing(sqlite3.connect(tmp_path / "store" / "state.db")) as connection:
        connection.execute("UPDATE lockstep_messages SET next_try = '2026-01-01T00:00:00.000000+00:00'")
        connection.commit()
    declared(run_module.main, due=True, check=True)
    away = declared(run_module.main, due=True)
    assert "the mail about run 1 was not delivered" in away["warnings"][0]
    with closing(sqlite3.connect(tmp_path / "store" / "state.db")) as connection:
        connection.execute("UPDATE lockstep_messages SET next_try = '2026-01-01T00:00:00.000000+00:00'")
        connection.commit()
    mail_server.start()
    assert declared(run_module.main, due=True)["warnings"] == []
    assert [mail.to for mail in mail_server.mails] == [["ann@example.com"]]


@pytest.mark.parametrize("passphrase", [PASSPHRASE, None])
def test_a_bundle_takes_the_notification_of_a_job_along(declared: Run, tmp_path: Path, passphrase: str | None) -> None:
    channels = {"urls": "json://mail-s3cret.example.com"}
    declared(notification.main, name="ops", smtp={**SMTP, "ca_cert": "/etc/ca.pem"}, apprise=channels)
    declared(job.main, name="people", notification="ops")
    declared(job_collection.main, name="all", jobs=[{"job": "people"}], notification="ops")
    path = str(tmp_path / "bundle.yml")
    sealed = {"passphrase": passphrase} if passphrase else {"secrets": "omit"}
    made = declared(bundle_export.main, path=path, collections=["all"], **sealed)
    assert {"noun": "notification", "name": "ops"} in made["objects"]
    assert {"noun": "notification", "name": "ops", "option": "smtp.ca_cert", "path": "/etc/ca.pem"} in made["files"]
    assert "mail-s3cret" not in Path(path).read_text(encoding="utf-8")

    other = {"store": f"sqlite:///{tmp_path / 'other' / 'state.db'}"}
    opened = {"passphrase": passphrase} if passphrase else {}
    imported = declared(bundle_import.main, path=path, **opened, **other)
    assert imported["changed"], imported
    (found,) = declared(notification_info.main, **other)["notifications"]
    assert found["used_by"] == ["job 'people'", "job collection 'all'"]
    assert ("password" in found["smtp"]) is bool(passphrase)
    assert found["apprise"] == ({"urls": "********"} if passphrase else {})
    assert not declared(bundle_import.main, path=path, on_conflict="replace", **opened, **other)["changed"]
