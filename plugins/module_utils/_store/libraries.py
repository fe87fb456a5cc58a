# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries of the state store, imported when they are first needed."""

from __future__ import annotations

import typing as t

from .._model.errors import DependencyError

Dialect: t.TypeAlias = t.Literal["sqlite", "postgresql", "mysql"]


def need_sqlalchemy() -> None:
    """Check that SQLAlchemy 2.1 can be imported. Raises DependencyError."""
    try:
        import sqlalchemy
    except ImportError:
        raise _missing("SQLAlchemy", "The state store", "'SQLAlchemy>=2.1'") from None
    if tuple(map(int, sqlalchemy.__version__.split(".")[:2])) < (2, 1):
        raise DependencyError(
            f"The state store needs the Python library SQLAlchemy 2.1 or newer; {sqlalchemy.__version__} is installed. "
            "Update it with: pip install 'SQLAlchemy>=2.1'"
        )


def need_driver(dialect: Dialect) -> None:
    """Check that the driver of `dialect` can be imported. Raises DependencyError."""
    try:
        if dialect == "postgresql":
            import psycopg  # noqa: F401
        elif dialect == "mysql":
            import pymysql  # noqa: F401
    except ImportError:
        if dialect == "postgresql":
            raise _missing("psycopg", "A state store on PostgreSQL", "'psycopg[binary]'") from None
        raise _missing("PyMySQL", "A state store on MariaDB or MySQL", "pymysql") from None


def need_cryptography() -> None:
    """Check that cryptography can be imported. Raises DependencyError."""
    try:
        import cryptography  # noqa: F401
    except ImportError:
        raise _missing("cryptography", "A literal secret in the state store", "cryptography") from None


def _missing(library: str, needed_by: str, package: str) -> DependencyError:
    return DependencyError(
        f"{needed_by} needs the Python library {library}, which is not installed. "
        f"Install it for the Python that runs the module: pip install {package}"
    )
