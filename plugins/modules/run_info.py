#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_info
short_description: Read the history of runs
version_added: 1.0.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Lists runs, the newest first, with status and statistics; for one run also its changes and errors, page by page.
  - The history survives deleting and renaming the job.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
  - lockstep.sync.attributes.info_module
options:
  id:
    description: Only the run with this number. Fails when there is none.
    type: int
  job:
    description: Only runs of the job that has this name, or had it when it was deleted.
    type: str
  collection:
    description: Only runs of the job collection that had this name when it ran.
    type: str
  status:
    description: Only runs with this status.
    type: str
    choices: [running, succeeded, completed_with_errors, failed, held, awaiting_approval, interrupted]
  since:
    description: Only runs started at this time or later, ISO 8601, for example V(2026-11-01) or V(2026-11-01T06:00:00+01:00). Without a zone it is UTC.
    type: str
  changes:
    description: Also give the changes and errors of the run. Needs O(id).
    type: bool
    default: false
  offset:
    description: Leave out so many runs, or with O(changes) so many changes and errors.
    type: int
    default: 0
  limit:
    description: Give at most so many runs, or with O(changes) so many changes and errors.
    type: int
    default: 100
seealso:
  - module: lockstep.sync.run
"""

EXAMPLES = r"""
- name: List the last ten runs of a job
  lockstep.sync.run_info:
    job: hr-to-table
    limit: 10
  register: history

- name: List failed runs of this month
  lockstep.sync.run_info:
    status: failed
    since: "2026-11-01"

- name: Page through all changes of one run
  lockstep.sync.run_info:
    id: 42
    changes: true
    offset: 100
    limit: 100
"""

RETURN = r"""
runs:
  description: The runs, the newest first.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: The number of the run.
      returned: always
      type: int
      sample: 42
    job:
      description: The job's name now, or when it was deleted; empty for a job collection.
      returned: always
      type: str
      sample: hr-to-table
    collection:
      description: The name that the job collection had when it ran; empty for a job.
      returned: always
      type: str
      sample: ""
    parent:
      description: The run of the job collection that this run of a job was a part of.
      returned: always
      type: int
      sample: null
    runs:
      description: The runs of the jobs of a job collection, in the order they began.
      returned: for a job collection
      type: list
      elements: int
      sample: [43, 44]
    status:
      description: V(running), V(succeeded), V(completed_with_errors), V(failed), V(held), V(awaiting_approval), or V(interrupted) when its process died.
      returned: always
      type: str
      sample: succeeded
    kind:
      description: V(run), V(plan) when a kept plan was applied, V(undo), V(resume) or V(collection).
      returned: always
      type: str
      sample: run
    origin:
      description: The run that was taken back or gone on with.
      returned: always
      type: int
      sample: null
    unchanged_since:
      description: The run since which nothing had changed at either system, as both proved, so that this one read nothing.
      returned: always
      type: int
      sample: null
    plan:
      description: The number of the plan that was kept or applied.
      returned: always
      type: int
      sample: 7
    requester:
      description: Who asked for the run.
      returned: always
      type: str
      sample: ann
    schedule:
      description: The name that the schedule had for which it was run; empty for a run on its own.
      returned: always
      type: str
      sample: nightly
    outcome:
      description: Whether both sides were in step after the run; none while it is running and after an interruption.
      returned: always
      type: str
      sample: equal
    message:
      description: One sentence that says what happened.
      returned: always
      type: str
      sample: "Job 'hr-to-table' made 6 changes (2 created, 3 updated, 1 deleted), 101 unchanged."
    host:
      description: Where the run took place.
      returned: always
      type: str
      sample: sync01
    started:
      description: ISO 8601 in UTC.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00.120000+00:00"
    finished:
      description: ISO 8601 in UTC; none while the run is going on.
      returned: always
      type: str
      sample: "2026-11-21T03:00:02.480000+00:00"
    duration_seconds:
      description: How long the run took; none while it is going on.
      returned: always
      type: float
      sample: 2.36
    statistics:
      description: The counts as in RV(lockstep.sync.run#module:run.statistics).
      returned: always
      type: dict
      sample:
        read: 107
        created: 2
        errors: 0
    objects:
      description: The counts of each object.
      returned: always
      type: list
      elements: dict
      contains:
        name:
          description: The object's name.
          returned: always
          type: str
          sample: people
        statistics:
          description: The object's counts.
          returned: always
          type: dict
          sample:
            read: 107
    held:
      description: The guards that held changes, as in RV(lockstep.sync.run#module:run.held).
      returned: always
      type: list
      elements: dict
      sample: []
    changes_total:
      description: How many changes the run has in its history.
      returned: always
      type: int
      sample: 6
    changes_file:
      description: The file with all changes as JSON lines, on the host of the run.
      returned: always
      type: str
      sample: /var/log/lockstep/42/changes.jsonl
    log_file:
      description: The run's log, on the host of the run.
      returned: always
      type: str
      sample: /var/log/lockstep/42/run.log
    plan_digest:
      description: The digest that sealed the plan.
      returned: always
      type: str
      sample: 5d0b0e3f6a5f4f1c8a1f0c6c1ce0f4ad1d3a9ac6a1f0b1e7a9f8e2b6a7c4d1e0
    changes:
      description: A page of the changes, as in RV(lockstep.sync.run#module:run.changes).
      returned: when O(changes=true)
      type: list
      elements: dict
      sample:
        - object: people
          action: update
          key: "1042"
          target: null
          fields:
            mail:
              before: ann@example.com
              after: ann.lee@example.com
          status: done
          message: ""
    errors:
      description: A page of the errors, as in RV(lockstep.sync.run#module:run.errors).
      returned: when O(changes=true)
      type: list
      elements: dict
      sample: []
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
  description: One sentence that says how many runs were found.
  returned: always
  type: str
  sample: 1 run found.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.history import run_info, run_info_arguments


def main() -> None:
    run_module(run_info_arguments(), run_info, reads_only=True)


if __name__ == "__main__":
    main()
