# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._store.times import normalize, to_text


def test_time_is_utc_with_microseconds() -> None:
    moment = datetime(2026, 11, 21, 8, 30, tzinfo=timezone(timedelta(hours=2)))
    assert to_text(moment) == "2026-11-21T06:30:00.000000+00:00"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2026-11-21", "2026-11-21T00:00:00.000000+00:00"),
        ("2026-11-21T08:30:00Z", "2026-11-21T08:30:00.000000+00:00"),
        ("2026-11-21 08:30:00.25+02:00", "2026-11-21T06:30:00.250000+00:00"),
    ],
)
def test_any_iso_time_is_brought_to_one_form(text: str, stored: str) -> None:
    assert normalize(text, "since") == stored


@pytest.mark.parametrize("text", ["yesterday", "", "0001-01-01T00:00:00+14:00"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"since: .* is not a time\. Valid: ISO 8601"):
        normalize(text, "since")
