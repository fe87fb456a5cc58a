#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: provider_info
short_description: List providers, test them and look at their data
version_added: 1.0.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Lists providers with their options and the jobs that use them. Secrets are never shown.
  - On request connects to the systems, and shows what answered, which tables or sheets there are, and some records.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
  - lockstep.sync.attributes.info_module
options:
  name:
    description: Only the provider of this name. A name that does not exist gives an empty list.
    type: str
  test:
    description:
      - Connects to each provider and says what it found in RV(providers[].test).
      - A system that cannot be reached does not fail the task; RV(providers[].test.reached) tells.
    type: bool
    default: false
  schema:
    description: Lists the tables, sheets or object classes of each provider and their fields in RV(providers[].schema).
    type: bool
    default: false
  sample:
    description:
      - How many records to show in RV(providers[].sample), read from O(table), O(sheet), O(query) or
        O(container); a CSV file needs none of them.
      - Needs O(name).
    type: int
  table:
    description: The table or view of a database that O(sample) reads.
    type: str
  sheet:
    description: The sheet of a workbook that O(sample) reads.
    type: str
  query:
    description: The query that O(sample) tries at a database. The query of a job can be tried here without running the job.
    type: str
  container:
    description: The container of a directory that O(sample) reads, with all below it.
    type: str
  filter:
    description: The LDAP filter for O(sample) at a directory.
    type: str
seealso:
  - module: lockstep.sync.provider
"""

EXAMPLES = r"""
- name: List all providers
  lockstep.sync.provider_info:
  register: known

- name: Test one provider
  lockstep.sync.provider_info:
    name: crm
    test: true
  register: crm

- name: Stop when it cannot be reached
  ansible.builtin.assert:
    that: crm.providers[0].test.reached
    fail_msg: "{{ crm.providers[0].test.error.message | default('') }}"

- name: Show which tables and fields there are
  lockstep.sync.provider_info:
    name: crm
    schema: true

- name: Show two people of a directory
  lockstep.sync.provider_info:
    name: directory
    container: ou=people,dc=example,dc=org
    filter: (mail=*)
    sample: 2

- name: Try a query
  lockstep.sync.provider_info:
    name: crm
    query: SELECT id, mail FROM people WHERE active
    sample: 5
