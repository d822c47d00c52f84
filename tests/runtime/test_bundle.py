import json
import shutil

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from facegate.contracts import Distribution, InputSpec, OutputSpec, Quantisation, Task
from facegate.errors import BundleError
from facegate.runtime import bundle as bundle_module
from facegate.runtime.bundle import by_target, load_bundle, write_bundle
from tests.runtime.tiny import make_contract, make_model, pictures, reference


@pytest.fixture
def written(make_bundle):
    return make_bundle(Task.SPOOF)


def folder_of(bundle):
    return bundle.model_path.parent


def edit(bundle, change):
    path = folder_of(bundle) / "contract.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    return folder_of(bundle)


def test_round_trip(written):
    loaded = load_bundle(folder_of(written))
    assert loaded.contract == written.contract
    assert len(loaded.contract.model_sha256) == 64
    assert (loaded.golden.inputs == pictures(3)).all()
    assert loaded.digest == written.digest
    assert onnx.load(loaded.model_path).graph.name == "tiny"


def test_the_model_carries_the_contract(written):
    (entry,) = onnx.load(written.model_path).metadata_props
    inside = json.loads(entry.value)
    assert entry.key == "facegate.contract"
    assert inside == written.contract.model_dump(mode="json", exclude={"model_sha256"})


def test_the_same_bundle_is_the_same_bytes(make_bundle):
    first, second = make_bundle(name="a"), make_bundle(name="b")
    for name in ("model.onnx", "contract.json", "golden.npz"):
        assert (folder_of(first) / name).read_bytes() == (folder_of(second) / name).read_bytes()


def made_for(target):
    return Quantisation.model_validate({"target": target})


def test_bundles_side_by_side_are_told_by_what_they_were_made_for(make_bundle, tmp_path):
    int8 = made_for("x86-avx2")
    make_bundle(name="made/arm64", quantisation=made_for("arm64"))
    make_bundle(name="made/host", quantisation=int8)
    make_bundle(name="made/fp32")
    place = tmp_path / "made"
    (place / ".draft").mkdir()
    assert list(by_target(place).items()) == [
        ("fp32", place / "fp32"),
        ("arm64", place / "arm64"),
        ("x86-avx2", place / "host"),
    ]
    make_bundle(name="made/x86-avx2", quantisation=int8)
    with pytest.raises(BundleError, match="x86-avx2: made for x86-avx2, as host is"):
        by_target(place)


def test_bundles_without_one_in_full_precision_are_refused(make_bundle, tmp_path):
    make_bundle(name="made/host", quantisation=made_for("arm64"))
    with pytest.raises(BundleError, match="holds no fp32 bundle"):
        by_target(tmp_path / "made")


def test_a_bundle_is_rewritten_with_a_new_contract(written):
    calibrated = written.contract.model_copy(update={"synthetic_only": False})
    again = write_bundle(folder_of(written), written.model, calibrated, *written.golden)
    assert load_bundle(folder_of(written)).contract.synthetic_only is False
    assert again.digest != written.digest
    assert len(onnx.load(again.model_path).metadata_props) == 1


@pytest.mark.parametrize("name", ["model.onnx", "contract.json", "golden.npz"])
def test_a_missing_file_is_named(written, name):
    (folder_of(written) / name).unlink()
    with pytest.raises(BundleError, match=name):
        load_bundle(folder_of(written))


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.99])
def test_a_flipped_bit_in_the_model_is_refused(written, part):
    data = bytearray(written.model_path.read_bytes())
    data[int(part * len(data))] ^= 4
    written.model_path.write_bytes(data)
    with pytest.raises(BundleError, match="model_sha256"):
        load_bundle(folder_of(written))


def _all_fields(values, path=()):
    for key, value in values.items():
        yield (*path, key)
        if isinstance(value, dict) and key not in ("data_digests", "operating_points"):
            yield from _all_fields(value, (*path, key))


def test_every_missing_field_is_refused_by_name(written):
    path = folder_of(written) / "contract.json"
    whole = json.loads(path.read_text())
    for field in _all_fields(whole):
        values = json.loads(json.dumps(whole))
        inner = values
        for key in field[:-1]:
            inner = inner[key]
        del inner[field[-1]]
        path.write_text(json.dumps(values))
        with pytest.raises(BundleError, match=f"`{'.'.join(field)}`"):
            load_bundle(path.parent)


def test_a_contract_from_before_there_was_a_reference_for_drift_is_as_it_was(written, make_bundle):
    old = load_bundle(folder_of(written))
    assert old.contract.measured == {} and "measured" not in old.contract.model_dump(mode="json")
    known = {"brightness": Distribution(quantiles=(1.0, 2.0), samples=9)}
    new = make_bundle(measured=known)
    assert load_bundle(folder_of(new)).contract.measured == known
    assert new.digest != old.digest
    path = folder_of(new) / "contract.json"
    values = json.loads(path.read_text())
    del values["measured"]
    path.write_text(json.dumps(values))
    with pytest.raises(BundleError, match="`measured`"):
        load_bundle(path.parent)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("classes", lambda v: v["classes"].reverse()),
        ("input.colour", lambda v: v["input"].update(colour="BGR")),
        ("input.height", lambda v: v["input"].update(height=32)),
        ("input.mean", lambda v: v["input"].update(mean=[127.5, 127.5, 127.5])),
        ("input.crop_factor", lambda v: v["input"].update(crop_factor=2.7)),
        ("output.higher_is", lambda v: v["output"].update(higher_is="same_person")),
        (
            "operating_points.bpcer_5.threshold",
            lambda v: v["operating_points"]["bpcer_5"].update(threshold=0),
        ),
        ("calibration.slope", lambda v: v["calibration"].update(slope=1)),
        ("synthetic_only", lambda v: v.update(synthetic_only=False)),
        ("git_commit", lambda v: v.update(git_commit="fedcba")),
        ("model_sha256", lambda v: v.update(model_sha256="0" * 64)),
        ("contract_version", lambda v: v.update(contract_version=2)),
        ("colour_order", lambda v: v.update(colour_order="RGB")),
        ("input.layout", lambda v: v["input"].update(layout="HWC")),
    ],
)
def test_an_edited_contract_is_refused_by_field(written, field, change):
    with pytest.raises(BundleError, match=f"`{field}`"):
        load_bundle(edit(written, change))


