# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The house rules of plugins/: who may import whom, from where, and how long a file may be.

Each rule is a function over a folder of Python files that gives complaints. Each is tried on the real plugins, on a bad
example and on a good one.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import sys
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
COLLECTION = ("ansible_collections", "lockstep", "sync", "plugins")

# From top to bottom. A folder imports itself and what stands below it; those on one floor do not import each other.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"modules", "action", "doc_fragments"}),
    frozenset({"plugin_utils"}),
    frozenset({"_ansible"}),
    frozenset({"_running"}),
    frozenset({"_operations"}),
    frozenset({"_execution"}),
    frozenset({"_planning", "_mapping", "_providers", "_store"}),
    frozenset({"_model"}),
)
MAY_IMPORT_STORE = {"_ansible", "_running", "_operations", "_execution", "_store"}
MAY_IMPORT_ANSIBLE = {"_ansible", "modules", "action", "plugin_utils", "doc_fragments"}
MAX_LINES = 400
MAX_MODULE_LINES = 40
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}

Rule: t.TypeAlias = Callable[[Path], list[str]]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """One imported name: the file it stands in, and what it means.

    `target` is the dotted path as parts, for our own files (`own`) from `plugins` on; `lazy` is true inside a function,
    `typing` under `if TYPE_CHECKING`.
    """

    path: Path
    line: int
    target: tuple[str, ...]
    own: bool
    lazy: bool
    typing: bool

    def at(self, root: Path) -> str:
        return f"{self.path.relative_to(root)}:{self.line}"


def python_files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*.py") if "__pycache__" not in path.parts)


def folder_of(parts: tuple[str, ...]) -> str:
    """Give the folder a rule speaks of: `_model` for module_utils/_model/errors.py, `modules` for modules/run.py."""
    return parts[1] if parts[0] == "module_utils" and len(parts) > 1 else parts[0]


