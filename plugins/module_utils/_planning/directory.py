# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a directory adds to the sweep over the source: references, the wanted container, and the link of each record.

A mapped row gets two more parts at its end: the container it should lie in (None when nobody says), and its identity.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._model.compiled import MappedRow
from .._model.dn import canonical_dn, fold_dn, is_within_folded, parent_dn
from .._model.errors import ConfigError, RecordError
from .._model.plans import Link
from .._model.values import Key, Row, Value, is_empty, show
from .index import DestinationIndex
from .references import ReferenceIndex, resolve_value
from .request import ObjectRequest, SharedPlan

CONTAINER, IDENTITY = -2, -1
SEPARATOR = "\x1f"


class DirectoryCompanion:
    """Goes along with the sweep of one object whose destination is a directory (`sweep.Companion`)."""

    def __init__(self, request: ObjectRequest, shared: SharedPlan, index: DestinationIndex) -> None:
        self._request = request
        self._index = index
        self.references: dict[int, ReferenceIndex] = {
            position: shared.references.index(rule, request.checkpoint)
            for position, rule in request.mapping.references.items()
        }
        self._by_anchor: dict[str, t.Any] | None = None
        self._scope = fold_dn(request.destination.query.container or shared.directory.base)
        self._scopes = (self._scope, *map(fold_dn, request.destination.query.more_containers))
        self._containers: dict[str, str] = {}
        self._parents: dict[str, str] = {}
        self.found: dict[t.Any, str] = {}

    @property
    def source_extras(self) -> tuple[str, ...]:
        anchor = self._request.source.info.anchor
        return () if anchor is None else (anchor,)

    def resolve(self, planned: MappedRow) -> MappedRow:
        """Put DNs in the place of references; what is not found stays pending until the whole source is read."""
        if not self.references:
            return planned
        values = list(planned)
        for position, index in self.references.items():
            values[position] = t.cast("t.Any", resolve_value(index, t.cast("Value", planned[position])))
        return tuple(values)

    def finish(self, planned: MappedRow, key: Key, source: Row, extras: Row) -> MappedRow:
        """Append container and identity. Raises RecordError for a container that is none."""
        container = self._request.mapping.container
        wish = None if container is None else self._container(container(source))
        return (*planned, wish, self.identity(key, extras))

    def identity(self, key: Key, extras: Row) -> str:
        """Give the source's own anchor of a record, or its key where the source has none."""
        anchor = extras[0] if extras else None
        return anchor if isinstance(anchor, str) and anchor else SEPARATOR.join(key)

    def _container(self, value: Value) -> str | None:
        if is_empty(value):
            return None
        if not isinstance(value, str):
            raise RecordError(f"create_in: a container is one distinguished name, got {show(value)}.", code="container")
        known = self._containers.get(value)
        if known is None:
            try:
                known = canonical_dn(value)
            except ValueError as error:
                raise RecordError(f"create_in: {error}", code="container") from None
            self._check_scope(known)
            self._containers[value] = known
        return known

    def _check_scope(self, container: str) -> None:
        """What lies outside of what is read would never be matched again, and be created anew in each run."""
        folded = fold_dn(container)
        query = self._request.destination.query
        inside = is_within_folded(folded, self._scope) if query.subtree else folded == self._scope
        if not inside and not any(is_within_folded(folded, scope) for scope in self._scopes[1:]):
            raise RecordError(
                f"create_in: {container!r} is not below the destination's container "
                f"{query.container or 'of the provider'!r}, so its records would not be read. Choose a container below "
                "it, or widen `destination.container`.",
                code="container",
            )

    def match(self, index_key: t.Any, planned: MappedRow, *, same: bool) -> bool:
        """Note the pair; a record that was disabled or lies in another container must be looked at."""
        identity = t.cast("str", planned[IDENTITY])
        anchor = self._index.anchors.get(index_key)
        if anchor is not None:
            if self._request.links.get(identity) != anchor:
                self.found[index_key] = identity
            if anchor in self._request.leavers:
                return True
        return same and self.is_elsewhere(planned, self._index.places.get(index_key))

    def is_elsewhere(self, planned: MappedRow, place: str | None) -> bool:
        """Tell whether `move` wants the record in another container than it lies in."""
        wish = planned[CONTAINER]
        if not self._request.spec.move or not isinstance(wish, str) or place is None:
            return False
        return fold_dn(wish) != self.folded_parent(place)

    def folded_parent(self, place: str) -> str:
        """Give the folded DN of the container of `place`; there are few containers and many records."""
        parent = parent_dn(place)
        folded = self._parents.get(parent)
        if folded is None:
            folded = self._parents[parent] = fold_dn(parent)
        return folded

    def linked_key(self, identity: str) -> t.Any | None:
        """Give the index key of the record that a source record is linked to."""
        anchor = self._request.links.get(identity)
        if anchor is None:
            return None
        if self._by_anchor is None:
            # Made for the first record whose key may have changed: most runs have none, and no use for it.
            self._by_anchor = {anchor: key for key, anchor in self._index.anchors.items()}
        return self._by_anchor.get(anchor)

    def links_found(self, keys_of: t.Callable[[t.Any], Key], repeated: t.Collection[t.Any]) -> list[Link]:
        """Give the pairs that are not remembered yet; keys that several source records have pair nobody."""
        return [
            Link(identity=identity, anchor=self._index.anchors[key], key=keys_of(key))
            for key, identity in self.found.items()
            if key not in repeated
        ]


