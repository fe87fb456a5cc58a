#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_template
short_description: Declare what jobs start from
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Declares a job template, a job without providers. A job names it in O(lockstep.sync.job#module:template), and what the template
    says counts where the job says nothing.
  - The predefined templates cannot be changed; M(lockstep.sync.job_template_info) shows them.
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
    description: The name of the job template.
    type: str
    required: true
  state:
    description: Whether the job template should exist. Jobs that were made from it stay as they are.
    type: str
    choices: [present, absent]
    default: present
  new_name:
    description: Renames the job template.
    type: str
  description:
    description: What jobs of this kind are for.
    type: str
  from_job:
    description: The name of a job whose definition becomes the template's, without its providers.
    type: str
  definition:
    description: The options of a job, without its name and providers.
    type: dict
    suboptions:
      description:
        description: What the job is for.
        type: str
      owners:
        description: Who is responsible for the job.
        type: list
        elements: str
      enabled:
        description: Whether the job may run. A new job is enabled.
        type: bool
      source:
        description: Where records are read.
        type: dict
        suboptions:
          table:
            description: The table or view, for a database.
            type: str
          query:
            description: The query, for a database, instead of a table.
            type: str
          sheet:
            description: The sheet, for an Excel workbook.
            type: str
          container:
            description: For a directory, the distinguished name below which the records lie; the base of the provider unless it is given.
            type: str
          include_subcontainers:
            description: For a directory, whether records further down count, too. They do unless this is V(false).
            type: bool
          filter:
            description: For a directory, an LDAP filter that the records match, such as V((&(mail=*)(!(title=Guest\)\))).
            type: str
      destination:
        description: Where records are written.
        type: dict
        suboptions:
          table:
            description: The table, for a database.
            type: str
          sheet:
            description: The sheet, for an Excel workbook.
            type: str
          container:
            description: For a directory, the distinguished name below which the records lie; the base of the provider unless it is given.
            type: str
          include_subcontainers:
            description: For a directory, whether records further down count, too. They do unless this is V(false).
            type: bool
          filter:
            description: For a directory, an LDAP filter that the records match, such as V((&(mail=*)(!(title=Guest\)\))).
            type: str
          replace_file:
            description: For files. Replaces the content of the file or sheet by the mapped fields, so that other columns do not survive.
            type: bool
            default: false
      missing_at_destination:
        description:
          - What to do with a source record that the destination does not have. V(skip) unless it is given.
          - Counts for all objects that do not give their own.
        type: str
        choices:
          - create
          - skip
      missing_at_source:
        description:
          - What to do with a destination record that the source does not have. V(skip) unless it is given.
          - V(disable) is for directories. It locks the account and does what C(on_disable) says; when the person returns, all of that is
            taken back.
          - Counts for all objects that do not give their own.
        type: str
        choices:
          - skip
          - delete
          - disable
      on_disable:
        description:
          - What V(disable) of C(missing_at_source) does beside locking the account.
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
            description: Fields and the texts to write into them. C(%NOW%) and environment variables are replaced; an empty text clears
              the field.
            type: dict
          delete_after_days:
            description: Deletes the record when it has been disabled for so many days. A return in between cancels it.
            type: int
      objects:
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
              - For Active Directory V(user), the usual one, V(mail_user), V(mailbox_user), V(linked_mailbox), V(contact), V(mail_contact)
                and V(group).
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
              table:
                description: The table or view, for a database.
                type: str
              query:
                description: The query, for a database, instead of a table.
                type: str
              sheet:
                description: The sheet, for an Excel workbook.
                type: str
              container:
                description: For a directory, the distinguished name below which the records lie; the base of the provider unless it is
                  given.
                type: str
              include_subcontainers:
                description: For a directory, whether records further down count, too. They do unless this is V(false).
                type: bool
              filter:
                description: For a directory, an LDAP filter that the records match, such as V((&(mail=*)(!(title=Guest\)\))).
                type: str
          destination:
            description: Where this object is written, instead of the place that the job gives. The provider is that of the job.
            type: dict
            suboptions:
              table:
                description: The table, for a database.
                type: str
              sheet:
                description: The sheet, for an Excel workbook.
                type: str
              container:
                description: For a directory, the distinguished name below which the records lie; the base of the provider unless it is
                  given.
                type: str
              include_subcontainers:
                description: For a directory, whether records further down count, too. They do unless this is V(false).
                type: bool
              filter:
                description: For a directory, an LDAP filter that the records match, such as V((&(mail=*)(!(title=Guest\)\))).
                type: str
          when:
            description:
              - An expression. Source records for which it is false are out of scope and are treated as if the source did not have them.
              - It is a Jinja2 expression without braces, with C(source) as the record, for example C(source.Status == 'active').
            type: str
          missing_at_destination:
            description: What to do with a source record that the destination does not have. What the job says unless it is given.
            type: str
            choices:
              - create
              - skip
          missing_at_source:
            description: What to do with a destination record that the source does not have. What the job says unless it is given.
            type: str
            choices:
              - skip
              - delete
              - disable
          on_disable:
            description:
              - What V(disable) of C(missing_at_source) does beside locking the account.
              - Counts for all objects that disable and do not give their own, which counts instead of it as a whole.
            type: dict
            suboptions:
              move_to:
                description: The container to which the record goes. It is part of what is read, so that those in it are known when they
                  return.
                type: str
              strip_groups:
                description: Whether the record is taken out of all groups that list it. They are remembered, and given back at a return.
                type: bool
              stamp:
                description: Fields and the texts to write into them. C(%NOW%) and environment variables are replaced; an empty text clears
                  the field.
                type: dict
              delete_after_days:
                description: Deletes the record when it has been disabled for so many days. A return in between cancels it.
                type: int
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
                choices:
                  - replace
                  - merge
                default: replace
              when_empty:
                description: What an empty source value does. V(clear) empties the field, V(keep) leaves it alone.
                type: str
                choices:
                  - clear
                  - keep
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
                        default: ' '
                  left:
                    description: The first characters.
                    type: dict
                    suboptions:
                      field:
                        description: The source field to take instead of the value so far.
                        type: str
                      length:
                        description: How many characters.
                        type: int
                        required: true
                  right:
                    description: The last characters.
                    type: dict
                    suboptions:
                      field:
                        description: The source field to take instead of the value so far.
                        type: str
                      length:
                        description: How many characters.
                        type: int
                        required: true
                  substring:
                    description: Characters from the middle. Start 1 and length 2 of V(+92-42-5787711) is V(92).
                    type: dict
                    suboptions:
                      field:
                        description: The source field to take instead of the value so far.
                        type: str
                      start:
                        description: The first character to take; the very first has the number 0.
                        type: int
                        required: true
                      length:
                        description: How many characters.
                        type: int
                        required: true
                  case:
                    description: Changes upper and lower case.
                    type: str
                    choices:
                      - lower
                      - upper
                      - title
                  trim:
                    description: Removes white space at both ends.
                    type: bool
                    choices:
                      - true
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
                        default: ''
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
                        description: Which part to take; the first has the number 0, the last -1. Without it all parts are kept as several
                          values.
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
                    choices:
                      - true
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
                        default: ' '
                      side:
                        description: Where to fill.
                        type: str
                        choices:
                          - left
                          - right
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
                        default: '{value}{n}'
                      start:
                        description: The first number.
                        type: int
                        default: 2
                      max_length:
                        description: The greatest length of the whole in characters; the value is cut to make room for the number.
                        type: int
                  resolve:
                    description:
                      - For references such as C(manager) and C(member). Finds the record of the destination that has the value, and gives
                        its distinguished name. Records that the same run makes are found, too.
                      - Who is not found is reported; the field of the record stays as it is, and nobody is made.
                    type: dict
                    suboptions:
                      match:
                        description: The attribute that has the value.
                        type: str
                        required: true
                      field:
                        description: The source field to take instead of the value so far.
                        type: str
                      container:
                        description: Where to look; the base of the provider unless it is given.
                        type: str
                      filter:
                        description: A filter that the records match.
                        type: str
                  password:
                    description:
                      - Makes a password at the moment it is written, which is when the record is created. It is in no plan, log or result.
                      - The policy of an Active Directory is honoured, so it may become longer than asked for, and it never holds the names
                        of its account.
                    type: dict
                    suboptions:
                      per:
                        description: A password for each record, or one for all records of a run.
                        type: str
                        choices:
                          - object
                          - job
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
                        default: '!#$%&*+-=?@_'
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
      changed_only:
        description:
          - Looks only at source records whose time stamp is as new as the newest one of the last successful run, or newer. Records without
            a readable time stamp are always looked at.
          - With C(missing_at_source=delete) the source is still read completely, because only a complete read shows what is gone.
          - C(lockstep.sync.run#module:full) looks at all records, and so does the first run after a change of the job.
          - Or, with C(proof), reads nothing at all while nothing has changed at either system, and else everything.
        type: dict
        suboptions:
          field:
            description: The source field with the time stamp of the last change.
            type: str
          proof:
            description:
              - Whether a run reads nothing when both systems prove that nothing has changed since a run that read everything and found
                nothing to do; see O(lockstep.sync.job#module:changed_only.proof).
            type: bool
            default: false
      limits:
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
            default: '1'
          source_drop:
            description: How many records fewer than in its last successful run the source may have; with more nothing is deleted.
            type: str
      protect:
        description:
          - Records at the destination that are never changed, moved, disabled or deleted, whatever the source says, and by no kept plan,
            undo or resumed run either.
          - For a directory, an LDAP filter such as V((adminCount=1\)).
          - For a table or file, an expression on the record as it is there, such as V(destination.locked == 'true'). A record for which it
            fails is left alone and an error.
        type: str
      create_containers:
        description: Makes containers that new or moved records need. Without it such a record is an error.
        type: bool
      allow_circular:
        description: Do not warn when a field of the job is part of a circular flow, in which a value comes back to where it was read.
        type: bool
      on_error:
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
seealso:
  - module: lockstep.sync.job_template_info
  - module: lockstep.sync.job
"""

EXAMPLES = r"""
- name: Keep a job as a template
  lockstep.sync.job_template:
    name: staff-to-directory
    description: Staff of one site into its directory
    from_job: hr-to-ldap

- name: Declare a template
  lockstep.sync.job_template:
    name: phones
    definition:
      missing_at_destination: skip
      objects:
        - fields:
            - {name: employeeNumber, source: id, key: true}
            - {name: telephoneNumber, source: phone}

- name: Make a job from a predefined template
  lockstep.sync.job:
    name: gal-a-to-b
    template: sync_gal
    source:
      provider: forest-a
      container: OU=Staff,DC=a,DC=example
    destination:
      provider: forest-b
      container: OU=Contacts,DC=b,DC=example

- name: Delete a template
  lockstep.sync.job_template:
    name: phones
    state: absent
"""

RETURN = r"""
job_template:
  description: The job template afterwards; none when it does not exist.
  returned: success
  type: dict
  contains:
    name:
      description: The name.
      returned: always
      type: str
      sample: phones
    description:
      description: What jobs of this kind are for.
      returned: always
      type: str
      sample: Phone numbers into a directory
    job:
      description: The options of a job, as far as they differ from the defaults.
      returned: always
      type: dict
      sample:
        objects:
          - fields:
              - {name: employeeNumber, source: id, key: true}
error:
  description: What kind of error made the task fail.
  returned: failure
  type: dict
  contains:
    code:
      description: A stable word, such as V(config), V(store) or V(provider).
      returned: always
      type: str
      sample: config
msg:
  description: One sentence that says what happened, or what is wrong and what to do.
  returned: always
  type: str
  sample: The job template 'phones' was created.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.arguments import declaring_arguments
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.declaring import declared_result
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.job_arguments import template_arguments
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.requests import template_request
from ansible_collections.lockstep.sync.plugins.module_utils._operations.job_templates import declare_job_templates


def declare(call: Call) -> Result:
    """Carry out the declaration of the task."""
    declared = declare_job_templates(call.store, [template_request(call.params)])
    return declared_result("job_template", declared, bulk=False, check=call.check)


def main() -> None:
    """Run as an Ansible module."""
    arguments = {
        **{name: option for name, option in declaring_arguments().items() if name != "force"},
        "name": {"type": "str", "required": True},
        "description": {"type": "str"},
        "from_job": {"type": "str"},
        "definition": {"type": "dict", "options": template_arguments()},
    }
    run_module({"argument_spec": arguments, "mutually_exclusive": [["from_job", "definition"]]}, declare)


if __name__ == "__main__":
    main()
