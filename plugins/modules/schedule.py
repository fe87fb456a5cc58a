#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: schedule
short_description: Declare when jobs and job collections are run
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Declares a schedule; its triggers, what it runs, and what becomes of runs that were missed, take long or overlap.
  - Nothing runs by the declaration alone. M(lockstep.sync.run) with O(lockstep.sync.run#module:due) runs what is due. Let AWX, a systemd timer or cron
    do that every minute, on as many hosts as you like; each occurrence is claimed once.
  - Only times after the schedule was declared, switched on, or got other triggers count.
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
    description: The name of the schedule. Exactly one of O(name) and O(schedules) is given.
    type: str
  state:
    description: Whether the schedule should exist.
    type: str
    choices: [present, absent]
    default: present
  new_name:
    description: Renames the schedule. Jobs and job collections that name it follow.
    type: str
  force:
    description: With O(state=absent), deletes the schedule although jobs or job collections name it; these name none afterwards.
    type: bool
    default: false
  description: &description
    description: What it is for.
    type: str
  enabled: &enabled
    description: Whether it is ever due; V(true) unless it is given. Switched on again, only what comes then counts.
    type: bool
  jobs: &jobs
    description: The jobs that it runs, in this order. They must exist, and follow when a job is renamed. Jobs that name it are run as well.
    type: list
    elements: str
  collections: &collections
    description: The job collections that it runs, after its jobs. They must exist, and follow when a job collection is renamed.
    type: list
    elements: str
  timezone: &timezone
    description:
      - The IANA name of the time zone whose wall clock the triggers follow; V(UTC) unless it is given, never that of the host.
      - A time that the wall clock leaves out (clocks put forward) is skipped; one that it shows twice counts once, the first time.
    type: str
  triggers: &triggers
    description: What starts it; any of them does. At least one. They replace those declared before.
    type: list
    elements: dict
    suboptions:
      type:
        description:
          - V(once) takes O(triggers[].at), O(triggers[].repeat) and O(triggers[].until).
          - V(daily) takes O(triggers[].every) as well; V(weekly) also O(triggers[].weekdays).
          - V(monthly) takes also O(triggers[].days_of_month), or O(triggers[].week_of_month) with O(triggers[].weekdays), and O(triggers[].months).
          - V(startup) takes O(triggers[].delay) only. It is due once for each start of each host that looks for what is due, also the present one.
        type: str
        required: true
        choices: [once, daily, weekly, monthly, startup]
      enabled:
        description: Whether this trigger counts.
        type: bool
        default: true
      at:
        description: The first date and the time of day on the wall clock, such as V(2026-01-05T03:00:00). Required but for V(startup).
        type: str
      every:
        description: Every so many days, weeks (which begin on Monday) or months, counted from O(triggers[].at), never from the last run; V(1) by default.
        type: int
      weekdays:
        description: The days of the week; of a weekly trigger that of O(triggers[].at) by default.
        type: list
        elements: str
        choices: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]
      days_of_month:
        description:
          - The days of a month, V(1) to V(31), or from its end V(-1) (the last) to V(-31); that of O(triggers[].at) by default.
          - A month that has no such day is left out.
        type: list
        elements: int
      week_of_month:
        description: The first, second and so on of each of O(triggers[].weekdays) in its month; V(-1) is the last. A month that has no fifth is left out.
        type: int
        choices: [1, 2, 3, 4, 5, -1, -2, -3, -4, -5]
      months:
        description: Only these months, V(1) to V(12); all by default.
        type: list
        elements: int
      repeat:
        description: Makes each occurrence the first of several, also over midnight.
        type: dict
        suboptions:
          every:
            description: The time between two in whole minutes, such as V(15m).
            type: str
            required: true
          for:
            description: For how long, such as V(8h); what begins then is not included. At most V(31d).
            type: str
            required: true
      until:
        description: The last moment at which it may fire, on the wall clock, such as V(2026-12-31T23:59:59).
        type: str
      delay:
        description: How long after the start of the host, such as V(30s).
        type: str
  max_duration: &max_duration
    description: How long a run may take, such as V(2h); then it stops between two batches and fails. An empty text takes the limit away.
    type: str
  missed: &missed
    description: What becomes of an occurrence that nobody saw in time. Up to two minutes late is in time.
    type: dict
    suboptions:
      policy:
        description: V(run_once) runs the latest of those that were missed, V(skip) none of them.
        type: str
        choices: [run_once, skip]
        default: run_once
      grace:
        description: How late one may be run, such as V(6h).
        type: str
        default: 6h
  overlap: &overlap
    description:
      - What becomes of an occurrence while an earlier one of the schedule, or the job itself, is still running. V(skip) unless it is given.
      - With V(queue) the next tick tries again, until O(missed.grace) is over; of several that wait the latest is run.
    type: str
    choices: [skip, queue]
  notification: &notification
    description:
      - The name of a notification that tells of each time it runs, as a whole, see M(lockstep.sync.notification). An empty text takes it out.
      - Those of its jobs and job collections tell of them, too.
    type: str
  schedules:
    description:
      - Several declarations in one task, each with the options of a single one. All are carried out or none.
      - Cannot be given together with the options of a single declaration.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the schedule.
        type: str
        required: true
      state:
        description: Whether the schedule should exist.
        type: str
        choices: [present, absent]
        default: present
      new_name:
        description: Renames the schedule.
        type: str
      force:
        description: With C(state=absent), deletes the schedule although jobs or job collections name it.
        type: bool
        default: false
      description: *description
      enabled: *enabled
      jobs: *jobs
      collections: *collections
      timezone: *timezone
      triggers: *triggers
      max_duration: *max_duration
      missed: *missed
      overlap: *overlap
      notification: *notification
