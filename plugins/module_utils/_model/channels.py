# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels beside mail, such as chats: each is an address that is a secret, and is called by its number."""

from __future__ import annotations

from .secrets import Secret

CHANNEL = "channel "
"""Before the number of a channel, in the place of a mail address. Its address is a secret, so it is never shown."""


def channel_addresses(urls: Secret) -> list[str]:
    """Give the addresses in `urls`, one a line; blank lines and lines that begin with # are none."""
    lines = (line.strip() for line in urls.reveal().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def channels_of(urls: Secret) -> list[str]:
    """Give the recipients that stand for the addresses in `urls`: `channel 1` and so on."""
    return [f"{CHANNEL}{number}" for number, _address in enumerate(channel_addresses(urls), start=1)]


def is_channel(address: str) -> bool:
    """Tell whether a recipient is a channel and no mail address; an address has no blanks."""
    return address.startswith(CHANNEL)
