"""ncnn as a further runtime: the convolutions of a bundle in ncnn's own form, what stands around them as it was.

ncnn reads no ONNX file, and knows neither bytes as input nor batches. ``facegate ncnn FOLDER`` puts its form beside a
bundle, on a machine with the training extra::

    ncnn/network.param, network.bin   from normalised planes to the raw answers, for one picture
    ncnn/answer.onnx                  from the raw answers to the bundle's (softmax, or the division by the length)
    ncnn/form.json                    which model it was made of, and the SHA-256 of each file

The device needs ``pip install 'facegate[ncnn]'`` and no more. A form that answers otherwise than the golden vectors is
never chosen; one whose bytes were edited is refused.
"""

import hashlib
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from facegate.errors import BundleError
from facegate.runtime import signing
from facegate.runtime.bundle import Bundle

FORM = "ncnn"
ABOUT, PARAM, WEIGHTS, ANSWER = "form.json", "network.param", "network.bin", "answer.onnx"
FILES = (PARAM, WEIGHTS, ANSWER)
INPUT, OUTPUT = "in0", "out0"
"""Names that the converter gives to what goes in and what comes out."""


class Form(BaseModel):
    """What ``form.json`` says.

    Attributes:
        model_sha256: of the bundle's network.
        mirrored: the raw answers are the mean of those to the picture and its mirror image.
        sha256: of each file, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model_sha256: str
    mirrored: bool
    sha256: dict[str, str]


class NcnnRunner:
    """ncnn on the CPU, in full precision, a picture at a time.

    Args:
        bundle: the model.
        threads: threads of the network.

    Raises:
        BundleError: there is no form of this very model, it was edited, or ncnn cannot read it; or bundles must be
            signed here, which a form is not.
    """

    batch: int | None = 1

    def __init__(self, bundle: Bundle, threads: int) -> None:
        form, files = read_form(bundle)
        self._ncnn: Any = importlib.import_module("ncnn")
        self._mirrored = form.mirrored
        spec = bundle.contract.input
        self._mean, self._scale = (
            np.array(v, np.float32) if spec.in_graph else None for v in (spec.mean, spec.scale)
        )
        self._planes = spec.layout == "NCHW"
        self._net = self._opened(files, threads)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        answer = (files / ANSWER).read_bytes()
        self._answer = ort.InferenceSession(answer, options, providers=["CPUExecutionProvider"])
        self._raw = self._answer.get_inputs()[0].name

    def _opened(self, files: Path, threads: int) -> Any:
        net = self._ncnn.Net()
        net.opt.num_threads = threads
        net.opt.use_vulkan_compute = False
        for shortcut in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
            setattr(net.opt, f"use_{shortcut}", False)
        if net.load_param(str(files / PARAM)) or net.load_model(str(files / WEIGHTS)):
            raise BundleError(f"{files}: ncnn cannot read it", "make it anew with `facegate ncnn`")
        return net

    def __call__(self, tensor: NDArray[Any]) -> NDArray[np.float32]:
        """Run the network on one prepared picture; returns shape (1, size)."""
        planes = self._normalised(tensor)
        raw = self._run(planes)
        if self._mirrored:
            raw = (raw + self._run(np.ascontiguousarray(planes[..., ::-1]))) / 2
        return np.asarray(self._answer.run(None, {self._raw: raw[None]})[0], np.float32)

    def _normalised(self, tensor: NDArray[Any]) -> NDArray[np.float32]:
        """Planes of one picture, shape (3, height, width)."""
        picture = tensor[0]
        if self._planes:
            picture = picture.transpose(1, 2, 0)
        if self._mean is not None:
            picture = (picture - self._mean) * self._scale
        return np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)

    def _run(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        run = self._net.create_extractor()
        run.input(INPUT, self._ncnn.Mat(planes))
        return np.array(run.extract(OUTPUT)[1], np.float32).ravel()


def read_form(bundle: Bundle) -> tuple[Form, Path]:
    """The ncnn form of a bundle, and the folder that holds it.

    Raises:
        BundleError: see :class:`NcnnRunner`.
    """
    folder = bundle.model_path.parent / FORM
    again = f"make it with `facegate ncnn {bundle.model_path.parent}`"
    if signing.trust_configured():
        raise BundleError(
            f"{folder}: no signature covers it, and signatures are demanded here", "use another runtime"
        )
    try:
        form = Form.model_validate_json((folder / ABOUT).read_bytes())
        found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    except FileNotFoundError as error:
        raise BundleError("no ncnn form beside it", again) from error
    except (OSError, ValidationError) as error:
        raise BundleError(f"{folder}: cannot be read: {str(error).splitlines()[0]}", again) from error
    if form.model_sha256 != bundle.contract.model_sha256:
        raise BundleError(f"{folder}: was made of another model: `model_sha256`", again)
    edited = [name for name in FILES if found[name] != form.sha256.get(name)]
    if edited:
        raise BundleError(f"{folder}: {', '.join(edited)} was edited: its SHA-256 is another", again)
    return form, folder
