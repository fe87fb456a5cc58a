# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model import errors
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import (
    LockedError,
    LockstepError,
    ProviderError,
    RecordError,
    unknown,
)


def every_error() -> list[type[LockstepError]]:
    found = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, LockstepError)]
    return [each for each in found if each is not LockstepError]


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [each.code for each in every_error()]
    assert len(codes) == len(set(codes)) >= 9
    assert LockstepError.code not in codes


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_every_error_carries_its_message(kind: type[LockstepError]) -> None:
    error = kind("what to do", holder="somebody") if kind is LockedError else kind("what to do")
    assert error.message == str(error) == "what to do"


def test_a_provider_error_is_final_unless_it_says_otherwise() -> None:
    assert not ProviderError("gone").retriable
    assert ProviderError("busy", retriable=True).retriable


def test_a_record_error_names_field_and_reason() -> None:
    plain = RecordError("wrong")
    assert (plain.field, plain.reason_code) == (None, "record")
    told = RecordError("wrong", field="mail", code="value")
    assert (told.field, told.reason_code) == ("mail", "value")


def test_a_lock_names_its_holder() -> None:
    assert LockedError("taken", holder="host a").holder == "host a"


def test_an_unknown_name_gets_the_nearest_and_the_valid_ones() -> None:
    message = unknown("field", "maill", ["name", "mail"], where="object 'row'")
    assert message == "object 'row': there is no field 'maill'. Did you mean 'mail'? Valid: 'mail', 'name'."


def test_an_unknown_name_without_any_valid_one_says_so() -> None:
    assert unknown("job", 5, []) == "there is no job 5. Valid: none."


def test_long_lists_of_valid_names_are_cut_and_say_so() -> None:
    message = unknown("field", "zzz", [f"f{number:03}" for number in range(25)], limit=2)
    assert message == "there is no field 'zzz'. Valid: 'f000', 'f001' and 23 more."
