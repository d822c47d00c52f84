"""A release made ready to answer: models opened, checked against their golden vectors, warm, with their gallery."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.contracts import Distribution, Task
from facegate.errors import BundleError
from facegate.runtime.bundle import METADATA_KEY, Bundle, canonical
from facegate.runtime.engine import FaceEngine
from facegate.runtime.liveness import ClipBuffer, ClipJudge
from facegate.runtime.models import Decision, Recogniser, SpoofJudge
from facegate.runtime.onnx_file import write_metadata
from facegate.runtime.policy import Verdict
from facegate.runtime.stream import ClipEvidence, StreamEngine
from facegate.serving.releases import Release
from facegate.serving.settings import FPIR
from facegate.serving.store.gallery import Gallery
from facegate.serving.store.rows import TemplateModel
from facegate.serving.store.thresholds import threshold_for

OpenGallery = Callable[[TemplateModel], Gallery]


@dataclass(frozen=True, eq=False)
class Served:
    """A release, ready to answer.

    Attributes:
        release: what it is.
        engine: judges pictures and looks people up.
        unnamed: the same without a gallery, for those who ask about likeness or life and not about a name.
        gallery: the people enrolled for its recogniser.
        clips: makes the judge of one track's clip; None if the release has no liveness model.
        loaded: since when.
    """

    release: Release
    engine: FaceEngine
    unnamed: FaceEngine
    gallery: Gallery
    loaded: datetime
    clips: Callable[[], ClipEvidence] | None = None

    def stream(self, *, named: bool = True) -> StreamEngine:
        """An engine for one camera or clip.

        Args:
            named: look people up.

        Raises:
            ValueError: the spoof model is not calibrated.
        """
        engine = self.engine if named else self.unnamed
        return StreamEngine(engine, self.release.policy.fusing(), clips=self.clips)

    @property
    def measured(self) -> dict[str, Distribution]:
        """How live faces lay when its models were measured."""
        return {
            **self.engine.recogniser.bundle.contract.measured,
            **self.spoof.bundle.contract.measured,
        }

    @property
    def spoof(self) -> SpoofJudge:
        """The judge that every served release has."""
        assert self.engine.spoof is not None
        return self.engine.spoof


def serve(release: Release, open_gallery: OpenGallery, threads: int = 1, fpir: float = FPIR) -> Served:
    """Open a release's models, compare their golden vectors, make templates of kept crops, and run all of it once.

    Raises:
        BundleError: a model cannot be opened, or does not give its golden answers here.
        StoreError: the gallery is out of reach.
    """
    recogniser = Recogniser(release.bundles[Task.RECOGNITION], threads, release.points.get(Task.RECOGNITION))
    spoof = SpoofJudge(release.bundles[Task.SPOOF], threads, release.points.get(Task.SPOOF))
    for model in (recogniser, spoof):
        model.session.check_golden()
        _ = model.policy  # a model that was never evaluated is refused now, not at the first request
    gallery = open_gallery(template_model(release.bundles[Task.RECOGNITION]))
    gallery.re_enrol(lambda crops: recogniser.embed_crops(_sized(crops, recogniser)))
    decide = search_decision(recogniser, lambda: len(gallery), fpir)
    detector, limits = release.policy.detector(threads), release.policy.limits()
    engine = FaceEngine(recogniser, spoof, gallery, detector=detector, limits=limits, decide_match=decide)
    engine.look(np.full((240, 320, 3), 90, np.uint8))
    unnamed = FaceEngine(recogniser, spoof, detector=detector, limits=limits)
    return Served(release, engine, unnamed, gallery, datetime.now(UTC), _clips(release, threads))


def _clips(release: Release, threads: int) -> Callable[[], ClipEvidence] | None:
    """The liveness model of a release that has one."""
    bundle = release.bundles.get(Task.LIVENESS)
    if bundle is None:
        return None
    judge = ClipJudge(bundle, threads, release.points.get(Task.LIVENESS))
    judge.session.check_golden()
    _ = judge.policy
    return lambda: ClipBuffer(judge)


def search_decision(
    recogniser: Recogniser, size: Callable[[], int], fpir: float
) -> Callable[[float], Decision]:
    """Decide on a gallery's best score: never below the release's threshold, and above it as the gallery grows.

    Args:
        recogniser: its contract names the thresholds of false match rates.
        size: templates enrolled now.
        fpir: false positive identification rate aimed at.
    """
    contract, policy = recogniser.bundle.contract, recogniser.policy

    @lru_cache(maxsize=16)
    def threshold(templates: int) -> float:
        try:
            return threshold_for(contract, templates, fpir=fpir).threshold
        except BundleError:  # no rate of false matches was measured: the release's threshold is all there is
            return policy.point.threshold

    def decide(score: float) -> Decision:
        base, templates = recogniser.decide(score), size()
        needed = threshold(templates)
        if needed <= base.threshold:
            return base
        verdict = base.verdict if score >= needed or base.verdict is Verdict.RETRY else Verdict.REJECT
        return base._replace(
            verdict=verdict, threshold=needed, operating_point=f"fpir_{fpir:g}_of_{templates}"
        )

    return decide


def _sized(crops: list[NDArray[np.uint8]], recogniser: Recogniser) -> NDArray[np.uint8]:
    side = recogniser.bundle.contract.input.height
    sized = [
        crop if len(crop) == side else cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
        for crop in crops
    ]
    return np.stack(sized).astype(np.uint8)


def template_model(bundle: Bundle) -> TemplateModel:
    """What templates of a recogniser are bound to: its network and how faces are brought to it.

    The contract as a whole would be too much: a threshold measured anew, or another commit, changes no embedding.
    """
    contract = bundle.contract
    values = {
        "input": contract.input.model_dump(mode="json"),
        "output": contract.output.model_dump(mode="json"),
    }
    network = hashlib.sha256(write_metadata(bundle.model, METADATA_KEY, "")).hexdigest()
    digest = hashlib.sha256(canonical({**values, "network": network}).encode()).hexdigest()
    return TemplateModel(digest, contract.output.size, contract.name)
