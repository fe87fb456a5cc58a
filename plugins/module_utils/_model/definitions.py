# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Job declarations between plain data and `JobSpec`.

Three plain forms, all JSON-safe: what a playbook gives (with None for what it leaves out), the *normal form* that the
store keeps (only what differs from the defaults, in one order), and the *effective job* (everything filled in).
"""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Iterable, Mapping

from . import directory_options
from .digests import content_digest
from .endpoint_options import endpoint_to_plain, override, place_to_plain, read_endpoint
from .endpoints import PLACES
from .errors import ConfigError
from .jobs import (
    FieldSpec,
    JobSpec,
    Limits,
    MissingAtDestination,
    MissingAtSource,
    ObjectSpec,
    OnError,
    Password,
)
from .limits import parse_limit
from .notifications import notify_definition, read_notify
from .providers import check_name, parse_provider, provider_definition
from .sections import Section
from .standstill import changed_only_to_plain, check_standstill, read_changed_only
from .steps import makes_value, parse_step, step_to_plain

__all__ = [
    "JOB_OPTIONS",
    "effective_job",
    "mapping_digest",
    "normalize_job",
    "parse_job",
    "parse_provider",
    "provider_definition",
]

JOB_OPTIONS = (
    "description",
    "owners",
    "enabled",
    "source",
    "destination",
    "missing_at_destination",
    "missing_at_source",
    "objects",
    "changed_only",
    "limits",
    "protect",
    "create_containers",
    "on_disable",
    "smart_groups",
    "schedule",
    "template",
    "allow_circular",
    "on_error",
    "notification",
    "notify",
)
OBJECT_OPTIONS = (
    "name",
    "type",
    "source",
    "destination",
    "when",
    "missing_at_destination",
    "missing_at_source",
    "object_classes",
    "create_in",
    "move",
    "rdn",
    "on_disable",
    "fields",
)
FIELD_OPTIONS = tuple(item.name for item in dataclasses.fields(FieldSpec))
LIMIT_OPTIONS = tuple(item.name for item in dataclasses.fields(Limits))
SOURCE_PLACES = PLACES
DESTINATION_PLACES = ("table", "sheet", "container", "include_subcontainers", "filter")
INHERITED = ("missing_at_destination", "missing_at_source")

_AT_DESTINATION: tuple[MissingAtDestination, ...] = ("skip", "create")
_AT_SOURCE: tuple[MissingAtSource, ...] = ("skip", "delete", "disable")
_VALUES: tuple[t.Literal["replace", "merge"], ...] = ("replace", "merge")
_WHEN_EMPTY: tuple[t.Literal["clear", "keep"], ...] = ("clear", "keep")


def parse_job(name: str, definition: Mapping[str, t.Any]) -> JobSpec:
    """Read a job in any of its plain forms, with the job's defaults filled into every object.

    Raises:
        ConfigError: naming job, object, field and step, what was got and what is valid.
    """
    check_name("job", name)
    place = f"job {name!r}"
    job = Section(definition, place, JOB_OPTIONS)
    missing = [option for option in ("source", "destination", "objects") if not job.given.get(option)]
    if missing:
        raise ConfigError(f"{place}: {', '.join(f'`{option}`' for option in missing)} is missing; a job needs it.")
    changed_only, proof = read_changed_only(job)
    spec = JobSpec(
        name=name,
        description=job.text("description"),
        owners=job.texts("owners"),
        enabled=job.flag("enabled", True),
        source=read_endpoint(job.section("source", ("provider", *SOURCE_PLACES))),
        destination=read_endpoint(job.section("destination", ("provider", *DESTINATION_PLACES, "replace_file"))),
        objects=(),
        changed_only=changed_only,
        proof=proof,
        limits=_read_limits(job.section("limits", LIMIT_OPTIONS)),
        protect=job.text("protect").strip() or None,
        create_containers=job.flag("create_containers", False),
        smart_groups=job.texts("smart_groups"),
        schedule=job.optional_text("schedule"),
        template=job.optional_text("template"),
        allow_circular=job.flag("allow_circular", False),
        on_error=_read_on_error(job.section("on_error", ("retries", "delay"))),
        notification=job.optional_text("notification"),
        notify=read_notify(job),
    )
    objects = tuple(_read_object(data, job, spec, number) for number, data in enumerate(job.items("objects"), start=1))
    _refuse_duplicates((item.name for item in objects), place, "object", "Give each object its own `name`.")
    directory_options.check_on_disable(job, objects)
    spec = dataclasses.replace(spec, objects=objects)
    check_standstill(spec)
    return dataclasses.replace(spec, mapping_digest=mapping_digest(spec))


def normalize_job(name: str, definition: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Give the normal form of a job: equal declarations give equal data. Raises ConfigError as `parse_job` does.

    What an object declares for itself (its endpoints and what is done about missing records) is kept even when the job
    has the same, because it stays when the job's own changes.
    """
    spec = parse_job(name, definition)
    objects = []
    for item, given in zip(spec.objects, definition["objects"], strict=True):
        plain = _object_to_plain(item, full=False)
        for option in ("source", "destination"):
            place = directory_options.own_place(given.get(option) or {}, plain.pop(option, {}))
            if place:
                plain[option] = place
        for option in (*INHERITED, "on_disable"):
            if given.get(option) is None:
                plain.pop(option, None)
        if given.get("on_disable") is not None:
            plain["on_disable"] = directory_options.own_on_disable(item.on_disable)
        objects.append(_ordered(plain, OBJECT_OPTIONS))
    plain = _job_to_plain(spec, definition, full=False)
    plain["objects"] = objects
    return _ordered(plain, JOB_OPTIONS)


