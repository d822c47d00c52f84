"""A model on disk together with everything that must be known to use it as it was measured.

A bundle is a folder of three files::

    model.onnx      the network; its metadata hold the contract without ``model_sha256``
    contract.json   the contract, with the SHA-256 of model.onnx as it lies there
    golden.npz      a few pictures (``inputs``) and what the network must answer (``outputs``)

The contract thus stands twice: an edit of either copy, or of one byte of the network, is seen and named. A hash
cannot contain itself, hence the one field that only ``contract.json`` has.
"""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from facegate.contracts import CONTRACT_VERSION, ModelContract
from facegate.errors import BundleError
from facegate.runtime import signing
from facegate.runtime.agreement import disagreements
from facegate.runtime.onnx_file import read_metadata, write_metadata
from facegate.whole import write_whole

MODEL, CONTRACT, GOLDEN = "model.onnx", "contract.json", "golden.npz"
METADATA_KEY = "facegate.contract"
_RESTORE = "take the bundle anew from the registry, or run `dvc repro`"


class Golden(NamedTuple):
    """Pictures with the answers that were measured where the model was made.

    Attributes:
        inputs: RGB uint8, shape (n, height, width, 3).
        outputs: float32, shape (n, size).
    """

    inputs: NDArray[np.uint8]
    outputs: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle whose files were found complete and of one mind.

    Attributes:
        contract: what the model is and how to use it.
        model_path: where the network lies.
        golden: pictures with known answers.
        model: the bytes that were verified; sessions open these, not the file as it may be later.
    """

    contract: ModelContract
    model_path: Path
    golden: Golden
    model: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 over the contract, and so over the model: what names a release."""
        return hashlib.sha256(canonical(self.contract.model_dump(mode="json")).encode()).hexdigest()

    def statement(self) -> bytes:
        """What a signature of this bundle signs: contract, model and golden vectors, as they were read."""
        golden = hashlib.sha256()
        for array in self.golden:
            golden.update(f"{array.dtype} {array.shape}\n".encode() + np.ascontiguousarray(array).tobytes())
        return canonical({"facegate": "bundle", "digest": self.digest, "golden": golden.hexdigest()}).encode()


