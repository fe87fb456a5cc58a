# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seams between the planner, the executor and the providers: what a provider must offer.

A provider that follows these protocols and passes tests/conformance can stand on both sides of any job.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .plans import Change, Outcome
from .schema import Capabilities, ContainerInfo, ProviderStatus
from .values import Key, Row, Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """What to read: a container (table, sheet, DN; None for a file that is one container, and for the whole base of a
    directory) or a query text, never both.

    `newer_than` is a hint `(field, canonical text)`: a provider that can may leave out records that are older;
    records equal to it must be returned. With `optional` a container that does not exist is described as such instead
    of being refused, because writing will make it.

    The rest belongs to directories:

    Attributes:
        subtree: records further down count, too; else only those directly in the container.
        filter: an RFC 4515 filter that records must match; None for all.
        more_containers: further containers, each with all below it, that belong to this reading (where leavers go).
        object_classes: the classes of the records, from the top down to the structural one; records are read that have
            the last one and match `class_filter`, and new records get all of them. Empty: records of every class.
        class_filter: an RFC 4515 filter that says which records of the last class are meant.
    """

    container: str | None = None
    text: str | None = None
    newer_than: tuple[str, str] | None = None
    optional: bool = False
    subtree: bool = True
    filter: str | None = None
    more_containers: tuple[str, ...] = ()
    object_classes: tuple[str, ...] = ()
    class_filter: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Completeness:
    """Whether a reading saw everything there is. Without proof nothing is believed absent."""

    proven: bool
    reason: str = ""


class Reading(t.Protocol):
    """One sweep over a container; a context manager. `completeness` is known once `batches` is exhausted."""

    @property
    def fields(self) -> tuple[str, ...]: ...

    def batches(self) -> Iterator[list[Row]]:
        """Yield non-empty lists of rows, values canonical in the fields' kinds. Raises ProviderError, never ends early
        in silence.
        """

    @property
    def completeness(self) -> Completeness: ...

    def __enter__(self) -> t.Self: ...

    def __exit__(self, *exc: object) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteTarget:
    """Where changes go: the container, the key fields, all mapped fields, and whether only mapped content survives.

    `loose_keys` says that the system may take different key texts for equal (a collation without case or accents).
    `object_classes` are those of new records (directories).
    """

    container: str | None
    key_fields: tuple[str, ...]
    fields: tuple[str, ...]
    replace: bool = False
    loose_keys: bool = False
    object_classes: tuple[str, ...] = ()


class Writer(t.Protocol):
    """Applies changes to one container; a context manager."""

    @property
    def batch_size(self) -> int | None:
        """How many changes one `apply` takes; None = all of them in one call (a file is replaced once)."""

    def apply(self, changes: Sequence[Change]) -> list[Outcome]:
        """Apply `changes`; one outcome each, in order.

        Each change's before-image is honoured: a record whose mapped fields are no longer those of `change.before` is
        skipped, and so is a create whose key has appeared. A record already as planned is done.
        A record the system refuses is a failed outcome and stops nothing. Raises ProviderError when the system itself
        fails; then nothing of this call is believed written, and calling it again with the same changes is safe.
        """

    def __enter__(self) -> t.Self: ...

    def __exit__(self, *exc: object) -> None: ...


