#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_info
short_description: List jobs and how they ran
version_added: 1.0.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Lists jobs, each with all its defaults filled in, the providers it needs and its last run.
  - All filters that are given must hold.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
  - lockstep.sync.attributes.info_module
options:
  name:
    description: Only the job of this name. A name that does not exist gives an empty list.
    type: str
  source:
    description: Only jobs that read from the provider of this name.
    type: str
  destination:
    description: Only jobs that write to the provider of this name.
    type: str
  owner:
    description: Only jobs that have this owner.
    type: str
  last_status:
    description: Only jobs whose last run has this status.
    type: str
    choices: [running, succeeded, completed_with_errors, failed, held, awaiting_approval, skipped, interrupted]
seealso:
  - module: lockstep.sync.job
  - module: lockstep.sync.run_info
"""

EXAMPLES = r"""
- name: List all jobs
  lockstep.sync.job_info:
  register: all_jobs

- name: Show one job with all its defaults
  lockstep.sync.job_info:
    name: hr-to-crm

- name: Find the jobs of a team whose last run failed
  lockstep.sync.job_info:
    owner: identity-team
    last_status: failed
  register: broken

- name: Name them
  ansible.builtin.debug:
    msg: "{{ broken.jobs | map(attribute='name') | join(', ') }}"

- name: Find the jobs that write to a provider
  lockstep.sync.job_info:
    destination: crm
