"""Ed25519 signatures of bundles and releases: who made this model, and is it still what was signed?

Hashes inside a folder find accidents; whoever edits a folder on purpose can write new hashes. A signature can only
be made with the private key, which stays where models are released. Where models are *used*,
``FACEGATE_PUBLIC_KEY`` names the key that is trusted; from then on nothing unsigned is loaded. Either key may be
given as the path of a PEM file or as the PEM text itself. A file with several public keys trusts them all, so that a
key can be exchanged.

The bare edge install carries no ``cryptography``: without a configured key it is never needed, and with one its
absence is an error, never a pass.

Standard: RFC 8032 (Ed25519).
"""

import base64
import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facegate.errors import BundleError, MissingExtraError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNATURE = "signature.json"
PRIVATE_VARIABLE, PUBLIC_VARIABLE = "FACEGATE_SIGNING_KEY", "FACEGATE_PUBLIC_KEY"
_BLOCK = re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)


def signing_configured() -> bool:
    """Whether this process holds a key to sign with."""
    return bool(os.environ.get(PRIVATE_VARIABLE))


def trust_configured() -> bool:
    """Whether this process is told whose signature to trust."""
    return bool(os.environ.get(PUBLIC_VARIABLE))


def sign(statement: bytes) -> bytes:
    """Content of a ``signature.json`` over a statement, by the key in ``FACEGATE_SIGNING_KEY``.

    Raises:
        BundleError: there is no such key, or it is none for Ed25519.
    """
    key = _private_key()
    values = {
        "algorithm": "ed25519",
        "key": key_id(key.public_key()),
        "signature": base64.b64encode(key.sign(statement)).decode(),
    }
    return (json.dumps(values, indent=1, sort_keys=True) + "\n").encode()


def check(statement: bytes, folder: Path) -> None:
    """Hold a statement about a folder against the signature in it and the trusted keys.

    Raises:
        BundleError: there is no signature, it is of another key, or the statement is not what was signed.
        MissingExtraError: ``cryptography`` is not installed.
    """
    path, trusted = folder / SIGNATURE, {key_id(key): key for key in _public_keys()}
    try:
        values: dict[str, Any] = json.loads(path.read_bytes())
        name, signature = str(values["key"]), base64.b64decode(values["signature"], validate=True)
    except FileNotFoundError as error:
        raise BundleError(f"{folder}: is not signed, and {PUBLIC_VARIABLE} is set", _TAKE) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{path}: is no signature: {error}", _TAKE) from error
    if name not in trusted:
        raise BundleError(
            f"{folder}: was signed by key {name}; trusted is {', '.join(trusted)}",
            f"take it from whom you trust, or add that public key to {PUBLIC_VARIABLE}",
        )
    from cryptography.exceptions import InvalidSignature

    try:
        trusted[name].verify(signature, statement)
    except InvalidSignature as error:
        raise BundleError(f"{folder}: was edited after it was signed by key {name}", _TAKE) from error


def key_id(key: "Ed25519PublicKey") -> str:
    """Short name of a public key: the first 16 digits of its SHA-256."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def new_keys() -> tuple[bytes, bytes]:
    """A new pair of keys as PEM: private (PKCS 8, not encrypted) and public."""
    _need_cryptography()
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    return private, public


def _private_key() -> "Ed25519PrivateKey":
    _need_cryptography()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    (block,) = _blocks(PRIVATE_VARIABLE)[:1]
    try:
        key = load_pem_private_key(block, password=None)
    except (ValueError, TypeError) as error:
        raise BundleError(f"{PRIVATE_VARIABLE}: no readable private key: {error}", _MAKE) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError(f"{PRIVATE_VARIABLE}: holds no Ed25519 key", _MAKE)
    return key


def _public_keys() -> "list[Ed25519PublicKey]":
    _need_cryptography()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    keys = []
    for block in _blocks(PUBLIC_VARIABLE):
        try:
            key = load_pem_public_key(block)
        except ValueError as error:
            raise BundleError(f"{PUBLIC_VARIABLE}: no readable public key: {error}", _MAKE) from error
        if not isinstance(key, Ed25519PublicKey):
            raise BundleError(f"{PUBLIC_VARIABLE}: holds a key that is not Ed25519", _MAKE)
        keys.append(key)
    return keys


def _blocks(variable: str) -> list[bytes]:
    """PEM blocks of the file that a variable names, or of its own text (line ends may be written as \\n)."""
    value = os.environ.get(variable, "")
    text = value.replace("\\n", "\n")
    if "-----BEGIN" not in text:
        try:
            text = Path(value).read_text() if value else ""
        except (OSError, UnicodeDecodeError) as error:
            raise BundleError(f"{variable}={value}: cannot be read: {error}", _MAKE) from error
    found = [block.encode() for block in _BLOCK.findall(text)]
    if not found:
        raise BundleError(f"{variable}: holds no PEM key", _MAKE)
    return found


def _need_cryptography() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "signatures need the package `cryptography`", "pip install 'facegate[sign]'"
        ) from error


_MAKE = "`facegate registry keys --out DIR` makes a pair; name its PEM file, or give its text"
_TAKE = "take it anew from the registry; if it was never signed, sign it where it is released"