class Provider(t.Protocol):
    """A connection to one system. Opened lazily; `close` ends it."""

    @property
    def capabilities(self) -> Capabilities: ...

    def check(self) -> ProviderStatus:
        """Reach the system and say what was found. Raises ProviderError."""

    def describe(self) -> tuple[ContainerInfo, ...]:
        """List all containers with their fields. Raises ProviderError."""

    def describe_container(self, query: Query) -> ContainerInfo:
        """Describe what `query` reads. Raises ConfigError naming the valid containers when there is none such."""

    def read(self, query: Query, fields: Sequence[str]) -> Reading:
        """Sweep over all records; rows hold `fields` in that order. Raises ConfigError naming the valid fields."""

    def read_keys(self, query: Query, fields: Sequence[str], key_fields: Sequence[str], keys: Sequence[Key]) -> Reading:
        """Sweep over the records whose `key_fields` equal one of `keys` (canonical texts), from the same state as
        `read` saw.

        More records than asked for may be returned. Raises ProviderError (retriable) when the system changed since and
        cannot show the earlier state.
        """

    def change_token(self) -> str | None:
        """Give a text that is another one whenever anything that can be read from this system may have changed; None
        when it cannot tell. Asks the system anew each time, and reads no record. Raises ProviderError.
        """

    def release(self) -> None:
        """End the state that `read` and `read_keys` share (a database snapshot); the next read sees the present."""

    def writer(self, target: WriteTarget) -> Writer: ...

    def close(self) -> None: ...


class Fingerprints(t.Protocol):
    """Fingerprints of one container's records, made by the system that holds them. Records fall into buckets by key."""

    @property
    def form(self) -> str:
        """What the fingerprints are made of. Of two containers with the same form, buckets with the same count and
        fingerprint hold the same records, in canonical form; that others hold different ones is not said.
        """

    def buckets(self, seed: int) -> Mapping[int, tuple[int, int]]:
        """Give for each bucket that is not empty the number of its records and the fingerprint of all of them together
        (64 bits), from the state that `Provider.read` sees. `seed` is a number of 63 bits that nobody could foresee.
        Raises ProviderError.
        """

    def read(self, fields: Sequence[str], buckets: Sequence[int]) -> Reading:
        """Sweep over the records of some buckets, as `Provider.read` does over all."""


class Fingerprinting(Provider, t.Protocol):
    """A provider whose capabilities say `fingerprints`."""

    def fingerprints(self, query: Query, fields: Sequence[str], key_fields: Sequence[str]) -> Fingerprints | None:
        """Give what makes fingerprints of `fields`, with buckets by `key_fields`; None where the system makes none, or
        where reading everything is as fast. Raises ProviderError.
        """


def as_fingerprinting(provider: Provider) -> Fingerprinting | None:
    """Give a provider as one that makes fingerprints; None when it does not."""
    return t.cast("Fingerprinting", provider) if provider.capabilities.fingerprints else None


@dataclass(frozen=True, kw_only=True, slots=True)
class PasswordPolicy:
    """What a directory asks of passwords: at least `min_length` characters; with `complex`, characters of three of
    upper case, lower case, digits and others, and no account name in it (MS-SAMR 3.1.1.7.1).
    """

    min_length: int = 0
    complex: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """A group that a record is a direct member of: its DN, its anchor, and the field that lists it (member)."""

    group: str
    anchor: str | None
    field: str


class Directory(Provider, t.Protocol):
    """A provider whose records lie in containers. Its rows can hold the fields `ContainerInfo.anchor` and `place` of
    every record. `read_keys` with the place as the only key field reads those very records, wherever they lie.
    """

    @property
    def base(self) -> str:
        """The DN below which everything lies, in canonical spelling."""

    def containers(self, base: str) -> t.Collection[str]:
        """Give the DNs of all entries at and below `base` that can hold others (units, containers, domains). One
        search. Raises ProviderError, also when the list may not be whole.
        """

    def memberships(self, places: Sequence[str]) -> Mapping[str, tuple[Membership, ...]]:
        """Give for each DN of `places` the groups that list it directly, below the base. Raises ProviderError."""

    def images(self, places: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:
        """Give by DN every field of these records that could be written again, mapped or not; never a password. Who is
        not there is left out. Raises ProviderError.
        """

    def password_policy(self) -> PasswordPolicy:
        """Give what the directory asks of passwords; nothing when it does not say."""

    def disabled_state(self) -> Mapping[str, Value]:
        """Give the fields and values that make a record unable to log in (AD: enabled = false); empty when the
        directory has no such thing.
        """


def as_directory(provider: Provider) -> Directory:
    """Give a provider whose capabilities say `directory` as what it is."""
    return t.cast("Directory", provider)
