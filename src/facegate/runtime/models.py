"""The two questions asked of a face, each as one small class around a session.

Crops are cut here and nowhere else at run time, exactly as the contract says and as data preparation cut them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import Task
from facegate.errors import BundleError
from facegate.faces.align import align
from facegate.faces.crop import context_crop
from facegate.faces.detect import Face
from facegate.runtime.bundle import Bundle
from facegate.runtime.policy import Policy, Verdict, choose_policy
from facegate.runtime.session import Session


def mean_direction(sums: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums of unit vectors, shape (n, size), at unit length; zero where they cancel each other out, which is like nobody."""
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.divide(sums, length, out=np.zeros_like(sums), where=length > 1e-6)


class Decision(NamedTuple):
    """One score with what it was held against.

    Attributes:
        verdict: accept, reject, or retry where the score is no number.
        score: as the model gives it; higher is what its contract calls higher.
        llr: natural-log likelihood ratio; None where the model was not calibrated.
        threshold: of the operating point.
        operating_point: its name.
    """

    verdict: Verdict
    score: float
    llr: float | None
    threshold: float
    operating_point: str


class FaceModel:
    """A bundle opened for one task; the operating point is looked up when first asked for."""

    task: Task

    def __init__(self, bundle: Bundle, threads: int = 1, operating_point: str | None = None) -> None:
        if bundle.contract.task is not self.task:
            raise BundleError(
                f"{bundle.model_path.parent}: `task` is {bundle.contract.task}; needed is {self.task}",
                f"choose a bundle of the task {self.task}",
            )
        self.bundle = bundle
        self.session = Session(bundle, threads)
        self._policy = (
            choose_policy(bundle.contract, operating_point)
            if operating_point or bundle.contract.operating_points
            else None
        )

    @property
    def policy(self) -> Policy:
        """The operating point in force.

        Raises:
            BundleError: the model was never evaluated.
        """
        return self._policy or choose_policy(self.bundle.contract)

    def decide(self, score: float) -> Decision:
        """Hold a score against the operating point.

        Raises:
            BundleError: the model was never evaluated.
        """
        policy = self.policy
        return Decision(policy.decide(score), score, policy.llr(score), policy.point.threshold, policy.name)

    def crop(self, rgb: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
        """The crop of a face that this model was made for.

        Raises:
            PictureError: the face's landmarks or its box are impossible.
        """
        spec = self.bundle.contract.input
        if spec.crop == "aligned":
            return align(rgb, face.landmarks, spec.height)
        return context_crop(rgb, face.box, spec.crop_factor, spec.height)

    def _run(self, rgb: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.float32]:
        if len(faces) == 1:
            return self.session.run(self.crop(rgb, faces[0])[None])
        spec = self.bundle.contract.input
        crops = np.empty((len(faces), spec.height, spec.width, 3), np.uint8)
        for i, face in enumerate(faces):
            crops[i] = self.crop(rgb, face)
        return self.session.run(crops)


class Recogniser(FaceModel):
    """Who is this: faces into embeddings, embeddings into scores.

    Args:
        bundle: a recognition model.
        threads: threads of the network.
        operating_point: name of the threshold to decide by; the task's usual one by default.

    Raises:
        BundleError: the bundle is of another task or has no such operating point.
    """

    task = Task.RECOGNITION

    def embed(self, rgb: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        """Embedding of one face, unit length, shape (size,).

        Raises:
            PictureError: the face's landmarks are impossible.
        """
        return self.embed_all(rgb, [face])[0]

    def embed_all(self, rgb: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.float32]:
        """Embeddings of several faces of one picture, shape (n, size)."""
        return self.unit(self._run(rgb, faces))

    def embed_crops(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeddings of crops that are aligned already, shape (n, size)."""
        return self.unit(self.session.run(crops))

    def unit(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring raw embeddings to unit length, if the network does not."""
        if self.bundle.contract.output.normalised:
            return embeddings
        length = np.linalg.norm(embeddings, axis=1, keepdims=True)
        return (embeddings / np.maximum(length, np.finfo(np.float32).tiny)).astype(np.float32)

    @staticmethod
    def compare(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
        """Cosine of two embeddings, -1 to 1; higher is more alike."""
        return float(np.dot(a, b))


class SpoofJudge(FaceModel):
    """Is this a live person, from one frame.

    Args:
        bundle: a spoof model.
        threads: threads of the network.
        operating_point: name of the threshold to decide by; the task's usual one by default.

    Raises:
        BundleError: the bundle is of another task or has no such operating point.
    """

    task = Task.SPOOF

    def score(self, rgb: NDArray[np.uint8], face: Face) -> float:
        """Probability-like score of being bona fide, 0 to 1.

        Raises:
            PictureError: the face's box is impossible.
        """
        return float(self.score_all(rgb, [face])[0])

    def score_all(self, rgb: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.float32]:
        """Scores of several faces of one picture, shape (n,)."""
        return self._bona_fide(self._run(rgb, faces))

    def score_crops(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scores of context crops, shape (n,)."""
        return self._bona_fide(self.session.run(crops))

    def _bona_fide(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        return probabilities[:, self.bundle.contract.classes.index("bona_fide")]
