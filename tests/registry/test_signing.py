"""Who made this model: signatures of bundles and releases, and what happens without them."""

import builtins
import json
import pickle
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from facegate.cli import app
from facegate.contracts import Task
from facegate.errors import BundleError, FacegateError, MissingExtraError
from facegate.params import Params
from facegate.registry.listing import fetch_bundle
from facegate.registry.promote import check, promote
from facegate.registry.releases import create_release, pull
from facegate.registry.store import Store
from facegate.registry.verify import verify
from facegate.runtime.bundle import load_bundle, sign_bundle
from facegate.runtime.release import open_release, read_release
from facegate.runtime.session import Session
from facegate.runtime.signing import PRIVATE_VARIABLE, PUBLIC_VARIABLE, SIGNATURE, new_keys

MakeBundle = Callable[..., Path]


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both keys configured, as files in a folder."""
    done = CliRunner().invoke(app, ["registry", "keys", "--out", str(tmp_path / "keys")])
    assert done.exit_code == 0, done.output
    monkeypatch.setenv(PRIVATE_VARIABLE, str(tmp_path / "keys" / "signing.pem"))
    monkeypatch.setenv(PUBLIC_VARIABLE, str(tmp_path / "keys" / "public.pem"))
    return tmp_path / "keys"


def test_a_private_key_is_private_and_never_overwritten(keys: Path) -> None:
    assert stat.S_IMODE((keys / "signing.pem").stat().st_mode) == 0o600
    again = CliRunner().invoke(app, ["registry", "keys", "--out", str(keys)])
    assert "exists already" in str(again.exception)


def test_a_signed_bundle_loads_and_an_unsigned_one_does_not(keys: Path, make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    with pytest.raises(BundleError, match="is not signed"):
        load_bundle(folder)
    sign_bundle(folder)
    assert Session(load_bundle(folder), check_golden=True)


@pytest.mark.parametrize("given", ["text", "escaped", "two"])
def test_keys_may_be_given_as_text_and_several_trusted(
    keys: Path, make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    private, public = ((keys / name).read_text() for name in ("signing.pem", "public.pem"))
    if given == "two":
        public = new_keys()[1].decode() + public
    escape = given == "escaped"
    monkeypatch.setenv(PRIVATE_VARIABLE, private.replace("\n", "\\n") if escape else private)
    monkeypatch.setenv(PUBLIC_VARIABLE, public.replace("\n", "\\n") if escape else public)
    folder = make_bundle()
    sign_bundle(folder)
    load_bundle(folder)


def test_an_edit_by_somebody_who_rewrites_every_hash_is_found(keys: Path, make_bundle: MakeBundle) -> None:
    """The other model is whole and of one mind: only the signature tells that it is not the one released."""
    folder, other = make_bundle(), make_bundle(weight=2.0)
    sign_bundle(folder)
    for name in ("model.onnx", "contract.json", "golden.npz"):
        shutil.copyfile(other / name, folder / name)
    assert load_bundle(folder, signed=False)
    with pytest.raises(BundleError, match="edited after it was signed"):
        load_bundle(folder)


def test_golden_vectors_are_signed_too(keys: Path, make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    sign_bundle(folder)
    bundle = load_bundle(folder)
    np.savez(folder / "golden.npz", inputs=bundle.golden.inputs, outputs=bundle.golden.outputs + 0.001)
    with pytest.raises(BundleError, match="edited after"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("bundle/contract.json", "holds no PEM key"),
        ("nowhere.pem", "cannot be read"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "no readable public key"),
        ("another", "was signed by key"),
    ],
)
def test_what_is_wrong_with_a_key_is_said(
    keys: Path, make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch, key: str, said: str
) -> None:
    folder = make_bundle()
    sign_bundle(folder)
    given = {"another": new_keys()[1].decode(), "bundle/contract.json": str(folder / "contract.json")}
    monkeypatch.setenv(PUBLIC_VARIABLE, given.get(key, key))
    with pytest.raises(BundleError, match=said):
        load_bundle(folder)


@pytest.mark.parametrize("text", ["{}", "[]", '{"key": "a", "signature": "not base64!"}', "\x00"])
def test_a_broken_signature_file_is_named(keys: Path, make_bundle: MakeBundle, text: str) -> None:
    folder = make_bundle()
    (folder / SIGNATURE).write_text(text)
    with pytest.raises(BundleError, match="is no signature"):
        load_bundle(folder)


def test_the_edge_install_refuses_rather_than_passes(
    keys: Path, make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_bundle()
    sign_bundle(folder)
    original = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == "cryptography":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match="cryptography"):
        load_bundle(folder)
    monkeypatch.delenv(PUBLIC_VARIABLE)
    assert load_bundle(folder)


def test_releases_are_signed_when_made_and_checked_when_loaded(
    releases: Path, store: Store, keys: Path, params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old ones of the store were never signed; a new one of the same models by other points is."""
    parts = {Task.RECOGNITION: "recognition/1", Task.SPOOF: "spoof/2"}
    done = create_release(parts, params)
    out = tmp_path / "door"
    manifest = pull(f"release/{done.version}", out)
    assert open_release(out, manifest).recogniser.policy.name
    with pytest.raises(BundleError, match="is not signed"):
        pull("release/1", tmp_path / "old")
    assert verify(params) == []  # candidates that were never signed are no concern
    quick = params.model_copy(update={"evaluate": params.evaluate.model_copy(update={"bootstrap": 100})})
    for version in (done.version, "1"):
        promote(check(quick, "staging", reference=version), override="a test")
    (problem,) = verify(params)
    assert "facegate-release/1:" in problem
    assert "not signed" in problem
    for name, damage in (("release.json", b'"synthetic_only": false'), (SIGNATURE, b"")):
        copy = tmp_path / f"edited-{name}"
        shutil.copytree(out, copy)
        text = (copy / name).read_bytes()
        (copy / name).write_bytes(text.replace(b'"synthetic_only": true', damage) if damage else damage)
        with pytest.raises(FacegateError, match=r"edited after it was signed|no signature"):
            read_release(copy)
    monkeypatch.delenv(PUBLIC_VARIABLE)
    assert read_release(out) == manifest
    assert json.loads((out / SIGNATURE).read_text())["algorithm"] == "ed25519"


def test_nothing_is_unpickled_on_the_way_from_the_registry_to_an_answer(
    releases: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was unpickled")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    out = tmp_path / "door"
    open_release(out, pull("release/1", out))
    bundle = fetch_bundle(store, "facegate-spoof", "1", tmp_path / "cache")
    assert Session(load_bundle(bundle), check_golden=True)


def test_a_pickle_in_place_of_golden_vectors_is_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    np.savez(folder / "golden.npz", inputs=np.array([{"a": 1}], object), outputs=np.zeros((1, 4), np.float32))
    with pytest.raises(BundleError, match=r"golden\.npz"):
        load_bundle(folder)
