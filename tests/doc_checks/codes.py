# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the stable codes that plugins give to errors, problems and outcomes, by reading their source.

A code is what is handed to a parameter or dataclass field called `code` that takes text, what an error class has as its
`code`, and what a result has under `"code"`. Each is followed back to the literals it can be; one that cannot be
followed is told, so that no code escapes by being written in a new way.
"""

from __future__ import annotations

import ast
import typing as t
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NAMES = frozenset({"code", "reason_code", "failure_code"})
Functions: t.TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(kw_only=True, slots=True)
class Codes:
    """What was found: each code with the places that give it, and the places that nobody can follow."""

    found: dict[str, set[str]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Taker:
    """Something that is called with a code: at `position`, `required` arguments at least, `most` at most."""

    position: int | None
    required: int
    most: int

    def binds(self, call: ast.Call) -> bool:
        """Tell whether `call` can be a call of it."""
        count = len(call.args) + len(call.keywords)
        return self.required <= count <= self.most


def find_codes(root: Path) -> Codes:
    """Give the codes in all Python files below `root`."""
    files = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(root.rglob("*.py"))}
    codes = Codes()
    takers = {path: dict(_takers(tree)) for path, tree in files.items()}
    for path, tree in files.items():
        _Reader(path, root, tree, takers, codes).read()
    return codes


def _takers(tree: ast.Module) -> Iterator[tuple[str, Taker | None]]:
    """Give the functions, methods and classes of a file by name; None for those that take no code of text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            made = next((each for each in node.body if isinstance(each, Functions) and each.name == "__init__"), None)
            yield node.name, _of_fields(node) if made is None else _of_function(made)
        elif isinstance(node, Functions) and node.name != "__init__":
            yield node.name, _of_function(node)


def _is_text(annotation: ast.expr | None) -> bool:
    return annotation is not None and "str" in ast.unparse(annotation)


def _of_function(node: Functions) -> Taker | None:
    positional = [each for each in (*node.args.posonlyargs, *node.args.args) if each.arg not in ("self", "cls")]
    every = [*positional, *node.args.kwonlyargs]
    if not any(each.arg in NAMES and _is_text(each.annotation) for each in every):
        return None
    position = next((place for place, each in enumerate(positional) if each.arg in NAMES), None)
    optional = len(node.args.defaults) + sum(each is not None for each in node.args.kw_defaults)
    return Taker(position=position, required=len(every) - optional, most=len(every))


def _of_fields(node: ast.ClassDef) -> Taker | None:
    declared = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
    fields = [each for each in declared if "ClassVar" not in ast.unparse(each.annotation)]
    names = [each.target.id for each in fields if isinstance(each.target, ast.Name)]
    if not any(name in NAMES and _is_text(each.annotation) for name, each in zip(names, fields, strict=True)):
        return None
    position = next(place for place, name in enumerate(names) if name in NAMES)
    return Taker(position=position, required=sum(each.value is None for each in fields), most=len(fields))