"""

RETURN = r"""
jobs:
  description: The jobs by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      returned: always
      type: str
      sample: hr-to-crm
    description:
      description: What the job is for.
      returned: always
      type: str
      sample: Staff of the HR export as contacts in the CRM
    owners:
      description: Who is responsible.
      returned: always
      type: list
      elements: str
      sample: [identity-team]
    enabled:
      description: Whether the job may run.
      returned: always
      type: bool
      sample: true
    quarantine:
      description: Why the job is paused.
      returned: when it is paused
      type: str
      sample: run 42 failed on 57 of 100 records (57 %).
    source:
      description: Where records are read.
      returned: always
      type: dict
      sample: {provider: hr}
    destination:
      description: Where records are written.
      returned: always
      type: dict
      sample: {provider: crm, table: people}
    missing_at_destination:
      description: The rule of the job for records that the destination does not have.
      returned: always
      type: str
      sample: create
    missing_at_source:
      description: The rule of the job for records that the source does not have.
      returned: always
      type: str
      sample: skip
    objects:
      description: The objects, each with the rules that count for it.
      returned: when the list is short enough to show them
      type: list
      elements: dict
      sample:
        - name: people
          type: row
          destination: {table: people}
          missing_at_destination: create
          missing_at_source: skip
          fields:
            - name: id
              source: EmployeeID
              key: true
              new_only: false
              values: replace
              when_empty: clear
              stamp: false
              transform: []
    changed_only:
      description: The source field with the time stamp of the last change, or C(proof).
      returned: when it is declared
      type: dict
      sample: {field: modified}
    limits:
      description: The limits that count.
      returned: when the list is short enough to show them
      type: dict
      sample: {deletes: 10% above 10, min_source_records: "1"}
    create_containers:
      description: Whether containers that are missing are made.
      returned: when it is true
      type: bool
      sample: true
    on_disable:
      description: What else is done with records that are disabled.
      returned: when it is declared
      type: dict
      sample: {move_to: "OU=Leavers,DC=example,DC=com", strip_groups: true}
    protect:
      description: The filter of a directory, or the expression, for records that are never touched.
      returned: when it is declared
      type: str
      sample: (adminCount=1)
    smart_groups:
      description: The smart groups that a run refreshes when it is done.
      returned: when they are declared
      type: list
      elements: str
      sample: [everybody]
    schedule:
      description: The schedule that the job names; others may list it, too.
      returned: when it is declared
      type: str
      sample: nightly
    template:
      description: The job template that the job was made from.
      returned: when it is declared
      type: str
      sample: sync_gal
    allow_circular:
      description: Whether circular flows are wanted.
      returned: always
      type: bool
      sample: false
    on_error:
      description: What is done when a run fails.
      returned: always
      type: dict
      sample: {retries: 0, delay: 60}
    notification:
      description: The notification that tells of runs.
      returned: when it is declared
      type: str
      sample: operators
    notify:
      description: What is different from the settings of the notification.
      returned: when it is declared
      type: dict
      sample: {send: failed}
    dependencies:
      description: What the job needs.
      returned: always
      type: dict
      contains:
        providers:
          description: The names of its providers.
          returned: always
          type: list
          elements: str
          sample: [crm, hr]
    last_run:
      description: The last run; none when the job never ran.
      returned: always
      type: dict
      contains:
        id:
          description: The number of the run, for M(lockstep.sync.run_info).
          returned: always
          type: int
          sample: 42
        status:
          description: The status of the run.
          returned: always
          type: str
          sample: succeeded
        outcome:
          description: Whether both sides were in step afterwards; none while it runs.
          returned: always
          type: str
          sample: equal
        started:
          description: When the run started, ISO 8601 in UTC.
          returned: always
          type: str
          sample: "2026-11-21T03:00:00.120000+00:00"
        finished:
          description: When the run ended, ISO 8601 in UTC; none while it runs.
          returned: always
          type: str
          sample: "2026-11-21T03:00:02.480000+00:00"
        duration_seconds:
          description: How long the run took; none while it runs.
          returned: always
          type: float
          sample: 2.36
        message:
          description: What the run said at its end.
          returned: always
          type: str
          sample: "Job 'hr-to-crm' made 6 changes (2 created, 3 updated, 1 deleted), 101 unchanged."
        statistics:
          description: The counts of the run.
          returned: always
          type: dict
          sample: {read: 107, in_scope: 106, created: 2, updated: 3, deleted: 1, errors: 0}
    next_run:
      description:
        - When a schedule runs the job next, alone or in a job collection, ISO 8601 in UTC; none when no schedule does.
        - A time that has passed means that nothing has looked since; see O(lockstep.sync.run#module:due).
      returned: always
      type: str
      sample: "2026-11-22T03:00:00.000000+00:00"
    times_run:
      description: How often the job ran; skipped runs do not count.
      returned: always
      type: int
      sample: 12
    created:
      description: When the job was declared first, ISO 8601 in UTC.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00.000000+00:00"
    modified:
      description: When the job was changed last, ISO 8601 in UTC.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00.000000+00:00"
truncated:
  description: For each list that was cut to keep the result below 64 kB, how many entries were left out.
  returned: when something was left out
  type: dict
  sample:
    jobs: 120
error:
  description: What kind of error made the task fail.
  returned: failure
  type: dict
  contains:
    code:
      description: A stable word, such as V(config) or V(store).
      returned: always
      type: str
      sample: store
msg:
  description: One sentence that says how many jobs were found, or what is wrong and what to do.
  returned: always
  type: str
  sample: 12 jobs found.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.listing import listed_result
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import STATUSES
from ansible_collections.lockstep.sync.plugins.module_utils._operations.list_jobs import JobFilter, list_jobs

TEXTS = ("name", "source", "destination", "owner")


def find(call: Call) -> Result:
    """List the jobs that the task asks for."""
    wanted = JobFilter(**{name: call.params[name] for name in (*TEXTS, "last_status")})
    return listed_result("job", list_jobs(call.store, wanted), bulky=("objects", "limits"))


def main() -> None:
    """Run as an Ansible module."""
    texts = {name: {"type": "str"} for name in TEXTS}
    statuses = {"type": "str", "choices": list(STATUSES)}
    run_module({"argument_spec": {**texts, "last_status": statuses}}, find, reads_only=True)


if __name__ == "__main__":
    main()
