#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run
short_description: Run, preview or explain a job, run what is due, apply a kept plan, take back a run, or go on with one
version_added: 1.0.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Runs a declared job. Both sides are read, a plan is made and sealed, guards are judged, and exactly that plan is applied.
  - In check mode it is the preview. It reads both sides and gives the same plan, writes nothing, locks nothing and remembers nothing.
  - Records with errors do not stop the run; each is reported with its key and what to do.
  - Of a plan that was kept, exactly that is applied. A run can be taken back, and one that ended early be gone on with.
  - A run that falls under a workflow is not executed. It ends with RV(run.status=awaiting_approval) and keeps its sealed plan; RV(run.requests) are the
    requests that must be approved. While one is pending, further runs of the job give the same ones.
  - One run per job at a time. A second one ends with RV(run.status=skipped) and names the holder of the lock.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
options:
  job:
    description: The name of the job. Exactly one of O(job), O(collection), O(schedule), O(due), O(plan), O(undo), O(resume) and O(request) is given.
    type: str
  collection:
    description:
      - The name of a job collection, see M(lockstep.sync.job_collection). Its jobs run in their order; RV(run.jobs) has the run of each.
      - In check mode each of its jobs is previewed on its own, so what an earlier one would write, a later one does not see.
    type: str
  schedule:
    description:
      - The name of a schedule whose jobs and job collections are all run now, due or not. When it is due stays as it is.
      - A person who starts it needs the approvals of any run that a person starts.
    type: str
  due:
    description:
      - V(true) runs what schedules say is due, see M(lockstep.sync.schedule). Start it every minute, on as many hosts as you like; each occurrence is
        claimed once.
      - An occurrence whose process died is run once more by a later one.
      - In check mode it says what would be run, with a preview of each, and claims nothing.
    type: bool
  plan:
    description:
      - The number of a kept plan. Exactly that plan is applied, once; the source is not read.
      - Refused when the definition of its job, its providers or its smart groups has changed since. Records that moved on are skipped and reported.
      - Of a plan whose guards held something, what O(accept) names can be applied afterwards.
    type: int
  undo:
    description:
      - The number of a run. What it did is taken back. Created records are deleted, deleted ones made again with their groups, changed fields get their
        old value back where they still have the one that the run wrote, and who was renamed or moved goes back.
      - It is a run itself, with guards, preview and history, and can be taken back, too.
      - Passwords stay as they are; an account of Active Directory that comes back is locked and has none.
    type: int
  resume:
    description:
      - The number of a run that ended before its plan was done, because its process was killed, a system failed or O(timeout) was over. The rest of its plan
        is applied; what was in doubt is looked at first, so that nothing is done twice.
      - Only the last run of a job can be gone on with. Running the job again compares both sides anew instead.
    type: int
  request:
    description:
      - The number of a request. Its plan is applied as with O(plan), when all requests of the plan are approved. See M(lockstep.sync.request).
    type: int
  keep_plan:
    description:
      - Keep the sealed plan in the store, also in check mode; RV(run.plan) is its number. M(lockstep.sync.plan_info) shows it, O(plan) applies it.
      - When guards hold something, the plan of a run is kept in any case.
    type: bool
    default: false
  accept:
    description:
      - Guards that hold nothing in this run, because you know that their changes are right. Others still do.
      - Nobody can accept that a source or destination was not read completely.
    type: list
    elements: str
    choices: [creates, updates, moves, disables, deletes, member_removals, min_source_records, source_drop]
    default: []
  timeout:
    description:
      - How long the run may take, for example V(30m) or V(2h). Then it stops between two batches and fails; O(resume) goes on with it.
    type: str
  requester:
    description: Who asks for the run, for the history. The person who runs Ansible by default; in AWX give C({{ awx_user_name }}).
    type: str
  keys:
    description:
      - Only the source records with these keys, for example one new person. Nothing is deleted then.
      - A key is the value of the destination's key field, after its transforms.
      - The parts of a key of several fields are written in their order with C( + ) between them.
    type: list
    elements: str
    default: []
  explain:
    description:
      - The key of one record. Nothing is written. RV(explanation) shows what was read, whether it is in scope, each mapping step,
        the match and what a run would do.
      - As in O(keys), it is the key of the destination, after its transforms.
      - Cannot be given together with O(keys).
    type: str
  full:
    description: Read everything, also where the job takes only records changed since its last successful run.
    type: bool
    default: false
  max_changes:
    description: How many changes come back in RV(run.changes) and as blocks of the diff; RV(run.changes_file) has all.
    type: int
    default: 100
  progress_interval:
    description:
      - >-
        Seconds between two lines that say how far the run is, such as
        C([localhost] hr-to-table: applying 12,400 of 50,000 (24 %\), 3 errors, about 40 s left). V(0) shows none.
      - They go to standard error, and into the output of a job of AWX, where they keep it from being taken for idle.
      - Shown over the connections C(local) and C(ssh), in check mode, too. Never with C(no_log), and not with C(async).
      - When Ansible is stopped by a signal, killed, or the C(timeout) of the task is over, the run stops between two batches, too. O(resume) goes on with it.
    type: int
    default: 10
  fail_on:
    description:
      - What makes the task fail.
      - V(failed) is a run that could not be made or finished; it always fails the task.
      - V(errors) is a run with at least one record in error.
      - V(held) is a run whose guards held changes.
      - V(changes) is a run that changed something, or would in check mode. It makes a check-mode run a drift test.
    type: list
    elements: str
    choices: [failed, errors, held, changes]
    default: [failed, errors, held]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: lockstep.sync.job
  - module: lockstep.sync.run_info
  - module: lockstep.sync.workflow
  - module: lockstep.sync.request