"""

RETURN = r"""
providers:
  description: The providers by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      returned: always
      type: str
      sample: crm
    type:
      description: The type; the options are under its name.
      returned: always
      type: str
      sample: sql
    csv:
      description: The options of a CSV file.
      returned: when the type is V(csv)
      type: dict
      sample:
        path: /srv/hr/people.csv
        delimiter: ;
        quote: '"'
        encoding: cp1252
        header: true
    excel:
      description: The options of an Excel workbook.
      returned: when the type is V(excel)
      type: dict
      sample:
        path: /srv/facility/phones.xlsx
    sql:
      description: The options of a database. A stored password is masked, a reference is shown.
      returned: when the type is V(sql)
      type: dict
      sample:
        url: postgresql://db.example.com/crm
        username: sync
        password_from:
          file: /etc/lockstep/crm.password
    ldap:
      description: The options of an LDAP directory. A stored password is masked, a reference is shown.
      returned: when the type is V(ldap)
      type: dict
      sample:
        url: ["ldaps://ldap1.example.org"]
        bind_dn: cn=sync,ou=services,dc=example,dc=org
        auth: simple
        base_dn: dc=example,dc=org
        start_tls: false
        cert_validation: always
        page_size: 1000
        timeout: 30
        password: "********"
    active_directory:
      description: The options of an Active Directory. A stored password is masked, a reference is shown.
      returned: when the type is V(active_directory)
      type: dict
      sample:
        url: ["ldaps://dc1.example.com"]
        username: sync@example.com
        start_tls: false
        cert_validation: always
        page_size: 1000
        timeout: 30
        password_from:
          env: AD_SYNC_PASSWORD
    used_by:
      description: The names of the jobs that use the provider.
      returned: always
      type: list
      elements: str
      sample: [hr-to-crm]
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
    test:
      description: How the system answered.
      returned: when O(test=true)
      type: dict
      contains:
        reached:
          description: Whether the system could be reached and read.
          returned: always
          type: bool
          sample: true
        server:
          description: What answered.
          returned: when it was reached
          type: str
          sample: PostgreSQL
        version:
          description: Its version.
          returned: when it was reached
          type: str
          sample: "16.4"
        latency_ms:
          description: How long one round trip took, in milliseconds.
          returned: when it was reached
          type: float
          sample: 0.8
        details:
          description: More about it.
          returned: when it was reached
          type: str
          sample: ""
        error:
          description: Why it was not reached.
          returned: when it was not reached
          type: dict
          contains:
            code:
              description: A stable word, such as V(provider), V(config) or V(dependency).
              returned: always
              type: str
              sample: provider
            message:
              description: What is wrong and what to do.
              returned: always
              type: str
              sample: "provider 'crm': the server refused the connection."
    schema:
      description: The tables, views, sheets or object classes.
      returned: when O(schema=true), unless a test did not reach it
      type: list
      elements: dict
      contains:
        name:
          description: The name of the table, view, sheet, file or object class.
          returned: always
          type: str
          sample: people
        kind:
          description: V(table), V(view), V(sheet), V(file) or V(class).
          returned: always
          type: str
          sample: table
        fields:
          description: The fields in order.
          returned: always
          type: list
          elements: dict
          contains:
            name:
              description: The name.
              returned: always
              type: str
              sample: mail
            kind:
              description: What its values are, such as V(text), V(integer) or V(datetime).
              returned: always
              type: str
              sample: text
            type:
              description: The system's own name of the type.
              returned: always
              type: str
              sample: VARCHAR(254)
            nullable:
              description: Whether it can be without a value.
              returned: always
              type: bool
              sample: true
        keys:
          description: The sets of fields that identify a record, each a list of names.
          returned: always
          type: list
          elements: list
          sample: [[id]]
    sample:
      description: Some records, each with its fields.
      returned: when O(sample) is given
      type: list
      elements: dict
      sample:
        - id: "1042"
          mail: ann@example.com
truncated:
  description: For each list that was cut to keep the result below 64 kB, how many entries were left out.
  returned: when something was left out
  type: dict
  sample:
    providers: 120
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
    retriable:
      description: Whether trying again can help.
      returned: when the code is V(provider)
      type: bool
      sample: true
msg:
  description: One sentence that says how many providers were found, or what is wrong and what to do.
  returned: always
  type: str
  sample: 1 provider found.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.listing import listed_result, surroundings
from ansible_collections.lockstep.sync.plugins.module_utils._operations.list_providers import (
    ProviderFilter,
    list_providers,
)
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import open_provider

PLACES = ("table", "query", "sheet", "container", "filter")
TEXTS = ("name", *PLACES)
FLAGS = ("test", "schema")


def find(call: Call) -> Result:
    """List the providers that the task asks for."""
    wanted = ProviderFilter(**{name: call.params[name] for name in (*TEXTS, *FLAGS)}, sample=call.params["sample"] or 0)
    return listed_result("provider", list_providers(call.store, wanted, surroundings(call, open_provider)))


def main() -> None:
    """Run as an Ansible module."""
    texts = {name: {"type": "str"} for name in TEXTS}
    flags = {name: {"type": "bool", "default": False} for name in FLAGS}
    spec = {
        "argument_spec": {**texts, **flags, "sample": {"type": "int"}},
        "mutually_exclusive": [["table", "query", "sheet", "container"]],
        "required_by": {"sample": ["name"], **{name: ["sample"] for name in PLACES}},
    }
    run_module(spec, find, reads_only=True)


if __name__ == "__main__":
    main()
