# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications as declared: what is read, what is refused, which runs are told, when mails are tried again."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import (
    effective_job,
    normalize_job,
    parse_job,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import Notify, Send
from ansible_collections.lockstep.sync.plugins.module_utils._model.mails import next_try
from ansible_collections.lockstep.sync.plugins.module_utils._model.notifications import (
    Mailbox,
    is_told,
    notification_definition,
    parse_notification,
    read_mailbox,
    with_notify,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import Statistics, Status

SMTP = {"host": "mail.example.com", "sender": "lockstep@example.com"}
JOB: dict[str, t.Any] = {
    "source": {"provider": "hr"},
    "destination": {"provider": "db", "table": "people"},
    "objects": [{"fields": [{"name": "id", "source": "id", "key": True}]}],
}


def smtp(**options: t.Any) -> dict[str, t.Any]:
    return {"smtp": {**SMTP, **options}}


def test_what_is_left_out_has_the_documented_default() -> None:
    spec = parse_notification("ops", smtp())
    assert (spec.enabled, spec.recipients, spec.send, spec.description) == (False, (), "always", "")
    assert (spec.smtp.port, spec.smtp.security, spec.smtp.username) == (587, "starttls", None)
    assert (spec.smtp.timeout, spec.smtp.cert_validation, spec.smtp.ca_cert) == (20, "always", None)


@pytest.mark.parametrize(("security", "port"), [("none", 25), ("starttls", 587), ("tls", 465)])
def test_the_port_follows_the_security(security: str, port: int) -> None:
    assert parse_notification("ops", smtp(security=security)).smtp.port == port
    assert parse_notification("ops", smtp(security=security, port=2525)).smtp.port == 2525


def test_the_plain_form_is_read_back_as_it_was() -> None:
    given = {
        "description": "On call",
        "enabled": True,
        "recipients": ["Jörg Müller <jm@example.com>", " ann@example.com ", "ann@example.com"],
        "send": "errors",
        **smtp(username="lockstep", ca_cert="/ca.pem", timeout=5),
    }
    spec = parse_notification("ops", given)
    assert spec.recipients == ("Jörg Müller <jm@example.com>", "ann@example.com")
    assert parse_notification("ops", notification_definition(spec)) == spec


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({}, "notification 'ops': `smtp` is missing. Give the mail server, with `host` and `sender`"),
        ({"smtp": {"host": "x"}}, "'ops', smtp: `sender` is missing"),
        ({"smtp": {"sender": "a@b.c"}}, "'ops', smtp: `host` is missing"),
        (smtp(host="smtp://mail"), "`host` must be the name or address of a mail server, without scheme and port"),
        (smtp(host="a b"), "`host` must be"),
        (smtp(sender="nobody"), "sender: 'nobody' is not a mail address. Valid: ann@example.com"),
        (smtp(sender="x@y.z\nBcc: all@y.z"), "is not a mail address"),
        (smtp(port=0), "`port` must be a whole number of at least 1 and at most 65535"),
        (smtp(security="ssl"), "`security` must be one of 'none', 'starttls', 'tls', got 'ssl'"),
        (smtp(security="none", username="me"), "would send the password to 'mail.example.com' for all to read"),
        (smtp(security="none", username="me", host="192.0.2.1"), "for all to read"),
        (smtp(ca_cert="/x", cert_validation="ignore"), "Leave one of them out"),
        (smtp(timeout=0), "`timeout` must be a number of seconds above 0, 60 at most"),
        (smtp(timeout=61), "`timeout` must be"),
        ({**smtp(), "send": "never"}, "`send` must be one of 'always', 'updated', 'errors', 'failed', got 'never'"),
        ({**smtp(), "recipients": ["ann@example.com, bob@example.com"]}, "is not a mail address"),
        ({**smtp(), "recipients": [f"a{n}@x.y" for n in range(101)]}, "has 101 addresses, it takes 100. Use a mailing"),
        ({**smtp(), "recipient": ["x@y.z"]}, "there is no option 'recipient'. Did you mean 'recipients'?"),
    ],
)
def test_a_wrong_notification_is_refused_with_what_is_valid(definition: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_notification("ops", definition)
    assert message in caught.value.message


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_password_may_go_to_this_host_in_clear(host: str) -> None:
    assert parse_notification("ops", smtp(security="none", username="me", host=host)).smtp.username == "me"


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("ann@example.com", "", "ann@example.com"),
        ("<ann@example.com>", "", "ann@example.com"),
        ('"Example, Ann" <ann+x@sub.example.com>', "Example, Ann", "ann+x@sub.example.com"),
        ("山田 太郎 <taro@example.jp>", "山田 太郎", "taro@example.jp"),
    ],
)
def test_addresses_come_with_and_without_a_name(text: str, name: str, address: str) -> None:
    assert read_mailbox(text, "here") == Mailbox(name=name, address=address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "ann@-x",
        "ann..b@example.com",
        "jörg@example.com",
        "ann@example.com>",
        "Ann\r\nBcc: all@example.com <ann@example.com>",
        "ann@example.com\r\nBcc: all@example.com",
        "Ann\x00 <ann@example.com>",
        f"{'a' * 250}@example.com",
    ],
)
def test_what_is_no_address_or_would_be_a_header_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a mail address"):
        read_mailbox(text, "here")


