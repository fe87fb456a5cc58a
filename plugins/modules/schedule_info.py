#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: schedule_info
short_description: List schedules, when they are due next, and what became of the last times
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Lists schedules, each with its targets, its next times, its forms in AWX, systemd and cron, and its last ten occurrences.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
  - lockstep.sync.attributes.info_module
options:
  name:
    description: Only the schedule of this name. A name that does not exist gives an empty list.
    type: str
seealso:
  - module: lockstep.sync.schedule
  - module: lockstep.sync.run
"""

EXAMPLES = r"""
- name: List all schedules
  lockstep.sync.schedule_info:

- name: Show one schedule
  lockstep.sync.schedule_info:
    name: nightly
  register: nightly

- name: Show what became of its last times
  ansible.builtin.debug:
    msg: "{{ nightly.schedules[0].occurrences }}"
"""

RETURN = r"""
schedules:
  description: The schedules by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      returned: always
      type: str
      sample: nightly
    description:
      description: What it is for.
      returned: always
      type: str
      sample: ""
    enabled:
      description: Whether it is ever due.
      returned: always
      type: bool
      sample: true
    jobs:
      description: The jobs that it lists.
      returned: always
      type: list
      elements: str
      sample: [hr-to-ad]
    collections:
      description: The job collections that it lists.
      returned: always
      type: list
      elements: str
      sample: []
    timezone:
      description: The time zone.
      returned: always
      type: str
      sample: Europe/London
    triggers:
      description: The triggers, with their defaults filled in.
      returned: always
      type: list
      elements: dict
      sample:
        - {type: daily, enabled: true, at: "2026-01-05T03:00:00", every: 1}
    max_duration:
      description: How long a run may take.
      returned: when it is declared
      type: str
      sample: 2h
    missed:
      description: What becomes of occurrences that were missed.
      returned: always
      type: dict
      sample: {policy: run_once, grace: 6h}
    overlap:
      description: What becomes of an occurrence while an earlier one is running.
      returned: always
      type: str
      sample: skip
    notification:
      description: The notification that tells of each time it runs.
      returned: when it is declared
      type: str
      sample: operators
    targets:
      description: All that it runs, also jobs and job collections that name it.
      returned: when it can be read
      type: dict
      contains:
        jobs:
          description: The jobs in the order in which they are run.
          returned: always
          type: list
          elements: str
          sample: [hr-to-ad, ad-to-crm]
        collections:
          description: The job collections, which are run in this order, too.
          returned: always
          type: list
          elements: str
          sample: []
    next_runs:
      description: The next ten times it is due, ISO 8601 with the offset of the time zone; none when it is disabled. Starts of hosts are not among them.
      returned: when it can be read
      type: list
      elements: str
      sample: ["2026-11-27T03:00:00+00:00", "2026-11-28T03:00:00+00:00"]
    rrule:
      description: The schedule as AWX takes it.
      returned: when it can be read
      type: dict
      contains:
        text:
          description: C(DTSTART) and one C(RRULE) or more; empty when nothing fires any more.
          returned: always
          type: str
          sample: DTSTART;TZID=Europe/London:20260105T030000 RRULE:FREQ=DAILY;INTERVAL=1;BYHOUR=3;BYMINUTE=0;BYSECOND=0
        exact:
          description: Whether it fires, from now on, at exactly the same times. Otherwise it fires more often, which is good for a tick.
          returned: always
          type: bool
          sample: true
    oncalendar:
      description: The schedule as C(OnCalendar) of systemd timers.
      returned: when it can be read
      type: dict
      contains:
        list:
          description: The expressions, each with its time zone.
          returned: always
          type: list
          elements: str
          sample: ["*-*-* 03:00:00 Europe/London"]
        exact:
          description: Whether it fires, from now on, at exactly the same times. Otherwise it fires more often, which is good for a tick.
          returned: always
          type: bool
          sample: true
    cron:
      description: The schedule as the first five fields of lines of cron, which has no time zones and no seconds.
      returned: when it can be read
      type: dict
      contains:
        list:
          description: The lines; V(@reboot) for a schedule that is due at the start of a host only.
          returned: always
          type: list
          elements: str
          sample: ["0 3 * * *"]
        exact:
          description: Whether it fires, from now on, at exactly the same times on a host whose clock is in UTC.
          returned: always
          type: bool
          sample: false
    problem:
      description: Why it cannot be read here, for example because this host does not know its time zone.
      returned: when there is one
      type: str
      sample: "schedule 'nightly', timezone: there is no time zone 'Europe/Old'."
    occurrences:
      description: The last ten occurrences that were run or passed over, the newest first. Left out of all schedules when the list is long.
      returned: when the list is not too long
      type: list
      elements: dict
      contains:
        schedule:
          description: The name of the schedule.
          returned: always
          type: str
          sample: nightly
        slot:
          description: What was claimed once, the time (ISO 8601 in UTC), or C(boot:HOST:BOOT_ID) for the start of a host.
          returned: always
          type: str
          sample: "2026-11-26T03:00:00.000000+00:00"
        due:
          description: When it was due, ISO 8601 in UTC; of the start of a host, when that was first seen.
          returned: always
          type: str
          sample: "2026-11-26T03:00:00.000000+00:00"
        status:
          description:
            - The worst status of its runs, V(succeeded), V(completed_with_errors), V(failed), V(held), V(awaiting_approval) or V(skipped).
            - V(running) while it is run; V(queued) while it waits for an earlier one.
            - V(skipped) also when an earlier one was running, V(missed) when nobody looked in time, V(interrupted) when its ticker died twice.
          returned: always
          type: str
          sample: succeeded
        message:
          description: What became of each target, or why it was not run.
          returned: always
          type: str
          sample: job 'hr-to-ad' succeeded.
        host:
          description: The host that ran it or passed it over.
          returned: always
          type: str
          sample: sync1
        claimed:
          description: When that host took it up, ISO 8601 in UTC.
          returned: always
          type: str
          sample: "2026-11-26T03:00:04.000000+00:00"
        finished:
          description: When it ended, ISO 8601 in UTC; none while it is not over.
          returned: always
          type: str
          sample: "2026-11-26T03:00:09.000000+00:00"
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
  sample: 1 schedule found.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.schedules import find


def main() -> None:
    """Run as an Ansible module."""
    run_module({"argument_spec": {"name": {"type": "str"}}}, find, reads_only=True)


if __name__ == "__main__":
    main()
