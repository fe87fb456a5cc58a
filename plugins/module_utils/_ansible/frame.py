# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of every module: options in, one call with an open store, result out. Nothing below knows AnsibleModule."""

from __future__ import annotations

import datetime as dt
import os
import re
import traceback
import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from .._model.errors import LockedError, LockstepError, ProviderError
from .._model.secrets import MASK, Secret, redact
from .._store.address import StoreAddress
from .._store.paths import default_store_url
from .._store.store import Store, open_store
from .arguments import store_arguments
from .results import MAX_BYTES, json_safe, redact_messages, shrink, size_of

HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
MAX_INVOCATION_BYTES = 4_000
MAX_WARNINGS = 10
URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s]*@")


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """What a module works with.

    Attributes:
        params: the options as Ansible checked them; only the functions that build typed requests read them.
        check: nothing may be changed.
        store: the open state store; in check mode a rehearsal.
        address: where the store is.
        clock: gives the present, with time zone.
        protect: told every secret that was resolved, so that no message shows it.
    """

    params: Mapping[str, t.Any]
    check: bool
    store: Store
    address: StoreAddress
    clock: Callable[[], dt.datetime]
    protect: Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a module gives back. `values` are its documented return values; `diff` is shown when asked for.

    With `failed` the task fails with `msg`, and the values are returned all the same.
    """

    msg: str
    changed: bool = False
    failed: bool = False
    values: Mapping[str, t.Any] = field(default_factory=dict)
    diff: Mapping[str, t.Any] | Sequence[Mapping[str, t.Any]] | None = None
    warnings: Sequence[str] = ()


def run_module(
    spec: Mapping[str, t.Any],
    work: Callable[[Call], Result],
    *,
    reads_only: bool = False,
    writes_in_check: Callable[[Mapping[str, t.Any]], bool] = lambda _params: False,
) -> None:
    """Be an Ansible module.

    Args:
        spec: `argument_spec` without the store's options, and other rules of AnsibleModule.
        work: does everything. Its LockstepErrors become a failed task with `error.code`.
        reads_only: the module changes nothing, so a missing store is not made, nor an older one changed.
        writes_in_check: whether the store is written to in check mode, too, by the options.
    """
    arguments = {**spec["argument_spec"], **store_arguments()}
    module = AnsibleModule(**{**spec, "argument_spec": arguments, "supports_check_mode": True})
    rehearses = reads_only or (module.check_mode and not writes_in_check(module.params))
    _finish(module, _outcome(module, work, create=not rehearses))


def protect(module: AnsibleModule, secret: str) -> None:
    """Tell `module` a secret that was resolved while it runs, so that no message shows it."""
    if secret:
        module.no_log_values.add(secret)


def _outcome(module: AnsibleModule, work: Callable[[Call], Result], *, create: bool) -> Result:
    """Do the work; an error becomes a failed result here, so that Ansible never formats an exception: it masks none."""
    try:
        return _call(module, work, create=create)
    except LockstepError as error:
        return Result(msg=error.message, failed=True, values={"error": _describe(error)})
    except Exception as error:  # noqa: BLE001 - the outermost layer: a fault of ours still has to end as a clear failure
        place = traceback.extract_tb(error.__traceback__)[-1]
        message = (
            f"Unexpected error in lockstep.sync, please report it: {type(error).__name__}: {error} "
            f"({Path(place.filename).name}, line {place.lineno}, in {place.name})"
        )
        return Result(msg=message, failed=True, values={"error": {"code": "unexpected"}})


def _call(module: AnsibleModule, work: Callable[[Call], Result], *, create: bool) -> Result:
    address = _store_address(module.params)

    def clock() -> dt.datetime:
        return dt.datetime.now(dt.timezone.utc)

    with open_store(address, create=create, clock=clock) as store:
        return work(
            Call(
                params=module.params,
                check=module.check_mode,
                store=store,
                address=address,
                clock=clock,
                protect=lambda secret: protect(module, secret),
            )
        )


def _store_address(params: Mapping[str, t.Any]) -> StoreAddress:
    password = params["store_password"]
    return StoreAddress(
        url=params["store"] or default_store_url(os.environ, os.geteuid()),
        password=Secret(password) if password else None,
        key_file=params["store_key_file"],
    )


def _describe(error: LockstepError) -> dict[str, t.Any]:
    described: dict[str, t.Any] = {"code": error.code}
    if isinstance(error, ProviderError):
        described["retriable"] = error.retriable
    if isinstance(error, LockedError):
        described["holder"] = error.holder
    return described


def _finish(module: AnsibleModule, result: Result) -> None:
    diff = json_safe(result.diff) if module._diff else None  # noqa: SLF001 - how modules learn of --diff
    values, left_out = shrink(
        redact_messages(json_safe(result.values), module.no_log_values), MAX_BYTES - (size_of(diff) if diff else 0)
    )
    if left_out:
        values["truncated"] = left_out
        lists = ", ".join(f"{place}: {count}" for place, count in left_out.items())
        module.warn(f"The result was cut to stay below 64 kB. Left out: {lists}.")
    if diff is not None:
        values["diff"] = diff
    for warning in result.warnings[:MAX_WARNINGS]:
        module.warn(redact(warning, module.no_log_values))
    if len(result.warnings) > MAX_WARNINGS:
        module.warn(f"{len(result.warnings) - MAX_WARNINGS} more warnings are left out.")
    values["changed"] = result.changed
    message = redact(json_safe(result.msg), module.no_log_values)
    invocation = _take_over_masking(module)
    if result.failed:
        module.fail_json(msg=message, invocation=invocation, **values)
    module.exit_json(msg=message, invocation=invocation, **values)


def _take_over_masking(module: AnsibleModule) -> dict[str, t.Any]:
    """Give the options as they may be shown, and stop Ansible from masking the rest of the result.

    Ansible replaces the text of a secret wherever it stands: a password `people` would garble the name of every object
    of that name. Results hold no secrets by construction, and messages are redacted before.
    """
    shown = _without_secrets(module.params, module.argument_spec)
    for name, value in shown.items():
        if isinstance(value, (list, dict)) and size_of(json_safe(value)) > MAX_INVOCATION_BYTES:
            shown[name] = f"({len(value)} entries, left out)"
    module.no_log_values.clear()
    return {"module_args": json_safe(shown)}


def _without_secrets(params: Mapping[str, t.Any], arguments: Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {name: _shown(value, arguments.get(name, {})) for name, value in params.items()}


def _shown(value: t.Any, argument: Mapping[str, t.Any]) -> t.Any:
    if value is None:
        return None
    if argument.get("no_log"):
        return HIDDEN
    options = argument.get("options")
    if options and isinstance(value, dict):
        return _without_secrets(value, options)
    if options and isinstance(value, list):
        return [_without_secrets(entry, options) for entry in value]
    # A password inside a URL is refused, but the message that says so must not be followed by the URL itself.
    return URL_PASSWORD.sub(rf"\1{MASK}@", value) if isinstance(value, str) else value
