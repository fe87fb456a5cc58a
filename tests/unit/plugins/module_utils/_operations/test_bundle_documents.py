# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a bundle: what is read is what was written, or nothing."""

from __future__ import annotations

import hashlib
import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.lockstep.sync.plugins.module_utils._model.bundles import RELEASE, Encrypted, Item, Omitted
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import BundleError, ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._operations.bundle_documents import (
    bundle_text,
    read_bundle,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.bundle_sealing import (
    COSTS,
    decrypt,
    encrypt,
    make_key,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.bundle_yaml import to_yaml

SECTIONS = ("providers", "jobs")
KEY = make_key(Secret("correct horse"), bytes(16), COSTS[0])
PLAIN = Item(section="providers", name="tree", definition={"ldap": {"url": ["ldap://a"]}})
ITEM = Item(
    section="providers",
    name="tree",
    definition=PLAIN.definition,
    secrets={"password": Secret("s3cret"), "token": SecretReference(kind="env", name="T"), "pin": Omitted()},
)
Document: t.TypeAlias = dict[str, t.Any]


def document(*, sealed: bool = False) -> Document:
    text = bundle_text([encrypt(KEY, ITEM)], KEY) if sealed else bundle_text([PLAIN], None)
    loaded: Document = yaml.safe_load(text)
    return loaded


def signed(content: Document) -> bytes:
    """Give `content` as a file whose digest is right."""
    rest = {name: value for name, value in content.items() if name != "digest"}
    made = hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return to_yaml({**rest, "digest": f"sha256:{made}"}).encode()


def read(data: bytes | str) -> t.Any:
    return read_bundle(data.encode() if isinstance(data, str) else data, SECTIONS, "bundle x")


def test_what_was_written_is_read() -> None:
    bundle = read(bundle_text([PLAIN], None))
    assert (bundle.items, bundle.sealing, bundle.release) == ((PLAIN,), None, RELEASE)
    text = bundle_text([encrypt(KEY, ITEM)], KEY)
    assert "s3cret" not in text
    opened, key = decrypt(read(text), Secret("correct horse"), "bundle x")
    assert (opened.items, key) == ((ITEM,), KEY)


def test_comments_and_layout_are_not_content() -> None:
    text = "# kept by ann\n\n" + bundle_text([PLAIN], None).replace("providers:", "providers:   # all of them")
    assert read(text).items == (PLAIN,)


def test_the_release_is_that_of_the_collection() -> None:
    galaxy = yaml.safe_load((Path(__file__).resolve().parents[5] / "galaxy.yml").read_text(encoding="utf-8"))
    assert galaxy["version"] == RELEASE


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ("lockstep-bundle-2", r"its format is 'lockstep-bundle-2', .* Update lockstep.sync .*\('1.0.0'\)"),
        ("lockstep-bundle-0", "its format is 'lockstep-bundle-0', .* Export it again with this release"),
        ("something", "it is not a bundle: `format` must be 'lockstep-bundle-1', got 'something'"),
        (1, "it is not a bundle: .* got 1"),
        (None, "it is not a bundle: .* got None"),
    ],
)
def test_another_format_is_named(found: object, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        read(signed({**document(), "format": found}))


def test_a_file_that_is_no_mapping_is_no_bundle() -> None:
    with pytest.raises(BundleError, match="it holds no mapping of options"):
        read("- a\n")


@pytest.mark.parametrize("digest", [None, 5, "sha256:äh", "sha256:" + "0" * 64])
def test_a_wrong_digest_is_damage(digest: object) -> None:
    with pytest.raises(BundleError, match=r"it is damaged, or was changed by hand: .* Nothing was imported"):
        read(to_yaml({**document(), "digest": digest}))


ENTRY: Document = {"name": "a", "csv": {"path": "/a"}}
SEALING = document(sealed=True)["encryption"]
WRONG: tuple[tuple[Document, str], ...] = (
    ({"jebs": []}, "there is no option 'jebs'. Did you mean 'jobs'"),
    ({"release": None}, "`release` is missing"),
    ({"providers": {"a": 1}}, "`providers` must be a list"),
    ({"providers": ["a"]}, "providers, entry 1: expected a mapping of options, got 'a'"),
    ({"providers": [{"csv": {}}]}, "providers, entry 1: `name` must be a text, got None"),
    ({"providers": [{"name": " a"}]}, "a name is 1 to 200 printable characters"),
    ({"providers": [ENTRY, ENTRY]}, "providers has two objects called 'a'"),
    ({"providers": [{**ENTRY, "secrets": []}]}, r"entry 1 \('a'\): `secrets` must be a mapping"),
    (
        {"providers": [{**ENTRY, "secrets": {"p": {}}}]},
        "secrets, p: expected one of 'encrypted', 'omitted', 'env', 'file'",
    ),
    ({"providers": [{**ENTRY, "secrets": {"p": {"x": 1}}}]}, "secrets, p: there is no option 'x'"),
    ({"providers": [{**ENTRY, "secrets": {"p": {"env": "A", "file": "B"}}}]}, "secrets, p: expected one of"),
    ({"providers": [{**ENTRY, "secrets": {"p": {"omitted": False}}}]}, "`omitted` must be true"),
    ({"providers": [{**ENTRY, "secrets": {"p": {"encrypted": ""}}}]}, "`encrypted` is missing"),
    ({"encryption": []}, "encryption: expected a mapping"),
    ({"encryption": {**SEALING, "rounds": 1}}, "encryption: there is no option 'rounds'"),
    ({"encryption": {**SEALING, "kdf": "md5"}}, "`kdf` must be 'scrypt'"),
    ({"encryption": {**SEALING, "cost": 2**30}}, "`cost` must be a whole number of at least 32768 and at most 262144"),
    ({"encryption": {**SEALING, "cost": 2**15 + 1}}, "`cost` must be one of 32768, 65536, 131072, 262144"),
    (
        {"encryption": {**SEALING, "block_size": 2**20}},
        "`block_size` must be a whole number of at least 8 and at most 8",
    ),
    ({"encryption": {**SEALING, "parallelization": 9}}, "`parallelization` must be"),
    ({"encryption": {**SEALING, "salt": "AAAA"}}, "`salt` must be 16 bytes in base64"),
    ({"encryption": {**SEALING, "salt": "ä"}}, "`salt` must be 16 bytes in base64"),
    ({"encryption": {**SEALING, "check": "abc"}}, "`check` must be 64 hexadecimal digits"),
    ({"encryption": {**SEALING, "seal": None}}, "`seal` must be 64 hexadecimal digits"),
)


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_what_is_wrong_is_named_with_the_release_that_wrote_it(change: Document, message: str) -> None:
    with pytest.raises(BundleError, match=f"bundle x.*{message}.* It was written by release "):
        read(signed({**document(), **change}))


def test_a_literal_is_never_written_in_clear() -> None:
    with pytest.raises(TypeError, match="must be encrypted or omitted"):
        bundle_text([ITEM], None)


def test_text_that_is_not_unicode_is_refused() -> None:
    item = Item(section="providers", name="a", definition={"csv": {"path": "/a\udcff"}})
    with pytest.raises(ConfigError, match=r"cannot hold '/a.udcff', which is not Unicode text"):
        bundle_text([item], None)


def test_the_passphrase_is_needed_and_checked() -> None:
    bundle = read(bundle_text([encrypt(KEY, ITEM)], KEY))
    with pytest.raises(BundleError, match=r"it is sealed with a passphrase\. Nothing was imported"):
        decrypt(bundle, None, "bundle x")
    with pytest.raises(BundleError, match="the passphrase is not the one that it was exported with"):
        decrypt(bundle, Secret("wrong horse"), "bundle x")


def test_a_passphrase_is_the_same_however_its_letters_are_composed() -> None:
    composed, decomposed = Secret("Zürich 2026"), Secret("Zu\u0308rich 2026")
    assert make_key(composed, bytes(16), COSTS[0]) == make_key(decomposed, bytes(16), COSTS[0])


def test_who_does_not_know_the_passphrase_changes_nothing() -> None:
    changed = document(sealed=True)
    changed["providers"][0]["ldap"]["url"] = ["ldap://evil"]
    with pytest.raises(BundleError, match="somebody who does not know the passphrase changed it"):
        decrypt(read(signed(changed)), Secret("correct horse"), "bundle x")
    # Nor takes the seal off.
    without = document(sealed=True)
    del without["encryption"]
    with pytest.raises(BundleError, match="'tree' has an encrypted secret, but `encryption` is missing"):
        decrypt(read(signed(without)), Secret("correct horse"), "bundle x")


@pytest.mark.parametrize("place", [{"section": "jobs"}, {"name": "other"}, {"option": "pin"}])
def test_a_token_cannot_be_read_in_another_place(place: dict[str, str]) -> None:
    token = encrypt(KEY, ITEM).secrets["password"]
    assert isinstance(token, Encrypted)
    moved = Item(
        section=place.get("section", ITEM.section),
        name=place.get("name", ITEM.name),
        definition={},
        secrets={place.get("option", "password"): token},
    )
    # Even when somebody who knows the passphrase sealed it anew.
    with pytest.raises(BundleError, match="it cannot be decrypted here"):
        decrypt(read(bundle_text([moved], KEY)), Secret("correct horse"), "bundle x")
