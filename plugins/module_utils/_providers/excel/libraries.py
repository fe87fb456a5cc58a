# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries of the Excel provider, loaded when first needed."""

from __future__ import annotations

import typing as t

from ..._model.errors import DependencyError

if t.TYPE_CHECKING:
    import openpyxl
    import python_calamine


def load_calamine() -> type[python_calamine.CalamineWorkbook]:
    """Give the class that reads workbooks. Raises DependencyError."""
    try:
        from python_calamine import CalamineWorkbook
    except ImportError as error:
        raise _missing("python-calamine", "reading Excel workbooks") from error
    return CalamineWorkbook


def load_openpyxl() -> type[openpyxl.Workbook]:
    """Give the class that writes workbooks; openpyxl is then importable. Raises DependencyError."""
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise _missing("openpyxl", "writing Excel workbooks") from error
    return Workbook


def _missing(library: str, need: str) -> DependencyError:
    return DependencyError(
        f"{need} needs the Python library {library}, which is not installed. Run: pip install {library}"
    )
