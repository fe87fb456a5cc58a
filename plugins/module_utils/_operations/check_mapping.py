# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the faults of a mapping when the job is declared, not when it runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping

from .._model.errors import ConfigError
from .._model.jobs import DIRECTORIES, JobSpec, ObjectSpec, ProviderType


def check_mapping(
    spec: JobSpec,
    destination_type: ProviderType,
    *,
    computer_name: str,
    environ: Mapping[str, str],
    clock: Callable[[], dt.datetime],
) -> None:
    """Compile the mapping of every object, and what it protects, and throw it away. Systems are not touched, so names
    of fields are not checked.

    Raises:
        ConfigError: naming job, object, field and step of a bad expression, pattern, format or function file.
        DependencyError: an expression needs a library that is not installed.
    """
    for item in spec.objects:
        if not needs_compiling(item):
            continue
        # Loaded only now: most declarations change nothing, and plain copies have nothing to compile.
        from .._mapping.compiler import compile_object
        from .._mapping.context import MappingContext
        from .._mapping.protection import compile_protection

        context = MappingContext(
            job=spec.name, object=item.name, computer_name=computer_name, environ=environ, clock=clock
        )
        try:
            compile_object(item, context, AnyField())
            if destination_type not in DIRECTORIES:
                compile_protection(item, context, AnyField())
        except ConfigError as error:
            raise ConfigError(f"job {spec.name!r}, {error.message}") from None


class AnyField(Collection[str]):
    """The fields of a source that nobody has looked at yet: whatever name is asked for is there."""

    def __init__(self) -> None:
        self._asked: dict[str, None] = {}

    def __contains__(self, name: object) -> bool:
        self._asked[str(name)] = None
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._asked)

    def __len__(self) -> int:
        return len(self._asked)


def needs_compiling(item: ObjectSpec) -> bool:
    """Tell whether the mapping of the object is more than plain copies."""
    computes = any(field.transform for field in item.fields)
    return item.when is not None or item.create_in is not None or item.protect is not None or computes