class Containers:
    """The containers of a directory: those there are, read once, and those that the plan adds."""

    def __init__(self, request: ObjectRequest, shared: SharedPlan) -> None:
        self._shared = shared
        self._may_create = request.spec.create_containers
        self._object = request.spec.name
        self.new: list[str] = []

    def need(self, container: str) -> None:
        """Make sure that `container` is there when its records come; plan it when the job may create containers.

        Raises RecordError when it is missing and may not be made, ProviderError when the directory cannot be read.
        """
        known = self._known()
        missing: list[str] = []
        place = container
        while fold_dn(place) not in known:
            missing.append(place)
            parent = parent_dn(place)
            if not parent or not is_within_folded(fold_dn(parent), fold_dn(self._shared.directory.base)):
                break
            place = parent
        if not missing:
            return
        if not self._may_create:
            raise RecordError(
                f"the container {missing[-1]!r} does not exist. Make it, or set `create_containers: true` to have "
                "missing containers made.",
                code="container",
            )
        if fold_dn(parent_dn(missing[-1])) not in known:
            raise RecordError(
                f"the container {container!r} does not lie below {self._shared.directory.base!r}, the base of the "
                "provider.",
                code="container",
            )
        for place in reversed(missing):
            known.add(fold_dn(place))
            self.new.append(place)

    def _known(self) -> set[str]:
        if self._shared.containers is None:
            found = self._shared.directory.containers(self._shared.directory.base)
            self._shared.containers = {fold_dn(place) for place in found}
        return self._shared.containers


def check_on_disable(request: ObjectRequest, state: t.Mapping[str, Value]) -> None:
    """Raise ConfigError when disabling would leave no trace at this directory."""
    spec = request.spec
    if spec.missing_at_source == "disable" and not state and not request.stamps and spec.on_disable.move_to is None:
        raise ConfigError(
            f"object {spec.name!r}: `missing_at_source: disable` has no effect, because this directory has no "
            "attribute that locks an account (389 Directory Server has nsAccountLock, OpenLDAP with the ppolicy "
            "overlay pwdAccountLockedTime). Give `on_disable` a `stamp` or a `move_to`, or use `delete`."
        )


def with_filter(query: t.Any, text: str) -> t.Any:
    """Give `query` narrowed by the filter `text`."""
    return replace(query, filter=f"(&{query.filter}{text})" if query.filter else text)
