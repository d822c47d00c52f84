"""Answers about pictures: where the faces are, what was decided about each, and why."""

from typing import Any

from pydantic import ConfigDict, Field

from facegate.runtime.policy import Verdict
from facegate.serving.schemas import Wire


def example(value: dict[str, Any]) -> ConfigDict:
    """Model configuration that shows one example in the OpenAPI page."""
    return ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [value]})


FACE = {
    "box": {"x": 141.2, "y": 62.0, "width": 128.4, "height": 161.7},
    "landmarks": [[173.1, 131.0], [232.8, 128.4], [204.0, 166.9], [181.2, 190.3], [230.1, 188.0]],
    "confidence": 0.93,
}
QUALITY = {
    "eye_distance": 59.8, "sharpness": 0.31, "brightness": 128, "contrast": 41.5,
    "yaw": -3.1, "pitch": 4.0, "roll": -2.5, "visible": 1.0, "issues": [],
}  # fmt: skip
LIVE = {"verdict": "accept", "score": 0.97, "llr": 3.4, "threshold": 0.41, "operating_point": "bpcer_5"}
SAME = {"verdict": "accept", "score": 0.71, "llr": 6.2, "threshold": 0.52, "operating_point": "fmr_1e-3"}
PERSON = {"id": "5b0c1f0e", "name": "Ada"}
MODEL = {"release": "facegate-release/7", "digest": "9f2c41d07ab3", "production": True, "synthetic": True}
ANSWER = {
    **FACE, "verdict": "accept", "reasons": [], "hints": [], "quality": QUALITY, "spoof": LIVE,
    "identity": SAME, "person": PERSON,
}  # fmt: skip


class Box(Wire):
    """A rectangle in pixels of the picture; it may reach over the picture's edge."""

    x: float
    y: float
    width: float
    height: float


class Hint(Wire):
    """What the person in front of the camera should do."""

    code: str = Field(description="stable name, for instance too_small")
    text: str = Field(description="plain words in the language of the service")


class FaceOut(Wire):
    """One detected face."""

    box: Box
    landmarks: tuple[tuple[float, float], ...] = Field(
        description="right eye, left eye, nose, right and left corner of the mouth, pixels"
    )
    confidence: float = Field(description="of the detector, 0 to 1")


class QualityOut(Wire):
    """What was measured on one face before any network was asked."""

    eye_distance: float = Field(description="pixels")
    sharpness: float
    brightness: float = Field(description="median, 0 to 255")
    contrast: float
    yaw: float = Field(description="degrees, positive towards the person's left")
    pitch: float = Field(description="degrees, positive upwards")
    roll: float = Field(description="degrees, positive clockwise in the picture")
    visible: float = Field(description="share of the box within the picture, 0 to 1")
    issues: tuple[str, ...] = Field(description="what fails; empty if the face is good")


class DecisionOut(Wire):
    """One score with what it was held against; at or above the threshold is accepted."""

    verdict: Verdict
    score: float | None = Field(description="null where the model gave no number")
    llr: float | None = Field(description="natural-log likelihood ratio; null if the model is not calibrated")
    threshold: float
    operating_point: str


class PersonRef(Wire):
    """An enrolled person in an answer."""

    id: str
    name: str


class ModelRef(Wire):
    """What answered."""

    release: str = Field(description="name and version, or the folder")
    digest: str = Field(description="first 12 digits of the release's SHA-256")
    production: bool = Field(description="false: candidates on trial, not released for use")
    synthetic: bool = Field(description="thresholds were measured on rendered people")


class DetectedFace(FaceOut):
    """A face with its quality."""

    quality: QualityOut | None = Field(description="null if the landmarks are impossible")
    hints: tuple[Hint, ...]


class FaceAnswer(FaceOut):
    """What became of one face."""

    verdict: Verdict
    reasons: tuple[str, ...] = Field(
        description="why it was not accepted: spoof, unknown_person, too_small, …"
    )
    hints: tuple[Hint, ...]
    quality: QualityOut | None
    spoof: DecisionOut | None = Field(description="null if the question was not reached")
    identity: DecisionOut | None = Field(description="null if the question was not reached")
    person: PersonRef | None = Field(description="who it is; only with verdict accept")


class DetectAnswer(Wire):
    """Every face of a picture, the largest first."""

    model_config = example(
        {"model": MODEL, "width": 640, "height": 480, "faces": [{**FACE, "quality": QUALITY, "hints": []}]}
    )
    model: ModelRef
    width: int
    height: int
    faces: tuple[DetectedFace, ...]


class PictureAnswer(Wire):
    """A decision for every face of a picture, the largest first."""

    model_config = example({"model": MODEL, "width": 640, "height": 480, "faces": [ANSWER]})
    model: ModelRef
    width: int = Field(description="of the upright picture, pixels")
    height: int
    faces: tuple[FaceAnswer, ...]


class VerifyAnswer(Wire):
    """Whether two pictures show one person; the largest face of each is compared."""

    model_config = example(
        {
            "model": MODEL, "verdict": "accept", "reasons": [], "hints": [], "comparison": SAME,
            "first": {**ANSWER, "identity": None, "person": None},
            "second": {**ANSWER, "identity": None, "person": None},
        }
    )  # fmt: skip
    model: ModelRef
    verdict: Verdict
    reasons: tuple[str, ...]
    hints: tuple[Hint, ...]
    comparison: DecisionOut | None = Field(description="null if a face is missing or failed before")
    first: FaceAnswer | None
    second: FaceAnswer | None
