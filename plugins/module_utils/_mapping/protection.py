# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile `protect` of an object at a table or file: an expression on `destination`. At a directory it is a filter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from .._model.compiled import Protection
from .._model.errors import unknown
from .._model.jobs import ObjectSpec
from .context import MappingContext, Place
from .expressions import Expressions


def compile_protection(spec: ObjectSpec, context: MappingContext, fields: Collection[str]) -> Protection | None:
    """Compile `protect` of `spec`, None when it has none.

    Args:
        spec: an object whose destination is no directory.
        context: the job, machine, environment and time.
        fields: the names of the destination's fields.

    Raises ConfigError that names the object, and DependencyError when Jinja2 is missing.
    """
    if spec.protect is None:
        return None
    place = Place(object=spec.name, step="protect")
    expressions = Expressions(context, context.clock().astimezone(dt.timezone.utc).replace(microsecond=0))
    parsed = expressions.parse_protect(spec.protect, place)
    for name in parsed.fields:
        if name not in fields:
            raise place.config_error(unknown("destination field", name, fields))
    needed = tuple(dict.fromkeys((*fields, *parsed.fields))) if parsed.whole else parsed.fields
    positions = {name: position for position, name in enumerate(needed)}
    return Protection(fields=needed, matches=expressions.compile_protect(spec.protect, positions, place))
