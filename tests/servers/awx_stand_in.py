# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small stand-in of AWX's REST API (v2, as in AWX 24.6), for what the role `controller` uses: lists with filters and
pages, objects with required and related fields, masked secrets, surveys, connections, approvals, and the rules of
schedules.

AWX itself needs a container engine or Kubernetes, so no real one can run here. Nothing is executed.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

TOKEN = "a-token-of-the-stand-in"
USER, PASSWORD = "admin", "a-password-of-the-stand-in"
LOGINS = (f"Bearer {TOKEN}", "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())
Json = dict[str, t.Any]

REQUIRED: dict[str, tuple[str, ...]] = {
    "organizations": ("name",),
    "inventories": ("name", "organization"),
    "projects": ("name", "organization"),
    "execution_environments": ("name",),
    "credential_types": ("name", "kind"),
    "credentials": ("name", "credential_type", "inputs"),
    "job_templates": ("name", "inventory", "project", "playbook"),
    "workflow_job_templates": ("name",),
    "workflow_job_template_nodes": (),
    "workflow_approval_templates": ("name",),
    "schedules": ("name", "unified_job_template", "rrule"),
}
RELATED = {
    "organization": ("organizations",),
    "inventory": ("inventories",),
    "project": ("projects",),
    "execution_environment": ("execution_environments",),
    "credential_type": ("credential_types",),
    "unified_job_template": ("job_templates", "workflow_job_templates", "workflow_approval_templates"),
}
DEFAULTS: dict[str, Json] = {
    "job_templates": {
        "extra_vars": "",
        "job_type": "run",
        "execution_environment": None,
        "survey_enabled": False,
        "ask_variables_on_launch": False,
        "ask_job_type_on_launch": False,
    },
    "workflow_job_templates": {"ask_variables_on_launch": False},
    "workflow_job_template_nodes": {"unified_job_template": None},
    "schedules": {"extra_data": {}, "enabled": True},
}
LINKS = ("credentials", "success_nodes", "always_nodes", "failure_nodes")
PAGE = 25


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """The request is answered with this status and content."""

    def __init__(self, status: int, content: Json) -> None:
        super().__init__(status)
        self.status = status
        self.content = content


class Awx:
    """What the controller has. `writes` counts requests that changed something."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, Json]] = {kind: {} for kind in REQUIRED}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[int, Json] = {}
        self.writes = 0
        self._numbers = iter(range(1, 1_000_000))

    def find(self, kind: str, name: str) -> Json:
        """Give the object of that name."""
        return next(each for each in self.objects[kind].values() if each["name"] == name)

    def create(self, kind: str, given: Json) -> Json:
        missing = {field: ["This field is required."] for field in REQUIRED[kind] if field not in given}
        if missing:
            raise Refused(400, missing)
        self._check(kind, given)
        same = ("name", "organization", "credential_type", "unified_job_template")
        known = [[each.get(field) for field in same] for each in self.objects[kind].values()]
        if "name" in given and [given.get(field) for field in same] in known:
            raise Refused(400, {"__all__": [f"{kind} with this Name and Organization already exists."]})
        number = next(self._numbers)
        self.objects[kind][number] = {"id": number, **DEFAULTS.get(kind, {}), **given}
        self.writes += 1
        return self.objects[kind][number]

    def change(self, kind: str, number: int, given: Json) -> Json:
        self._check(kind, given)
        self.objects[kind][number] |= given
        self.writes += 1
        return self.objects[kind][number]

    def delete(self, kind: str, number: int) -> None:
        del self.objects[kind][number]
        self.writes += 1
        for schedule in [each for each in self.objects["schedules"].values() if each["unified_job_template"] == number]:
            del self.objects["schedules"][schedule["id"]]
        for node in list(self.objects["workflow_job_template_nodes"].values()):
            if kind == "workflow_job_templates" and node["workflow_job_template"] == number:
                del self.objects["workflow_job_template_nodes"][node["id"]]
                self.objects["workflow_approval_templates"].pop(node["unified_job_template"], None)

    def shown(self, kind: str, item: Json) -> Json:
        """Give an object as it is answered: secrets are masked."""
        if kind != "credentials":
            return item
        type_ = self.objects["credential_types"][item["credential_type"]]
        secret = {field["id"] for field in type_["inputs"]["fields"] if field.get("secret")}
        inputs = {name: "$encrypted$" if name in secret else value for name, value in item["inputs"].items()}
        return {**item, "inputs": inputs}

    def _check(self, kind: str, given: Json) -> None:
        for field, kinds in RELATED.items():
            number = given.get(field)
            if number is not None and not any(number in self.objects[each] for each in kinds):
                raise Refused(400, {field: [f'Invalid pk "{number}" - object does not exist.']})
        if kind == "schedules" and "rrule" in given:
            fault = rrule_fault(given["rrule"])
            if fault:
                raise Refused(400, {"rrule": [fault]})
        if kind == "schedules" and given.get("extra_data"):
            self.check_launch(given["unified_job_template"], given["extra_data"])
        if kind == "job_templates" and "extra_vars" in given:
            json.loads(given["extra_vars"])

    def check_launch(self, number: int, variables: Json) -> None:
        """Refuse variables that this job template does not ask for, as AWX does with schedules and launches."""
        template = self.objects["job_templates"][number]
        asked = self.surveys.get(number, {}).get("spec", []) if template["survey_enabled"] else []
        missing = [each["variable"] for each in asked if each["required"] and each["variable"] not in variables]
        if missing:
            raise Refused(400, {"variables_needed_to_start": [f"'{name}' value missing" for name in missing]})
        others = set(variables) - {each["variable"] for each in asked}
        if others and not template["ask_variables_on_launch"]:
            names = ", ".join(sorted(others))
            raise Refused(400, {"extra_vars": [f"Variables {names} are not allowed on launch."]})


def survey_fault(given: Json) -> str:
    """Say what AWX (awx/api/views, JobTemplateSurveySpec) does not take of a survey; empty when nothing."""
    for field in ("name", "description", "spec"):
        if field not in given:
            return f"Field '{field}' is missing from survey spec."
    for number, each in enumerate(given["spec"]):
        for field in ("type", "question_name", "variable", "required"):
            if field not in each:
                return f"'{field}' missing from survey question {number}."
        if each["type"] == "multiselect" and not each.get("choices"):
            return f"Survey question {number} of type multiselect must specify choices."
    return ""


def rrule_fault(text: str) -> str:
    """Say which of AWX's own rules (awx/api/serializers.py, validate_rrule) a text breaks; empty when none."""
    starts = re.findall(r"DTSTART[^ ]*", text)
    rules = re.findall(r"RRULE:([^ ]+)", text)
    if len(starts) != 1:
        return "Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ"
    if not re.fullmatch(r"DTSTART(?:;TZID=[A-Za-z_/+-]+:\d{8}T\d{6}|:\d{8}T\d{6}Z)", starts[0]):
        return "DTSTART cannot be a naive datetime.  Require ;TZINFO= or YYYYMMDDTHHMMSSZZ."
    if not rules:
        return "One or more rule required in rrule."
    for rule in rules:
        if "INTERVAL=" not in rule:
            return "INTERVAL required in rrule."
        if "FREQ=SECONDLY" in rule:
            return "SECONDLY is not supported."
        if "COUNT=" in rule and "UNTIL=" in rule:
            return "RRULE may not contain both COUNT and UNTIL"
    return ""


class _Handler(BaseHTTPRequestHandler):
    awx: Awx

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        try:
            status, content = self._handle()
        except Refused as refused:
            status, content = refused.status, refused.content
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _handle(self) -> tuple[int, Json | None]:
        length = int(self.headers.get("Content-Length") or 0)
        given: Json = json.loads(self.rfile.read(length)) if length else {}
        if self.headers.get("Authorization") not in LOGINS:
            raise Refused(401, {"detail": "Authentication credentials were not provided."})
        address = urlsplit(self.path)
        parts = address.path.strip("/").split("/")
        if parts[:2] != ["api", "v2"] or len(parts) < 3 or parts[2] not in REQUIRED or not address.path.endswith("/"):
            raise Refused(404, {"detail": "The requested resource could not be found."})
        kind, rest = parts[2], parts[3:]
        if not rest:
            if self.command == "POST":
                return 201, self.awx.shown(kind, self.awx.create(kind, given))
            return 200, self._page(kind, list(self.awx.objects[kind].values()), dict(parse_qsl(address.query)))
        number = int(rest[0])
        if number not in self.awx.objects[kind]:
            raise Refused(404, {"detail": "Not found."})
        if len(rest) == 1:
            return self._one(kind, number, given)
        return self._below(kind, number, rest[1], given)

    def _one(self, kind: str, number: int, given: Json) -> tuple[int, Json | None]:
        if self.command == "DELETE":
            self.awx.delete(kind, number)
            return 204, None
        if self.command == "PATCH":
            self.awx.change(kind, number, given)
        return 200, self.awx.shown(kind, self.awx.objects[kind][number])

    def _below(self, kind: str, number: int, what: str, given: Json) -> tuple[int, Json | None]:
        awx = self.awx
        if (kind, what) == ("workflow_job_templates", "workflow_nodes") and self.command == "POST":
            return 201, awx.create("workflow_job_template_nodes", {"workflow_job_template": number, **given})
        if (kind, what) == ("workflow_job_template_nodes", "create_approval_template") and self.command == "POST":
            approval = awx.create("workflow_approval_templates", given)
            awx.objects[kind][number]["unified_job_template"] = approval["id"]
            return 201, approval
        if (kind, what) == ("job_templates", "survey_spec"):
            if self.command == "POST":
                if fault := survey_fault(given):
                    raise Refused(400, {"error": fault})
                awx.surveys[number] = given
                awx.writes += 1
            return 200, awx.surveys.get(number, {})
        if what in LINKS:
            linked = awx.links.setdefault((kind, number, what), [])
            if self.command == "POST":
                linked.append(given["id"])
                awx.writes += 1
                return 204, None
            target = "credentials" if what == "credentials" else "workflow_job_template_nodes"
            return 200, self._page(target, [awx.objects[target][each] for each in linked], {})
        raise Refused(404, {"detail": "Not found."})

    def _page(self, kind: str, found: list[Json], query: dict[str, str]) -> Json:
        for field, value in query.items():
            if field not in ("page", "page_size"):
                found = [each for each in found if str(each.get(field)) == value]
        return {
            "count": len(found),
            "next": None if len(found) <= PAGE else f"/api/v2/{kind}/?page=2",
            "previous": None,
            "results": [self.awx.shown(kind, each) for each in found[:PAGE]],
        }

    def log_message(self, format: str, *arguments: t.Any) -> None:  # noqa: A002 - as its base names it
        """Say nothing."""


@contextmanager
def stand_in() -> Iterator[tuple[Awx, str]]:
    """Give an AWX with the organization Default, and its address."""
    awx = Awx()
    awx.create("organizations", {"name": "Default"})
    handler = type("Handler", (_Handler,), {"awx": awx})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield awx, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