@functools.cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@functools.cache
def imports_of(root: Path, path: Path) -> tuple[Import, ...]:
    def is_typing(test: ast.expr) -> bool:
        return ast.unparse(test) in ("t.TYPE_CHECKING", "typing.TYPE_CHECKING", "TYPE_CHECKING")

    def walk(node: ast.AST, *, lazy: bool, typing: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for target, own in targets(root, path, node):
                yield Import(path=path, line=node.lineno, target=target, own=own, lazy=lazy, typing=typing)
        inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            guarded = isinstance(node, ast.If) and child in node.body and is_typing(node.test)
            yield from walk(child, lazy=inside, typing=typing or guarded)

    return tuple(walk(parse(path), lazy=False, typing=False))


def targets(root: Path, path: Path, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Give what an import names: its parts (of ours the file, not the name inside it), and whether it is ours."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            parts = tuple(alias.name.split("."))
            own = parts[: len(COLLECTION)] == COLLECTION
            yield (parts[len(COLLECTION) :] if own else parts), own
        return
    named = tuple((node.module or "").split(".")) if node.module else ()
    if node.level:
        base = path.relative_to(root).parts[: -node.level] + named
    elif named[: len(COLLECTION)] == COLLECTION:
        base = named[len(COLLECTION) :]
    else:
        yield from (((*named, alias.name), False) for alias in node.names)
        return
    for alias in node.names:
        inner = root.joinpath(*base, alias.name)
        yield ((*base, alias.name) if inner.with_suffix(".py").is_file() or inner.is_dir() else base), True


def all_imports(root: Path) -> Iterator[Import]:
    for path in python_files(root):
        yield from imports_of(root, path)


def imports_go_down(root: Path) -> list[str]:
    def floor(folder: str) -> int | None:
        return next((number for number, names in enumerate(FLOORS) if folder in names), None)

    complaints = [
        f"{path.relative_to(root)}: its folder is on no floor; add it to FLOORS"
        for path in python_files(root)
        if floor(folder_of(path.relative_to(root).parts)) is None
    ]
    for found in all_imports(root):
        here, there = folder_of(found.path.relative_to(root).parts), folder_of(found.target) if found.own else ""
        if not found.own or here == there:
            continue
        above, below = floor(here), floor(there)
        if above is None or below is None or below <= above:
            complaints.append(f"{found.at(root)}: {here} must not import {there}")
        elif there == "_store" and here not in MAY_IMPORT_STORE:
            complaints.append(f"{found.at(root)}: {here} must not import _store")
    return complaints


def own_imports_exist(root: Path) -> list[str]:
    return [
        f"{found.at(root)}: there is no file {'/'.join(found.target)}.py"
        for found in all_imports(root)
        if found.own and not root.joinpath(*found.target).with_suffix(".py").is_file()
    ]


def ansible_stays_on_top(root: Path) -> list[str]:
    return [
        f"{found.at(root)}: only {', '.join(sorted(MAY_IMPORT_ANSIBLE))} import ansible"
        for found in all_imports(root)
        if not found.own
        and found.target[0] == "ansible"
        and folder_of(found.path.relative_to(root).parts) not in MAY_IMPORT_ANSIBLE
    ]


def no_cycles(root: Path) -> list[str]:
    graph: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for path in python_files(root):
        graph[path.relative_to(root).with_suffix("").parts] = {
            found.target for found in imports_of(root, path) if found.own and not found.typing
        }
    done: set[tuple[str, ...]] = set()
    complaints = []

    def visit(node: tuple[str, ...], trail: list[tuple[str, ...]]) -> None:
        if node in trail:
            circle = [*trail[trail.index(node) :], node]
            complaints.append("import cycle: " + " -> ".join("/".join(parts) for parts in circle))
        elif node not in done:
            for target in sorted(graph.get(node, ())):
                visit(target, [*trail, node])
            done.add(node)

    for node in sorted(graph):
        visit(node, [])
    return complaints


def libraries_are_lazy(root: Path) -> list[str]:
    return [
        f"{found.at(root)}: {found.target[0]} is not part of Python: import it inside the function that needs it"
        for found in all_imports(root)
        if not (found.own or found.lazy or found.typing)
        and found.target[0] != "ansible"
        and found.target[0] not in sys.stdlib_module_names
    ]


def imports_are_readable(root: Path) -> list[str]:
    """AnsiballZ ships what it can read in the source; a name built at run time is missing on the host."""
    complaints = [
        f"{found.at(root)}: importlib hides an import from Ansible's packer"
        for found in all_imports(root)
        if not found.own and found.target[0] == "importlib"
    ]
    for path in python_files(root):
        complaints.extend(
            f"{path.relative_to(root)}:{node.lineno}: __import__ hides an import from Ansible's packer"
            for node in ast.walk(parse(path))
            if isinstance(node, ast.Name) and node.id == "__import__"
        )
    return complaints


def _documentation_lines(tree: ast.Module) -> set[int]:
    return {
        line
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(name, ast.Name) and name.id in DOCUMENTATION for name in node.targets)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def files_are_short(root: Path) -> list[str]:
    complaints = []
    for path in python_files(root):
        if folder_of(path.relative_to(root).parts) == "doc_fragments":
            continue
        lines = len(path.read_text(encoding="utf-8").splitlines()) - len(_documentation_lines(parse(path)))
        if lines > MAX_LINES:
            complaints.append(f"{path.relative_to(root)}: {lines} lines without its documentation; at most {MAX_LINES}")
    return complaints


def modules_are_thin(root: Path) -> list[str]:
    complaints = []
    for path in python_files(root / "modules"):
        tree = parse(path)
        text = path.read_text(encoding="utf-8").splitlines()
        last_import = max(
            (node.end_lineno or 0 for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)), default=0
        )
        documentation = _documentation_lines(tree)
        code = [
            number
            for number, line in enumerate(text, 1)
            if number > last_import
            and number not in documentation
            and line.strip()
            and not line.strip().startswith("#")
        ]
        if len(code) > MAX_MODULE_LINES:
            complaints.append(
                f"{path.relative_to(root)}: {len(code)} lines of code after its imports; at most {MAX_MODULE_LINES}"
            )
    return complaints


RULES: tuple[Rule, ...] = (
    imports_go_down,
    own_imports_exist,
    ansible_stays_on_top,
    no_cycles,
    libraries_are_lazy,
    imports_are_readable,
    files_are_short,
    modules_are_thin,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_plugins_keep_the_rule(rule: Rule) -> None:
    assert python_files(PLUGINS), "no plugins found: the rules would hold for nothing"
    assert rule(PLUGINS) == []


BAD: tuple[tuple[Rule, dict[str, str], str], ...] = (
    (
        imports_go_down,
        {"module_utils/_model/a.py": "from .._planning.b import x", "module_utils/_planning/b.py": ""},
        "module_utils/_model/a.py:1: _model must not import _planning",
    ),
    (
        imports_go_down,
        {"module_utils/_mapping/a.py": "def f():\n    from .._providers import b", "module_utils/_providers/b.py": ""},
        "module_utils/_mapping/a.py:2: _mapping must not import _providers",
    ),
    (
        imports_go_down,
        {"modules/a.py": "from ..module_utils._store.b import x", "module_utils/_store/b.py": ""},
        "modules/a.py:1: modules must not import _store",
    ),
    (
        imports_go_down,
        {
            "module_utils/_model/a.py": "import ansible_collections.lockstep.sync.plugins.module_utils._running.b",
            "module_utils/_running/b.py": "",
        },
        "module_utils/_model/a.py:1: _model must not import _running",
    ),
    (
        imports_go_down,
        {
            "module_utils/_model/a.py": "from ansible_collections.lockstep.sync.plugins.module_utils._running import b",
            "module_utils/_running/b.py": "",
        },
        "module_utils/_model/a.py:1: _model must not import _running",
    ),
    (
        imports_go_down,
        {
            "module_utils/_model/a.py": "if t.TYPE_CHECKING:\n    from .._running.b import x",
            "module_utils/_running/b.py": "",
        },
        "module_utils/_model/a.py:2: _model must not import _running",
    ),
    (
        imports_go_down,
        {"module_utils/_attic/a.py": ""},
        "module_utils/_attic/a.py: its folder is on no floor; add it to FLOORS",
    ),
    (
        own_imports_exist,
        {"module_utils/_model/a.py": "from .b import x"},
        "module_utils/_model/a.py:1: there is no file module_utils/_model/b.py",
    ),
    (
        ansible_stays_on_top,
        {"module_utils/_running/a.py": "def f():\n    from ansible.module_utils.basic import AnsibleModule"},
        "module_utils/_running/a.py:2: only _ansible, action, doc_fragments, modules, plugin_utils import ansible",
    ),
    (
        no_cycles,
        {
            "module_utils/_model/a.py": "from .b import x",
            "module_utils/_model/b.py": "def f():\n    from . import c",
            "module_utils/_model/c.py": "from .a import y",
        },
        "import cycle: " + " -> ".join(f"module_utils/_model/{name}" for name in "abca"),
    ),
    (
        libraries_are_lazy,
        {"module_utils/_store/a.py": "import sqlalchemy as sa"},
        "module_utils/_store/a.py:1: sqlalchemy is not part of Python: import it inside the function that needs it",
    ),
    (
        libraries_are_lazy,
        {"module_utils/_store/a.py": "try:\n    from sqlalchemy import text\nexcept ImportError:\n    text = None"},
        "module_utils/_store/a.py:2: sqlalchemy is not part of Python: import it inside the function that needs it",
    ),
    (
        imports_are_readable,
        {"module_utils/_providers/a.py": "import importlib"},
        "module_utils/_providers/a.py:1: importlib hides an import from Ansible's packer",
    ),
    (
        imports_are_readable,
        {"module_utils/_providers/a.py": "x = 1\ny = __import__('csv')"},
        "module_utils/_providers/a.py:2: __import__ hides an import from Ansible's packer",
    ),
    (
        files_are_short,
        {"module_utils/_model/a.py": "x = 1\n" * 401},
        "module_utils/_model/a.py: 401 lines without its documentation; at most 400",
    ),
    (
        modules_are_thin,
        {"modules/a.py": "import json\n\n" + "x = 1\n" * 41},
        "modules/a.py: 41 lines of code after its imports; at most 40",
    ),
)


@pytest.mark.parametrize(("rule", "files", "complaint"), BAD, ids=lambda value: getattr(value, "__name__", None))
def test_the_rule_finds_a_bad_example(tmp_path: Path, rule: Rule, files: dict[str, str], complaint: str) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    assert rule(tmp_path) == [complaint]


GOOD = {
    "modules/run.py": (
        'DOCUMENTATION = r"""\n' + "x\n" * 500 + '"""\n'
        "from ansible.module_utils.basic import AnsibleModule\n"
        "from ..module_utils._ansible import frame\n\n\n" + "x = 1\n" * 40
    ),
    "module_utils/_ansible/frame.py": (
        "import json\nfrom ansible.module_utils.basic import env_fallback\nfrom .._store.open import open_store\n"
    ),
    "module_utils/_store/open.py": (
        "import typing as t\nif t.TYPE_CHECKING:\n    import sqlalchemy\n"
        "from .._model.errors import StoreError\n\n\n"
        "def open_store():\n    import sqlalchemy\n    from . import tables\n"
    ),
    "module_utils/_store/tables.py": "import typing as t\nif t.TYPE_CHECKING:\n    from .open import open_store\n",
    "module_utils/_model/errors.py": "x = 1\n" * 400,
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_accepts_a_good_example(tmp_path: Path, rule: Rule) -> None:
    for name, text in GOOD.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    assert rule(tmp_path) == []
