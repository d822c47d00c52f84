"""Templates and crops are sealed before they reach the database: AES-256-GCM, under keys that are kept elsewhere.

The associated data bind a sealed blob to what it belongs to (kind, person, model, row), so a row that was copied to
another place does not open. Keys are named; new data are sealed by the last key, older keys only open. 96-bit nonces
are drawn at random: NIST SP 800-38D allows 2³² blobs under one key, far beyond any gallery.
"""

import base64
import binascii
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from facegate.serving.store.errors import TamperedError, VaultError

KEYS, KEY_FILE = "FACEGATE_VAULT_KEYS", "FACEGATE_VAULT_KEY_FILE"
"""Environment variables: the keys themselves, or the path of a file that holds them."""

_FORM = "one `name base64-of-32-bytes` a line (or separated by commas), the newest last"
_RESTORE = (
    "restore the copy of it; `facegate vault new NAME` makes a key that opens nothing that was sealed before"
)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,32}")
_MAGIC, _NONCE, _KEY = b"fg1", 12, 32


class Sealed(NamedTuple):
    """Encrypted data.

    Attributes:
        key_id: name of the key.
        data: magic, nonce, ciphertext and tag.
    """

    key_id: str
    data: bytes


class Vault:
    """Seals and opens. Use `load` or `from_text`.

    Args:
        keys: key bytes by name, the newest last.
        source: where they come from, for errors.
    """

    def __init__(self, keys: Mapping[str, bytes], source: str = "keys") -> None:
        if not keys:
            raise VaultError(f"{source}: no key is given", _RESTORE)
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self.key_id = list(keys)[-1]

    @classmethod
    def load(cls, path: Path | None = None, environment: Mapping[str, str] | None = None) -> "Vault":
        """Read the keys from a file, or else from the environment.

        Args:
            path: key file; by default the environment says which (`KEY_FILE`), or holds the keys (`KEYS`).
            environment: the process's by default.

        Raises:
            VaultError: there are no keys, or they are malformed.
        """
        env = os.environ if environment is None else environment
        if path is None and env.get(KEYS):
            return cls.from_text(env[KEYS], KEYS)
        if path is None and not env.get(KEY_FILE):
            raise VaultError(
                "no key is given for the templates", f"set {KEY_FILE} to a key file, or {KEYS} to the keys"
            )
        path = path or Path(env[KEY_FILE])
        try:
            return cls.from_text(path.read_text(), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise VaultError(f"key file {path}: {error}", _RESTORE) from error

    @classmethod
    def from_text(cls, text: str, source: str = "keys") -> "Vault":
        """Read keys from text.

        Raises:
            VaultError: a line is malformed, or a name stands twice.
        """
        keys: dict[str, bytes] = {}
        lines = [line.split("#")[0].split() for line in re.split(r"[\n,]", text)]
        for number, words in enumerate((words for words in lines if words), start=1):
            name, key = _parsed(words, f"{source}: key {number}")
            if name in keys:
                raise VaultError(f"{source}: key name `{name}` stands twice", "give each key its own name")
            keys[name] = key
        return cls(keys, source)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Names of all keys, the newest last."""
        return tuple(self._keys)

    def seal(self, data: bytes, *context: str) -> Sealed:
        """Encrypt data that belong to a context.

        Args:
            data: what to hide.
            context: what it belongs to; the same words are needed to open it.
        """
        nonce = secrets.token_bytes(_NONCE)
        bound = _bound(self.key_id, context)
        return Sealed(self.key_id, _MAGIC + nonce + self._keys[self.key_id].encrypt(nonce, data, bound))

    def open(self, sealed: Sealed, *context: str) -> bytes:
        """Decrypt.

        Raises:
            VaultError: the key is not here.
            TamperedError: the data or their context were changed.
        """
        cipher = self._keys.get(sealed.key_id)
        if cipher is None:
            raise VaultError(
                f"{' '.join(context)}: sealed by the key `{sealed.key_id}`, which is not here",
                f"add that key again; here are {', '.join(self._keys)}",
            )
        start = len(_MAGIC) + _NONCE
        try:
            if sealed.data[: len(_MAGIC)] != _MAGIC:
                raise InvalidTag
            return cipher.decrypt(
                sealed.data[len(_MAGIC) : start], sealed.data[start:], _bound(sealed.key_id, context)
            )
        except (InvalidTag, ValueError) as error:
            raise TamperedError(
                f"{' '.join(context)}: was changed, moved from another row, or sealed by another key of this name",
                "restore the database from a backup, or delete and enrol the person again",
            ) from error


def new_key_line(name: str) -> str:
    """A fresh key as a line of a key file.

    Raises:
        VaultError: the name is no key name.
    """
    line = f"{name} {base64.b64encode(secrets.token_bytes(_KEY)).decode()}"
    _parsed(line.split(" "), "key")
    return line


def _parsed(words: list[str], where: str) -> tuple[str, bytes]:
    if len(words) != 2 or not _NAME.fullmatch(words[0]):
        raise VaultError(f"{where} is malformed", f"write {_FORM}")
    try:
        key = base64.b64decode(words[1], validate=True)
    except binascii.Error as error:
        raise VaultError(f"{where} (`{words[0]}`) is no base64", f"write {_FORM}") from error
    if len(key) != _KEY:
        raise VaultError(f"{where} (`{words[0]}`) has {len(key)} bytes", f"a key has {_KEY}: {_FORM}")
    return words[0], key


def _bound(key_id: str, context: tuple[str, ...]) -> bytes:
    """Words with their lengths, so that no two contexts read alike."""
    words = [word.encode() for word in (key_id, *context)]
    return b"".join(len(word).to_bytes(4, "big") + word for word in words)
