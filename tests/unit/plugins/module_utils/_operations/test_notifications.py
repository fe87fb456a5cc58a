# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declaring notifications, and delivering their mails through a real mail server."""

from __future__ import annotations

import datetime as dt
import random
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import Notify, ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.mails import RunSummary
from ansible_collections.lockstep.sync.plugins.module_utils._model.notifications import Wish
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import Statistics
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import MASK, Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._operations import delivering
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declared import Declared
from ansible_collections.lockstep.sync.plugins.module_utils._operations.delivering import Post, deliver_due, notify
from ansible_collections.lockstep.sync.plugins.module_utils._operations.notifications import (
    NotificationRequest,
    check_notification,
    declare_notifications,
    list_notifications,
)
from ansible_collections.lockstep.sync.plugins.module_utils._store import outbox as outbox_module
from ansible_collections.lockstep.sync.plugins.module_utils._store.address import StoreAddress
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store, open_store
from servers.fixtures import free_port
from servers.mails import MailServer

PASSWORD = Secret(MailServer.password)


@dataclass(kw_only=True)
class Office:
    """A store and a world whose time is set."""

    store: Store
    now: dt.datetime = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.timezone.utc)
    seconds: list[float] = field(default_factory=list)
    protected: list[str] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def post(self) -> Post:
        return Post(
            host="sync01",
            clock=lambda: self.now,
            monotonic=lambda: self.seconds.pop(0) if self.seconds else 0.0,
            randomness=random.Random(7),
            environ=self.environ,
            protect=self.protected.append,
        )

    def advance(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def declare(self, name: str = "ops", password: t.Any = PASSWORD, **options: t.Any) -> Declared:
        given = {each: options.pop(each) for each in ("state", "new_name", "force") if each in options}
        request = NotificationRequest(name=name, definition=options, password=password, **given)
        return declare_notifications(self.store, [request])[0]

    def enable(self, server: MailServer, *recipients: str, security: str = "starttls", **options: t.Any) -> Declared:
        """Declare the notification `ops`, or that of `name`, with the mail server."""
        to = list(recipients) or ["ann@example.com"]
        password = PASSWORD if security != "none" else None
        return self.declare(
            enabled=True, recipients=to, smtp=server.smtp(security), **({"password": password} | options)
        )

    def queue(self, notification: str = "ops", run: int = 1, **options: t.Any) -> tuple[int | None, str]:
        wish = Wish(notification=notification, notify=options.pop("notify", Notify()))
        secrets = options.pop("secrets", ())
        given: dict[str, t.Any] = {
            "subject": "Job 'j'",
            "number": run,
            "status": "succeeded",
            "message": "Job 'j' made 1 change.",
            "started": "2026-11-21T03:00:00+00:00",
            "finished": "2026-11-21T03:00:01+00:00",
            "duration": 1.0,
            "host": "sync01",
            "statistics": Statistics(updated=1),
        }
        return notify(self.store, wish, RunSummary(**{**given, **options}), self.post, secrets=secrets)

    def deliver(self, **options: t.Any) -> list[str]:
        return deliver_due(self.store, self.post, **options)

    def outbox(self, name: str = "ops") -> list[dict[str, t.Any]]:
        (found,) = list_notifications(self.store, name)
        return t.cast("list[dict[str, t.Any]]", found["outbox"])


@pytest.fixture
def office(tmp_path: Path) -> t.Iterator[Office]:
    made: list[Office] = []
    address = StoreAddress(url=f"sqlite:///{tmp_path / 'store' / 'state.db'}")
    with open_store(address, create=True, clock=lambda: made[0].now) as store:
        made.append(Office(store=store))
        yield made[0]


SMTP: dict[str, t.Any] = {"host": "mail.example.com", "sender": "lockstep@example.com"}
WITH_ACCOUNT = {**SMTP, "username": "me"}


# -- declaring


def test_a_notification_is_made_changed_renamed_and_deleted(office: Office) -> None:
    made = office.declare(smtp=WITH_ACCOUNT, recipients=["ann@example.com"])
    assert (made.changed, made.before) == (True, None)
    assert made.effective is not None
    assert made.effective["enabled"] is False
    assert made.effective["smtp"] == {
        "host": "mail.example.com",
        "port": 587,
        "security": "starttls",
        "username": "me",
        "password": MASK,
        "sender": "lockstep@example.com",
        "timeout": 20.0,
        "cert_validation": "always",
    }
    assert not office.declare(smtp=WITH_ACCOUNT, password=None).changed
    assert not office.declare(smtp=WITH_ACCOUNT).changed
    assert office.declare(password=None, enabled=True, send="failed").changed
    renamed = office.declare(password=None, new_name="operators")
    assert (renamed.changed, renamed.name) == (True, "operators")
    assert not office.declare(password=None, new_name="operators").changed
    stored = office.store.notifications.get("operators")
    assert stored is not None
    assert stored.definition["send"] == "failed"
    assert "password" in stored.secrets
    assert office.declare("operators", state="absent").changed
    assert not office.declare("operators", state="absent").changed


def test_another_password_is_a_change_and_never_shown(office: Office) -> None:
    office.declare(smtp=WITH_ACCOUNT)
    other = office.declare(smtp=WITH_ACCOUNT, password=Secret("another-one"))
    assert other.changed
    assert other.after is not None
    assert other.after["smtp"]["password"] == f"{MASK} (changed)"
    reference = office.declare(smtp=WITH_ACCOUNT, password=SecretReference(kind="env", name="PW"))
    assert reference.after is not None
    assert reference.after["smtp"]["password_from"] == {"env": "PW"}
    assert "another-one" not in repr((other, reference))


def test_a_password_goes_with_its_account(office: Office) -> None:
    office.declare(smtp=WITH_ACCOUNT)
    removed = office.declare(smtp=WITH_ACCOUNT, password=Secret(""))
    (warning,) = removed.warnings
    assert warning.startswith("Notification 'ops' has no password for 'me', so its server will take no mail.")
    office.declare(smtp=WITH_ACCOUNT)
    gone = office.declare(smtp=SMTP, password=None)
    assert gone.after is not None
    assert "password" not in gone.after["smtp"]
    with pytest.raises(ConfigError, match="a password without `username` is used by nobody"):
        office.declare(smtp=SMTP)


def test_what_is_wrong_leaves_nothing_behind(office: Office) -> None:
    requests = [
        NotificationRequest(name="a", definition={"smtp": SMTP}),
        NotificationRequest(name="b", definition={"smtp": {**SMTP, "sender": "x"}}),
    ]
    with pytest.raises(ConfigError, match=r"entry 2 \('b'\): .* is not a mail address.*Nothing was changed"):
        declare_notifications(office.store, requests)
    with pytest.raises(ConfigError, match="neither a notification of this name nor one called 'y'"):
        office.declare("x", password=None, new_name="y")
    assert list_notifications(office.store, None) == []


def test_an_enabled_notification_that_reaches_nobody_is_warned_of(office: Office) -> None:
    warned = office.declare(smtp=SMTP, password=None, enabled=True)
    assert warned.warnings == ("Notification 'ops' has no recipients; jobs can give some with `notify`.",)


def use(store: Store, **options: t.Any) -> None:
    store.providers.save(ProviderSpec(name="hr", type="csv", options={}), {})
    store.jobs.save("people", {"source": {"provider": "hr"}, "destination": {"provider": "hr"}, **options})


def test_one_that_is_used_is_deleted_by_force_only(office: Office) -> None:
    office.declare(smtp=SMTP, password=None, recipients=["ann@example.com"], enabled=True)
    use(office.store, notification="ops")
    office.queue()
    with pytest.raises(ConfigError, match=r"it is used by job 'people'\. Take it out of them first"):
        office.declare(password=None, state="absent")
    forced = office.declare(password=None, state="absent", force=True)
    assert forced.warnings == ("1 mails that were not delivered yet go with 'ops'.",)
    job = office.store.jobs.get("people")
    assert job is not None
    assert "notification" not in job.definition


def test_a_name_that_does_not_exist_is_told_with_the_valid_ones(office: Office) -> None:
    office.declare(smtp=SMTP, password=None)
    check_notification(office.store, None, "here")
    check_notification(office.store, "ops", "here")
    with pytest.raises(ConfigError, match=r"here: there is no notification 'opps'\. Did you mean 'ops'"):
        check_notification(office.store, "opps", "here")


# -- testing


def test_a_test_says_what_the_server_answered(office: Office, mail_server: MailServer) -> None:
    office.enable(mail_server, "ann@example.com", "reject@example.com")
    (found,) = list_notifications(office.store, "ops", test=office.post)
    test = found["test"]
    assert (test["reached"], test["sent"], test["logged_in"]) == (True, True, True)
    assert (test["server"], test["answer"]) == ("sink.test", "250 2.0.0 queued as 0001")
    assert test["error"] == {"code": "provider", "message": "reject@example.com: 550 5.1.1 no such user"}
    assert mail_server.mails[0].message["Subject"] == "[lockstep] Test of notification 'ops'"
    assert office.protected == [MailServer.password]
    assert MailServer.password not in repr(found)


def test_a_test_in_check_mode_sends_nothing(office: Office, mail_server: MailServer) -> None:
    office.enable(mail_server)
    (found,) = list_notifications(office.store, None, test=office.post, send=False)
    assert (found["test"]["reached"], found["test"]["sent"]) == (True, False)
    assert mail_server.mails == []


def test_a_test_that_fails_is_an_answer(office: Office, mail_server: MailServer) -> None:
    office.enable(mail_server, password=Secret("not-the-one"))
    office.declare("nobody", None, smtp=mail_server.smtp("none"))
    office.declare("gone", SecretReference(kind="env", name="NO_SUCH"), smtp=WITH_ACCOUNT)
    office.declare("later", None, smtp=mail_server.smtp("none"), recipients=["defer@example.com"])
    tests = {each["name"]: each["test"] for each in list_notifications(office.store, None, test=office.post)}
    assert "does not take the account" in tests["ops"]["error"]["message"]
    assert tests["nobody"]["error"]["message"] == "notification 'nobody' has no recipients, so nothing was sent."
    assert "environment variable NO_SUCH is not set" in tests["gone"]["error"]["message"]
    assert (tests["later"]["sent"], tests["later"]["error"]["message"]) == (
        False,
        "defer@example.com: 451 4.7.1 try again later",
    )


# -- deciding


def test_a_mail_is_queued_when_the_run_falls_under_the_settings(office: Office, mail_server: MailServer) -> None:
    office.enable(mail_server, send="errors")
    assert office.queue() == (None, "")
    assert office.queue(status="failed") == (1, "")
    assert office.queue(notify=Notify(send="always")) == (2, "")
    office.declare(password=None, enabled=False)
    assert office.queue(status="failed") == (None, "")


def test_the_recipients_of_a_job_take_the_place_of_the_others(office: Office, mail_server: MailServer) -> None:
    office.enable(mail_server)
    office.queue(notify=Notify(recipients=("bob@example.com",)))
    assert office.deliver() == []
    assert mail_server.mails[0].to == ["bob@example.com"]


def test_what_keeps_people_from_being_told_is_said(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert office.queue("gone") == (None, "nobody was told: there is no notification 'gone' any more.")
    office.declare(smtp=SMTP, password=None, enabled=True)
    assert office.queue()[1].startswith("nobody was told: notification 'ops' has no recipients.")
    office.declare(password=None, recipients=["ann@example.com"])
    assert "has line breaks or control characters" in office.queue(subject="Job\n")[1]
    monkeypatch.setattr(outbox_module, "MOST_QUEUED", 1)
    assert office.queue() == (1, "")
    assert "mails of notification 'ops' wait for its server already" in office.queue()[1]


def test_secrets_are_masked_in_what_is_queued(office: Office) -> None:
    office.declare(smtp=SMTP, password=None, enabled=True, recipients=["ann@example.com"])
    number, _warning = office.queue(message="login with s3cr3t-words", secrets=["s3cr3t-words"])
    mail = office.store.outbox.get(number or 0)
    assert mail is not None
    assert "s3cr3t-words" not in mail.content
    assert "login with ********" in mail.content


# -- delivering


def test_what_is_due_is_sent_once(office: Office, mail_server: MailServer) -> None:
    office.enable(mail_server)
    office.queue()
    assert office.deliver() == []
    assert office.deliver() == []
    (mail,) = mail_server.mails
    assert (mail.to, mail.tls, mail.user) == (["ann@example.com"], True, "test")
    assert "updated              1" in mail.text
    assert office.outbox() == []


def test_a_greylisted_mail_goes_with_the_next_try_and_the_same_number(office: Office, mail_server: MailServer) -> None:
    office.enable(mail_server, "ann@example.com", "grey@example.com", security="none")
    office.queue()
    (warning,) = office.deliver()
    assert warning == (
        "the mail about run 1 was not delivered: grey@example.com: 450 4.2.0 greylisted. It is tried again after "
        "2026-11-21T03:01:00.000000+00:00."
    )
    (waiting,) = office.outbox()
    assert (waiting["status"], waiting["attempts"], waiting["run"]) == ("queued", 1, 1)
    assert [each["status"] for each in waiting["recipients"]] == ["sent", "waiting"]
    office.advance(59)
    assert office.deliver() == []
    office.advance(1)
    assert office.deliver() == []
    first, second = mail_server.mails
    assert (first.to, second.to) == (["ann@example.com"], ["grey@example.com"])
    assert first.message["Message-ID"] == second.message["Message-ID"]


def test_a_mail_that_all_refuse_is_not_tried_again(office: Office, mail_server: MailServer) -> None:
    office.enable(mail_server, "reject@example.com", security="none")
    office.queue()
    (warning,) = office.deliver()
    assert warning == (
        "the mail about run 1 could not be delivered: reject@example.com: 550 5.1.1 no such user. "
        "It is not tried again."
    )
    office.advance(86400)
    assert office.deliver() == []
    assert office.outbox()[0]["status"] == "failed"


def test_one_that_is_refused_is_told_and_the_others_get_it(office: Office, mail_server: MailServer) -> None:
    office.enable(mail_server, "ann@example.com", "reject@example.com", security="none")
    office.queue()
    (warning,) = office.deliver()
    assert "was delivered in part only: reject@example.com: 550 5.1.1" in warning
    assert office.outbox()[0]["status"] == "partly_sent"


def test_a_server_that_is_away_is_tried_once_a_round_and_gets_all_when_it_is_back(
    office: Office, mail_server: MailServer
) -> None:
    office.enable(mail_server)
    mail_server.stop()
    for run in (1, 2, 3):
        office.queue(run=run)
    (warning,) = office.deliver()
    assert "about run 1 was not delivered: mail server 127.0.0.1:" in warning
    assert "Connection refused" in warning
    assert [each["attempts"] for each in office.outbox()] == [0, 0, 1]
    mail_server.start()
    # Nobody waits for the next try of the first: the server has just taken another one.
    assert office.deliver() == []
    runs = [mail.message["Subject"].rpartition(" ")[2] for mail in mail_server.mails]
    assert sorted(runs) == ["1", "2", "3"]
    assert office.outbox() == []


def test_a_server_that_is_away_does_not_keep_others_from_being_told(office: Office, mail_server: MailServer) -> None:
    office.enable(mail_server)
    away = {"host": "127.0.0.1", "port": free_port(), "security": "none", "sender": "a@b.c"}
    office.declare("away", None, enabled=True, recipients=["ann@example.com"], smtp=away)
    for run in (1, 2):
        office.queue("away", run)
    office.queue("ops", 3)
    assert len(office.deliver()) == 1
    assert len(mail_server.mails) == 1


def test_a_password_that_was_mended_is_used_by_the_next_try(office: Office, mail_server: MailServer) -> None:
    office.environ["MAIL_PASSWORD"] = "not-the-one"
    office.enable(mail_server, password=SecretReference(kind="env", name="MAIL_PASSWORD"))
    office.queue()
    (warning,) = office.deliver()
    assert "it does not take the account 'test': 535" in warning
    assert "not-the-one" not in warning
    office.environ["MAIL_PASSWORD"] = MailServer.password
    office.advance(60)
    assert office.deliver() == []
    assert len(mail_server.mails) == 1


def test_a_password_that_cannot_be_found_is_a_fault_of_the_try(office: Office, mail_server: MailServer) -> None:
    office.enable(mail_server, password=SecretReference(kind="env", name="MAIL_PASSWORD"))
    office.queue()
    (warning,) = office.deliver()
    assert "the environment variable MAIL_PASSWORD is not set" in warning


def test_nothing_is_sent_while_a_notification_is_disabled(office: Office, mail_server: MailServer) -> None:
    office.enable(mail_server)
    office.queue()
    office.declare(password=None, enabled=False)
    (warning,) = office.deliver()
    assert "notification 'ops' is disabled" in warning
    assert mail_server.mails == []
    office.declare(password=None, enabled=True)
    office.advance(60)
    assert office.deliver() == []
    assert len(mail_server.mails) == 1


def test_a_round_ends_when_its_time_is_over(office: Office, mail_server: MailServer) -> None:
    office.enable(mail_server, security="none")
    for run in (1, 2):
        office.queue(run=run)
    # The start, a look before the first mail, four within it, and one before the second.
    office.seconds = [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 61.0]
    assert office.deliver() == []
    assert len(mail_server.mails) == 1
    assert delivering.BUDGET == 60
    assert office.deliver() == []
    assert len(mail_server.mails) == 2


def test_a_crash_before_the_note_sends_the_same_mail_again_once_its_claim_has_ended(
    office: Office, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.enable(mail_server, security="none")
    office.queue()

    def crash(*_arguments: object) -> t.NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(office.store.outbox, "settle", crash)
        with pytest.raises(KeyboardInterrupt):
            office.deliver()
    office.advance(14 * 60)
    assert office.deliver() == []
    assert len(mail_server.mails) == 1
    office.advance(60)
    office.deliver()
    first, second = mail_server.mails
    assert first.message["Message-ID"] == second.message["Message-ID"]


def test_a_rehearsal_sends_nothing(office: Office, mail_server: MailServer, tmp_path: Path) -> None:
    office.enable(mail_server)
    office.queue()
    address = StoreAddress(url=f"sqlite:///{tmp_path / 'store' / 'state.db'}")
    with open_store(address, create=False, clock=lambda: office.now) as rehearsal:
        assert deliver_due(rehearsal, office.post) == []
    assert mail_server.mails == []


def test_a_notification_that_is_deleted_while_its_mail_is_claimed_is_a_fault(
    office: Office, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.enable(mail_server)
    office.queue()
    claim: Callable[..., t.Any] = office.store.outbox.claim

    def claim_and_delete(**options: t.Any) -> t.Any:
        mail = claim(**options)
        if mail is not None:
            office.store.notifications.delete("ops")
        return mail

    monkeypatch.setattr(office.store.outbox, "claim", claim_and_delete)
    (warning,) = office.deliver()
    assert "its notification was deleted meanwhile" in warning
    assert mail_server.mails == []
