# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets on their way to a driver: references are looked up, stored ones decrypted, too short ones refused."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from .._model.errors import ConfigError
from .._model.secrets import Secret, SecretReference
from .vault import StoredSecret

MIN_LENGTH = 4
_MAX_FILE_BYTES = 65536


def check_literal(secret: Secret, owner: str, option: str) -> None:
    """Raise ConfigError when `secret` of `owner` (as `provider 'hr'`) is too short to be a literal.

    Whatever equals a literal is masked in every result; a short one would garble numbers and words.
    """
    if len(secret.reveal()) < MIN_LENGTH:
        raise ConfigError(
            f"{owner}, option {option}: a literal secret must have at least {MIN_LENGTH} characters, "
            "because masking a shorter one garbles results. Use a reference: "
            f"{option}_from: {{env: NAME}} or {option}_from: {{file: PATH}}."
        )


def resolve(secret: Secret | StoredSecret | SecretReference, what: str, environ: Mapping[str, str]) -> Secret:
    """Give the secret itself, on the host and at the moment a job needs it. One trailing newline is cut off.

    Args:
        secret: a literal, a stored literal, or a reference.
        what: whose secret it is, for messages: `provider 'hr', option password`.
        environ: the environment variables.

    Raises:
        ConfigError: the variable or file is missing, empty, or the file cannot be read or can be read by everybody.
        StoreError: a stored literal cannot be decrypted.
    """
    if isinstance(secret, Secret):
        return secret
    if isinstance(secret, StoredSecret):
        return secret.reveal()
    if secret.kind == "env":
        text = environ.get(secret.name)
        source = f"the environment variable {secret.name}"
        if text is None:
            raise ConfigError(f"{what}: {source} is not set. Set it on the host that runs the job.")
    else:
        source = f"the file {secret.name}"
        text = _read_file(Path(secret.name).expanduser(), what)
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise ConfigError(f"{what}: {source} is empty. Put the secret there.")
    return Secret(text)


def _read_file(path: Path, what: str) -> str:
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{what}: the file {path} cannot be read: {error.strerror}. "
            "Put it on the host that runs the job, readable by the user who runs it."
        ) from None
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise ConfigError(
            f"{what}: everybody may read or write the file {path} (mode {stat.S_IMODE(mode):04o}). "
            f"Run: chmod 600 {path}"
        )
    if len(content) > _MAX_FILE_BYTES:
        raise ConfigError(
            f"{what}: the file {path} is longer than {_MAX_FILE_BYTES} bytes. Name a file with the secret only."
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{what}: the file {path} is not UTF-8 text. Store the secret as text.") from None
