# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications as declared: who is told of which runs, by mail or through other channels."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace

from .errors import ConfigError
from .jobs import Notify, Send
from .providers import check_name
from .runs import Statistics, Status
from .sections import Section

SEND: tuple[Send, ...] = t.get_args(Send)
Security: t.TypeAlias = t.Literal["none", "starttls", "tls"]
SECURITY: tuple[Security, ...] = t.get_args(Security)
Validation: t.TypeAlias = t.Literal["always", "ignore"]
_VALIDATION: tuple[Validation, ...] = t.get_args(Validation)

OPTIONS = ("description", "enabled", "recipients", "send", "smtp", "apprise")
SMTP_OPTIONS = ("host", "port", "security", "username", "sender", "timeout", "ca_cert", "cert_validation")
NOTIFY_OPTIONS = ("recipients", "send")
PASSWORD = "password"  # noqa: S105 - the name of the secret option, which is kept apart from the others
URLS = "urls"
"""The name of the secret option with the addresses of other channels, a line each."""
PORTS: Mapping[Security, int] = {"none": 25, "starttls": 587, "tls": 465}
TIMEOUT, LONGEST_TIMEOUT = 20.0, 60.0
MOST_RECIPIENTS = 100
_FAILED: frozenset[Status] = frozenset({"failed", "interrupted"})
_WITH_ERRORS: frozenset[Status] = _FAILED | {"completed_with_errors", "held"}

