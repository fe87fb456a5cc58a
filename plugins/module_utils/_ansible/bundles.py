# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of `bundle_export` and `bundle_import`."""

from __future__ import annotations

import os
import re
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .._model.bundles import SHORTEST_PASSPHRASE
from .._model.errors import ConfigError
from .._model.secrets import Secret
from .._operations.bundle_conflicts import ON_CONFLICT
from .._operations.bundle_graph import NamedFile, SecretPlace
from .._operations.bundle_noun import Means
from .._operations.bundle_yaml import MAX_BYTES
from .._operations.export_bundle import ExportRequest, export_bundle
from .._operations.import_bundle import Imported, ImportedObject, import_bundle, open_bundle
from .._store.secrets import resolve
from .arguments import secret_arguments
from .diffs import diff_blocks
from .frame import Call, Result
from .identity import actor_of
from .machine import mapping_checker, this_process
from .requests import passphrase_given

_MODE = re.compile(r"0[0-7]{3}", re.ASCII)
SHOWN = 10
"""How many places a warning names."""


def export_arguments() -> dict[str, t.Any]:
    """Give the argument spec of `bundle_export`."""
    names = {"type": "list", "elements": "str", "default": []}
    return {
        "argument_spec": {
            "path": {"type": "path", "required": True},
            "jobs": names,
            "collections": names,
            "workflows": {"type": "bool", "default": False},
            **secret_arguments("passphrase"),
            "secrets": {"type": "str", "choices": ["encrypt", "omit"], "default": "encrypt"},
            "mode": {"type": "str", "default": "0600"},
        },
        "mutually_exclusive": [["passphrase", "passphrase_from"]],
        "required_if": [("secrets", "encrypt", ("passphrase", "passphrase_from"), True)],
    }


def import_arguments() -> dict[str, t.Any]:
    """Give the argument spec of `bundle_import`."""
    return {
        "argument_spec": {
            "path": {"type": "path"},
            # Not to be shown, and not to be written into logs: it is long.
            "content": {"type": "str", "no_log": True},
            **secret_arguments("passphrase"),
            "on_conflict": {"type": "str", "choices": list(ON_CONFLICT), "default": "fail"},
        },
        "mutually_exclusive": [["passphrase", "passphrase_from"], ["path", "content"]],
        "required_one_of": [["path", "content"]],
    }


def export(call: Call) -> Result:
    """Write a bundle."""
    params = call.params
    if _MODE.fullmatch(params["mode"]) is None:
        raise ConfigError(
            f'mode: got {params["mode"]!r}. Give permissions as four octal digits in quotes, such as "0600".'
        )
    passphrase = _passphrase(call, "bundle_export")
    if params["secrets"] == "omit" and passphrase is not None:
        raise ConfigError(
            "bundle_export: `passphrase` does not go with `secrets: omit`, which encrypts nothing. Leave one out."
        )
    request = ExportRequest(
        path=Path(params["path"]).absolute(),
        roots={"jobs": params["jobs"], "collections": params["collections"]},
        workflows=params["workflows"],
        passphrase=passphrase,
        mode=int(params["mode"], 8),
    )
    exported = export_bundle(
        call.store,
        request,
        check=call.check,
        random_bytes=os.urandom,
        protect=lambda secret: call.protect(secret.reveal()),
    )
    count = _counted(len(exported.items), "object")
    written = f"{'would be' if call.check else 'was'} written with" if exported.changed else "has"
    warnings = list(exported.warnings)
    if exported.files:
        warnings.append(
            f"The bundle holds the paths of files, not the files: {_paths(exported.files)}. Copy those that are needed "
            "to the host that imports it."
        )
    return Result(
        msg=f"The bundle {request.path} {written} {count}.",
        changed=exported.changed,
        values={
            "bundle": str(request.path),
            "objects": [
                {"noun": noun, "name": item.name} for noun, item in zip(exported.nouns, exported.items, strict=True)
            ],
            "missing_secrets": _secrets(exported.missing_secrets),
            "files": exported.files,
        },
        diff=diff_blocks("bundle,", exported.differences),
        warnings=warnings,
    )


