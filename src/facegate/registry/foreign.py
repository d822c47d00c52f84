"""Models from elsewhere: any ONNX recogniser or spoof model becomes a bundle like our own.

What its makers expect of a picture (colour order, mean, scale, layout) moves into the graph, and its answer is
brought to ours (unit length, or probabilities). From there it is evaluated, quantised, measured and gated by the
same code as a model that was trained here.
"""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from facegate.contracts import (
    Calibration,
    Frozen,
    InputSpec,
    ModelContract,
    OutputSpec,
    Quantisation,
    Task,
)
from facegate.errors import RegistryError
from facegate.faces.align import TEMPLATE_NAME
from facegate.registry.foreign_spec import ForeignSpec
from facegate.registry.provenance import git_state
from facegate.registry.wrapping import (
    class_order,
    open_network,
    picture_input,
    plain,
    run_network,
    run_wrapped,
    wrap,
)
from facegate.runtime.bundle import Bundle, write_bundle

GOLDEN_PICTURES = 4


class Measured(Frozen):
    """What an imported model is going to be measured on.

    Attributes:
        synthetic_only: all of it was rendered.
        params_digest: SHA-256 of the parameters.
        data_digests: SHA-256 by name.
    """

    synthetic_only: bool = True
    params_digest: str = ""
    data_digests: dict[str, str] = Field(default_factory=dict)


def import_model(
    data: bytes,
    spec: ForeignSpec,
    out: Path,
    pictures: NDArray[np.uint8] | None = None,
    measured: Measured | None = None,
) -> Bundle:
    """Turn an ONNX file into a bundle, without operating points: evaluation measures those.

    Args:
        data: the ONNX file; block-quantised weights are brought back to fp32.
        spec: what its makers say of it.
        out: folder of the bundle.
        pictures: golden pictures, shape (n, size, size, 3); noise by default.
        measured: what its contract shall say of the data it is evaluated on.

    Raises:
        RegistryError: it is no ONNX file, or its tensors are not what the spec says.
    """
    model = plain(data, spec)
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    golden = noise(spec.size) if pictures is None else pictures
    makers_answers(data, spec, golden[:1])
    wrapped = wrap(model, spec)
    answers = run_wrapped(wrapped, golden)
    contract = _contract(
        spec, answers.shape[1], opset, hashlib.sha256(data).hexdigest(), measured or Measured()
    )
    return write_bundle(out, wrapped, contract, golden, answers)


def makers_answers(data: bytes, spec: ForeignSpec, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the network itself answers when its makers' preprocessing is done in NumPy, outside the graph.

    It is the other side of the parity proof of :func:`import_model`: nothing of :func:`wrap` is used.

    Args:
        data: the ONNX file.
        spec: what its makers say of it.
        pictures: RGB, shape (n, size, size, 3).

    Returns:
        Unit embeddings, or probabilities with bona fide last, shape (n, size).

    Raises:
        RegistryError: it does not run on such pictures, or has another number of classes.
    """
    model = plain(data, spec)
    given = picture_input(model, spec)
    session = open_network(model.SerializeToString(), spec.name)
    found = []
    for picture in pictures:
        own = picture[..., ::-1] if spec.colour == "BGR" else picture
        real = (own.astype(np.float32) - np.array(spec.mean, np.float32)) * np.array(spec.scale, np.float32)
        found.append(run_network(session, {given.name: real.transpose(2, 0, 1)[None]}, spec.name))
    answers = np.concatenate(found).astype(np.float64)
    if answers.ndim != 2 or (spec.classes and answers.shape[1] != len(spec.classes)):
        raise RegistryError(
            f"{spec.name}: answers {answers.shape}, and `classes` names {len(spec.classes)}",
            "name every class in the order of the outputs",
        )
    if spec.task is Task.RECOGNITION:
        return (answers / np.linalg.norm(answers, axis=1, keepdims=True)).astype(np.float32)
    if spec.activation == "softmax":
        powers = np.exp(answers - answers.max(axis=1, keepdims=True))
        answers = powers / powers.sum(axis=1, keepdims=True)
    return answers[:, class_order(spec)].astype(np.float32)


def noise(size: int, count: int = GOLDEN_PICTURES) -> NDArray[np.uint8]:
    """Pictures to try a network on where none are at hand, shape (count, size, size, 3)."""
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def _contract(spec: ForeignSpec, size: int, opset: int, digest: str, measured: Measured) -> ModelContract:
    """Contract without operating points; the file that was imported is the first of the training data."""
    own = spec.training_data[0].model_copy(update={"digest": spec.training_data[0].digest or digest})
    recognition = spec.task is Task.RECOGNITION
    return ModelContract(
        name=spec.name,
        task=spec.task,
        classes=() if recognition else tuple(spec.classes[i] for i in class_order(spec)),
        input=InputSpec(
            name="images", layout="NHWC", dtype="uint8", height=spec.size, width=spec.size, colour="RGB",
            in_graph=True, mean=spec.mean, scale=spec.scale, crop="aligned" if recognition else "context",
            crop_factor=spec.crop_factor, template=TEMPLATE_NAME if recognition else "none",
        ),
        output=OutputSpec(
            name="embedding" if recognition else "probabilities",
            kind="embedding" if recognition else "probabilities",
            size=size, normalised=True, higher_is="same_person" if recognition else "bona_fide",
        ),
        quantisation=Quantisation(calibration_digest=""),
        calibration=Calibration(),
        operating_points={},
        training_data=(own, *spec.training_data[1:]),
        synthetic_only=measured.synthetic_only,
        opset=opset,
        git_commit=git_state().commit or "unknown",
        params_digest=measured.params_digest,
        data_digests=measured.data_digests,
        model_sha256="",
    )  # fmt: skip
