# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mails about runs: one screen of numbers, details in attachments, nothing that could be a header or a formula."""

from __future__ import annotations

import csv
import datetime as dt
import email
import email.policy
import io
import typing as t
import uuid
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.mails import Mail, RunSummary
from ansible_collections.lockstep.sync.plugins.module_utils._model.notifications import parse_notification
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import DONE, Change, Held
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import (
    AppliedChange,
    LogLine,
    Problem,
    Statistics,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import (
    GeneratedPassword,
    PasswordRule,
    redact,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations import mail_texts
from ansible_collections.lockstep.sync.plugins.module_utils._operations.mail_texts import (
    Writing,
    write_run_mail,
    write_test_mail,
)
from servers.mails import Received

SMTP = {"host": "mail.example.com", "sender": "Jörg <lockstep@example.com>"}
SPEC = parse_notification("ops", {"smtp": SMTP, "recipients": ["ann@x.test", "山田 太郎 <taro@x.test>"]})
COUNTS = Statistics(read=1234567, updated=2, errors=1, moved=3)


def change(**after: t.Any) -> AppliedChange:
    made = Change(number=1, object="people", action="update", key=("1",), target="", before={}, after=after)
    return AppliedChange(change=made, outcome=DONE)


def summary(**options: t.Any) -> RunSummary:
    given: dict[str, t.Any] = {
        "subject": "Job 'Straße'",
        "number": 42,
        "status": "completed_with_errors",
        "message": "Job 'Straße' made 5 changes.",
        "started": "2026-11-21T03:00:00+00:00",
        "finished": "2026-11-21T03:00:07+00:00",
        "duration": 7.25,
        "host": "sync01",
        "statistics": COUNTS,
        "files": "/var/log/lockstep/runs/42",
        **options,
    }
    return RunSummary(**given)


def writing(mask: Callable[[str], str] = str) -> Writing:
    return Writing(now=dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.timezone.utc), number=uuid.UUID(int=7), mask=mask)


def read(mail: Mail) -> Received:
    message = email.message_from_string(mail.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return Received(sender="", to=list(mail.recipients), tls=False, user=None, message=message)


def test_the_header_says_who_what_and_how_it_went() -> None:
    mail = write_run_mail(SPEC, summary(), writing())
    message = read(mail).message
    subject = (
        "[lockstep] Job 'Straße': completed with errors (0 created, 2 updated, 3 moved, 0 deleted, 1 errors), run 42"
    )
    assert (mail.subject, message["Subject"]) == (subject, subject)
    assert str(message["From"]) == "Jörg <lockstep@example.com>"
    assert str(message["To"]) == "ann@x.test, 山田 太郎 <taro@x.test>"
    assert mail.recipients == ("ann@x.test", "taro@x.test")
    assert message["Message-ID"] == f"<lockstep.{uuid.UUID(int=7).hex}@example.com>"
    assert message["Date"] == "Sat, 21 Nov 2026 03:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/mixed"


def test_the_content_is_ascii_in_short_lines_whatever_is_told() -> None:
    lines = [LogLine(time="t", level="info", object="", key="", message="ü" * 5000)]
    content = write_run_mail(SPEC, summary(log=lines, message="ж" * 5000), writing()).content
    assert content.isascii()
    assert max(map(len, content.split("\r\n"))) <= 998
    assert "\n" not in content.replace("\r\n", "")


def test_text_and_html_have_the_same_numbers_on_one_screen() -> None:
    held = Held(object="people", guard="deletes", count=9, limit="5", message="9 deletes are held.")
    problems = [Problem(level="error", object="people", key=(str(n),), code="x", message="no mail") for n in range(9)]
    mail = read(write_run_mail(SPEC, summary(held=[held], problems=problems), writing()))
    lines = mail.text.splitlines()
    assert len(lines) < 40
    assert "read         1,234,567" in lines
    assert "in scope             0" in lines
    assert "Held: 9 deletes are held." in lines
    assert "Error: people 4: no mail" in lines
    assert "Error: people 5: no mail" not in lines
    assert "... and 4 more, see the attachments" in lines
    assert "Finished: 2026-11-21T03:00:07+00:00 (7.2 s)" in lines
    for told in ("1,234,567", "9 deletes are held.", "people 4: no mail", "completed with errors", "... and 4 more"):
        assert told in mail.html


def test_several_parts_are_columns_and_more_are_said() -> None:
    parts = [(f"part {number}", Statistics(created=number)) for number in range(10)]
    mail = read(write_run_mail(SPEC, summary(parts=parts), writing()))
    assert "part 7: 7 created, 0 updated, 0 deleted, 0 errors" in mail.text
    assert "part 8" not in mail.text
    assert ">part 7</th>" in mail.html
    assert "part 8" not in mail.html
    assert "... and 2 more, see the attachments" in mail.html
    assert [row[0] for row in csv.reader(io.StringIO(mail.attachment("run-42-statistics.csv")))][-2:] == [
        "part 9",
        "all",
    ]


def test_a_value_cannot_become_markup_or_a_line_of_its_own() -> None:
    evil = "<script>alert(1)</script>\nError: forged"
    mail = read(write_run_mail(SPEC, summary(message=evil), writing()))
    assert "<script>" not in mail.html
    assert "&lt;script&gt;" in mail.html
    assert mail.text.splitlines()[0] == "<script>alert(1)</script> Error: forged"


def test_changes_are_rows_that_no_spreadsheet_takes_for_formulas() -> None:
    changes = [change(name="=HYPERLINK(1)", phone="-5", more="+44 20", both=("a", "b"), gone=None)]
    mail = read(write_run_mail(SPEC, summary(changes=changes, changes_total=1), writing()))
    rows = list(csv.DictReader(io.StringIO(mail.attachment("run-42-changes.csv"))))
    assert {row["field"]: row["after"] for row in rows} == {
        "name": "'=HYPERLINK(1)",
        "phone": "-5",
        "more": "'+44 20",
        "both": '["a", "b"]',
        "gone": "",
    }
    assert {(row["object"], row["action"], row["key"], row["status"]) for row in rows} == {
        ("people", "update", "1", "done")
    }


def test_a_delete_without_fields_is_a_row_too() -> None:
    gone = Change(number=1, object="people", action="delete", key=("9",), target="", before={}, after={})
    mail = read(
        write_run_mail(SPEC, summary(changes=[AppliedChange(change=gone, outcome=DONE)], changes_total=1), writing())
    )
    assert mail.attachment("changes.csv").splitlines()[1:] == ["people,delete,9,,done,,,"]


def test_no_mail_has_a_password_or_a_secret_that_was_resolved() -> None:
    changes = [change(userPassword=GeneratedPassword(rule=PasswordRule()), name="tell s3cr3t-words")]
    lines = [LogLine(time="t", level="error", object="", key="", message="login with s3cr3t-words failed")]
    given = summary(changes=changes, changes_total=1, log=lines, message="s3cr3t-words", subject="Job s3cr3t-words")
    mail = write_run_mail(SPEC, given, writing(lambda text: redact(text, ["s3cr3t-words"])))
    received = read(mail)
    whole = [mail.subject, received.text, received.html, *map(received.attachment, ("changes.csv", "log.txt"))]
    assert [text for text in whole if "s3cr3t" in text] == []
    assert "login with ******** failed" in received.attachment("log.txt")
    assert "userPassword,,********" in received.attachment("changes.csv")


def test_a_long_log_is_cut_at_a_megabyte_and_says_so() -> None:
    lines = [LogLine(time="t", level="info", object="", key="", message="ä" * 500) for _line in range(3000)]
    text = read(write_run_mail(SPEC, summary(log=lines), writing())).attachment("log.txt")
    assert mail_texts.MOST_BYTES - 2000 < len(text.encode()) < mail_texts.MOST_BYTES + 200
    assert text.splitlines()[-1] == (
        "... cut here: this attachment ends at 1 MB; all 3,000 lines are in /var/log/lockstep/runs/42 on sync01"
    )
    nowhere = read(write_run_mail(SPEC, summary(log=lines, files=""), writing())).attachment("log.txt")
    assert nowhere.splitlines()[-1] == "... cut here: this attachment ends at 1 MB of 3,000 lines"


def test_what_is_no_text_is_told_all_the_same() -> None:
    lines = [LogLine(time="t", level="info", object="", key="", message="bad \udcff name")]
    mail = read(write_run_mail(SPEC, summary(log=lines, number=None, message="is \udcff bad"), writing()))
    assert "bad ? name" in mail.attachment("run-log.txt")
    assert mail.text.startswith("is ? bad")


@pytest.mark.parametrize("evil", ["Job\r\nBcc: all@x.test", "Job\x00", "Job\u2028x"])
def test_a_subject_with_line_breaks_is_refused(evil: str) -> None:
    with pytest.raises(ConfigError, match=r"'ops': the subject .* has line breaks or control characters"):
        write_run_mail(SPEC, summary(subject=evil), writing())


def test_a_long_subject_is_cut() -> None:
    mail = write_run_mail(SPEC, summary(subject="J" * 300), writing())
    assert (len(mail.subject), mail.subject[-3:]) == (200, "...")


def test_the_test_mail_is_as_the_others() -> None:
    mail = write_test_mail(SPEC, writing())
    assert mail.subject == "[lockstep] Test of notification 'ops'"
    assert mail.recipients == ("ann@x.test", "taro@x.test")
    assert "notification 'ops'" in read(mail).message.get_content()