"""

EXAMPLES = r"""
- name: Run a job
  lockstep.sync.run:
    job: hr-to-table
  register: hr

- name: Run a job collection
  lockstep.sync.run:
    collection: nightly

- name: Run what is due; AWX, a systemd timer or cron starts this every minute
  lockstep.sync.run:
    due: true

- name: Run all that a schedule runs now, although it is not due
  lockstep.sync.run:
    schedule: nightly

- name: Show what the run did
  ansible.builtin.debug:
    msg: "{{ hr.run.statistics.created }} created, {{ hr.run.statistics.errors }} errors, details in {{ hr.run.log_file }}"

- name: Preview a job with every change before and after
  lockstep.sync.run:
    job: hr-to-table
  check_mode: true
  diff: true

- name: Fail when both sides are not in step
  lockstep.sync.run:
    job: hr-to-table
    fail_on: [failed, errors, held, changes]
  check_mode: true

- name: Provision one new person on demand
  lockstep.sync.run:
    job: hr-to-table
    keys: ["1042"]

- name: Keep the plan that a preview shows
  lockstep.sync.run:
    job: hr-to-table
    keep_plan: true
  check_mode: true
  register: preview

- name: Apply exactly that plan, after somebody has looked at it
  lockstep.sync.run:
    plan: "{{ preview.run.plan }}"

- name: Execute what was approved
  lockstep.sync.run:
    request: 5

- name: Let more deletes through than the job allows, this once
  lockstep.sync.run:
    job: hr-to-table
    accept: [deletes]

- name: Take back what run 42 did
  lockstep.sync.run:
    undo: 42

- name: Go on with run 43, which was killed
  lockstep.sync.run:
    resume: 43

- name: Explain why a record is as it is
  lockstep.sync.run:
    job: hr-to-table
    explain: "1042"
"""

RETURN = r"""
runs:
  description:
    - The runs of O(due) and O(schedule), in order, each as RV(run). The more there are, the shorter are their lists.
  returned: success, with O(due) or O(schedule)
  type: list
  elements: dict
  sample: []
occurrences:
  description: What was due, and what became of it.
  returned: success, with O(due) or O(schedule)
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
        - V(due) in check mode, V(queued) when it waits for an earlier one.
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
next:
  description: What is due next; none when nothing is.
  returned: success, with O(due) or O(schedule)
  type: dict
  contains:
    schedule:
      description: The name of the schedule.
      returned: always
      type: str
      sample: nightly
    due:
      description: When it is due, ISO 8601 in UTC.
      returned: always
      type: str
      sample: "2026-11-27T03:00:00.000000+00:00"
