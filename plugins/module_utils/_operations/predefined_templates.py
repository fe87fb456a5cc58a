# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The four predefined job templates: what jobs between directories need again and again.

They are plain definitions as a playbook would give them, without the endpoints' providers. What the target systems
expect is from MS-ADTS (userAccountControl, ModifyDN) and the public attribute lists of the Exchange schema.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

Plain: t.TypeAlias = Mapping[str, t.Any]

ORIGIN = "lockstep-gal"
"""Stands in extensionAttribute15 of every contact that `sync_gal` made, so that none is carried back."""


_ADDRESSES = (
    "['SMTP:' ~ source.mail]"
    " + ((([source.proxyAddresses] if source.proxyAddresses is string else source.proxyAddresses)"
    " | map('lower') | select('match', 'smtp:') | reject('equalto', 'smtp:' ~ (source.mail | lower)) | list)"
    " if source.proxyAddresses else [])"
    " + (['X500:' ~ source.legacyExchangeDN] if source.legacyExchangeDN else [])"
)
"""The primary address, all others, and the old name that people's mail programs remember."""


def _copy(*names: str) -> list[Plain]:
    return [{"name": name, "source": name} for name in names]


SYNC_GAL: Plain = {
    "source": {
        "filter": "(&(objectCategory=person)(objectClass=user)(mail=*)(mailNickname=*)"
        "(!(msExchHideFromAddressLists=TRUE))(!(userAccountControl:1.2.840.113556.1.4.803:=2))"
        f"(!(extensionAttribute15={ORIGIN}))(!(cn=SystemMailbox*))(!(cn=HealthMailbox*)))"
    },
    "destination": {"filter": f"(extensionAttribute15={ORIGIN})"},
    "missing_at_destination": "create",
    "missing_at_source": "delete",
    # The stamp keeps what came from the other side from going back.
    "allow_circular": True,
    "objects": [
        {
            "name": "contacts",
            "type": "mail_contact",
            "fields": [
                {"name": "extensionAttribute14", "source": "objectGUID", "key": True},
                {"name": "extensionAttribute15", "transform": [{"static": ORIGIN}]},
                {
                    "name": "cn",
                    "source": "displayName",
                    "transform": [{"expression": "value or source.cn"}, {"unique": {"pattern": "{value} {n}"}}],
                },
                {
                    "name": "mailNickname",
                    "source": "mailNickname",
                    "transform": [{"unique": {"max_length": 64}}],
                },
                {"name": "targetAddress", "source": "mail", "transform": [{"expression": "'SMTP:' ~ value"}]},
                {"name": "proxyAddresses", "transform": [{"expression": _ADDRESSES}]},
                *_copy(
                    "displayName",
                    "givenName",
                    "sn",
                    "mail",
                    "title",
                    "department",
                    "company",
                    "telephoneNumber",
                    "mobile",
                    "physicalDeliveryOfficeName",
                    "l",
                    "st",
                    "co",
                ),
            ],
        }
    ],
}

LINKED_MAILBOX_CREATION: Plain = {
    "source": {
        "filter": "(&(objectCategory=person)(objectClass=user)(mail=*)"
        "(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"
    },
    "destination": {"filter": "(msExchMasterAccountSid=*)"},
    "missing_at_destination": "create",
    "missing_at_source": "skip",
    "objects": [
        {
            "name": "mailboxes",
            "type": "linked_mailbox",
            "fields": [
                {"name": "msExchMasterAccountSid", "source": "objectSid", "key": True},
                {
                    "name": "cn",
                    "source": "displayName",
                    "transform": [{"expression": "value or source.cn"}, {"unique": {"pattern": "{value} {n}"}}],
                    "new_only": True,
                },
                {
                    "name": "sAMAccountName",
                    "source": "sAMAccountName",
                    "transform": [{"unique": {"max_length": 20}}],
                    "new_only": True,
                },
                {"name": "userPrincipalName", "source": "mail", "transform": [{"unique": {}}], "new_only": True},
                {
                    "name": "mailNickname",
                    "source": "sAMAccountName",
                    "transform": [{"unique": {"max_length": 64}}],
                    "new_only": True,
                },
                {"name": "enabled", "transform": [{"static": "false"}]},
                {"name": "msExchRecipientTypeDetails", "transform": [{"static": "2"}]},
                {"name": "homeMDB", "transform": [{"static": "%LOCKSTEP_HOME_MDB%"}], "new_only": True},
                *_copy("displayName", "givenName", "sn", "mail"),
            ],
        }
    ],
}

MOVE_OBJECTS: Plain = {
    "missing_at_destination": "skip",
    "missing_at_source": "skip",
    "objects": [
        {
            "name": "people",
            "type": "user",
            "create_in": {"field": "container"},
            "move": True,
            "fields": [{"name": "employeeID", "source": "employeeID", "key": True}],
        }
    ],
}

MOVE_AND_DISABLE_OBJECTS: Plain = {
    "destination": {"filter": "(employeeID=*)"},
    "missing_at_destination": "skip",
    "missing_at_source": "disable",
    "on_disable": {
        "strip_groups": True,
        "stamp": {"description": "left %NOW%", "manager": "", "msExchHideFromAddressLists": "true"},
    },
    "objects": [
        {
            "name": "people",
            "type": "user",
            "fields": [{"name": "employeeID", "source": "employeeID", "key": True}],
        }
    ],
}

PREDEFINED: Mapping[str, tuple[str, Plain]] = {
    "linked_mailbox_creation": (
        "Users of an account forest get a disabled account with a linked mailbox in the resource forest",
        LINKED_MAILBOX_CREATION,
    ),
    "move_and_disable_objects": (
        "Who is missing at the source is disabled, stripped of groups, hidden, and moved",
        MOVE_AND_DISABLE_OBJECTS,
    ),
    "move_objects": ("People move into the container that the source names", MOVE_OBJECTS),
    "sync_gal": ("People with a mailbox become contacts in the other forest's address list", SYNC_GAL),
}
