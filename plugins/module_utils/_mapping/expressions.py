# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run checked expressions: the transform `expression` and the object's `when`."""

from __future__ import annotations

import datetime as dt
import operator
import typing as t
from collections.abc import Callable, Mapping
from functools import partial

from .._model.errors import ConfigError, RecordError
from .._model.values import Row, Value, is_empty, show
from .analysis import DESTINATION_NAMES, NAMES, RESULT, ParsedExpression, parse_expression
from .context import MappingContext, Place, TextRowView, skip_record
from .results import to_value
from .sandbox import Sandbox, make_sandbox, safe_range

Evaluate: t.TypeAlias = Callable[[Value, Row], t.Any]

_REMEMBERED = 16_384
_REMEMBERED_SIZE = 1_000
_SHOWN_FIELDS = 5


class Expressions:
    """All expressions of one object. Jinja2 is imported for the first one. Not for several threads at once."""

    def __init__(self, context: MappingContext, now: dt.datetime) -> None:
        self._context = context
        self._now = now
        self._sandbox: Sandbox | None = None
        self._parsed: dict[tuple[str, tuple[str, ...]], ParsedExpression] = {}

    def parse(self, text: str, place: Place, *, has_value: bool = True) -> ParsedExpression:
        """Give the expression `text` about a source record, checked. Raises ConfigError and DependencyError."""
        return self._parse(text, place, (*NAMES, "value") if has_value else NAMES)

    def parse_protect(self, text: str, place: Place) -> ParsedExpression:
        """Give the expression `text` about a destination record, checked. Raises ConfigError and DependencyError."""
        return self._parse(text, place, DESTINATION_NAMES)

    def _parse(self, text: str, place: Place, names: tuple[str, ...]) -> ParsedExpression:
        known = self._parsed.get((text, names))
        if known is None:
            if self._sandbox is None:
                self._sandbox = make_sandbox()
            try:
                known = parse_expression(text, self._sandbox, names=names)
            except ConfigError as error:
                raise place.config_error(error.message) from None
            self._parsed[text, names] = known
        return known

    def compile_step(self, text: str, positions: Mapping[str, int], place: Place) -> Callable[[Value, Row], Value]:
        """Give the function (value so far, row) -> value of an `expression` step."""
        parsed = self.parse(text, place)
        return self._compile(parsed, positions, place, to_value)

    def compile_when(self, text: str, positions: Mapping[str, int], place: Place) -> Callable[[Row], bool]:
        """Give the function row -> bool of an object's `when`."""
        parsed = self.parse(text, place, has_value=False)
        return partial(self._compile(parsed, positions, place, _to_bool), None)

    def compile_protect(self, text: str, positions: Mapping[str, int], place: Place) -> Callable[[Row], bool]:
        """Give the function row -> bool of an object's `protect`; rows are those of the destination."""
        return partial(self._compile(self.parse_protect(text, place), positions, place, _to_bool), None)

    def _compile(
        self, parsed: ParsedExpression, positions: Mapping[str, int], place: Place, convert: Callable[[t.Any], t.Any]
    ) -> Evaluate:
        evaluate = self._evaluator(parsed, positions, place, convert)
        return evaluate if parsed.whole else _remember(evaluate, parsed, positions)

    def _evaluator(
        self, parsed: ParsedExpression, positions: Mapping[str, int], place: Place, convert: Callable[[t.Any], t.Any]
    ) -> Evaluate:
        # `parse` made the sandbox.
        sandbox = t.cast("Sandbox", self._sandbox)
        refill, undefined = sandbox.budget.refill, sandbox.budget.undefined
        view = TextRowView(positions, (), parsed.record)
        scope: dict[str, t.Any] = {
            parsed.record: view,
            "value": "",
            "context": {"job": self._context.job, "object": self._context.object},
            "skip": skip_record,
            "now": lambda: self._now,
            "range": safe_range,
        }
        # One context for all records: making one costs more than most expressions.
        context = parsed.template.new_context(scope, shared=True)
        render, variables = parsed.template.root_render_func, context.vars

        def evaluate(value: Value, row: Row) -> t.Any:
            view.row = row
            scope["value"] = "" if value is None else value
            refill()
            try:
                tuple(render(context))  # runs it; an assignment gives no text
                result = variables[RESULT]
                if isinstance(result, undefined):
                    str(result)  # raises what is missing
                return convert(result)
            except RecordError as error:
                reason = error.message
            except Exception as error:
                if not isinstance(error, sandbox.mistakes):
                    raise
                reason = (str(error) or type(error).__name__)[:500]
            read = _read_values(parsed, positions, value, row)
            raise place.record_error(f"{reason.rstrip('.')}. The expression is {show(parsed.text)}{read}.")

        return evaluate


def _read_values(parsed: ParsedExpression, positions: Mapping[str, int], value: Value, row: Row) -> str:
    read = [("value", value)] if parsed.uses_value else []
    read += [(f"{parsed.record}.{name}", row[positions[name]]) for name in parsed.fields[:_SHOWN_FIELDS]]
    return f", {', '.join(f'{name} = {show(part)}' for name, part in read)}" if read else ""


def _to_bool(result: t.Any) -> bool:
    if isinstance(result, bool):
        return result
    got = show(result if isinstance(result, (str, bytes)) else str(result))
    raise ValueError(
        f"the condition must give true or false, it gave {got}. Compare it with something, or use `| bool`"
    )


def _remember(evaluate: Evaluate, parsed: ParsedExpression, positions: Mapping[str, int]) -> Evaluate:
    """Give `evaluate` with a memory of its last results: an expression gives the same for the same values.

    Errors and skipped records are not remembered; long values neither.
    """
    read: Callable[[Row], t.Any] = (
        operator.itemgetter(*(positions[name] for name in parsed.fields)) if parsed.fields else lambda _row: None
    )
    uses_value = parsed.uses_value
    memory: dict[t.Any, t.Any] = {}
    size = _size

    def evaluate_once(value: Value, row: Row) -> t.Any:
        key = (value, read(row)) if uses_value else read(row)
        try:
            return memory[key]
        except KeyError:
            pass
        result = evaluate(value, row)
        if size(key) + size(result) <= _REMEMBERED_SIZE:
            if len(memory) >= _REMEMBERED:
                memory.clear()
            memory[key] = result
        return result

    return evaluate_once


def _size(value: t.Any) -> int:
    if isinstance(value, tuple):
        return sum(map(_size, value)) + len(value)
    return 1 if isinstance(value, bool) or is_empty(value) else len(value)
