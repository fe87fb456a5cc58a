# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declare and list notifications, and try whether their mails arrive."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .._model.channels import channels_of
from .._model.errors import ConfigError, LockstepError, ProviderError, unknown
from .._model.mails import Delivery
from .._model.notifications import (
    PASSWORD,
    URLS,
    NotificationSpec,
    SmtpSpec,
    notification_definition,
    parse_notification,
)
from .._model.secrets import Secret, SecretReference
from .._model.sections import drop_none
from .._store.kept_secrets import AnySecret, Kept
from .._store.notifications import StoredNotification
from .._store.store import Store
from .declared import (
    Declared,
    Plain,
    State,
    declare_all,
    find_stored,
    refuse_empty_rename,
    refuse_rename_of_absent,
)
from .delivering import Post, caller_of, described, tell_through_channels, urls_of
from .given_secrets import changed_literals, same_if_equal, show_secrets


@dataclass(frozen=True, kw_only=True, slots=True)
class NotificationRequest:
    """One declaration of a notification. `definition` has the options given without secrets, None means "not given".

    Attributes:
        password: of the mail server's account; an empty literal removes it, None keeps what is stored.
        urls: addresses of other channels, likewise.
        force: delete it although jobs and collections use it; they then have none.
    """

    name: str
    state: State = "present"
    new_name: str | None = None
    definition: Plain = field(default_factory=dict)
    password: Secret | SecretReference | None = None
    urls: Secret | SecretReference | None = None
    force: bool = False


def declare_notifications(store: Store, requests: Sequence[NotificationRequest]) -> list[Declared]:
    """Carry out the declarations in order, all or none. Raises ConfigError, StoreError."""
    return declare_all(
        store,
        "notification",
        requests,
        lambda request: _delete(store, request) if request.state == "absent" else _declare(store, request),
    )


def _declare(store: Store, request: NotificationRequest) -> Declared:
    found = find_stored(
        "notification", request.name, request.new_name, lambda name: store.notifications.get(name) is not None
    )
    stored = None if found is None else store.notifications.get(found)
    given = t.cast("Plain", drop_none(request.definition))
    if stored is None:
        refuse_empty_rename("notification", request.name, request.new_name, anything_given=bool(given))
    name = request.new_name or request.name
    kept = {} if stored is None else stored.secrets
    definition = {**({} if stored is None else stored.definition), **given}
    if request.urls is not None:
        definition["apprise"] = request.urls != Secret("")
    spec = parse_notification(name, definition)
    secrets = _wanted_secrets(spec, request, kept)
    plain = notification_definition(spec)
    before = None if stored is None else _describe(stored.name, stored.definition, stored.secrets)
    changed = changed_literals(secrets, kept)
    after = _describe(name, plain, secrets, changed)
    if stored is not None and stored.name != name:
        store.notifications.rename(stored.name, name)
    if before != after:
        store.notifications.save(name, plain, secrets)
    return Declared(
        name=name,
        state="present",
        changed=before != after,
        before=before,
        after=after,
        effective=_describe(name, plain, secrets),
        warnings=_warnings(store, spec, secrets),
    )


def _wanted_secrets(
    spec: NotificationSpec, request: NotificationRequest, kept: Mapping[str, Kept]
) -> dict[str, AnySecret]:
    """Give the secrets afterwards: those given, else those stored; without an account there is no password."""
    return _wanted_password(spec, request, kept) | _wanted_urls(request, kept)


def _wanted_urls(request: NotificationRequest, kept: Mapping[str, Kept]) -> dict[str, AnySecret]:
    urls: AnySecret | None = kept.get(URLS) if request.urls is None else request.urls
    return {} if urls is None or urls == Secret("") else {URLS: same_if_equal(urls, kept.get(URLS))}


def _wanted_password(
    spec: NotificationSpec, request: NotificationRequest, kept: Mapping[str, Kept]
) -> dict[str, AnySecret]:
    given = request.password
    if spec.smtp is None or spec.smtp.username is None:
        if given is not None and given != Secret(""):
            raise ConfigError(
                f"notification {spec.name!r}, smtp: a password without `username` is used by nobody. Give `username`."
            )
        return {}
    secret: AnySecret | None = kept.get(PASSWORD) if given is None else given
    if secret is None or secret == Secret(""):
        return {}
    return {PASSWORD: same_if_equal(secret, kept.get(PASSWORD))}


def _warnings(store: Store, spec: NotificationSpec, secrets: Mapping[str, object]) -> tuple[str, ...]:
    warnings = []
    if spec.smtp is not None and spec.smtp.username is not None and PASSWORD not in secrets:
        warnings.append(
            f"Notification {spec.name!r} has no password for {spec.smtp.username!r}, so its server will take no mail. "
            "Give `password` or `password_from`."
        )
    if spec.apprise and URLS not in secrets:
        warnings.append(
            f"Notification {spec.name!r} has no addresses of channels, so none is told. Give `urls` or `urls_from`, or "
            "take `apprise` out with an empty `urls`."
        )
    if spec.enabled and not spec.recipients and not spec.apprise and not store.notifications.used_by(spec.name):
        warnings.append(f"Notification {spec.name!r} has no recipients; jobs can give some with `notify`.")
    return tuple(warnings)


