# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules as users and Ansible see them: documentation, and the argument spec that `main` really builds."""

from __future__ import annotations

import ast
import importlib
import inspect
import typing as t
from pathlib import Path

import yaml
from ansible.module_utils.basic import AnsibleModule

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "lockstep.sync"

Mapping: t.TypeAlias = dict[str, t.Any]


class _SpecCaptured(BaseException):  # no `except Exception` on the way may stop it
    def __init__(self, arguments: Mapping) -> None:
        super().__init__()
        self.arguments = arguments


def module_names() -> list[str]:
    """List the collection's modules without the namespace."""
    return sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem != "__init__")


def documentation(module: str, name: t.Literal["DOCUMENTATION", "EXAMPLES", "RETURN"]) -> str:
    """Give the text of one documentation block of a module. Raises KeyError when there is none."""
    tree = ast.parse((ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            text = ast.literal_eval(node.value)
            assert isinstance(text, str)
            return text
    raise KeyError(f"{module} has no {name}")


def return_documentation(module: str) -> Mapping:
    """Give the parsed RETURN block of a module."""
    return t.cast("Mapping", yaml.safe_load(documentation(module, "RETURN")) or {})


def capture_spec(main: t.Callable[[], object]) -> Mapping:
    """Call a module's `main` up to the place where it builds AnsibleModule; give all arguments of that call by name."""
    original = AnsibleModule.__init__
    signature = inspect.signature(original)

    def stop(self: AnsibleModule, *args: object, **kwargs: object) -> None:
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        raise _SpecCaptured({name: value for name, value in bound.arguments.items() if name != "self"})

    AnsibleModule.__init__ = stop
    try:
        main()
    except _SpecCaptured as captured:
        return captured.arguments
    finally:
        AnsibleModule.__init__ = original
    raise AssertionError("main() built no AnsibleModule")


def argument_spec(module: str) -> Mapping:
    """Give everything that the module hands to AnsibleModule. Raises KeyError when there is no such module."""
    if module not in module_names():
        raise KeyError(module)
    imported = importlib.import_module(f"ansible_collections.{NAMESPACE}.plugins.modules.{module}")
    return capture_spec(imported.main)