seealso:
  - module: lockstep.sync.schedule_info
  - module: lockstep.sync.run
  - module: lockstep.sync.job
"""

EXAMPLES = r"""
- name: Run two jobs every night at three, one after the other
  lockstep.sync.schedule:
    name: nightly
    timezone: Europe/London
    triggers:
      - {type: daily, at: "2026-01-05T03:00:00"}
    jobs: [hr-to-ad, ad-to-crm]

- name: Every quarter of an hour from eight to six on working days, and on the last day of each month at eleven
  lockstep.sync.schedule:
    name: busy
    timezone: Europe/Berlin
    triggers:
      - type: weekly
        at: "2026-01-05T08:00:00"
        weekdays: [monday, tuesday, wednesday, thursday, friday]
        repeat: {every: 15m, for: 10h}
      - type: monthly
        at: "2026-01-31T23:00:00"
        days_of_month: [-1]
    jobs: [hr-to-ad]
    max_duration: 10m
    missed: {policy: skip}
    overlap: queue

- name: On the second Monday of March and September, and two minutes after each start of the host
  lockstep.sync.schedule:
    name: rare
    triggers:
      - type: monthly
        at: "2026-03-01T06:00:00"
        weekdays: [monday]
        week_of_month: 2
        months: [3, 9]
      - type: startup
        delay: 2m

- name: Let it rest
  lockstep.sync.schedule:
    name: nightly
    enabled: false

- name: Delete it, and take it out of the jobs that name it
  lockstep.sync.schedule:
    name: rare
    state: absent
    force: true
"""

RETURN = r"""
schedule:
  description: The schedule afterwards, with all defaults filled in; none when it does not exist.
  returned: success, when O(schedules) is not given
  type: dict
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
      returned: always
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
      returned: always
      type: list
      elements: str
      sample: ["2026-11-27T03:00:00+00:00", "2026-11-28T03:00:00+00:00"]
    rrule:
      description: The schedule as AWX takes it.
      returned: always
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
      returned: always
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
      returned: always
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
schedules:
  description: What became of each declaration.
  returned: success, when O(schedules) is given
  type: list
  elements: dict
  contains:
    name:
      description: The name afterwards.
      returned: always
      type: str
      sample: nightly
    state:
      description: V(present) or V(absent).
      returned: always
      type: str
      sample: present
    changed:
      description: Whether the schedule was changed, or in check mode would be.
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
  sample: The schedule 'nightly' was created.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.arguments import declaring_arguments, with_bulk
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.schedules import declare, schedule_arguments


def main() -> None:
    """Run as an Ansible module."""
    run_module(with_bulk("schedules", {**declaring_arguments(), **schedule_arguments()}), declare)


if __name__ == "__main__":
    main()
