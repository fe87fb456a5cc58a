# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the mail about a run: one screen of numbers as text and HTML, and the details as attachments (RFC 2046)."""

from __future__ import annotations

import csv
import datetime as dt
import email
import html
import io
import json
import re
import typing as t
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from .._model.errors import ConfigError
from .._model.lines import change_line, format_line
from .._model.mails import Mail, RunSummary
from .._model.notifications import NotificationSpec, addresses, read_mailbox
from .._model.runs import AppliedChange, Statistics
from .._model.values import show_key

MOST_BYTES = 1_000_000
"""How long each attachment may be."""
SHOWN_PARTS, SHOWN_PROBLEMS = 8, 5
LONGEST_LINE = 300
LONGEST_SUBJECT = 200
UNKNOWN_SENDER = "lockstep@localhost"
"""Whom a mail is from that only other channels get."""
_POLICY = SMTP.clone(cte_type="7bit")
_COUNTS = tuple(item.name for item in fields(Statistics))
_NUMBER = re.compile(r"[+-][0-9.,]+", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """What writing a mail needs: the present, a number that no other mail has, and a way to mask secrets."""

    now: dt.datetime
    number: uuid.UUID
    mask: Callable[[str], str]


def write_run_mail(spec: NotificationSpec, summary: RunSummary, writing: Writing, channels: Sequence[str] = ()) -> Mail:
    """Write the mail about a run, for recipients and other `channels`.

    Raises ConfigError when an address or the subject cannot stand in a header.
    """
    counts = _said(summary.statistics)
    number = "" if summary.number is None else f", run {summary.number}"
    subject = f"[lockstep] {summary.subject}: {summary.status.replace('_', ' ')} ({counts}){number}"
    message = _envelope(spec, writing.mask(subject), writing)
    message.set_content(writing.mask(_text(summary)), cte="quoted-printable")
    message.add_alternative(writing.mask(_html(summary)), subtype="html", cte="quoted-printable")
    stem = "run" if summary.number is None else f"run-{summary.number}"
    _attach(message, f"{stem}-statistics.csv", _statistics(summary), "", writing.mask)
    if summary.changes_total:
        whole = _where(summary, f"{summary.changes_total:,} changes")
        _attach(message, f"{stem}-changes.csv", _changes(summary.changes), whole, writing.mask)
    if summary.log:
        whole = _where(summary, f"{len(summary.log):,} lines")
        _attach(message, f"{stem}-log.txt", map(format_line, summary.log), whole, writing.mask)
    return _finished(spec, message, channels)


def write_test_mail(spec: NotificationSpec, writing: Writing, channels: Sequence[str] = ()) -> Mail:
    """Write a mail that proves that mails arrive. Raises ConfigError as `write_run_mail`."""
    message = _envelope(spec, f"[lockstep] Test of notification {spec.name!r}", writing)
    message.set_content(
        f"This is a test of notification {spec.name!r} of lockstep.sync. Mails about runs will come like this one.\n",
        cte="quoted-printable",
    )
    return _finished(spec, message, channels)


def _envelope(spec: NotificationSpec, subject: str, writing: Writing) -> EmailMessage:
    if not subject.isprintable():
        raise ConfigError(f"notification {spec.name!r}: the subject {subject!r} has line breaks or control characters.")
    message = EmailMessage(policy=_POLICY)
    message["Subject"] = subject if len(subject) <= LONGEST_SUBJECT else subject[: LONGEST_SUBJECT - 3] + "..."
    sender = UNKNOWN_SENDER if spec.smtp is None else spec.smtp.sender
    message["From"] = _header_address(sender, f"notification {spec.name!r}, sender")
    if spec.recipients:
        message["To"] = [_header_address(each, f"notification {spec.name!r}, recipients") for each in spec.recipients]
    message["Date"] = format_datetime(writing.now)
    domain = read_mailbox(sender, "sender").address.rpartition("@")[2]
    # Made once and stored with the mail: whoever gets it twice after a crash can tell (RFC 5322, 3.6.4).
    message["Message-ID"] = f"<lockstep.{writing.number.hex}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies, please
    return message


def _header_address(text: str, where: str) -> Address:
    mailbox = read_mailbox(text, where)
    return Address(display_name=mailbox.name, addr_spec=mailbox.address)


def _finished(spec: NotificationSpec, message: EmailMessage, channels: Sequence[str]) -> Mail:
    return Mail(
        subject=str(message["Subject"]),
        recipients=(*(addresses(spec.recipients) if spec.smtp is not None else ()), *channels),
        content=message.as_bytes().decode("ascii"),
    )


# -- the screen ---------------------------------------------------------------------------------------------------


def _said(statistics: Statistics) -> str:
    told = [name for name in _COUNTS if name in ("created", "updated", "deleted", "errors") or _shown(name, statistics)]
    return ", ".join(f"{getattr(statistics, name)} {name}" for name in told)


def _shown(name: str, statistics: Statistics) -> bool:
    """Tell whether a count stands in a subject: changes and troubles do, when there are any."""
    return name in ("moved", "renamed", "disabled", "conflicts") and bool(getattr(statistics, name))


def _facts(summary: RunSummary) -> list[tuple[str, str]]:
    number = [] if summary.number is None else [("Run", str(summary.number))]
    return [
        ("Status", summary.status.replace("_", " ")),
        *number,
        ("Host", summary.host),
        ("Started", summary.started),
        ("Finished", f"{summary.finished} ({summary.duration:.1f} s)"),
    ]


def _text(summary: RunSummary) -> str:
    lines = [summary.message, "", *(f"{name + ':':10}{value}" for name, value in _facts(summary)), ""]
    lines += [f"{name.replace('_', ' '):10}{count:>12,}" for name, count in summary.statistics.as_dict().items()]
    if len(summary.parts) > 1:
        lines += ["", *(f"{name}: {_said(counts)}" for name, counts in summary.parts[:SHOWN_PARTS])]
        lines += _more(len(summary.parts), SHOWN_PARTS)
    lines += ["", *_troubles(summary)] if summary.held or summary.problems else []
    lines += ["", "The attachments have the details."]
    return "\n".join(map(_one_line, lines)) + "\n"


def _troubles(summary: RunSummary) -> list[str]:
    errors = [each for each in summary.problems if each.level == "error"]
    lines = [f"Held: {held.message}" for held in summary.held[:SHOWN_PROBLEMS]]
    lines += [
        f"Error: {' '.join(filter(None, (each.object, show_key(each.key))))}: {each.message}"
        for each in errors[:SHOWN_PROBLEMS]
    ]
    return lines + _more(len(errors), SHOWN_PROBLEMS)


def _more(count: int, shown: int) -> list[str]:
    return [f"... and {count - shown} more, see the attachments"] if count > shown else []


def _html(summary: RunSummary) -> str:
    names = [name for name, _counts in summary.parts[:SHOWN_PARTS]] if len(summary.parts) > 1 else []
    columns = [summary.statistics, *(counts for _name, counts in summary.parts[: len(names)])]
    head = _row("th", ["", "all", *names])
    body = "".join(
        _row("td", [name.replace("_", " "), *(f"{getattr(counts, name):,}" for counts in columns)]) for name in _COUNTS
    )
    facts = "".join(_row("td", fact, align="left") for fact in _facts(summary))
    more = _more(len(summary.parts), SHOWN_PARTS) if names else []
    troubles = "".join(f"<li>{_escaped(line)}</li>" for line in [*more, *_troubles(summary)])
    return (
        '<!DOCTYPE html><html><body style="font-family:sans-serif;font-size:14px">\n'
        f"<p><b>{_escaped(summary.message)}</b></p>\n"
        f"<table>\n{facts}</table>\n<p></p>\n<table>\n{head}{body}</table>\n"
        + (f"<ul>{troubles}</ul>\n" if troubles else "")
        + "<p>The attachments have the details.</p></body></html>\n"
    )


def _row(tag: str, cells: Iterable[str], *, align: str = "right") -> str:
    style = f"padding:1px 12px 1px 0;text-align:{align}"
    first, *rest = cells
    made = "".join(f'<{tag} style="{style}">{_escaped(cell)}</{tag}>' for cell in rest)
    return f'<tr><{tag} style="padding-right:12px;text-align:left">{_escaped(first)}</{tag}>{made}</tr>\n'


def _escaped(text: str) -> str:
    return html.escape(_one_line(text))


def _one_line(text: str) -> str:
    line = _sendable(" ".join(text.splitlines()))
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 3]}..."


