# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of fields: what is written when, and what never is."""

from __future__ import annotations

from pathlib import Path

from integration.harness import FAILED, Database, Workplace, counts, fields, job, run

COLUMNS = (
    "id INTEGER PRIMARY KEY, login VARCHAR(20), mail VARCHAR(60), note VARCHAR(60), tags VARCHAR(60), "
    "roles VARCHAR(60), stamp VARCHAR(40), pin VARCHAR(40), badge VARCHAR(40)"
)
HEADER = ["id", "first", "last", "mail", "note", "tags", "roles"]
FIRST = [
    (1, "Ann", "Lee", "ann@example.com", "first", "a;b", "read;write"),
    (2, "Adam", "Lee", "adam@example.com", "second", "b", "read"),
    (3, "Bob", "Ray", "", "skipped", "c", "read"),
]
SECOND = [
    # A new name keeps the login; an empty mail is kept, an empty note clears; `write` stays because roles are merged.
    (1, "Anna", "Lee", "", "", "b;c", "admin;read"),
    (2, "Adam", "Lee", "adam@example.com", "second", "b", "read"),
    (3, "Bob", "Ray", "", "skipped", "c", "read"),
]
BADGE = """
def badge(source, context):
    return f"{context.job}/{source['first'].upper()}"
"""


def rules(script: Path) -> list[dict[str, object]]:
    return fields(
        "id",
        login={
            "new_only": True,
            "transform": [{"expression": "(source.first[:1] ~ source.last) | lower"}, {"unique": {"max_length": 10}}],
        },
        mail={
            "source": "mail",
            "when_empty": "keep",
            "transform": [{"expression": "skip('has no mail') if source.note == 'skipped' else value"}],
        },
        note={"source": "note"},
        tags={"source": "tags", "delimiter": ";"},
        roles={"source": "roles", "delimiter": ";", "values": "merge"},
        stamp={"stamp": True, "transform": [{"static": "seen %NOW%"}]},
        pin={"transform": [{"password": {"length": 20}}]},
        badge={"transform": [{"function": f"{script}:badge"}]},
    )


def test_the_rules_of_fields(place: Workplace, sqlite: Database) -> None:
    script = place.folder / "badges.py"
    script.write_text(BADGE)
    table = sqlite.make(COLUMNS)
    source = place.write_csv("people.csv", HEADER, FIRST)
    people = job("people", "hr", {"provider": "db", "table": table}, rules(script))
    place.declare([{"name": "hr", "csv": {"path": str(source)}}, {"name": "db", **sqlite.provider}], [people])

    done = place.play(
        "-vvv", preview=run("people", check=True, diff=True), first=run("people", diff=True), again=run("people")
    )

    assert counts(done["preview"]) == counts(done["first"])
    assert (counts(done["first"])["created"], counts(done["first"])["skipped"]) == (2, 1)
    assert done["again"]["changed"] is False
    assert any("has no mail" in line["message"] and line["key"] == "3" for line in done["first"]["run"]["log"])
    stored = sqlite.content(table)
    assert [row[:6] for row in stored] == [
        (1, "alee", "ann@example.com", "first", "a;b", "read;write"),
        (2, "alee2", "adam@example.com", "second", "b", "read"),
    ]
    assert [row[8] for row in stored] == ["people/ANN", "people/ADAM"]
    stamps, pins = [row[6] for row in stored], [row[7] for row in stored]
    assert all(stamp.startswith("seen 20") for stamp in stamps)
    assert sorted({len(pin) for pin in pins}) == [20]
    assert len(set(pins)) == 2
    assert done["first"]["run"]["changes"][0]["fields"]["pin"] == {"before": None, "after": "********"}

    place.write_csv("people.csv", HEADER, SECOND)
    second = place.play("-vvv", second=run("people", diff=True), again=run("people"))

    assert counts(second["second"])["updated"] == 1
    assert second["again"]["changed"] is False
    after = sqlite.content(table)
    assert after[1] == stored[1]
    assert after[0][:5] == (1, "alee", "ann@example.com", None, "b;c")
    assert sorted(after[0][5].split(";")) == ["admin", "read", "write"]
    assert after[0][6] > stamps[0]
    assert after[0][8] == "people/ANNA"
    secrets = {*pins, after[0][7]}
    for secret in secrets:
        assert secret not in done.output + second.output
        assert [path for path in kept_files(place) if secret.encode() in path.read_bytes()] == []


def kept_files(place: Workplace) -> list[Path]:
    """Give everything that the runs left behind but the destination."""
    return [path for path in place.folder.rglob("*") if path.is_file() and path.name != "data.db"]


def test_a_function_from_a_file_that_others_may_write_is_refused(place: Workplace) -> None:
    script = place.folder / "badges.py"
    script.write_text(BADGE)
    source = place.write_csv("people.csv", HEADER, FIRST)
    out = place.folder / "out.csv"
    made = job("people", "hr", "out", fields("id", badge={"transform": [{"function": f"{script}:badge"}]}))
    place.declare([{"name": "hr", "csv": {"path": str(source)}}, {"name": "out", "csv": {"path": str(out)}}], [made])
    script.chmod(0o646)

    by_others = place.adhoc("run", job="people")
    script.chmod(0o664)
    by_group = place.adhoc("job", name="other", **{name: made[name] for name in ("source", "destination", "objects")})

    for done in (by_others, by_group):
        assert done.code == FAILED
        assert str(script) in done.only["msg"]
        assert "chmod go-w" in done.only["msg"]
    assert not out.exists()