def effective_job(name: str, definition: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Give the job with every default filled in; options that have no value are left out. Raises ConfigError."""
    spec = parse_job(name, definition)
    plain = _job_to_plain(spec, definition, full=True)
    plain["objects"] = [_object_to_plain(item, full=True, job=spec) for item in spec.objects]
    return {"name": name} | _ordered(plain, JOB_OPTIONS)


def mapping_digest(job: JobSpec) -> str:
    """Give a digest over everything that decides what is written: endpoints, objects and `changed_only`."""
    content = {
        "source": endpoint_to_plain(job.source),
        "destination": endpoint_to_plain(job.destination),
        "objects": [_object_to_plain(item, full=True) for item in job.objects],
        "changed_only": job.changed_only,
        "protect": job.protect,
        "create_containers": job.create_containers,
    }
    return content_digest(content)


# -- reading ----------------------------------------------------------------------------------------------------


def _read_limits(limits: Section) -> Limits:
    standard = Limits()
    texts = {}
    for option in LIMIT_OPTIONS:
        text = limits.optional_text(option) or getattr(standard, option)
        if text is not None:
            try:
                limit = parse_limit(text)
            except ConfigError as error:
                raise ConfigError(f"{limits.place}, {option}: {error.message}") from None
            if option == "min_source_records" and limit.percent is not None:
                raise limits.wrong(option, "a number of records")
            texts[option] = " ".join(text.split())
    return Limits(**texts)


def _read_on_error(on_error: Section) -> OnError:
    standard = OnError()
    return OnError(
        retries=on_error.integer("retries", standard.retries, minimum=0),
        delay=on_error.seconds("delay", standard.delay),
    )


def _read_object(data: object, job: Section, spec: JobSpec, number: int) -> ObjectSpec:
    item = Section(data, f"{job.place}, object {number}", OBJECT_OPTIONS)
    type_name = item.text("type") or "row"
    name = item.text("name") or type_name
    item.place = f"{job.place}, object {name!r}"
    at_destination = job.choice("missing_at_destination", _AT_DESTINATION, "skip")
    at_source = job.choice("missing_at_source", _AT_SOURCE, "skip")
    fields = tuple(
        _read_field(field, item.place, field_number) for field_number, field in enumerate(item.items("fields"), start=1)
    )
    _refuse_duplicates((field.name for field in fields), item.place, "field", "A destination field has one entry.")
    if not any(field.key for field in fields):
        raise ConfigError(
            f"{item.place}: no field has `key: true`. Mark the field or fields that match the records of both sides."
        )
    spec_of_object = ObjectSpec(
        name=name,
        type=type_name,
        source=override(spec.source, item.section("source", SOURCE_PLACES)),
        destination=override(spec.destination, item.section("destination", DESTINATION_PLACES)),
        when=item.text("when").strip() or None,
        missing_at_destination=item.choice("missing_at_destination", _AT_DESTINATION, at_destination),
        missing_at_source=item.choice("missing_at_source", _AT_SOURCE, at_source),
        create_containers=spec.create_containers,
        protect=spec.protect,
        fields=fields,
    )
    return dataclasses.replace(spec_of_object, **directory_options.read_object(item, spec_of_object, job))


def _read_field(data: object, place: str, number: int) -> FieldSpec:
    field = Section(data, f"{place}, field {number}", FIELD_OPTIONS)
    name = field.required_text("name")
    field.place = f"{place}, field {name!r}"
    source = field.optional_text("source")
    steps = tuple(
        parse_step(step, f"{field.place}, transform step {step_number}")
        for step_number, step in enumerate(field.items("transform"), start=1)
    )
    if source is None and not steps:
        raise ConfigError(
            f"{field.place}: `source` or `transform` is missing; one of them must say where the value comes from."
        )
    if source is None and not makes_value(steps[0]):
        raise ConfigError(
            f"{field.place}, transform step 1: there is no value to work on. "
            "Give `source`, or start with a step that makes a value."
        )
    key, stamp = field.flag("key", False), field.flag("stamp", False)
    if key and (stamp or any(isinstance(step, Password) for step in steps)):
        what = "`stamp`" if stamp else "a generated password"
        raise ConfigError(f"{field.place}: a key field cannot be {what}; a key must give the same value in every run.")
    return FieldSpec(
        name=name,
        source=source,
        key=key,
        new_only=field.flag("new_only", False),
        delimiter=field.optional_text("delimiter"),
        values=field.choice("values", _VALUES, "replace"),
        when_empty=field.choice("when_empty", _WHEN_EMPTY, "clear"),
        stamp=stamp,
        transform=steps,
    )


def _refuse_duplicates(names: Iterable[str], place: str, what: str, advice: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ConfigError(f"{place}: there are two {what}s {name!r}. {advice}")
        seen.add(name)


# -- writing ----------------------------------------------------------------------------------------------------


def _options_to_plain(data: FieldSpec | Limits | OnError, *, full: bool) -> dict[str, t.Any]:
    """Give the options of a dataclass of scalars; without `full` only those that differ from their defaults."""
    plain: dict[str, t.Any] = {}
    for item in dataclasses.fields(data):
        value = getattr(data, item.name)
        if value is not None and (full or value != item.default):
            plain[item.name] = value
    return plain


def _field_to_plain(spec: FieldSpec, *, full: bool) -> dict[str, t.Any]:
    plain = _options_to_plain(spec, full=full)
    plain["transform"] = [step_to_plain(step) for step in spec.transform]
    return plain if full or spec.transform else {key: value for key, value in plain.items() if key != "transform"}


def _object_to_plain(spec: ObjectSpec, *, full: bool, job: JobSpec | None = None) -> dict[str, t.Any]:
    plain: dict[str, t.Any] = {} if not full and spec.name == spec.type else {"name": spec.name}
    if full or spec.type != "row":
        plain["type"] = spec.type
    for side in ("source", "destination"):
        plain[side] = place_to_plain(getattr(spec, side), None if job is None else getattr(job, side))
    plain |= {
        "when": spec.when,
        "missing_at_destination": spec.missing_at_destination,
        "missing_at_source": spec.missing_at_source,
        "fields": [_field_to_plain(field, full=full) for field in spec.fields],
    }
    plain |= directory_options.object_to_plain(spec, full=full)
    return _ordered(plain, OBJECT_OPTIONS)


def _job_to_plain(spec: JobSpec, definition: Mapping[str, t.Any], *, full: bool) -> dict[str, t.Any]:
    """Give everything but the objects."""
    at_missing = {option: definition.get(option) or "skip" for option in INHERITED}
    plain: dict[str, t.Any] = {
        "source": endpoint_to_plain(spec.source),
        "destination": endpoint_to_plain(spec.destination),
        "changed_only": changed_only_to_plain(spec),
        "protect": spec.protect,
        "create_containers": spec.create_containers or None,
        "on_disable": directory_options.job_on_disable(Section(definition, "job", JOB_OPTIONS)),
        "smart_groups": list(spec.smart_groups) or None,
        "schedule": spec.schedule,
        "template": spec.template,
        "limits": _options_to_plain(spec.limits, full=full),
        "on_error": _options_to_plain(spec.on_error, full=full),
        "notification": spec.notification,
        "notify": notify_definition(spec.notify),
    }
    shown: dict[str, t.Any] = {
        "description": spec.description,
        "owners": list(spec.owners),
        "enabled": spec.enabled,
        "allow_circular": spec.allow_circular,
        **at_missing,
    }
    standard = {
        "description": "",
        "owners": [],
        "enabled": True,
        "allow_circular": False,
        **dict.fromkeys(INHERITED, "skip"),
    }
    plain |= {option: value for option, value in shown.items() if full or value != standard[option]}
    return plain


def _ordered(plain: Mapping[str, t.Any], order: tuple[str, ...]) -> dict[str, t.Any]:
    """Give the options in the documented order, without those that have no value (None, an empty mapping)."""
    return {option: plain[option] for option in order if plain.get(option) is not None and plain[option] != {}}
