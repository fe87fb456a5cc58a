# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell people through other channels than mail: chats, push services and more, by the library apprise."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from ..._model.channels import CHANNEL, channel_addresses
from ..._model.errors import ConfigError, DependencyError
from ..._model.mails import Delivery, Recipient
from ..._model.secrets import Secret


def tell_channels(urls: Secret, channels: Sequence[str], title: str, text: str) -> Delivery:
    """Tell each of the `channels`, and give what became of it.

    Raises:
        DependencyError: apprise is not installed.
        ConfigError: a line of `urls` is no address that apprise understands; nobody was told.
    """
    opened = {channel: _open(urls, channel) for channel in channels}
    answers: dict[str, Recipient] = {}
    silent = []
    for channel, (kind, service) in opened.items():
        if service is None:
            answers[channel] = Recipient(address=channel, status="refused", answer="it is not declared any more")
        elif service.notify(title=title, body=text, body_format="text"):
            answers[channel] = Recipient(address=channel, status="sent", answer=f"{kind} took it")
        else:
            silent.append(f"{channel} ({kind})")
    told = [answer.answer for answer in answers.values() if answer.status == "sent"]
    return Delivery(
        answers=answers,
        server="; ".join(dict.fromkeys(told)),
        fault=f"{', '.join(silent)} did not take it." if silent else "",
        unreachable=bool(silent) and not answers,
    )


def _open(urls: Secret, channel: str) -> tuple[str, t.Any]:
    """Give the kind of a channel and what tells it; None for one that is gone."""
    try:
        import apprise
    except ImportError:
        raise DependencyError(
            "other channels than mail need the library apprise: pip install apprise, into the Python that runs jobs."
        ) from None
    lines = channel_addresses(urls)
    number = int(channel.removeprefix(CHANNEL))
    if number > len(lines):
        return "", None
    service = apprise.Apprise()
    if not service.add(lines[number - 1]):
        # No part of the line is shown: what is no address may begin with the token itself.
        raise ConfigError(
            f"apprise: line {number} of the addresses is none that apprise understands. See "
            "https://github.com/caronc/apprise/wiki for the forms of each service."
        )
    return lines[number - 1].partition("://")[0], service