SPOOF = make_contract(Task.SPOOF)


def changed(part: InputSpec | OutputSpec, **values):
    return part.model_copy(update=values)


@pytest.mark.parametrize(
    ("field", "model", "changes"),
    [
        ("input.height", {}, {"input": changed(SPOOF.input, height=32)}),
        ("input.width", {}, {"input": changed(SPOOF.input, width=32)}),
        ("input.name", {}, {"input": changed(SPOOF.input, name="pixels")}),
        ("input.layout", {"layout": "NCHW"}, {}),
        ("input.dtype", {"dtype": TensorProto.FLOAT}, {}),
        ("input.in_graph", {}, {"input": changed(SPOOF.input, in_graph=False)}),
        ("input.name", {"batch": 4}, {}),
        ("output.name", {}, {"output": changed(SPOOF.output, name="logits")}),
        ("output.size", {}, {"output": changed(SPOOF.output, size=3), "classes": ("a", "b", "bona_fide")}),
        ("output.higher_is", {}, {"output": changed(SPOOF.output, higher_is="open")}),
        ("output.kind", {}, {"output": changed(SPOOF.output, kind="embedding")}),
        ("classes", {}, {"classes": ("attack",)}),
        ("classes", {}, {"classes": ("attack", "live")}),
        ("classes", {}, {"classes": ("bona_fide", "bona_fide")}),
        ("training_data", {}, {"training_data": ()}),
        ("opset", {}, {"opset": 17}),
    ],
)
def test_a_contract_that_does_not_fit_its_model_is_never_written(tmp_path, field, model, changes):
    golden = pictures(3)
    contract = make_contract(Task.SPOOF, **changes)
    with pytest.raises(BundleError, match=f"`{field}`"):
        write_bundle(
            tmp_path / "b", make_model(Task.SPOOF, **model), contract, golden, reference(golden, Task.SPOOF)
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        (pictures(3, 20), reference(pictures(3), Task.SPOOF)),
        (pictures(3).astype(np.float32), reference(pictures(3), Task.SPOOF)),
        (pictures(0), np.zeros((0, 2))),
        (pictures(3), np.zeros((2, 2))),
        (pictures(3), np.full((3, 2), np.nan)),
    ],
)
def test_golden_vectors_that_do_not_fit_are_refused(tmp_path, inputs, outputs):
    with pytest.raises(BundleError, match=r"golden\.npz"):
        write_bundle(tmp_path / "b", make_model(Task.SPOOF), SPOOF, inputs, outputs)


def test_recognition_needs_its_template_and_a_square(tmp_path):
    golden = pictures(3)
    contract = make_contract()
    for changes, field in (({"template": "mine"}, "input.template"), ({"crop": "context"}, None)):
        contract = make_contract(input=changed(contract.input, **changes))
        if field:
            with pytest.raises(BundleError, match=f"`{field}`"):
                write_bundle(tmp_path / "b", make_model(), contract, golden, reference(golden))


def test_what_is_no_model_is_refused(tmp_path):
    for junk in (b"", b"not a model at all", b"\x08\x07"):
        with pytest.raises(BundleError, match=r"model\.onnx"):
            write_bundle(tmp_path / "b", junk, SPOOF, pictures(1), np.zeros((1, 2), np.float32))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"contract_version": 1}'])
def test_a_broken_contract_file_is_refused(written, text):
    path = folder_of(written) / "contract.json"
    path.write_text(text)
    with pytest.raises(BundleError, match=r"contract\.json"):
        load_bundle(path.parent)


def test_a_broken_golden_file_is_refused(written):
    path = folder_of(written) / "golden.npz"
    data = path.read_bytes()
    for broken in (b"", data[:100], data[:-30]):
        path.write_bytes(broken)
        with pytest.raises(BundleError, match=r"golden\.npz"):
            load_bundle(path.parent)


def test_a_model_swapped_between_bundles_is_refused(make_bundle):
    first, second = make_bundle(Task.SPOOF), make_bundle(Task.RECOGNITION)
    shutil.copy(first.model_path, second.model_path)
    with pytest.raises(BundleError, match="model_sha256"):
        load_bundle(folder_of(second))


def test_a_failed_write_leaves_the_old_bundle(written, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle_module.os, "fsync", full)
    with pytest.raises(BundleError, match="No space left"):
        write_bundle(folder_of(written), written.model, written.contract, *written.golden)
    assert load_bundle(folder_of(written)).digest == written.digest
    assert [p.name for p in folder_of(written).parent.iterdir()] == ["spoof"]