def _describe(
    name: str, definition: Plain, secrets: Mapping[str, object], changed: Sequence[str] = ()
) -> dict[str, t.Any]:
    shown = {"name": name, **definition}
    if "smtp" in definition:
        shown["smtp"] = show_secrets(definition["smtp"], _only(PASSWORD, secrets), changed)
    if definition.get("apprise"):
        shown["apprise"] = show_secrets({}, _only(URLS, secrets), changed)
    return shown


def _only(option: str, secrets: Mapping[str, object]) -> dict[str, object]:
    return {option: secrets[option]} if option in secrets else {}


def _delete(store: Store, request: NotificationRequest) -> Declared:
    refuse_rename_of_absent("notification", request.name, request.new_name)
    stored = store.notifications.get(request.name)
    if stored is None:
        return Declared(name=request.name, state="absent", changed=False, before=None, after=None, effective=None)
    users = store.notifications.used_by(request.name)
    if users and not request.force:
        raise ConfigError(
            f"notification {request.name!r}: it cannot be deleted, it is used by {', '.join(users)}. Take it out of "
            "them first (`notification: ''`), or set `force: true`."
        )
    waiting = [mail for mail in store.outbox.find(stored.id) if mail.status == "queued"]
    store.notifications.delete(request.name)
    return Declared(
        name=request.name,
        state="absent",
        changed=True,
        before=_describe(stored.name, stored.definition, stored.secrets),
        after=None,
        effective=None,
        warnings=(f"{len(waiting)} mails that were not delivered yet go with {request.name!r}.",) if waiting else (),
    )


def check_notification(store: Store, name: str | None, where: str) -> None:
    """Raise ConfigError, with `where` in front and the valid ones, when there is no notification `name`."""
    if name is not None and store.notifications.get(name) is None:
        names = [stored.name for stored in store.notifications.list()]
        raise ConfigError(unknown("notification", name, names, where=where))


def list_notifications(
    store: Store, name: str | None, *, test: Post | None = None, send: bool = True
) -> list[dict[str, t.Any]]:
    """Give the notifications by name, with their users and the mails that were not delivered to all.

    Args:
        store: the state store.
        name: only this one; None for all.
        test: send a test mail, too; a server that cannot be reached is an answer and not an error.
        send: False stops the test before the mail.

    Raises:
        StoreError: the store cannot be read.
    """
    return [
        {
            **_describe(stored.name, stored.definition, stored.secrets),
            "used_by": store.notifications.used_by(stored.name),
            "outbox": [described(mail) for mail in store.outbox.find(stored.id)],
            "created": stored.created,
            "modified": stored.modified,
            **({} if test is None else {"test": _test(stored, test, send=send)}),
        }
        for stored in store.notifications.list()
        if name in (None, stored.name)
    ]


def _test(stored: StoredNotification, post: Post, *, send: bool) -> dict[str, t.Any]:
    told: dict[str, t.Any] = {}
    try:
        spec = parse_notification(stored.name, stored.definition)
        if spec.smtp is not None:
            _test_mail(stored, spec, spec.smtp, post, told, send=send)
        if spec.apprise and send:
            _test_channels(stored, spec, post, told)
    except LockstepError as error:
        told["error"] = {"code": error.code, "message": error.message}
    return told


def _test_mail(
    stored: StoredNotification,
    spec: NotificationSpec,
    smtp: SmtpSpec,
    post: Post,
    told: dict[str, t.Any],
    *,
    send: bool,
) -> None:
    from .._providers.smtp.sending import check_server, send_mail
    from .mail_texts import write_test_mail

    told |= {"reached": False, "sent": False}
    caller = caller_of(stored, post)
    reached = check_server(smtp, caller)
    told |= {
        "reached": True,
        "server": reached.server,
        "encryption": reached.encryption,
        "logged_in": reached.logged_in,
    }
    if not spec.recipients:
        raise ConfigError(f"notification {spec.name!r} has no recipients, so nothing was sent.")
    if not send:
        return
    mail = write_test_mail(spec, post.writing())
    delivery = send_mail(smtp, caller, mail.recipients, mail.content)
    told |= {"sent": bool(delivery.server), "answer": delivery.server}
    _raise_fault(delivery)


def _test_channels(stored: StoredNotification, spec: NotificationSpec, post: Post, told: dict[str, t.Any]) -> None:
    from .mail_texts import write_test_mail

    urls = urls_of(stored, post)
    channels = [] if urls is None else channels_of(urls)
    mail = write_test_mail(spec, post.writing(), channels)
    told["channels"] = []
    delivery = tell_through_channels(stored, post, channels, mail.subject, mail.content)
    if delivery is None:
        raise ConfigError(f"notification {spec.name!r}, apprise: `urls` has no address. Give one in each line.")
    told["channels"] = [
        {"channel": channel, "told": channel in delivery.answers and delivery.answers[channel].status == "sent"}
        for channel in channels
    ]
    _raise_fault(delivery)


def _raise_fault(delivery: Delivery) -> None:
    refused = [f"{each.address}: {each.answer}" for each in delivery.answers.values() if each.status == "refused"]
    if refused or delivery.fault:
        raise ProviderError("; ".join([*refused, *([delivery.fault] if delivery.fault else [])]))