CHANGED, WRONG = Statistics(updated=1), Statistics(errors=1)


@pytest.mark.parametrize(
    ("send", "status", "statistics", "told"),
    [
        ("always", "succeeded", Statistics(), True),
        ("always", "awaiting_approval", Statistics(), True),
        ("updated", "succeeded", Statistics(), False),
        ("updated", "succeeded", CHANGED, True),
        ("updated", "failed", CHANGED, True),
        ("errors", "succeeded", CHANGED, False),
        ("errors", "succeeded", WRONG, True),
        ("errors", "completed_with_errors", WRONG, True),
        ("errors", "held", Statistics(), True),
        ("errors", "failed", Statistics(), True),
        ("errors", "awaiting_approval", Statistics(), False),
        ("failed", "completed_with_errors", WRONG, False),
        ("failed", "held", Statistics(), False),
        ("failed", "failed", Statistics(), True),
        ("failed", "interrupted", Statistics(), True),
    ],
)
def test_which_runs_are_told(send: Send, status: Status, statistics: Statistics, told: bool) -> None:
    assert is_told(send, status, statistics) is told


def test_a_job_can_have_other_recipients_and_other_runs() -> None:
    spec = parse_notification("ops", {**smtp(), "recipients": ["a@b.c"], "send": "errors"})
    assert with_notify(spec, Notify()) == spec
    other = with_notify(spec, Notify(recipients=("x@y.z",), send="failed"))
    assert (other.recipients, other.send, other.smtp) == (("x@y.z",), "failed", spec.smtp)
    assert with_notify(spec, Notify(recipients=())).recipients == ()


def test_a_job_names_a_notification_and_what_is_different() -> None:
    given = {**JOB, "notification": "ops", "notify": {"recipients": ["x@y.z"], "send": None}}
    job = parse_job("j", given)
    assert (job.notification, job.notify) == ("ops", Notify(recipients=("x@y.z",)))
    normal = normalize_job("j", given)
    assert (normal["notification"], normal["notify"]) == ("ops", {"recipients": ["x@y.z"]})
    assert effective_job("j", normal)["notify"] == {"recipients": ["x@y.z"]}
    assert parse_job("j", normal).mapping_digest == parse_job("j", JOB).mapping_digest
    sending = parse_job("j", {**JOB, "notification": "ops", "notify": {"send": "failed"}})
    assert sending.notify == Notify(send="failed")


def test_an_empty_text_takes_the_notification_out() -> None:
    normal = normalize_job("j", {**JOB, "notification": "", "notify": {}})
    assert {"notification", "notify"} & set(normal) == set()


def test_what_is_different_from_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'j': `notify` says what is different .* `notification` names none"):
        parse_job("j", {**JOB, "notify": {"send": "errors"}})
    with pytest.raises(ConfigError, match="'j', notify: `send` must be one of"):
        parse_job("j", {**JOB, "notification": "ops", "notify": {"send": "no"}})
    with pytest.raises(ConfigError, match="'j', notify, recipients: 'x' is not a mail address"):
        parse_job("j", {**JOB, "notification": "ops", "notify": {"recipients": ["x"]}})


NOW = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 60), (1, 60), (2, 300), (3, 900), (4, 3600), (5, 14400), (30, 14400)]
)
def test_tries_become_rarer(attempts: int, seconds: int) -> None:
    assert next_try(attempts, NOW, NOW) == NOW + dt.timedelta(seconds=seconds)


def test_the_last_try_is_after_two_days() -> None:
    end = NOW + dt.timedelta(days=2)
    assert next_try(20, NOW, end - dt.timedelta(seconds=5)) == end
    assert next_try(20, NOW, end) is None
