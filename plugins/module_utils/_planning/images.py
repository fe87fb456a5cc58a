# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remember what a directory's records are as a whole before they go, so that their deletion can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._model.access import Directory
from .._model.dn import fold_dn
from .._model.plans import Change, Image


def with_images(changes: Sequence[Change], directory: Directory) -> list[Change]:
    """Give `changes`, their deletions with every field that can be written again and the groups of the record.

    A constant number of readings, none when nothing is deleted. Raises ProviderError.
    """
    places = [change.target for change in changes if change.action == "delete" and change.target is not None]
    if not places:
        return list(changes)
    images = {fold_dn(place): image for place, image in directory.images(places).items()}
    groups = {fold_dn(place): found for place, found in directory.memberships(places).items()}

    def with_image(change: Change) -> Change:
        if change.action != "delete":
            return change
        folded = fold_dn(change.target or "")
        joined = tuple((each.group, each.field) for each in groups.get(folded, ()))
        return replace(change, image=Image(fields=images.get(folded, {}), groups=joined))

    return [with_image(change) for change in changes]
