#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: provider
short_description: Declare the connection to a system
version_added: 1.0.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Declares a provider, the named connection to a CSV file, an Excel workbook, an SQL database, an LDAP directory or an Active
    Directory. Jobs read from one provider and write to another.
  - Options that are not given keep what is stored. A type that is given, such as O(sql), replaces all options of the provider
    but its secrets.
  - The system itself is not touched; M(lockstep.sync.provider_info) tests it.
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
    description: The name of the provider. Required unless O(providers) is given.
    type: str
  state:
    description: Whether the provider should exist.
    type: str
    choices: [present, absent]
    default: present
  new_name:
    description:
      - Renames the provider. Jobs that use it follow.
      - When the provider already has this name, nothing is renamed, so the task can run again.
    type: str
  force:
    description:
      - With O(state=absent), deletes the jobs and smart groups that use the provider, too. The history of the runs is
        kept, and so are the groups in the directory.
      - Without it a provider that is used is not deleted, and what uses it is named.
    type: bool
    default: false
  csv:
    description: A text file with one record a line and delimited fields. A new provider needs exactly one type.
    type: dict
    suboptions: &csv
      path:
        description: The file, on the host that runs the job. A relative path is made absolute when the provider is declared.
        type: path
        required: true
      delimiter:
        description: The character between two fields.
        type: str
        default: ","
      quote:
        description: The character around fields that contain the delimiter or a line break.
        type: str
        default: '"'
      encoding:
        description: The encoding of the file, by its Python name, for example V(utf-8), V(utf-8-sig), V(utf-16), V(cp1252).
        type: str
        default: utf-8
      header:
        description: Whether the first line holds the names of the fields.
        type: bool
        default: true
      fields:
        description: The names of the fields in order, for a file without a header line.
        type: list
        elements: str
  excel:
    description: An Excel workbook (C(.xlsx)). Jobs name the sheet.
    type: dict
    suboptions: &excel
      path:
        description: The file, on the host that runs the job. A relative path is made absolute when the provider is declared.
        type: path
        required: true
  sql:
    description: A database. Jobs name the table or the query.
    type: dict
    suboptions: &sql
      url:
        description:
          - The SQLAlchemy URL without user name and password, for example V(postgresql://db.example.com/hr).
          - Databases are V(postgresql), V(mariadb), V(mysql), V(sqlite), V(mssql) and V(oracle).
        type: str
        required: true
      username:
        description: The database user.
        type: str
      password:
        description:
          - The password of the user. It is stored encrypted and never shown. It has at least four characters.
          - The same password again is no change. When neither it nor C(password_from) is given, what is stored is kept.
          - An empty text removes the stored password.
        type: str
      password_from:
        description: Where the password is found when a job runs, on the host that runs it. Give one of the two.
        type: dict
        suboptions:
          env:
            description: The name of an environment variable.
            type: str
          file:
            description: The path of a file that holds the password and is not readable by everybody.
            type: path
  ldap:
    description: An LDAP directory. Jobs name the container and a filter.
    type: dict
    suboptions: &ldap
      url:
        description:
          - The server, as V(ldaps://ldap.example.org), V(ldap://ldap.example.org) or V(ldapi://%2Frun%2Fldapi).
          - Of several the first that answers is taken, for the whole run.
        type: list
        elements: str
        required: true
      bind_dn:
        description: The distinguished name of the account.
        type: str
      auth:
        description:
          - How to log in. V(simple) takes C(bind_dn) and the password, V(external) who the operating system says that we are, over
            C(ldapi://), V(anonymous) nothing.
        type: str
        choices: [simple, external, anonymous]
        default: simple
      password:
        description:
          - The password of the account. It is stored encrypted and never shown. It has at least four characters.
          - The same password again is no change. When neither it nor C(password_from) is given, what is stored is kept.
          - An empty text removes the stored password.
        type: str
      password_from:
        description: Where the password is found when a job runs, on the host that runs it. Give one of the two.
        type: dict
        suboptions:
          env:
            description: The name of an environment variable.
            type: str
          file:
            description: The path of a file that holds the password and is not readable by everybody.
            type: path
      base_dn:
        description: The distinguished name below which everything lies. What the server says unless it is given.
        type: str
      start_tls:
        description: Encrypts a connection to an C(ldap://) address before anything is said.
        type: bool
        default: false
      ca_cert:
        description: A file with the certificate of the authority that signed the server's. The certificates of the system unless it is given.
        type: path
      cert_validation:
        description: Whether the certificate of the server is checked. V(ignore) lets anybody listen who is in between.
        type: str
        choices: [always, ignore]
        default: always
      page_size:
        description: How many entries one answer holds, 1 to 100000. Active Directory gives 1000 at most.
        type: int
        default: 1000
      timeout:
        description: How long to wait for the server's next words, in seconds.
        type: float
        default: 30
  active_directory:
    description: An Active Directory. Jobs name the container and a filter.
    type: dict
    suboptions: &active_directory
      url:
        description:
          - A domain controller, as V(ldaps://dc1.example.com), or V(ldap://dc1.example.com) with C(start_tls).
          - Of several the first that answers is taken, for the whole run.
        type: list
        elements: str
        required: true
      username:
        description: The account, as V(sync@example.com), V(EXAMPLE\\sync) or a distinguished name.
        type: str
        required: true
      password:
        description:
          - The password of the account. It is stored encrypted and never shown. It has at least four characters.
          - The same password again is no change. When neither it nor C(password_from) is given, what is stored is kept.
          - An empty text removes the stored password.
        type: str
      password_from:
        description: Where the password is found when a job runs, on the host that runs it. Give one of the two.
        type: dict
        suboptions:
          env:
            description: The name of an environment variable.
            type: str
          file:
            description: The path of a file that holds the password and is not readable by everybody.
            type: path
      base_dn:
        description: The distinguished name below which everything lies. What the server says unless it is given.
        type: str
      start_tls:
        description: Encrypts a connection to an C(ldap://) address before anything is said.
        type: bool
        default: false
      ca_cert:
        description: A file with the certificate of the authority that signed the server's. The certificates of the system unless it is given.
        type: path
      cert_validation:
        description: Whether the certificate of the server is checked. V(ignore) lets anybody listen who is in between.
        type: str
        choices: [always, ignore]
        default: always
      page_size:
        description: How many entries one answer holds, 1 to 100000. Active Directory gives 1000 at most.
        type: int
        default: 1000
      timeout:
        description: How long to wait for the server's next words, in seconds.
        type: float
        default: 30
  providers:
    description:
      - Several declarations in one task, each with the options of a single one. All are carried out or none.
      - Cannot be given together with the options of a single declaration.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the provider.
        type: str
        required: true
      state:
        description: Whether the provider should exist.
        type: str
        choices: [present, absent]
        default: present
      new_name:
        description: Renames the provider. Jobs that use it follow.
        type: str
      force:
        description: With C(state=absent), deletes the jobs and smart groups that use the provider, too.
        type: bool
        default: false
      csv:
        description: A text file with one record a line and delimited fields.
        type: dict
        suboptions: *csv
      excel:
        description: An Excel workbook (C(.xlsx)).
        type: dict
        suboptions: *excel
      sql:
        description: A database.
        type: dict
        suboptions: *sql
      ldap:
        description: An LDAP directory.
        type: dict
        suboptions: *ldap
      active_directory:
        description: An Active Directory.
        type: dict
        suboptions: *active_directory
seealso:
  - module: lockstep.sync.provider_info
  - module: lockstep.sync.job
"""

EXAMPLES = r"""
- name: Declare a CSV file
  lockstep.sync.provider:
    name: hr
    csv:
      path: /srv/hr/people.csv
      delimiter: ";"
      encoding: cp1252

- name: Declare a database with a password from the vault
  lockstep.sync.provider:
    name: crm
    sql:
      url: postgresql://db.example.com/crm
      username: sync
      password: "{{ vault_crm_password }}"

- name: Declare a database whose password is read from a file when a job runs
  lockstep.sync.provider:
    name: crm
    sql:
      url: postgresql://db.example.com/crm
      username: sync
      password_from:
        file: /etc/lockstep/crm.password

- name: Declare an LDAP directory
  lockstep.sync.provider:
    name: directory
    ldap:
      url:
        - ldaps://ldap1.example.org
        - ldaps://ldap2.example.org
      bind_dn: cn=sync,ou=services,dc=example,dc=org
      password: "{{ vault_ldap_password }}"
      base_dn: dc=example,dc=org
      ca_cert: /etc/ssl/example-ca.pem

- name: Declare an Active Directory
  lockstep.sync.provider:
    name: ad
    active_directory:
      url: ldaps://dc1.example.com
      username: sync@example.com
      password_from:
        env: AD_SYNC_PASSWORD

- name: Declare several providers in one task
  lockstep.sync.provider:
    providers:
      - name: phones
        excel:
          path: /srv/facility/phones.xlsx
      - name: archive
        sql:
          url: sqlite:////var/lib/archive/archive.db
      - name: old-archive
        state: absent

- name: Show what a change would do
  lockstep.sync.provider:
    name: hr
    csv:
      path: /srv/hr/staff.csv
  check_mode: true
  diff: true

- name: Rename a provider
  lockstep.sync.provider:
    name: crm
    new_name: customers

- name: Delete a provider that no job uses
  lockstep.sync.provider:
    name: archive
    state: absent
"""

RETURN = r"""
provider:
  description: The provider afterwards, with all defaults filled in; none when it does not exist.
  returned: success, when O(providers) is not given
  type: dict
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
        password: "********"
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
providers:
  description: What became of each declaration.
  returned: success, when O(providers) is given
  type: list
  elements: dict
  contains:
    name:
      description: The name afterwards.
      returned: always
      type: str
      sample: phones
    state:
      description: V(present) or V(absent).
      returned: always
      type: str
      sample: present
    changed:
      description: Whether the provider was changed, or in check mode would be.
      returned: always
      type: bool
      sample: true
error:
  description: What kind of error made the task fail.
  returned: failure
  type: dict
  contains:
    code:
      description: A stable word, such as V(config), V(store) or V(dependency).
      returned: always
      type: str
      sample: config
msg:
  description: One sentence that says what happened, or what is wrong and what to do.
  returned: always
  type: str
  sample: The provider 'crm' was created.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.arguments import (
    declaring_arguments,
    provider_arguments,
    with_bulk,
)
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.declaring import declared_result
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.requests import entries, provider_request
from ansible_collections.lockstep.sync.plugins.module_utils._model.endpoints import PROVIDER_TYPES
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declare_provider import declare_providers


def declare(call: Call) -> Result:
    """Carry out the declarations of the task."""
    requests = [provider_request(entry) for entry in entries(call.params, "providers")]
    declared = declare_providers(call.store, requests)
    return declared_result("provider", declared, bulk=call.params["providers"] is not None, check=call.check)


def main() -> None:
    """Run as an Ansible module."""
    one = {**declaring_arguments(), **provider_arguments()}
    run_module(with_bulk("providers", one, mutually_exclusive=[list(PROVIDER_TYPES)]), declare)


if __name__ == "__main__":
    main()