class _Reader:
    """Reads one file."""

    def __init__(
        self,
        path: Path,
        root: Path,
        tree: ast.Module,
        takers: dict[Path, dict[str, Taker | None]],
        codes: Codes,
    ) -> None:
        self._path = path
        self._root = root
        self._tree = tree
        self._takers = takers
        self._codes = codes
        self._imported = dict(self._imports())
        self._constants = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }

    def read(self) -> None:
        """Enter what the file has."""
        self._walk(self._tree, ())

    def _imports(self) -> Iterator[tuple[str, Path]]:
        """Give the names taken from other files of ours with the file."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.ImportFrom) and node.level and node.module:
                folder = self._path.parents[node.level - 1]
                for name in node.names:
                    yield name.asname or name.name, folder.joinpath(*node.module.split(".")).with_suffix(".py")

    def _walk(self, node: ast.AST, around: tuple[Functions, ...]) -> None:
        if isinstance(node, ast.Call):
            self._call(node, around)
        elif isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.Assign | ast.AnnAssign):
                    targets = each.targets if isinstance(each, ast.Assign) else [each.target]
                    if [ast.unparse(target) for target in targets] == ["code"]:
                        self._literal(each.value)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "code":
                    self._literal(value)
        inner = (*around, node) if isinstance(node, Functions) else around
        for child in ast.iter_child_nodes(node):
            self._walk(child, inner)

    def _literal(self, value: ast.expr | None) -> None:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            self._enter(value.value, value)

    def _call(self, call: ast.Call, around: tuple[Functions, ...]) -> None:
        takers = [taker for taker in self._called(call.func) if taker is None or taker.binds(call)]
        for keyword in call.keywords:
            if keyword.arg in NAMES and takers != [None]:
                self._follow(keyword.value, around)
        for taker in takers:
            if taker is not None and taker.position is not None and taker.position < len(call.args):
                self._follow(call.args[taker.position], around)
                return

    def _called(self, function: ast.expr) -> list[Taker | None]:
        """Give what may be called here: a name is exactly one thing, so is a method of `self` that the file has, any
        other method may be each of that name.
        """
        if isinstance(function, ast.Name):
            where = self._takers.get(self._imported.get(function.id, self._path), {})
            return [where[function.id]] if function.id in where else []
        if isinstance(function, ast.Attribute):
            own = self._takers[self._path]
            if ast.unparse(function.value) == "self" and function.attr in own:
                return [own[function.attr]]
            every = (where.get(function.attr) for where in self._takers.values())
            return [taker for taker in every if taker is not None]
        return []

    def _follow(self, value: ast.expr, around: tuple[Functions, ...]) -> None:
        found = self._literals(value, around)
        if found is None:
            place = f"{self._path.relative_to(self._root)}:{value.lineno}"
            self._codes.lost.append(f"{place}: {ast.unparse(value)}")
            return
        for each in found:
            self._enter(each, value)

    def _literals(self, value: ast.expr, around: tuple[Functions, ...]) -> set[str] | None:
        """Give what a code can be; nothing for one that was made elsewhere, None when that cannot be told."""
        if isinstance(value, ast.Constant):
            return {value.value} if isinstance(value.value, str) else set()
        if isinstance(value, ast.Attribute):
            return set() if value.attr in NAMES else None
        if isinstance(value, ast.IfExp | ast.BoolOp):
            parts = [value.body, value.orelse] if isinstance(value, ast.IfExp) else value.values
            return _all(self._literals(part, around) for part in parts)
        return self._named(value.id, around) if isinstance(value, ast.Name) else None

    def _named(self, name: str, around: tuple[Functions, ...]) -> set[str] | None:
        for function in reversed(around):
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            if name in NAMES and name in [each.arg for each in arguments]:
                return set()  # it was followed where the function is called
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
                    names = [ast.unparse(target) for target in node.targets[0].elts]
                    if name in names:
                        return self._of_tuples(node.value, names.index(name), len(names))
        return self._literals(self._constants[name], ()) if name in self._constants else None

    def _of_tuples(self, value: ast.expr, place: int, length: int) -> set[str] | None:
        """Give what stands at `place` of the tuples that `value` can be: of a table that it names, of the tuples in it,
        else of all of this length in the file.
        """
        named = [self._constants[node.id] for node in ast.walk(value) if getattr(node, "id", None) in self._constants]
        tables = [each for each in (value, *named) if _tuples(each, length)]
        sources: Sequence[ast.AST] = tables or list(self._constants.values())
        found = {
            part.value
            for source in sources
            for each in _tuples(source, length)
            if isinstance(part := each.elts[place], ast.Constant) and isinstance(part.value, str)
        }
        return found or None

    def _enter(self, code: str, node: ast.expr) -> None:
        if code:
            place = f"{self._path.relative_to(self._root)}:{node.lineno}"
            self._codes.found.setdefault(code, set()).add(place)


def _tuples(source: ast.AST, length: int) -> list[ast.Tuple]:
    return [
        each
        for each in ast.walk(source)
        if isinstance(each, ast.Tuple)
        and len(each.elts) == length
        and all(isinstance(part, ast.Constant | ast.JoinedStr) for part in each.elts)
    ]


def _all(parts: t.Iterable[set[str] | None]) -> set[str] | None:
    found: set[str] = set()
    for part in parts:
        if part is None:
            return None
        found |= part
    return found