def import_(call: Call) -> Result:
    """Declare what a bundle holds."""
    params = call.params
    where = "bundle_import, content" if params["path"] is None else f"bundle {params['path']}"
    data = _read(Path(params["path"])) if params["path"] is not None else _encode(params["content"])
    bundle = open_bundle(
        data,
        _passphrase(call, "bundle_import"),
        where=where,
        protect=lambda secret: call.protect(secret.reveal()),
    )
    means = Means(
        holder=this_process("the import of a bundle"),
        check_mapping=mapping_checker(call.clock),
        actor=actor_of(call, "user", None),
        now=call.clock(),
    )
    imported = import_bundle(call.store, bundle, params["on_conflict"], means)
    return Result(
        msg=_import_message(imported.objects, check=call.check),
        changed=any(each.changed for each in imported.objects),
        values={
            "objects": [
                {
                    "noun": each.noun,
                    "name": each.name,
                    "imported_as": each.imported_as,
                    "state": each.state,
                    "changed": each.changed,
                }
                for each in imported.objects
            ],
            "missing_secrets": _secrets(imported.missing_secrets),
            "files": imported.files,
        },
        diff=diff_blocks("bundle,", [_Shown(imported=each) for each in imported.objects]),
        warnings=_import_warnings(imported),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shown:
    """An imported object as diffs show it."""

    imported: ImportedObject

    @property
    def name(self) -> str:
        return f"{self.imported.noun.replace('_', ' ')} {self.imported.imported_as}"

    @property
    def changed(self) -> bool:
        return self.imported.changed

    @property
    def before(self) -> t.Mapping[str, t.Any] | None:
        return self.imported.before

    @property
    def after(self) -> t.Mapping[str, t.Any] | None:
        return self.imported.after


def _import_message(objects: Sequence[ImportedObject], *, check: bool) -> str:
    count = _counted(len(objects), "object")
    if not any(each.changed for each in objects):
        return f"{count} of the bundle are in the store already." if len(objects) != 1 else f"{count} is there already."
    states = ("created", "replaced", "renamed", "unchanged")
    counts = {state: sum(each.state == state for each in objects) for state in states}
    listed = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    return f"{count} of the bundle {'would be' if check else 'were'} imported: {listed}."


def _import_warnings(imported: Imported) -> list[str]:
    warnings = list(imported.warnings)
    if imported.missing_secrets:
        places = [f"{each.option} of {each.noun.replace('_', ' ')} {each.name!r}" for each in imported.missing_secrets]
        warnings.append(
            f"The bundle was exported without these secrets, and the store has none either: {_some(places)}. Declare "
            "them before the jobs run."
        )
    missing = [each for each in imported.files if not Path(each.path).exists()]
    if missing:
        warnings.append(f"These files, which the bundle names, are not on this host: {_paths(missing)}.")
    return warnings


def _passphrase(call: Call, module: str) -> Secret | None:
    """Give the passphrase of the task. Raises ConfigError for one that is too short to protect anything."""
    given = passphrase_given(call.params)
    if given is None:
        return None
    passphrase = resolve(given, f"{module}, option passphrase", os.environ)
    call.protect(passphrase.reveal())
    if len(passphrase.reveal()) < SHORTEST_PASSPHRASE:
        raise ConfigError(
            f"{module}: `passphrase` must have at least {SHORTEST_PASSPHRASE} characters. Take a longer one."
        )
    return passphrase


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"path: {str(path)!r} cannot be read: {error.strerror}. Give the path of a bundle on the host where this "
            "module runs, or its text as `content`."
        ) from None


def _encode(content: str) -> bytes:
    return content.encode("utf-8", "surrogatepass")


def _secrets(places: Sequence[SecretPlace]) -> list[dict[str, str]]:
    return [{"noun": each.noun, "name": each.name, "option": each.option} for each in places]


def _paths(files: Sequence[NamedFile]) -> str:
    return _some(list(dict.fromkeys(each.path for each in files)))


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
