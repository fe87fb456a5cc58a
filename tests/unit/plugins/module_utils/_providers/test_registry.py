# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each declared type has its code."""

from __future__ import annotations

import subprocess
import sys
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._providers import registry

OPTIONS: dict[str, dict[str, t.Any]] = {
    "csv": {"path": "/x.csv"},
    "excel": {"path": "/x.xlsx"},
    "sql": {"url": "sqlite:////x.db"},
}


@pytest.mark.parametrize("name", ["csv", "excel", "sql"])
def test_each_type_is_opened_without_touching_the_system(name: t.Literal["csv", "excel", "sql"]) -> None:
    provider = registry.open_provider(ProviderSpec(name="p", type=name, options=OPTIONS[name]), {})
    assert provider.capabilities == registry.provider_capabilities(name)
    provider.close()


def test_an_unknown_type_names_the_valid_ones() -> None:
    odd = t.cast("t.Literal['csv']", "xml")
    with pytest.raises(
        ConfigError, match=r"provider 'p': there is no provider type 'xml'.*'csv', 'excel', 'ldap', 'sql'"
    ):
        registry.open_provider(ProviderSpec(name="p", type=odd, options={}), {})
    with pytest.raises(ConfigError, match="no provider type 'xml'"):
        registry.provider_capabilities("xml")


def test_a_csv_provider_loads_no_library_it_does_not_need() -> None:
    tree = registry.__file__.partition("ansible_collections")[0]
    code = (
        f"import sys; sys.path.insert(0, {tree!r});"
        f"from {registry.__name__} import open_provider;"
        "from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec;"
        "open_provider(ProviderSpec(name='p', type='csv', options={'path': '/x'}), {});"
        "open_provider(ProviderSpec(name='p', type='excel', options={'path': '/x.xlsx'}), {});"
        "print(*[m for m in ('sqlalchemy', 'openpyxl', 'python_calamine') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert result.stderr == ""
    assert result.stdout.strip() == ""