run:
  description: The run. Its lists are cut so that the whole result stays below 64 kB; RV(run.truncated) says what was left out.
  returned: when the job could be loaded
  type: dict
  contains:
    id:
      description: The number of the run, for M(lockstep.sync.run_info); none for a preview and for a skipped run.
      returned: always
      type: int
      sample: 42
    job:
      description: The job's name; empty for a job collection.
      returned: always
      type: str
      sample: hr-to-table
    collection:
      description: The job collection's name; empty for a job.
      returned: always
      type: str
      sample: ""
    parent:
      description: The run of the job collection that this run of a job was a part of.
      returned: always
      type: int
      sample: null
    jobs:
      description: The runs of the jobs of a job collection in their order, each as RV(run). Those that were left out have the status V(skipped).
      returned: with O(collection)
      type: list
      elements: dict
      sample: []
    status:
      description:
        - V(succeeded), V(completed_with_errors) when records were in error, V(failed), V(held) when a guard held changes,
          V(awaiting_approval) when the plan falls under a workflow, or V(skipped) when the job is disabled or already running.
      returned: always
      type: str
      sample: succeeded
    outcome:
      description:
        - Whether both sides are in step after the run, as far as the run can know; V(equal), V(equal_with_warnings) or V(different).
      returned: always
      type: str
      sample: equal
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
    plan:
      description: The number of the plan that was kept or applied.
      returned: always
      type: int
      sample: 7
    request:
      description: The first of RV(run.requests); none when nobody is asked.
      returned: always
      type: int
      sample: null
    requests:
      description: The numbers of the requests that must be approved before the plan is executed, for M(lockstep.sync.request).
      returned: always
      type: list
      elements: int
      sample: []
    preview:
      description: Whether nothing was written because of check mode or O(explain).
      returned: always
      type: bool
      sample: false
    started:
      description: When the run started, ISO 8601 in UTC.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00.120000+00:00"
    finished:
      description: When the run ended, ISO 8601 in UTC.
      returned: always
      type: str
      sample: "2026-11-21T03:00:02.480000+00:00"
    duration_seconds:
      description: How long the run took.
      returned: always
      type: float
      sample: 2.36
    statistics:
      description: Counts over all objects. In a preview created, updated and deleted count what would be done.
      returned: always
      type: dict
      contains: &statistics
        read:
          description: Records read from the source.
          returned: always
          type: int
          sample: 107
        in_scope:
          description: Source records in scope.
          returned: always
          type: int
          sample: 106
        matched:
          description: Source records that have a record at the destination.
          returned: always
          type: int
          sample: 104
        created:
          description: Records created.
          returned: always
          type: int
          sample: 2
        updated:
          description: Records updated.
          returned: always
          type: int
          sample: 3
        moved:
          description: Directory entries moved; rows are never moved.
          returned: always
          type: int
          sample: 0
        renamed:
          description: Directory entries renamed; rows are never renamed.
          returned: always
          type: int
          sample: 0
        disabled:
          description: Directory entries disabled; rows are never disabled.
          returned: always
          type: int
          sample: 0
        deleted:
          description: Records deleted.
          returned: always
          type: int
          sample: 1
        unchanged:
          description: Matched records with nothing to change.
          returned: always
          type: int
          sample: 101
        skipped:
          description: Records left alone, by the mapping, by O(lockstep.sync.job#module:missing_at_destination=skip), or because they had moved on.
          returned: always
          type: int
          sample: 0
        conflicts:
          description: Records that were changed by somebody else between plan and apply; they were skipped.
          returned: always
          type: int
          sample: 0
        warnings:
          description: Warnings.
          returned: always
          type: int
          sample: 0
        errors:
          description: Records in error.
          returned: always
          type: int
          sample: 0
    objects:
      description: The same counts for each object of the job.
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
          contains: *statistics
    changes:
      description: The changes, at most O(max_changes); all of them are in RV(run.changes_file).
      returned: always
      type: list
      elements: dict
      contains:
        object:
          description: The object's name.
          returned: always
          type: str
          sample: people
        action:
          description:
            - V(create), V(update) or V(delete); at directories also V(create_container), V(disable), V(membership), V(rename), V(move) and V(link).
          returned: always
          type: str
          sample: update
        key:
          description: The record's key; several parts are joined by C( + ).
          returned: always
          type: str
          sample: "1042"
        target:
          description: A readable place of the record at the destination, when it has one beside its key.
          returned: always
          type: str
          sample: null
        fields:
          description: Each field with its value before and after.
          returned: always
          type: dict
          sample:
            mail:
              before: ann@example.com
              after: ann.lee@example.com
        status:
          description: V(done), V(skipped) or V(failed).
          returned: when the change was tried
          type: str
          sample: done
        message:
          description: Why the change was skipped or failed.
          returned: when the change was tried
          type: str
          sample: ""
    changes_file:
      description: A file with all changes as JSON lines. For a preview only when not all changes fit into RV(run.changes).
      returned: always
      type: str
      sample: /var/log/lockstep/42/changes.jsonl
    log_file:
      description: The run's log as text; none for a preview.
      returned: always
      type: str
      sample: /var/log/lockstep/42/run.log
    log:
      description: The last lines of the log.
      returned: always
      type: list
      elements: dict
      contains:
        time:
          description: ISO 8601 in UTC.
          returned: always
          type: str
          sample: "2026-11-21T03:00:02.480000+00:00"
        level:
          description: V(info), V(warning) or V(error).
          returned: always
          type: str
          sample: info
        object:
          description: The object's name, empty for the run as a whole.
          returned: always
          type: str
          sample: people
        key:
          description: The record's key, empty for the run as a whole.
          returned: always
          type: str
          sample: "1042"
        message:
          description: What happened.
          returned: always
          type: str
          sample: "Job 'hr-to-table' made 6 changes (2 created, 3 updated, 1 deleted), 101 unchanged."
    errors:
      description: The records in error.
      returned: always
      type: list
      elements: dict
      contains:
        object:
          description: The object's name.
          returned: always
          type: str
          sample: people
        key:
          description: The record's key, empty when it has none that can be read.
          returned: always
          type: str
          sample: "1042"
        code:
          description: A stable word for the kind of error, such as V(ambiguous), V(empty_key), V(required), V(value) or V(constraint).
          returned: always
          type: str
          sample: ambiguous
        message:
          description: What is wrong and what to do.
          returned: always
          type: str
          sample: 2 source records have this key. Make the key unique, or use more key fields.
    held:
      description: The guards that held changes.
      returned: always
      type: list
      elements: dict
      contains:
        object:
          description: The object's name.
          returned: always
          type: str
          sample: people
        class:
          description:
            - V(creates), V(updates) or V(deletes) for a limit on changes, V(min_source_records) or V(source_drop) for a source that
              is too short, V(absence) when the source is not proven complete.
          returned: always
          type: str
          sample: deletes
        count:
          description: How many changes or records tripped the guard.
          returned: always
          type: int
          sample: 40
        limit:
          description: The limit as declared.
          returned: always
          type: str
          sample: 10% above 10
        message:
          description: What was held and what to do.
          returned: always
          type: str
          sample: "object 'people': 40 deletes (37.4 % of 107) are more than the limit `deletes: 10% above 10`."
    unchanged_since:
      description:
        - The run since which nothing has changed at either system, as both proved, so that this one read nothing. Its statistics are
          those of that run. See O(lockstep.sync.job#module:changed_only.proof).
      returned: always
      type: int
      sample: null
    plan_digest:
      description: The digest that seals the plan; none when no plan could be made.
      returned: always
      type: str
      sample: 5d0b0e3f6a5f4f1c8a1f0c6c1ce0f4ad1d3a9ac6a1f0b1e7a9f8e2b6a7c4d1e0
    truncated:
      description: For each of the lists V(changes), V(errors), V(log), V(objects) and V(held) that was cut, how many entries were left out.
      returned: always
      type: dict
      sample: {}
explanation:
  description: For O(explain), one entry for each object that has a record with this key.
  returned: when O(explain) is given
  type: list
  elements: dict
  contains:
    object:
      description: The object's name.
      returned: always
      type: str
      sample: people
    key:
      description: The record's key.
      returned: always
      type: str
      sample: "1042"
    records:
      description: The source records with this key, each with what was read, whether it is in scope, and each field's steps.
      returned: always
      type: list
      elements: dict
      contains:
        source:
          description: The source fields the mapping reads, with their values in quotes.
          returned: always
          type: dict
          sample:
            id: "'1042'"
            first: "'Ann'"
        in_scope:
          description: Whether the record is in scope, or the error of C(when) as text.
          returned: always
          type: raw
          sample: true
        fields:
          description: Each destination field with its source value, the value after each step, the result, and the error if there is one.
          returned: always
          type: list
          elements: dict
          sample:
            - field: mail
              source: "'Ann'"
              steps:
                - step: "case: lower"
                  value: "'ann'"
              result: "'ann'"
        error:
          description: Why the record is skipped or in error, else empty.
          returned: always
          type: str
          sample: ""
    decision:
      description: What a run would do; V(create), V(update), V(unchanged), V(skip), V(error), V(out of scope) or V(held) with the action.
      returned: always
      type: str
      sample: update
    changes:
      description: The changes a run would make, with each field before and after.
      returned: always
      type: list
      elements: dict
      sample:
        - action: update
          fields:
            mail:
              before: "'a@example.com'"
              after: "'ann@example.com'"
    problems:
      description: Errors and warnings of the record.
      returned: always
      type: list
      elements: str
      sample: []
ansible_facts:
  description: The run as a fact. Ansible keeps the facts of successful tasks only; register the result to see a run that failed.
  returned: when the job could be loaded
  type: dict
  contains:
    lockstep_runs:
      description: The job's name with RV(run).
      returned: always
      type: dict
      sample:
        hr-to-table:
          id: 42
          status: succeeded
ansible_stats:
  description: Status and counts of the run, which AWX shows as artifacts.
  returned: when the job could be loaded
  type: dict
  contains:
    data:
      description: C(lockstep_) and the job's name with C(id), C(status), C(outcome) and the counts of RV(run.statistics).
      returned: always
      type: dict
      sample:
        lockstep_hr-to-table:
          id: 42
          status: succeeded
    per_host:
      description: Always V(false); the artifact belongs to the whole play.
      returned: always
      type: bool
      sample: false
    aggregate:
      description: Always V(false); a later run of the same job replaces the artifact.
      returned: always
      type: bool
      sample: false
error:
  description: What kind of error made the run fail, or kept it from starting.
  returned: when there was one
  type: dict
  contains:
    code:
      description: A stable word, such as V(config), V(provider), V(store), V(locked) or V(dependency).
      returned: always
      type: str
      sample: provider
    retriable:
      description: Whether trying again can help.
      returned: when the code is V(provider) and the run could not start
      type: bool
      sample: true
    holder:
      description: Who holds the lock.
      returned: when the code is V(locked)
      type: str
      sample: a run of job 'hr-to-table' on sync1 (process 4711, since 2026-11-21T03:00:00.000000+00:00)
msg:
  description: One sentence that says what happened and what to do.
  returned: always
  type: str
  sample: "Job 'hr-to-table' made 6 changes (2 created, 3 updated, 1 deleted), 101 unchanged."
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.running import keeps_plan, run, run_arguments


def start(call: Call) -> Result:
    """Do what the task asks for, one run or those of schedules."""
    if call.params["due"] is None and call.params["schedule"] is None:
        return run(call)
    from ansible_collections.lockstep.sync.plugins.module_utils._ansible.due import run_schedules

    return run_schedules(call)


def main() -> None:
    run_module(run_arguments(), start, writes_in_check=keeps_plan)


if __name__ == "__main__":
    main()