# RFC 5321, 4.1.2: a dot-string at a domain; quoted local parts and address literals are left out on purpose.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", re.ASCII)
_NAMED = re.compile(r'"?(?P<name>[^"<>]*?)"?\s*<(?P<address>[^<>]+)>')
LONGEST_ADDRESS = 254
"""RFC 5321, 4.5.3.1.3: a path of 256 octets, with its brackets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailbox:
    """A mail address, with a name that may be empty and may hold any printable character."""

    name: str
    address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpSpec:
    """The mail server, without its password.

    Attributes:
        sender: whom mails come from.
        timeout: how long each answer of the server may take, in seconds.
        ca_cert: a file with who may sign the server's certificate; None for those that the system trusts.
    """

    host: str
    port: int
    security: Security
    username: str | None
    sender: str
    timeout: float
    ca_cert: str | None
    cert_validation: Validation


@dataclass(frozen=True, kw_only=True, slots=True)
class NotificationSpec:
    """A notification; nothing is sent while it is not enabled.

    Attributes:
        smtp: the mail server, None when nobody gets mails.
        apprise: whether other channels are told; their addresses are a secret.
    """

    name: str
    description: str = ""
    enabled: bool = False
    recipients: tuple[str, ...] = ()
    send: Send = "always"
    smtp: SmtpSpec | None
    apprise: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """Which notification is to tell of a run, and what is different for it."""

    notification: str
    notify: Notify = field(default_factory=Notify)


def parse_notification(name: str, definition: Mapping[str, t.Any]) -> NotificationSpec:
    """Read a notification without its password. Raises ConfigError naming it, the option, the value and the valid."""
    check_name("notification", name)
    place = f"notification {name!r}"
    section = Section(definition, place, OPTIONS)
    smtp, apprise = bool(section.given.get("smtp")), section.flag("apprise", False)
    if not smtp and not apprise:
        raise ConfigError(
            f"{place}: `smtp` is missing. Give the mail server, with `host` and `sender`, or other channels with "
            "`apprise`."
        )
    return NotificationSpec(
        name=name,
        description=section.text("description"),
        enabled=section.flag("enabled", False),
        recipients=_read_recipients(section),
        send=section.choice("send", SEND, "always"),
        smtp=_read_smtp(section.section("smtp", SMTP_OPTIONS)) if smtp else None,
        apprise=apprise,
    )


def notification_definition(spec: NotificationSpec) -> dict[str, t.Any]:
    """Give the plain form of `spec`, the inverse of `parse_notification`; options of no value are left out."""
    plain = asdict(spec)
    del plain["name"]
    del plain["smtp"], plain["apprise"]
    plain["recipients"] = list(spec.recipients)
    if spec.smtp is not None:
        plain["smtp"] = {name: value for name, value in asdict(spec.smtp).items() if value is not None}
    return plain | ({"apprise": True} if spec.apprise else {})


def read_notify(owner: Section) -> Notify | None:
    """Read the options `notification` and `notify` of a job or another user. Raises ConfigError.

    Gives None when nothing is different from the notification.
    """
    section = owner.section("notify", NOTIFY_OPTIONS)
    if not section.given:
        return None
    if owner.optional_text("notification") is None:
        raise ConfigError(
            f"{owner.place}: `notify` says what is different from a notification, and `notification` names none. Give "
            "it, or `notify: {}` to leave both out."
        )
    return Notify(
        recipients=_read_recipients(section) if "recipients" in section.given else None,
        send=section.choice("send", SEND, "always") if "send" in section.given else None,
    )


def notify_definition(notify: Notify | None) -> dict[str, t.Any] | None:
    """Give the plain form of `notify`, the inverse of `read_notify`."""
    if notify is None:
        return None
    recipients = {} if notify.recipients is None else {"recipients": list(notify.recipients)}
    return recipients | ({} if notify.send is None else {"send": notify.send})


def with_notify(spec: NotificationSpec, notify: Notify) -> NotificationSpec:
    """Give the notification with what is different for one of its users."""
    return replace(
        spec,
        recipients=spec.recipients if notify.recipients is None else notify.recipients,
        send=notify.send or spec.send,
    )


def is_told(send: Send, status: Status, statistics: Statistics) -> bool:
    """Tell whether a run that ended so falls under `send`."""
    if send == "updated":
        return bool(statistics.changes)
    if send == "errors":
        return status in _WITH_ERRORS or bool(statistics.errors)
    return send == "always" or status in _FAILED


def read_mailbox(text: str, where: str) -> Mailbox:
    """Read `ann@example.com` or `Ann Example <ann@example.com>`. Raises ConfigError naming `where`.

    Line breaks and other control characters are refused: they would be lines of the mail's header (CWE-93).
    """
    stripped = text.strip()
    match = _NAMED.fullmatch(stripped)
    name, address = (match["name"].strip(), match["address"]) if match is not None else ("", stripped)
    if not stripped.isprintable() or _ADDRESS.fullmatch(address) is None or len(address) > LONGEST_ADDRESS:
        raise ConfigError(
            f"{where}: {text!r} is not a mail address. Valid: ann@example.com, or Ann Example <ann@example.com>; the "
            "address itself is ASCII without blanks, the name any text without line breaks."
        )
    return Mailbox(name=name, address=address)


def _read_recipients(section: Section) -> tuple[str, ...]:
    texts = section.texts("recipients")
    found: dict[str, str] = {}
    for text in texts:
        mailbox = read_mailbox(text, f"{section.place}, recipients")
        found.setdefault(mailbox.address, text.strip())
    if len(found) > MOST_RECIPIENTS:
        raise ConfigError(
            f"{section.place}: `recipients` has {len(found)} addresses, it takes {MOST_RECIPIENTS}. Use a mailing list."
        )
    return tuple(found.values())


def _read_smtp(smtp: Section) -> SmtpSpec:
    host = smtp.required_text("host")
    if not host.isprintable() or any(char.isspace() or char in "/@" for char in host):
        raise smtp.wrong("host", "the name or address of a mail server, without scheme and port")
    sender = smtp.required_text("sender").strip()
    read_mailbox(sender, f"{smtp.place}, sender")
    security = smtp.choice("security", SECURITY, "starttls")
    username = smtp.optional_text("username")
    if username is not None and security == "none" and not _is_here(host):
        raise ConfigError(
            f"{smtp.place}: `username` with `security: none` would send the password to {host!r} for all to read. Set "
            "`security: starttls` or `tls`, or leave `username` out."
        )
    validation = smtp.choice("cert_validation", _VALIDATION, "always")
    ca_cert = smtp.optional_text("ca_cert")
    if ca_cert is not None and validation == "ignore":
        raise ConfigError(
            f"{smtp.place}: `ca_cert` says who signs the server's certificate, and `cert_validation: ignore` that "
            "nobody looks. Leave one of them out."
        )
    timeout = smtp.seconds("timeout", TIMEOUT)
    if not 0 < timeout <= LONGEST_TIMEOUT:
        raise smtp.wrong("timeout", f"a number of seconds above 0, {LONGEST_TIMEOUT:g} at most")
    return SmtpSpec(
        host=host,
        port=smtp.integer("port", PORTS[security], minimum=1, maximum=65535),
        security=security,
        username=username,
        sender=sender,
        timeout=timeout,
        ca_cert=ca_cert,
        cert_validation=validation,
    )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def addresses(texts: Iterable[str]) -> list[str]:
    """Give the plain addresses of recipients that were checked before."""
    return [read_mailbox(text, "recipients").address for text in texts]
