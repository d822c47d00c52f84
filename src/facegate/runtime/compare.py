"""Two pictures, or one, and a model: the answer in full, for a person at a terminal.

The results name everything that the answer stands on: which face of how many, the score and its threshold, the
data that the threshold was measured on, and what should make one doubt it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import ModelContract
from facegate.errors import PictureError
from facegate.faces.detect import Detector, Face
from facegate.faces.picture import load_picture
from facegate.faces.quality import Quality, assess
from facegate.runtime.bundle import Bundle
from facegate.runtime.models import Decision, Recogniser, SpoofJudge
from facegate.runtime.policy import Policy


class ChosenFace(NamedTuple):
    """The face of a picture that was judged.

    Attributes:
        picture: where it comes from.
        face: the largest face.
        faces: how many there are.
        quality: of the chosen one.
    """

    picture: str
    face: Face
    faces: int
    quality: Quality


@dataclass(frozen=True, eq=False)
class Verification:
    """Whether two pictures show one person.

    Attributes:
        decision: score, threshold and verdict; accept means one person.
        faces: the two faces that were compared.
        model: name of the model.
        warnings: what speaks against relying on it, in plain words.
    """

    decision: Decision
    faces: tuple[ChosenFace, ChosenFace]
    model: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Judgement:
    """Whether a picture shows a live person.

    Attributes:
        decision: score, threshold and verdict; accept means bona fide.
        face: the face that was judged.
        model: name of the model.
        warnings: what speaks against relying on it, in plain words.
    """

    decision: Decision
    face: ChosenFace
    model: str
    warnings: tuple[str, ...]


def verify_pictures(
    bundle: Bundle, path_a: Path, path_b: Path, operating_point: str | None = None, threads: int = 1
) -> Verification:
    """Compare the largest faces of two pictures.

    Args:
        bundle: a recognition model.
        path_a: first picture.
        path_b: second picture.
        operating_point: name of the threshold; the task's usual one by default.
        threads: threads of the networks.

    Raises:
        PictureError: a picture cannot be read or shows no face.
        BundleError: the bundle is of another task or has no such operating point.
    """
    recogniser = Recogniser(bundle, threads, operating_point)
    policy, detector = recogniser.policy, Detector(threads=threads)
    (rgb_a, a), (rgb_b, b) = (choose_face(path, detector) for path in (path_a, path_b))
    score = recogniser.compare(recogniser.embed(rgb_a, a.face), recogniser.embed(rgb_b, b.face))
    warnings = [*_doubts(bundle.contract, policy), *_face_doubts(a), *_face_doubts(b)]
    return Verification(recogniser.decide(score), (a, b), bundle.contract.name, tuple(warnings))


def judge_picture(
    bundle: Bundle, path: Path, operating_point: str | None = None, threads: int = 1
) -> Judgement:
    """Judge whether the largest face of a picture is that of a live person.

    Args:
        bundle: a spoof model.
        path: the picture.
        operating_point: name of the threshold; the task's usual one by default.
        threads: threads of the networks.

    Raises:
        PictureError: the picture cannot be read or shows no face.
        BundleError: the bundle is of another task or has no such operating point.
    """
    judge = SpoofJudge(bundle, threads, operating_point)
    policy = judge.policy
    rgb, chosen = choose_face(path, Detector(threads=threads))
    decision = judge.decide(judge.score(rgb, chosen.face))
    warnings = [*_doubts(bundle.contract, policy), *_face_doubts(chosen)]
    return Judgement(decision, chosen, bundle.contract.name, tuple(warnings))


def choose_face(path: Path, detector: Detector) -> tuple[NDArray[np.uint8], ChosenFace]:
    """Read a picture and take its largest face.

    Raises:
        PictureError: the picture cannot be read or shows no face.
    """
    rgb = load_picture(path)
    faces = detector.detect(rgb)
    if not faces:
        raise PictureError(
            f"{path}: no face was found",
            "use a picture in which a face is larger, lighter or turned to the camera",
        )
    return rgb, ChosenFace(str(path), faces[0], len(faces), assess(rgb, faces[0]))


def _doubts(contract: ModelContract, policy: Policy) -> list[str]:
    found = []
    if contract.synthetic_only:
        found.append(
            f"the threshold `{policy.name}` was set on rendered people only ({policy.point.dataset}): "
            "it says little about real faces"
        )
    banned = [data.name for data in contract.training_data if not data.commercial_use]
    if banned:
        found.append(f"not for commercial use: the model was trained with {', '.join(banned)}")
    return found


def _face_doubts(chosen: ChosenFace) -> list[str]:
    found = []
    if chosen.faces > 1:
        found.append(f"{chosen.picture}: {chosen.faces} faces; the largest was taken")
    if chosen.quality.issues:
        words = ", ".join(issue.replace("_", " ") for issue in chosen.quality.issues)
        found.append(f"{chosen.picture}: the face is {words}")
    return found
