"""Which pictures make good templates: one face each, good quality, live, and all of the same person.

A gallery is only as good as what is let into it. Each picture is judged by itself, then all are compared with the one
that is most like the others; a picture of somebody else is named, not averaged in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facegate.runtime.engine import FaceResult
from facegate.runtime.models import Recogniser
from facegate.serving.served import Served

SECOND_FACE = 0.25
"""A second face of this share of the largest one's area makes a picture ambiguous."""
OTHER_PERSON = "other_person"


@dataclass(frozen=True, eq=False)
class Judged:
    """One picture of an enrolment.

    Attributes:
        result: its face; None if there is none.
        reasons: why it is not taken; empty if it is.
    """

    result: FaceResult | None
    reasons: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether it makes a template."""
        return not self.reasons

    @property
    def embedding(self) -> NDArray[np.float32]:
        """Of a good picture."""
        assert self.result is not None and self.result.embedding is not None
        return self.result.embedding


def judge(served: Served, rgb: NDArray[np.uint8]) -> Judged:
    """Judge one picture by itself.

    Args:
        served: the models.
        rgb: picture, shape (height, width, 3).
    """
    engine = served.unnamed
    faces = engine.detector.detect(rgb)
    if not faces:
        return Judged(None, ("no_face",))
    if len(faces) > 1 and faces[1].area > SECOND_FACE * faces[0].area:
        return Judged(None, ("several_faces",))
    (result,) = engine.identify(engine.judge(rgb, engine.gate(rgb, faces[:1])))
    return Judged(result, tuple(result.reasons))


def of_one_person(
    judged: Sequence[Judged], recogniser: Recogniser, known: NDArray[np.float32] | None = None
) -> list[Judged]:
    """The same pictures, those of somebody else refused.

    Args:
        judged: pictures judged by themselves.
        recogniser: its most lenient threshold decides; the pictures were taken by somebody who says they are one
            person, so only a clear contradiction counts.
        known: score of each good picture against the person's templates, where the person is enrolled already.
    """
    good = [i for i, one in enumerate(judged) if one.good]
    limit = lenient_threshold(recogniser)
    scores = known if known is not None else _to_middle([judged[i].embedding for i in good])
    others = {i for i, score in zip(good, scores.tolist(), strict=True) if score < limit}
    return [replace(one, reasons=(OTHER_PERSON,)) if i in others else one for i, one in enumerate(judged)]


def lenient_threshold(recogniser: Recogniser) -> float:
    """The lowest threshold that the contract names."""
    points = recogniser.bundle.contract.operating_points.values()
    return min(point.threshold for point in points)


def middle(embeddings: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The embedding that is most like all the others."""
    stacked = np.stack(list(embeddings))
    return stacked[int(np.argmax((stacked @ stacked.T).mean(axis=1)))]


def _to_middle(embeddings: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    if not embeddings:
        return np.empty(0, np.float32)
    return np.stack(list(embeddings)) @ middle(embeddings)