def canonical(values: dict[str, Any]) -> str:
    """JSON of which there is one form only: sorted keys, no spaces."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def write_bundle(
    folder: Path,
    onnx_bytes: bytes,
    contract: ModelContract,
    golden_inputs: NDArray[np.uint8],
    golden_outputs: NDArray[np.float32],
) -> Bundle:
    """Write a bundle, whole or not at all, replacing what was there.

    The contract is put into the model's metadata (an older copy of it is taken out) and its ``model_sha256``
    is computed here, whatever it held. The bundle is read back before it takes its place.

    Args:
        folder: where the bundle shall lie.
        onnx_bytes: the network, one self-contained ONNX file.
        contract: what it is.
        golden_inputs: a few pictures, RGB uint8, shape (n, height, width, 3).
        golden_outputs: what this very model answers, shape (n, size).

    Raises:
        BundleError: contract, model and golden vectors do not fit together, or the disk is full.
    """
    folder = Path(folder)
    inner = contract.model_dump(mode="json", exclude={"model_sha256"})
    try:
        model = write_metadata(onnx_bytes, METADATA_KEY, canonical(inner))
    except ValueError as error:
        raise BundleError(f"{folder / MODEL}: not an ONNX file: {error}", "export the model anew") from error
    outer = {**inner, "model_sha256": hashlib.sha256(model).hexdigest()}
    golden = io.BytesIO()
    np.savez(golden, inputs=np.asarray(golden_inputs), outputs=np.asarray(golden_outputs, np.float32))
    files = {
        MODEL: model,
        CONTRACT: (json.dumps(outer, indent=1, sort_keys=True) + "\n").encode(),
        GOLDEN: golden.getvalue(),
    }
    draft = folder.with_name(f".{folder.name}.partial")
    try:
        _write(draft, files)
        load_bundle(draft, signed=False)
        _replace(folder, draft)
    except OSError as error:
        raise BundleError(f"{folder}: cannot be written: {error}", "check the disk and run again") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return load_bundle(folder, signed=False)


def load_bundle(folder: Path, *, signed: bool = True) -> Bundle:
    """Read a bundle and check that it is complete, unedited and of one mind.

    Golden vectors are compared by ``Session(bundle, check_golden=True)``.

    Args:
        folder: where it lies.
        signed: where ``FACEGATE_PUBLIC_KEY`` is set, also demand a signature by that key. Only what makes
            bundles, and has none to demand yet, says no.

    Raises:
        BundleError: a file is missing; the contract lacks a field, holds an impossible one or is of another
            version; its SHA-256 is not the model's; it differs from the copy in the model; or the network's
            tensors are not what it says; or the signature is not that of a trusted key. The field is named.
    """
    folder = Path(folder)
    contract = _read_contract(folder / CONTRACT)
    model = _read(folder / MODEL)
    if hashlib.sha256(model).hexdigest() != contract.model_sha256:
        raise BundleError(
            f"{folder / MODEL}: was edited: its SHA-256 is not the contract's `model_sha256`", _RESTORE
        )
    _compare_copies(folder, contract, model)
    golden = _read_golden(folder / GOLDEN)
    problems = disagreements(contract, model, golden.inputs, golden.outputs)
    if problems:
        raise BundleError(f"{folder}: " + f"\n{folder}: ".join(problems), "export the model anew")
    bundle = Bundle(contract, folder / MODEL, golden, model)
    if signed and signing.trust_configured():
        signing.check(bundle.statement(), folder)
    return bundle


def by_target(place: Path) -> dict[str, Path]:
    """Bundles that lie side by side, by what their contracts say they were made for: ``fp32`` first, the others by name.

    Raises:
        BundleError: one is broken, two were made for the same, or there is none in full precision.
    """
    found: dict[str, Path] = {}
    for folder in sorted(p for p in place.iterdir() if p.is_dir() and not p.name.startswith(".")):
        target = load_bundle(folder, signed=False).contract.quantisation.target
        if target in found:
            raise BundleError(
                f"{folder}: made for {target}, as {found[target].name} is",
                "leave one of the two out of `quantize.targets`",
            )
        found[target] = folder
    if "fp32" not in found:
        raise BundleError(f"{place}: holds no fp32 bundle", "run `dvc repro export`")
    return {name: found[name] for name in sorted(found, key=lambda name: (name != "fp32", name))}


def sign_bundle(folder: Path) -> None:
    """Lay a signature of the bundle beside it, by the key in ``FACEGATE_SIGNING_KEY``.

    Raises:
        BundleError: the bundle is broken, or there is no key.
    """
    write_whole(folder / signing.SIGNATURE, signing.sign(load_bundle(folder, signed=False).statement()))


def _read_contract(path: Path) -> ModelContract:
    try:
        values = json.loads(_read(path))
    except ValueError as error:
        raise BundleError(f"{path}: not valid JSON: {error}", _RESTORE) from error
    version = values.get("contract_version") if isinstance(values, dict) else None
    if version != CONTRACT_VERSION:
        raise BundleError(
            f"{path}: `contract_version` is {version!r}, and this facegate reads {CONTRACT_VERSION}",
            "install the facegate that made the bundle, or export the model anew",
        )
    try:
        contract = ModelContract.model_validate(values)
    except ValidationError as error:
        lines = [f"{path}: `{'.'.join(map(str, e['loc']))}`: {e['msg']}" for e in error.errors()]
        raise BundleError("\n".join(lines), _RESTORE) from error
    absent = list(_absent(values, contract.model_dump(mode="json")))
    if absent:
        raise BundleError(f"{path}: `" + "`, `".join(absent) + "` is missing", _RESTORE)
    return contract


def _absent(given: Any, whole: Any, path: str = "") -> Iterator[str]:
    """Fields that were filled from defaults: harmless in code, but not in a file that must be complete."""
    if isinstance(whole, list) and isinstance(given, list):
        whole, given = dict(enumerate(whole)), dict(enumerate(given))
    if isinstance(whole, dict) and isinstance(given, dict):
        for key, value in whole.items():
            here = f"{path}.{key}" if path else str(key)
            yield from _absent(given[key], value, here) if key in given else (here,)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror or error}", _RESTORE) from error


def _read_golden(path: Path) -> Golden:
    try:
        with np.load(io.BytesIO(_read(path)), allow_pickle=False) as arrays:
            return Golden(arrays["inputs"], arrays["outputs"])
    except BundleError:
        raise
    except Exception as error:  # zip and npy readers fail in a dozen ways on damaged bytes
        raise BundleError(f"{path}: corrupt or truncated: {error}", _RESTORE) from error


def _compare_copies(folder: Path, contract: ModelContract, model: bytes) -> None:
    try:
        text = read_metadata(model).get(METADATA_KEY)
        inside = json.loads(text) if text is not None else None
    except ValueError as error:
        raise BundleError(f"{folder / MODEL}: its metadata cannot be read: {error}", _RESTORE) from error
    if not isinstance(inside, dict):
        raise BundleError(
            f"{folder / MODEL}: carries no contract (`{METADATA_KEY}` in its metadata)", _RESTORE
        )
    outside = contract.model_dump(mode="json", exclude={"model_sha256"})
    differing = list(_differences(outside, inside))
    if differing:
        raise BundleError(
            f"{folder / CONTRACT}: disagrees with the copy inside {MODEL}: " + "; ".join(differing), _RESTORE
        )


def _differences(outside: Any, inside: Any, path: str = "") -> list[str]:
    if isinstance(outside, dict) and isinstance(inside, dict):
        keys = sorted(outside.keys() | inside.keys())
        found = [_differences(outside.get(k), inside.get(k), f"{path}.{k}" if path else k) for k in keys]
        return [line for lines in found for line in lines]
    return [] if outside == inside else [f"`{path}` is {outside!r} and {inside!r} inside"]


def _write(draft: Path, files: dict[str, bytes]) -> None:
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, data in files.items():
        with (draft / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _replace(folder: Path, draft: Path) -> None:
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    draft.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
