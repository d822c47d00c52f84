"""A bundle's network in ncnn's form, made by pnnx; see :mod:`facegate.runtime.ncnn` for what it is."""

import hashlib
import importlib.util
import subprocess
import tempfile
from pathlib import Path

import onnx
from onnx.utils import Extractor

from facegate.errors import BundleError, MissingExtraError
from facegate.exporting.mirror import mirrored_raw, raw_answers, remove_mirror
from facegate.runtime.bundle import Bundle, load_bundle
from facegate.runtime.ncnn import ABOUT, ANSWER, FILES, FORM, PARAM, WEIGHTS, Form
from facegate.whole import whole_folder

_SECONDS = 300
_PLANES = "DequantizeLinear"
"""The operator that turns the bytes of a picture into normalised planes, in facegate's own exports."""


def write_ncnn_form(folder: Path) -> Path:
    """Put the ncnn form of an fp32 bundle beside it, replacing what was there.

    Args:
        folder: of the bundle.

    Returns:
        Folder of the form.

    Raises:
        MissingExtraError: pnnx is not installed.
        BundleError: the bundle is broken or quantised, or its network has what ncnn does not know.
    """
    bundle = load_bundle(folder, signed=False)
    target = bundle.contract.quantisation.target
    if target != "fp32":
        raise BundleError(f"{folder}: `target` is {target}", "ncnn takes fp32 bundles")
    network, answer, mirrored = _parts(bundle)
    out = folder / FORM
    with whole_folder(out) as draft:
        _convert(network, bundle, draft)
        (draft / ANSWER).write_bytes(answer.SerializeToString())
        hashes = {name: hashlib.sha256((draft / name).read_bytes()).hexdigest() for name in FILES}
        form = Form(model_sha256=bundle.contract.model_sha256, mirrored=mirrored, sha256=hashes)
        (draft / ABOUT).write_text(form.model_dump_json(indent=2) + "\n")
    return out


def _parts(bundle: Bundle) -> tuple[onnx.ModelProto, onnx.ModelProto, bool]:
    """From normalised planes to raw answers, from those to the answers, and whether the raw ones are a mean of two."""
    whole = onnx.load_from_string(bundle.model)
    twice = mirrored_raw(whole)
    once = onnx.shape_inference.infer_shapes(remove_mirror(whole))
    raw = twice or raw_answers(once)
    parts = Extractor(once)
    network = parts.extract_model([_planes(bundle, once)], [raw])
    network.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    return network, parts.extract_model([raw], [bundle.contract.output.name]), twice is not None


def _planes(bundle: Bundle, model: onnx.ModelProto) -> str:
    """Name of the normalised planes of a picture, (N, 3, height, width)."""
    spec = bundle.contract.input
    if not spec.in_graph and spec.layout == "NCHW":
        return spec.name
    found = [node.output[0] for node in model.graph.node if node.op_type == _PLANES]
    if not found or not spec.in_graph:
        raise BundleError(
            f"{bundle.model_path}: its input is not brought into planes as facegate's exports do it",
            "use another runtime",
        )
    return found[0]


def _convert(network: onnx.ModelProto, bundle: Bundle, out: Path) -> None:
    spec = bundle.contract.input
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "network.onnx"
        onnx.save(network, source)
        command = [_converter(), source.name, f"inputshape=[1,3,{spec.height},{spec.width}]f32", "fp16=0"]
        done = subprocess.run(
            command, cwd=place, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        unknown = [
            line
            for line in (done.stdout + done.stderr).splitlines()
            if "not supported" in line or "todo" in line
        ]
        made = source.with_name("network.ncnn.param"), source.with_name("network.ncnn.bin")
        if done.returncode or unknown or not all(file.is_file() for file in made):
            reason = "; ".join(unknown) or f"pnnx ended with {done.returncode}"
            raise BundleError(
                f"{bundle.model_path}: ncnn does not know all of it: {reason}", "use another runtime"
            )
        for file, name in zip(made, (PARAM, WEIGHTS), strict=True):
            (out / name).write_bytes(file.read_bytes())


def _converter() -> str:
    """pnnx's program; its Python module would import torch and is not needed."""
    spec = importlib.util.find_spec("pnnx")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("pnnx is not installed", "pip install 'facegate[ncnn-convert]'")
    return str(Path(spec.submodule_search_locations[0]) / "pnnx")