def _sendable(text: str) -> str:
    """Give `text` without lone surrogates, as file names that are not UTF-8 bring them."""
    return text.encode("utf-8", "replace").decode("utf-8")


# -- the attachments ----------------------------------------------------------------------------------------------


def _attach(message: EmailMessage, name: str, lines: Iterable[str], whole: str, mask: Callable[[str], str]) -> None:
    text = _cut(map(mask, lines), whole)
    subtype = "csv" if name.endswith(".csv") else "plain"
    message.add_attachment(text.encode(), maintype="text", subtype=subtype, filename=name, params={"charset": "utf-8"})


def _cut(lines: Iterable[str], whole: str) -> str:
    """Give the lines up to 1 MB; a longer text ends with a line that says so, and that `whole` is elsewhere."""
    kept: list[str] = []
    size = 0
    for line in lines:
        clean = _sendable(line)
        size += len(clean.encode()) + 1
        if size > MOST_BYTES:
            kept.append(f"... cut here: this attachment ends at {MOST_BYTES // 1_000_000} MB{whole}")
            break
        kept.append(clean)
    return "".join(f"{line}\n" for line in kept)


def _where(summary: RunSummary, what: str) -> str:
    return f"; all {what} are in {summary.files} on {summary.host}" if summary.files else f" of {what}"


def _statistics(summary: RunSummary) -> Iterator[str]:
    rows: list[tuple[str, Statistics]] = [*summary.parts, ("all", summary.statistics)]
    yield _csv_line(["part", *_COUNTS])
    for name, counts in rows:
        yield _csv_line([name, *counts.as_dict().values()])


def _changes(changes: Iterable[AppliedChange]) -> Iterator[str]:
    yield _csv_line(["object", "action", "key", "target", "status", "field", "before", "after"])
    for item in changes:
        line = change_line(item)
        first = [line["object"], line["action"], line["key"], line["target"], line.get("status", "")]
        for field, values in (line["fields"] or {"": {"before": None, "after": None}}).items():
            yield _csv_line([*first, field, _value(values["before"]), _value(values["after"])])


def _value(value: t.Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _csv_line(cells: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([_harmless(cell) for cell in cells])
    return out.getvalue()


def _harmless(cell: object) -> object:
    """Keep a spreadsheet from taking a value for a formula (CWE-1236): a value of the source is not to be trusted."""
    formula = isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{cell}" if formula and _NUMBER.fullmatch(str(cell)) is None else cell


def plain_text(content: str) -> str:
    """Give the part of a mail that says all in plain text, for those who get no mail."""
    message = email.message_from_string(content, policy=_POLICY)
    part = message.get_body(("plain",))
    return "" if part is None else str(part.get_content())
