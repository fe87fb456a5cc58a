# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store with something of every noun that a bundle holds, and exports and imports in one call."""

from __future__ import annotations

import datetime as dt
import itertools
import typing as t
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.lockstep.sync.plugins.module_utils._model.approvals import Actor
from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import effective_job
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._operations.bundle_conflicts import OnConflict
from ansible_collections.lockstep.sync.plugins.module_utils._operations.bundle_noun import BundleNoun, Means
from ansible_collections.lockstep.sync.plugins.module_utils._operations.bundle_nouns import NOUNS
from ansible_collections.lockstep.sync.plugins.module_utils._operations.bundle_sealing import COSTS
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declare_job import JobRequest, declare_jobs
from ansible_collections.lockstep.sync.plugins.module_utils._operations.declare_provider import (
    ProviderRequest,
    declare_providers,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.export_bundle import (
    Exported,
    ExportRequest,
    export_bundle,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.import_bundle import (
    Imported,
    import_bundle,
    open_bundle,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.job_templates import (
    TemplateRequest,
    declare_job_templates,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.smart_groups import (
    SmartGroupRequest,
    declare_smart_groups,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.workflows import (
    WorkflowRequest,
    declare_workflows,
)
from ansible_collections.lockstep.sync.plugins.module_utils._store.locks import Holder

if t.TYPE_CHECKING:
    from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

PASSPHRASE = "correct horse"  # not a secret
PASSWORD = "directory-s3cret"
HOLDER = Holder(host="host", pid=1, boot_id="boot", label="test")
MEANS = Means(
    holder=HOLDER,
    check_mapping=lambda _spec, _destination: None,
    actor=Actor(person="admin"),
    now=dt.datetime(2026, 11, 21, tzinfo=dt.timezone.utc),
)
HR = {"csv": {"path": "/srv/hr.csv"}}
TREE = {"ldap": {"url": ["ldap://directory"], "base_dn": "dc=example", "bind_dn": "cn=admin,dc=example"}}
ERP = {"sql": {"url": "sqlite:////srv/erp.db"}}
KEY = {"name": "uid", "source": "id", "key": True}
SCRIPT = {"name": "sn", "source": "name", "transform": [{"function": "/srv/names.py:family"}]}
PEOPLE = {"name": "people", "type": "inetOrgPerson", "fields": [KEY, SCRIPT]}


def fill(store: Store) -> None:
    """Declare three providers with secrets of each kind, a smart group, a template, two jobs and two workflows."""
    provider(store, "hr", HR)
    provider(store, "tree", TREE, password=Secret(PASSWORD))
    provider(store, "erp", ERP, password=SecretReference(kind="file", name="/etc/erp"))
    provider(store, "unused", HR)
    smart_group(store, "bern")
    job_template(store, "joiners")
    people = {
        "template": "joiners",
        "source": {"provider": "hr"},
        "destination": {"provider": "tree", "container": "ou=people,dc=example"},
        "smart_groups": ["bern"],
        # What the template says otherwise, put back to the default: the normal form does not have it.
        "limits": {"deletes": "10% above 10"},
        "description": "One line\nand another",
    }
    job(store, "people", people)
    rooms = {"source": {"provider": "hr"}, "destination": {"provider": "erp", "table": "rooms"}}
    job(store, "rooms", {**rooms, "objects": [{"fields": [KEY]}]})
    workflow(store, "deletes", actions=["delete"])
    workflow(store, "rooms", jobs=["rooms"])


def provider(store: Store, name: str, definition: t.Any = None, **secrets: Secret | SecretReference) -> None:
    declare_providers(store, [ProviderRequest(name=name, definition=definition or HR, secrets=secrets)])


def smart_group(store: Store, name: str, **more: t.Any) -> None:
    definition = {"provider": "tree", "group": f"cn={name},dc=example", "filter": "(l=Bern)", **more}
    declare_smart_groups(store, [SmartGroupRequest(name=name, definition=definition)])


def job_template(store: Store, name: str, **more: t.Any) -> None:
    definition = {"owners": ["hr team"], "limits": {"deletes": "5"}, "objects": [PEOPLE], **more}
    declare_job_templates(store, [TemplateRequest(name=name, description="Who joins", definition=definition)])


def job(store: Store, name: str, definition: t.Any) -> None:
    request = JobRequest(name=name, definition=definition)
    declare_jobs(store, [request], holder=HOLDER, check_mapping=MEANS.check_mapping)


def workflow(store: Store, name: str, **definition: t.Any) -> None:
    declare_workflows(store, [WorkflowRequest(name=name, actor=MEANS.actor, definition=definition)])


def export(
    store: Store,
    path: Path,
    *,
    passphrase: str | None = PASSPHRASE,
    check: bool = False,
    workflows: bool = False,
    mode: int = 0o600,
    nouns: Sequence[BundleNoun] = NOUNS,
    **roots: Sequence[str],
) -> Exported:
    """Export to `path` at the least cost."""
    numbers = itertools.count()
    return export_bundle(
        store,
        ExportRequest(
            path=path,
            roots=roots,
            workflows=workflows,
            passphrase=None if passphrase is None else Secret(passphrase),
            mode=mode,
        ),
        check=check,
        random_bytes=lambda size: next(numbers).to_bytes(size, "big"),
        nouns=nouns,
        cost=COSTS[0],
    )


def bring_in(
    store: Store,
    data: bytes | Path,
    on_conflict: OnConflict = "fail",
    *,
    passphrase: str | None = PASSPHRASE,
    means: Means = MEANS,
    nouns: Sequence[BundleNoun] = NOUNS,
) -> Imported:
    """Import a bundle."""
    content = data.read_bytes() if isinstance(data, Path) else data
    secret = None if passphrase is None else Secret(passphrase)
    bundle = open_bundle(content, secret, where="bundle x", nouns=nouns)
    return import_bundle(store, bundle, on_conflict, means, nouns=nouns)


def states(imported: Imported) -> dict[str, str]:
    """Give what became of each object: `{"job people": "renamed people (2)"}`, the name only when it is another one."""
    return {
        f"{each.noun} {each.name}": each.state + (f" {each.imported_as}" if each.imported_as != each.name else "")
        for each in imported.objects
    }


def names(exported: Exported) -> list[str]:
    return [f"{noun} {item.name}" for noun, item in zip(exported.nouns, exported.items, strict=True)]


def everything(store: Store) -> dict[str, t.Any]:
    """Give all that a store has declared, with secrets in clear and jobs as they take effect."""
    found: dict[str, t.Any] = {}
    for noun in NOUNS:
        for item in noun.stored(store):
            definition = effective_job(item.name, item.definition) if noun.section == "jobs" else item.definition
            secrets = {
                option: secret if isinstance(secret, SecretReference) else t.cast("t.Any", secret).reveal().reveal()
                for option, secret in item.secrets.items()
            }
            found[f"{noun.module} {item.name}"] = (definition, secrets)
    return found
