#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: notification
short_description: Declare who is told of which runs
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Declares a notification, which are named settings of mails. A job names one with O(lockstep.sync.job#module:notification).
  - After each run of such a job that falls under O(send), the recipients get a mail with the numbers of the run, and attachments with the counts of
    each object, the changes and the log. Previews tell nobody.
  - A mail that cannot be delivered never makes a run fail. It stays in the outbox of the state store and is tried again by later runs, for two days.
  - Nothing is sent while a notification is not O(enabled).
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description: The name of the notification. Exactly one of O(name) and O(notifications) is given.
    type: str
  state:
    description: Whether the notification should exist.
    type: str
    choices: [present, absent]
    default: present
  new_name:
    description: Renames the notification. Jobs and collections that use it follow.
    type: str
  force:
    description: With O(state=absent), deletes the notification although jobs or collections use it; they then have none.
    type: bool
    default: false
  description: &description
    description: What it is for.
    type: str
  enabled: &enabled
    description: Whether mails are sent; V(false) unless it is given.
    type: bool
  recipients: &recipients
    description:
      - Who gets the mails, as V(ann@example.com) or V(Ann Example <ann@example.com>). At most 100; all see each other.
      - Addresses are ASCII; names may have any characters.
    type: list
    elements: str
  send: &send
    description:
      - Which runs are told; V(always) unless it is given. Runs that were skipped are never told.
      - V(always) stands for every run, V(updated) for those that changed records.
      - V(errors) stands for runs with one or more records in error, with held changes, and for those that failed.
      - V(failed) stands for runs that failed or were interrupted.
    type: str
    choices: [always, updated, errors, failed]
  smtp: &smtp
    description:
      - The mail server. A new notification needs it or O(apprise). Given again it replaces the old one as a whole; only the password stays when it is
        left out.
    type: dict
    suboptions:
      host:
        description: Its name or address.
        type: str
        required: true
      port:
        description: Its port. Without it 587 for V(starttls), 465 for V(tls) and 25 for V(none).
        type: int
      security:
        description:
          - How the line is encrypted. With V(starttls) a server that does not offer it gets no mail; with V(tls) the line is encrypted from its beginning.
          - V(none) sends mails for all to read. It goes with a username on this host only.
        type: str
        choices: [none, starttls, tls]
        default: starttls
      username:
        description: The account to log in with, by PLAIN or LOGIN. Without it nobody logs in.
        type: str
      password:
        description:
          - The password of the account. It is stored encrypted and never shown. It has at least four characters.
          - The same password again is no change. When neither it nor C(password_from) is given, what is stored is kept.
        type: str
      password_from:
        description: Where the password is found when a mail is sent, on the host that runs the job. Give one of the two.
        type: dict
        suboptions: &reference
          env:
            description: The name of an environment variable.
            type: str
          file:
            description: The path of a file that holds nothing else. Not everybody may read it.
            type: path
      sender:
        description: Whom the mails come from, in one of the forms of O(recipients).
        type: str
        required: true
      timeout:
        description: How long each answer of the server may take, in seconds; at most 60. A whole try takes at most ten times as long.
        type: float
        default: 20
      ca_cert:
        description: A file with the certificates that may sign that of the server. Without it those that the system trusts.
        type: path
      cert_validation:
        description: Whether the certificate and name of the server are checked. V(ignore) lets anybody on the way read the mails and the password.
        type: str
        choices: [always, ignore]
        default: always
  apprise: &apprise
    description:
      - Other channels than mail, such as chats and push services, through the library apprise, which must be installed where jobs run.
      - They get the subject and the numbers of the mail, without its attachments.
    type: dict
    suboptions:
      urls:
        description:
          - The addresses of the channels as apprise writes them, such as V(slack://TokenA/TokenB/TokenC/#ops), a line each. Lines that begin with C(#) are
            passed over.
          - They hold tokens, so they are stored encrypted and never shown. The same ones again are no change; an empty text takes them out.
        type: str
      urls_from:
        description: Where they are found when somebody is told, on the host that runs the job. Give one of the two.
        type: dict
        suboptions: *reference
  notifications:
    description:
      - Several declarations in one task, each with the options of a single one. All are carried out or none.
      - Cannot be given together with the options of a single declaration.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the notification.
        type: str
        required: true
      state:
        description: Whether the notification should exist.
        type: str
        choices: [present, absent]
        default: present
      new_name:
        description: Renames the notification.
        type: str
      force:
        description: With C(state=absent), deletes the notification although jobs or collections use it.
        type: bool
        default: false
      description: *description
      enabled: *enabled
      recipients: *recipients
      send: *send
      smtp: *smtp
      apprise: *apprise
seealso:
  - module: lockstep.sync.notification_info
  - module: lockstep.sync.job
  - module: lockstep.sync.run
"""

EXAMPLES = r"""
- name: Tell the operators of every run that had errors
  lockstep.sync.notification:
    name: operators
    enabled: true
    recipients: [ops@example.com, "Ann Example <ann@example.com>"]
    send: errors
    smtp:
      host: mail.example.com
      username: lockstep
      password_from:
        file: /etc/lockstep/mail-password
      sender: lockstep.sync <lockstep@example.com>

- name: Let a job tell of it, and somebody else when it fails
  lockstep.sync.job:
    name: hr-to-ad
    notification: operators
    notify:
      recipients: [identity@example.com]
      send: failed

- name: Send through a relay on this host, without an account
  lockstep.sync.notification:
    name: local
    enabled: true
    recipients: [root@example.com]
    smtp: {host: localhost, security: none, sender: lockstep@example.com}

- name: Tell a chat, too
  lockstep.sync.notification:
    name: operators
    apprise:
      urls_from:
        file: /etc/lockstep/channels

- name: Send nothing for now
  lockstep.sync.notification:
    name: operators
    enabled: false

- name: Delete a notification that nobody uses
  lockstep.sync.notification:
    name: local
    state: absent
"""

RETURN = r"""
notification:
  description: The notification afterwards, with all defaults filled in; none when it does not exist.
  returned: success, when O(notifications) is not given
  type: dict
  sample:
    name: operators
    description: ""
    enabled: true
    recipients: [ops@example.com]
    send: errors
    smtp:
      host: mail.example.com
      port: 587
      security: starttls
      username: lockstep
      password: "********"
      sender: lockstep@example.com
      timeout: 20
      cert_validation: always
notifications:
  description: What became of each declaration.
  returned: success, when O(notifications) is given
  type: list
  elements: dict
  contains:
    name:
      description: The name afterwards.
      returned: always
      type: str
      sample: operators
    state:
      description: V(present) or V(absent).
      returned: always
      type: str
      sample: present
    changed:
      description: Whether the notification was changed, or in check mode would be.
      returned: always
      type: bool
      sample: true
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
  description: One sentence that says what happened, or what is wrong and what to do.
  returned: always
  type: str
  sample: The notification 'operators' was created.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.arguments import (
    declaring_arguments,
    notification_arguments,
    with_bulk,
)
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.notifications import declare


def main() -> None:
    """Run as an Ansible module."""
    run_module(with_bulk("notifications", {**declaring_arguments(), **notification_arguments()}), declare)


if __name__ == "__main__":
    main()
