#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: notification_info
short_description: List notifications, test them, and show mails that did not arrive
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Lists the notifications, each with those who use it and with the mails of its outbox that were not delivered to everybody.
  - Sends a test mail, and says what the server answered.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
  - lockstep.sync.attributes.info_module
options:
  name:
    description: Only the notification of this name. A name that does not exist gives an empty list.
    type: str
  test:
    description:
      - Send a test mail to the recipients, also while the notification is not enabled, and return V(test) with each notification.
      - In check mode the server is reached and logged in to, and no mail is sent.
    type: bool
    default: false
seealso:
  - module: lockstep.sync.notification
"""

EXAMPLES = r"""
- name: List all notifications
  lockstep.sync.notification_info:

- name: See whether mails arrive, and what the server says
  lockstep.sync.notification_info:
    name: operators
    test: true
  register: tried

- name: Stop when they do not
  ansible.builtin.assert:
    that: tried.notifications[0].test.sent
"""

RETURN = r"""
notifications:
  description: The notifications by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      returned: always
      type: str
      sample: operators
    description:
      description: What it is for.
      returned: always
      type: str
      sample: Whoever is on call
    enabled:
      description: Whether mails are sent.
      returned: always
      type: bool
      sample: true
    recipients:
      description: Who gets the mails.
      returned: always
      type: list
      elements: str
      sample: [ops@example.com]
    send:
      description: Which runs are told.
      returned: always
      type: str
      sample: errors
    smtp:
      description: The mail server; its password is masked.
      returned: when there is one
      type: dict
      sample: {host: mail.example.com, port: 587, security: starttls, sender: lockstep@example.com, timeout: 20, cert_validation: always}
    apprise:
      description: Other channels; their addresses are masked.
      returned: when there are some
      type: dict
      sample: {urls: "********"}
    used_by:
      description: The jobs and collections that use it.
      returned: always
      type: list
      elements: str
      sample: ["job 'hr-to-ad'"]
    outbox:
      description: The newest 50 mails that were not delivered to everybody, newest first. Those that wait for nobody are forgotten after 30 days.
      returned: always
      type: list
      elements: dict
      contains:
        id:
          description: The number of the mail.
          returned: always
          type: int
          sample: 7
        run:
          description: The run that it tells of.
          returned: always
          type: int
          sample: 42
        subject:
          description: Its subject.
          returned: always
          type: str
          sample: "[lockstep] Job 'hr-to-ad': failed (0 created, 0 updated, 0 deleted, 0 errors), run 42"
        status:
          description: V(queued), V(partly_sent) when some were refused, or V(failed) when nobody got it.
          returned: always
          type: str
          sample: queued
        attempts:
          description: How often it was tried.
          returned: always
          type: int
          sample: 2
        created:
          description: When it was queued, ISO 8601 in UTC.
          returned: always
          type: str
          sample: "2026-11-21T03:00:00.000000+00:00"
        next_try:
          description: From when on it is tried again, ISO 8601 in UTC; none when it is not.
          returned: always
          type: str
          sample: "2026-11-21T03:05:00.000000+00:00"
        finished:
          description: When it was given up, ISO 8601 in UTC.
          returned: always
          type: str
          sample: "2026-11-23T03:00:00.000000+00:00"
        error:
          description: Why not everybody got it.
          returned: always
          type: str
          sample: "mail server mail.example.com:587: Connection refused."
        recipients:
          description: What became of it with each recipient.
          returned: always
          type: list
          elements: dict
          contains:
            address:
              description: The address.
              returned: always
              type: str
              sample: ops@example.com
            status:
              description: V(waiting), V(sent) or V(refused).
              returned: always
              type: str
              sample: waiting
            answer:
              description: What the server said at last.
              returned: always
              type: str
              sample: 550 5.1.1 no such user
    test:
      description: What came of the test.
      returned: when O(test) is set
      type: dict
      contains:
        reached:
          description: Whether the server was reached, and took the account if there is one.
          returned: when there is a mail server
          type: bool
          sample: true
        sent:
          description: Whether it took the mail for at least one recipient.
          returned: when there is a mail server
          type: bool
          sample: true
        server:
          description: What the server calls itself.
          returned: when it was reached
          type: str
          sample: mail.example.com
        encryption:
          description: How the line was encrypted, V(none) if not.
          returned: when it was reached
          type: str
          sample: TLSv1.3
        logged_in:
          description: Whether an account was used.
          returned: when it was reached
          type: bool
          sample: true
        answer:
          description: What the server answered to the mail; empty when it took none.
          returned: when a mail was sent
          type: str
          sample: 250 2.0.0 queued as 0001
        channels:
          description: The other channels, and whether each was told.
          returned: when there are some, and not in check mode
          type: list
          elements: dict
          contains:
            channel:
              description: Which line of the addresses it is.
              returned: always
              type: str
              sample: channel 1
            told:
              description: Whether it took the message.
              returned: always
              type: bool
              sample: true
        error:
          description: Why the mail did not go to everybody, with C(code) and C(message).
          returned: when something went wrong
          type: dict
          sample: {code: provider, message: "mail server mail.example.com:587: Connection refused."}
    created:
      description: When it was declared first, ISO 8601 in UTC.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00.000000+00:00"
    modified:
      description: When it was changed last, ISO 8601 in UTC.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00.000000+00:00"
error:
  description: What kind of error made the task fail.
  returned: failure
  type: dict
  contains:
    code:
      description: A stable word, such as V(config) or V(store).
      returned: always
      type: str
      sample: config
msg:
  description: One sentence that says how many were found, or what is wrong and what to do.
  returned: always
  type: str
  sample: 1 notification found.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.notifications import find


def main() -> None:
    """Run as an Ansible module."""
    options = {"name": {"type": "str"}, "test": {"type": "bool", "default": False}}
    run_module({"argument_spec": options}, find, reads_only=True)


if __name__ == "__main__":
    main()
