#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job
short_description: Declare what is kept in step
version_added: 1.0.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Declares a job, which moves data from a source provider to a destination provider. M(lockstep.sync.run) runs it.
  - A new job needs O(source), O(destination) and O(objects). Options that are not given keep what is stored; an option that is
    given replaces what is stored for it as a whole, and an empty list, mapping or text clears it.
  - Expressions, patterns and function files are checked here, on the host of the task. The systems themselves are not touched.
  - Warns when the same field goes from one place to another and comes back, see O(allow_circular).
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
    description: The name of the job. Required unless O(jobs) is given.
    type: str
  state:
    description: Whether the job should exist. The history of the runs of a deleted job is kept.
    type: str
    choices: [present, absent]
    default: present
  new_name:
    description:
      - Renames the job. Its history goes with it.
      - When the job already has this name, nothing is renamed, so the task can run again.
    type: str
  force:
    description: Deletes or renames the job although a run of it is in progress; deletes it although schedules list it, which then do not.
    type: bool
    default: false
  copy_of:
    description:
      - The name of another job. When the job does not exist yet, it starts with everything of that one but the name; options given
        in the task win.
      - Ignored when the job exists, so the task can run again.
    type: str
  template:
    description:
      - The name of a job template. What it says counts where this task says nothing; mappings such as O(source) are merged.
      - Predefined are V(sync_gal), V(linked_mailbox_creation), V(move_objects) and V(move_and_disable_objects), see
        M(lockstep.sync.job_template_info).
    type: str
  description: &description
    description: What the job is for.
    type: str
  owners: &owners
    description: Who is responsible for the job.
    type: list
    elements: str
  enabled: &enabled
    description: Whether the job may run. A new job is enabled.
    type: bool
  quarantined: &quarantined
    description:
      - V(false) releases a job that is paused. A run that fails on more than 40 % of its records, and at least 20, pauses its job.
      - A paused job does not run; it can be previewed, and what it did can be taken back. V(true) is refused.
    type: bool
  source: &source
    description: Where records are read.
    type: dict
    suboptions:
      provider:
        description: The name of the provider.
        type: str
        required: true
      table: &table
        description: The table or view, for a database.
        type: str
      query: &query
        description: The query, for a database, instead of a table.
        type: str
      sheet: &sheet
        description: The sheet, for an Excel workbook.
        type: str
      container: &container
        description: For a directory, the distinguished name below which the records lie; the base of the provider unless it is given.
        type: str
      include_subcontainers: &include_subcontainers
        description: For a directory, whether records further down count, too. They do unless this is V(false).
        type: bool
      filter: &filter
        description: For a directory, an LDAP filter that the records match, such as V((&(mail=*)(!(title=Guest\)\))).
        type: str
  destination: &destination
    description: Where records are written.
    type: dict
    suboptions:
      provider:
        description: The name of the provider.
        type: str
        required: true
      table:
        description: The table, for a database.
        type: str
      sheet: *sheet
      container: *container
      include_subcontainers: *include_subcontainers
      filter: *filter
      replace_file:
        description: For files. Replaces the content of the file or sheet by the mapped fields, so that other columns do not survive.
        type: bool
        default: false
  missing_at_destination: &missing_at_destination
    description:
      - What to do with a source record that the destination does not have. V(skip) unless it is given.
      - Counts for all objects that do not give their own.
    type: str
    choices: [create, skip]
  missing_at_source: &missing_at_source
    description:
      - What to do with a destination record that the source does not have. V(skip) unless it is given.
      - V(disable) is for directories. It locks the account and does what O(on_disable) says; when the person returns, all of that is
        taken back.
      - Counts for all objects that do not give their own.
    type: str
    choices: [skip, delete, disable]
  on_disable: &on_disable
    description:
      - What V(disable) of O(missing_at_source) does beside locking the account.
      - Counts for all objects that disable and do not give their own, which counts instead of it as a whole.
    type: dict
    suboptions:
      move_to:
        description: The container to which the record goes. It is part of what is read, so that those in it are known when they return.
        type: str
      strip_groups:
        description: Whether the record is taken out of all groups that list it. They are remembered, and given back at a return.
        type: bool
      stamp:
        description: Fields and the texts to write into them. C(%NOW%) and environment variables are replaced; an empty text clears the field.
        type: dict
      delete_after_days:
        description: Deletes the record when it has been disabled for so many days. A return in between cancels it.
        type: int
  objects: &objects
    description: The elements of the job, each with its own fields and rules.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the object, unique in the job. It is the type unless it is given.
        type: str
      type:
        description:
          - The type of the object. V(row) for tables and files; at a directory it means the directory's usual type.
          - For Active Directory V(user), the usual one, V(mail_user), V(mailbox_user), V(linked_mailbox), V(contact), V(mail_contact) and
            V(group).
          - For LDAP any structural object class, by default V(inetOrgPerson), and V(group) for C(groupOfNames).
        type: str
        default: row
      object_classes:
        description: For LDAP, all object classes of new entries from C(top) down, when more than the chain of the type is wanted.
        type: list
        elements: str
      source:
        description: Where this object is read, instead of the place that the job gives. The provider is that of the job.
        type: dict
        suboptions:
          table: *table
          query: *query
          sheet: *sheet
          container: *container
          include_subcontainers: *include_subcontainers
          filter: *filter
      destination:
        description: Where this object is written, instead of the place that the job gives. The provider is that of the job.
        type: dict
        suboptions:
          table:
            description: The table, for a database.
            type: str
          sheet: *sheet
          container: *container
          include_subcontainers: *include_subcontainers
          filter: *filter
      when:
        description:
          - An expression. Source records for which it is false are out of scope and are treated as if the source did not have them.
          - It is a Jinja2 expression without braces, with C(source) as the record, for example C(source.Status == 'active').
        type: str
      missing_at_destination:
        description: What to do with a source record that the destination does not have. What the job says unless it is given.
        type: str
        choices: [create, skip]
      missing_at_source:
        description: What to do with a destination record that the source does not have. What the job says unless it is given.
        type: str
        choices: [skip, delete, disable]
      on_disable: *on_disable
      create_in:
        description:
          - The container of new records at a directory; the container of the destination unless it is given. With C(move), of all records.
        type: dict
        suboptions:
          container:
            description: Always this one.
            type: str
          field:
            description: The source field that has it.
            type: str
          expression:
            description:
              - An expression that gives it, such as C('OU=' ~ (source.Department | dn_value) ~ ',OU=Staff,DC=example,DC=com').
              - The filter C(dn_value) escapes what is special in a name.
            type: str
      move:
        description: Moves a record that lies in another container than C(create_in) says.
        type: bool
        default: false
      rdn:
        description: The attribute that names records at a directory. It is C(cn) for most types, C(ou) for organizational units.
        type: str
      fields:
        description: The destination fields and where their values come from. At least one is a key.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description: The name of the field at the destination.
            type: str
            required: true
          source:
            description: The source field whose value is copied, or goes through C(transform). Either this or C(transform) is needed.
            type: str
          key:
            description:
              - The field is part of the key that matches a source record to a destination record.
              - It is written when the record is created only.
            type: bool
            default: false
          new_only:
            description: The field is written when the record is created only.
            type: bool
            default: false
          delimiter:
            description: The text between the values of a multi-valued field.
            type: str
          values:
            description: For multi-valued fields. V(merge) adds values and never removes one.
            type: str
            choices: [replace, merge]
            default: replace
          when_empty:
            description: What an empty source value does. V(clear) empties the field, V(keep) leaves it alone.
            type: str
            choices: [clear, keep]
            default: clear
          stamp:
            description: The field is written together with other changes of the record and never causes one.
            type: bool
            default: false
          transform:
            description:
              - Steps that change the value, in order. Each step is a mapping with exactly one of the options below.
              - A step that takes a C(field) uses the value so far when none is given.
            type: list
            elements: dict
            suboptions:
              static:
                description: This text. C(%NOW%), C(%COMPUTERNAME%) and environment variables between percent signs are replaced.
                type: str
              join:
                description: Joins source fields. Empty ones leave no separator.
                type: dict
                suboptions:
                  fields:
                    description: The source fields.
                    type: list
                    elements: str
                    required: true
                  separator:
                    description: The text between them.
                    type: str
                    default: " "
              left:
                description: The first characters.
                type: dict
                suboptions:
                  field: &step_field
                    description: The source field to take instead of the value so far.
                    type: str
                  length: &step_length
                    description: How many characters.
                    type: int
                    required: true
              right:
                description: The last characters.
                type: dict
                suboptions:
                  field: *step_field
                  length: *step_length
              substring:
                description: Characters from the middle. Start 1 and length 2 of V(+92-42-5787711) is V(92).
                type: dict
                suboptions:
                  field: *step_field
                  start:
                    description: The first character to take; the very first has the number 0.
                    type: int
                    required: true
                  length: *step_length
              case:
                description: Changes upper and lower case.
                type: str
                choices: [lower, upper, title]
              trim:
                description: Removes white space at both ends.
                type: bool
                choices: [true]
              replace:
                description: Replaces what a regular expression finds.
                type: dict
                suboptions:
                  pattern:
                    description: The regular expression.
                    type: str
                    required: true
                  with:
                    description: The replacement; C(\1) stands for the first group.
                    type: str
                    default: ""
              map:
                description: Looks the value up in a table.
                type: dict
                suboptions:
                  values:
                    description: A mapping from value to new value.
                    type: dict
                    required: true
                  default:
                    description: The new value of those that are not in the table. Without it such a record is an error.
                    type: str
              split:
                description: Splits the value.
                type: dict
                suboptions:
                  separator:
                    description: The text between the parts.
                    type: str
                    required: true
                  index:
                    description: Which part to take; the first has the number 0, the last -1. Without it all parts are kept as several values.
                    type: int
              date:
                description: Changes the format of a date and time.
                type: dict
                suboptions:
                  from:
                    description: The present format, V(iso), V(generalized_time), V(filetime), V(epoch) or a pattern such as V(%d.%m.%Y).
                    type: str
                    required: true
                  to:
                    description: The new format, likewise.
                    type: str
                    required: true
              ascii:
                description: Replaces accented and special letters by plain ones.
                type: bool
                choices: [true]
              pad:
                description: Fills the value up to a length.
                type: dict
                suboptions:
                  length:
                    description: The length to reach, in characters.
                    type: int
                    required: true
                  with:
                    description: The character to fill with.
                    type: str
                    default: " "
                  side:
                    description: Where to fill.
                    type: str
                    choices: [left, right]
                    default: left
              default:
                description: The value to take when the value so far is empty.
                type: str
              unique:
                description: Makes the value unique among the values of the field at the destination. A taken value gets a number.
                type: dict
                suboptions:
                  pattern:
                    description: How the number is put in; C({value}) is the value and C({n}) the number.
                    type: str
                    default: "{value}{n}"
                  start:
                    description: The first number.
                    type: int
                    default: 2
                  max_length:
                    description: The greatest length of the whole in characters; the value is cut to make room for the number.
                    type: int
              resolve:
                description:
                  - For references such as C(manager) and C(member). Finds the record of the destination that has the value, and gives its
                    distinguished name. Records that the same run makes are found, too.
                  - Who is not found is reported; the field of the record stays as it is, and nobody is made.
                type: dict
                suboptions:
                  match:
                    description: The attribute that has the value.
                    type: str
                    required: true
                  field: *step_field
                  container:
                    description: Where to look; the base of the provider unless it is given.
                    type: str
                  filter:
                    description: A filter that the records match.
                    type: str
              password:
                description:
                  - Makes a password at the moment it is written, which is when the record is created. It is in no plan, log or result.
                  - The policy of an Active Directory is honoured, so it may become longer than asked for, and it never holds the names of
                    its account.
                type: dict
                suboptions:
                  per:
                    description: A password for each record, or one for all records of a run.
                    type: str
                    choices: [object, job]
                    default: object
                  length:
                    description: The length in characters, 6 to 99.
                    type: int
                    default: 16
                  upper:
                    description: Use capital letters.
                    type: bool
                    default: true
                  lower:
                    description: Use small letters.
                    type: bool
                    default: true
                  digits:
                    description: Use digits.
                    type: bool
                    default: true
                  special:
                    description: The special characters to use; an empty text for none.
                    type: str
                    default: "!#$%&*+-=?@_"
                  no_repeat_special:
                    description: Use no special character twice.
                    type: bool
                    default: false
                  exclude_similar:
                    description: Use no characters that look alike, such as C(l) and C(1).
                    type: bool
                    default: true
              expression:
                description:
                  - A Jinja2 expression without braces. It has C(source), the record; C(value), the value so far; C(context), the job;
                    C(skip('reason')), which leaves the record alone; and C(now()).
                type: str
              function:
                description:
                  - A Python function, as C(path/of/file.py:name). It is called with the record and the context, and gives the value.
                  - The file must belong to root or the running user and must not be writable by others.
                type: str
  changed_only: &changed_only
    description:
      - Looks only at source records whose time stamp is as new as the newest one of the last successful run, or newer. Records
        without a readable time stamp are always looked at.
      - With O(missing_at_source=delete) the source is still read completely, because only a complete read shows what is gone.
      - O(lockstep.sync.run#module:full) looks at all records, and so does the first run after a change of the job.
      - Or, with O(changed_only.proof), reads nothing at all while nothing has changed at either system, and else everything.
    type: dict
    suboptions:
      field:
        description: The source field with the time stamp of the last change.
        type: str
      proof:
        description:
          - Whether a run reads nothing when both systems prove that nothing has changed since a run that read everything and found
            nothing to do. When one of them cannot prove it, everything is read.
          - The proof of a file is its content; of Active Directory the update sequence number of the domain controller; of another
            directory C(contextCSN), which OpenLDAP has with the overlay C(syncprov). Databases have none, and a job with one is refused.
          - So is a job that depends on more than its two systems, such as one with C(now()), C(%NOW%) outside of stamps, functions,
            smart groups or C(delete_after_days). Not together with O(changed_only.field).
          - What a server computes from the time without a write, and who may read what, is no part of the proof. So everything is read
            once a day all the same, and with O(lockstep.sync.run#module:full).
        type: bool
        default: false
  limits: &limits
    description:
      - Guards on how much one run may change. A class of change beyond its limit is held, and the run has the status C(held).
      - A limit is a number such as V(500), a percentage such as V(10%), or V(10% above 10), which trips only beyond both.
    type: dict
    suboptions:
      creates:
        description: Records created, against the source records in scope.
        type: str
      updates:
        description: Records updated, against the destination records.
        type: str
      moves:
        description: Records moved to another container, against the destination records.
        type: str
      disables:
        description: Records disabled, against the destination records.
        type: str
        default: 10% above 10
      deletes:
        description: Records deleted, against the destination records.
        type: str
        default: 10% above 10
      member_removals:
        description: Values taken out of one group, against its members. Held for that group only; who joins it still joins.
        type: str
        default: 50% above 10
      min_source_records:
        description: The least number of records the source must have; with fewer nothing is deleted.
        type: str
        default: "1"
      source_drop:
        description: How many records fewer than in its last successful run the source may have; with more nothing is deleted.
        type: str
  protect: &protect
    description:
      - Records at the destination that are never changed, moved, disabled or deleted, whatever the source says, and by no kept plan,
        undo or resumed run either.
      - For a directory, an LDAP filter such as V((adminCount=1\)).
      - For a table or file, an expression on the record as it is there, such as V(destination.locked == 'true'). A record for which it
        fails is left alone and an error.
    type: str
  create_containers: &create_containers
    description: Makes containers that new or moved records need. Without it such a record is an error.
    type: bool
  smart_groups: &smart_groups
    description: The names of smart groups that are refreshed after each run, see M(lockstep.sync.smart_group).
    type: list
    elements: str
  schedule: &schedule
    description:
      - The name of a schedule that runs the job, see M(lockstep.sync.schedule). An empty text takes the job out of its schedule.
      - A schedule can list its jobs as well; the job then is run once.
    type: str
  allow_circular: &allow_circular
    description: Do not warn when a field of the job is part of a circular flow, in which a value comes back to where it was read.
    type: bool
  on_error: &on_error
    description: What to do when a run fails as a whole.
    type: dict
    suboptions:
      retries:
        description: How often to try again.
        type: int
        default: 0
      delay:
        description: How long to wait before each try, in seconds.
        type: float
        default: 60
  notification: &notification
    description:
      - The name of a notification that tells of runs of this job, see M(lockstep.sync.notification). An empty text takes it out.
      - When the job runs in a collection, the notification of that tells of it instead.
    type: str
  notify: &notify
    description: What is different from the settings of the notification for this job. An empty mapping takes it out.
    type: dict
    suboptions:
      recipients:
        description: Who gets the mails instead.
        type: list
        elements: str
      send:
        description: Which runs are told instead, see O(lockstep.sync.notification#module:send).
        type: str
        choices: [always, updated, errors, failed]
  jobs:
    description:
      - Several declarations in one task, each with the options of a single one. All are carried out or none.
      - Cannot be given together with the options of a single declaration.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the job.
        type: str
        required: true
      state:
        description: Whether the job should exist.
        type: str
        choices: [present, absent]
        default: present
      new_name:
        description: Renames the job. Its history goes with it.
        type: str
      force:
        description: Deletes or renames the job although a run of it is in progress; deletes it although schedules list it, which then do not.
        type: bool
        default: false
      copy_of:
        description: The name of another job that gives everything but the name, when the job does not exist yet.
        type: str
      template:
        description: The name of a job template, whose options count where none are given.
        type: str
      description: *description
      owners: *owners
      enabled: *enabled
      quarantined: *quarantined
      source: *source
      destination: *destination
      missing_at_destination: *missing_at_destination
      missing_at_source: *missing_at_source
      on_disable: *on_disable
      objects: *objects
      changed_only: *changed_only
      limits: *limits
      protect: *protect
      create_containers: *create_containers
      smart_groups: *smart_groups
      schedule: *schedule
      allow_circular: *allow_circular
      on_error: *on_error
      notification: *notification
      notify: *notify
seealso:
  - module: lockstep.sync.job_info
  - module: lockstep.sync.provider
  - module: lockstep.sync.run
"""

EXAMPLES = r"""
- name: Declare a job that keeps users of Active Directory in step with HR
  lockstep.sync.job:
    name: hr-to-ad
    source:
      provider: hr
    destination:
      provider: ad
      container: DC=example,DC=com
      filter: (employeeID=*)
    missing_at_destination: create
    missing_at_source: disable
    on_disable:
      move_to: OU=Leavers,DC=example,DC=com
      strip_groups: true
      stamp:
        description: left %NOW%
      delete_after_days: 90
    create_containers: true
    protect: (adminCount=1)
    objects:
      - name: people
        type: user
        create_in:
          expression: "'OU=' ~ (source.Department | dn_value) ~ ',OU=Staff,DC=example,DC=com'"
        move: true
        fields:
          - {name: employeeID, source: EmployeeID, key: true}
          - {name: cn, transform: [{join: {fields: [FirstName, LastName]}}, {unique: {pattern: "{value} {n}"}}]}
          - {name: sAMAccountName, source: Login, transform: [{case: lower}, {unique: {max_length: 20}}]}
          - {name: sn, source: LastName}
          - {name: givenName, source: FirstName}
          - {name: manager, source: ManagerID, transform: [{resolve: {match: employeeID}}]}
          - {name: unicodePwd, transform: [{password: {length: 16}}]}

- name: Declare a job that keeps groups of an LDAP directory in step with a database
  lockstep.sync.job:
    name: teams-to-ldap
    source:
      provider: crm
      query: SELECT name, string_agg(login, ';') AS logins FROM team_members GROUP BY name
    destination:
      provider: directory
      container: ou=groups,dc=example,dc=org
    missing_at_destination: create
    objects:
      - name: teams
        type: group
        fields:
          - {name: cn, source: name, key: true}
          - {name: member, source: logins, delimiter: ";", transform: [{resolve: {match: uid}}]}

- name: Declare a job that creates and updates rows
  lockstep.sync.job:
    name: hr-to-crm
    source:
      provider: hr
    destination:
      provider: crm
      table: people
    missing_at_destination: create
    objects:
      - fields:
          - {name: id, source: EmployeeID, key: true}
          - {name: mail, source: Email}

- name: Declare a job with rules and transforms
  lockstep.sync.job:
    name: hr-to-crm
    description: Staff of the HR export as contacts in the CRM
    owners: [identity-team]
    source:
      provider: hr
    destination:
      provider: crm
      table: people
    missing_at_destination: create
    missing_at_source: delete
    objects:
      - name: people
        when: source.Status == 'active'
        fields:
          - name: id
            source: EmployeeID
            key: true
          - name: full_name
            transform:
              - join: {fields: [GivenName, Surname]}
              - trim: true
          - name: mail
            source: Email
            transform:
              - case: lower
          - name: country
            source: Country
            transform:
              - map:
                  values: {Deutschland: DE, Schweiz: CH}
                  default: "??"
          - name: login
            new_only: true
            transform:
              - expression: (source.GivenName[:1] ~ source.Surname) | lower
              - ascii: true
              - unique: {max_length: 20}
    limits:
      deletes: 5% above 20
    on_error:
      retries: 2
      delay: 30

- name: Switch a job off and leave all else as it is
  lockstep.sync.job:
    name: hr-to-crm
    enabled: false

- name: Release a job that was paused, once the cause is mended
  lockstep.sync.job:
    name: hr-to-crm
    quarantined: false

- name: Start a job from another one
  lockstep.sync.job:
    name: hr-to-archive
    copy_of: hr-to-crm
    destination:
      provider: archive
      table: people

- name: Show what a change would do
  lockstep.sync.job:
    name: hr-to-crm
    missing_at_source: skip
  check_mode: true
  diff: true

- name: Rename a job
  lockstep.sync.job:
    name: hr-to-crm
    new_name: staff-to-crm

- name: Declare several jobs in one task
  lockstep.sync.job:
    jobs:
      - name: phones-to-crm
        source:
          provider: phones
          sheet: Extensions
        destination:
          provider: crm
          table: people
        objects:
          - fields:
              - {name: id, source: Staff no, key: true}
              - {name: phone, source: Extension}
      - name: old-job
        state: absent

- name: Delete a job and keep its history
  lockstep.sync.job:
    name: hr-to-archive
    state: absent
"""

RETURN = r"""
job:
  description: The effective job afterwards, with all defaults filled in; none when it does not exist. Options without a value are left out.
  returned: success, when O(jobs) is not given
  type: dict
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
      returned: always
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
      returned: always
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
      description: The schedule that runs the job.
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
jobs:
  description: What became of each declaration.
  returned: success, when O(jobs) is given
  type: list
  elements: dict
  contains:
    name:
      description: The name afterwards.
      returned: always
      type: str
      sample: phones-to-crm
    state:
      description: V(present) or V(absent).
      returned: always
      type: str
      sample: present
    changed:
      description: Whether the job was changed, or in check mode would be.
      returned: always
      type: bool
      sample: true
truncated:
  description: For each list that was cut to keep the result below 64 kB, how many entries were left out.
  returned: when something was left out
  type: dict
  sample: {job.objects: 40}
error:
  description: What kind of error made the task fail.
  returned: failure
  type: dict
  contains:
    code:
      description: A stable word, such as V(config), V(locked), V(store) or V(dependency).
      returned: always
      type: str
      sample: config
    holder:
      description: Who runs the job.
      returned: when the code is V(locked)
      type: str
      sample: a run of job 'hr-to-crm' on sync1 (process 4711, since 2026-11-21T03:00:00.000000+00:00)
msg:
  description: One sentence that says what happened, or what is wrong and what to do.
  returned: always
  type: str
  sample: The job 'hr-to-crm' was created.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.arguments import declaring_arguments, with_bulk
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.declaring import declared_result
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.job_arguments import job_arguments
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.machine import mapping_checker, this_process
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.requests import entries, job_request
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declare_job import declare_jobs


def declare(call: Call) -> Result:
    """Carry out the declarations of the task."""
    requests = [job_request(entry) for entry in entries(call.params, "jobs")]
    holder = this_process("the declaration of a job")
    declared = declare_jobs(call.store, requests, holder=holder, check_mapping=mapping_checker(call.clock))
    return declared_result("job", declared, bulk=call.params["jobs"] is not None, check=call.check)


def main() -> None:
    """Run as an Ansible module."""
    run_module(with_bulk("jobs", {**declaring_arguments(), **job_arguments()}), declare)


if __name__ == "__main__":
    main()
