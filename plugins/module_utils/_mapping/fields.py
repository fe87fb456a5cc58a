# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One compiled field: where its value starts, its steps, and how it explains itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from .._model import jobs
from .._model.compiled import FieldTrace, StepTrace
from .._model.errors import RecordError, SkipRecord
from .._model.plans import PlannedValue
from .._model.secrets import MASK, GeneratedPassword
from .._model.values import SHOWN_LENGTH, Row, Value, show
from .steps import Apply, step_name

Start = Callable[[Row], Value]


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledField:
    """One destination field.

    Attributes:
        source: gives the value as it is at the source; None when the field has no `source`.
        start: gives the value the steps start with (split at the delimiter).
        steps: each step's playbook form and its function.
        password: what stands in for the value, when it is a password.
        plain_position: the place of the value in the source row, when the field is a plain copy.
        get: source row -> the field's value. Raises SkipRecord, RecordError.
    """

    name: str
    source: Start | None
    start: Start
    steps: tuple[tuple[str, Apply], ...]
    password: GeneratedPassword | None = None
    plain_position: int | None = None
    get: Callable[[Row], PlannedValue]

    def explain(self, row: Row) -> FieldTrace:
        """Give how the value comes about; texts are cut for reading, a password is masked."""
        source = "" if self.source is None else show(self.source(row))
        traces: list[StepTrace] = []
        result = error = ""
        try:
            value = self.start(row)
            for form, apply in self.steps:
                value = apply(value, row)
                traces.append(StepTrace(step=form, value=MASK if self.password else show(value)))
            final = value if self.plain_position is not None else value or None
            result = MASK if self.password else show(final)
        except SkipRecord as skip:
            error = f"skipped: {skip.message}"
        except RecordError as failure:
            error = failure.message
        return FieldTrace(field=self.name, source=source, steps=tuple(traces), result=result, error=error)


def playbook_form(step: jobs.Step) -> str:
    """Give the step as it stands in a playbook, cut for reading: `left: {length: 3}`."""
    name = step_name(step)
    if isinstance(step, jobs.Password):
        return name
    given = {
        option.name.rstrip("_"): value
        for option in dataclasses.fields(step)
        if (value := getattr(step, option.name)) is not None and option.name != "has_default"
    }
    if isinstance(step, jobs.Function):
        form = f"{name}: {step.path}:{step.name}"
    elif len(given) == 1 and not isinstance(step, (jobs.Join, jobs.Left, jobs.Right, jobs.Split, jobs.MapValues)):
        form = f"{name}: {next(iter(given.values()))}"
    elif not given:
        form = f"{name}: true"
    else:
        form = f"{name}: {{{', '.join(f'{option}: {_shown(value)}' for option, value in given.items())}}}"
    return form if len(form) <= 2 * SHOWN_LENGTH else f"{form[: 2 * SHOWN_LENGTH]}..."


def _shown(value: object) -> str:
    return str(list(value)) if isinstance(value, tuple) else repr(value)
