"""Questions about one or two pictures. Plain functions, so that they run in threads and the event loop stays free."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, File, Form, UploadFile
from numpy.typing import NDArray

from facegate.runtime.engine import FaceResult
from facegate.runtime.models import Recogniser
from facegate.runtime.policy import Verdict
from facegate.serving import answers
from facegate.serving.hints import hints
from facegate.serving.problems import documented
from facegate.serving.routes import Kiosk, ServiceHere
from facegate.serving.schemas.faces import DecisionOut, DetectAnswer, PictureAnswer, VerifyAnswer
from facegate.serving.served import Served
from facegate.serving.service import Service
from facegate.serving.uploads import read_picture

router = APIRouter(prefix="/v1", tags=["pictures"], responses=documented(401, 403, 413, 422, 429, 503))
Picture = Annotated[UploadFile, File(description="JPEG, PNG, WebP or BMP")]
Camera = Annotated[
    str, Form(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="name of the camera, for metrics")
]


@router.post("/detect")
def detect(service: ServiceHere, _: Kiosk, picture: Picture) -> DetectAnswer:
    """Find every face and measure its quality."""
    with service.slots.one():
        served, rgb = service.production.current, _read(service, picture)
        results = served.engine.gate(rgb, served.engine.detector.detect(rgb))
    return DetectAnswer(
        model=answers.model_ref(served),
        width=rgb.shape[1],
        height=rgb.shape[0],
        faces=tuple(answers.detected(result) for result in results),
    )


@router.post("/spoof")
def spoof(service: ServiceHere, _: Kiosk, picture: Picture, camera: Camera = "api") -> PictureAnswer:
    """Judge for every face whether it is a live person; nobody is looked up."""
    with service.slots.one():
        served, rgb = service.production.current, _read(service, picture)
        engine = served.engine
        results = engine.judge(rgb, engine.gate(rgb, engine.detector.detect(rgb)))
    service.watch(rgb, results, camera)
    return _picture_answer(service, served, rgb.shape, results)


@router.post("/identify")
def identify(service: ServiceHere, _: Kiosk, picture: Picture, camera: Camera = "api") -> PictureAnswer:
    """Decide for every face of a picture: is it live, and who is it."""
    with service.slots.one():
        served, rgb = service.production.current, _read(service, picture)
        results = served.engine.look(rgb)
    service.watch(rgb, results, camera)
    return _picture_answer(service, served, rgb.shape, results)


@router.post("/verify")
def verify(service: ServiceHere, _: Kiosk, first: Picture, second: Picture) -> VerifyAnswer:
    """Decide whether two pictures show one live person; the largest face of each is compared."""
    with service.slots.one():
        served = service.production.current
        pair = [_largest(served, _read(service, picture)) for picture in (first, second)]
        judged = [result for result in pair if result is not None]
    verdict, reasons, comparison = compare(served.engine.recogniser, judged)
    shown = [answers.face(result, service.name_of) if result else None for result in pair]
    return VerifyAnswer(
        model=answers.model_ref(served),
        verdict=verdict,
        reasons=reasons,
        hints=hints(reasons),
        comparison=comparison,
        first=shown[0],
        second=shown[1],
    )


def compare(
    recogniser: Recogniser, judged: list[FaceResult]
) -> tuple[Verdict, tuple[str, ...], DecisionOut | None]:
    """Verdict on two faces: what spoke against either of them, else whether they are alike.

    Args:
        recogniser: its operating point decides, since two faces are one comparison.
        judged: the faces that were found, at most two.
    """
    if len(judged) < 2:
        return Verdict.RETRY, ("no_face",), None
    against = [result for result in judged if not result.open]
    if against:
        worst = Verdict.REJECT if any(r.verdict is Verdict.REJECT for r in against) else Verdict.RETRY
        return worst, tuple(dict.fromkeys(reason for r in against for reason in r.reasons)), None
    one, other = judged[0].embedding, judged[1].embedding
    assert one is not None and other is not None
    made = recogniser.decide(recogniser.compare(one, other))
    reasons = () if made.verdict is Verdict.ACCEPT else ("other_person",)
    return made.verdict, reasons, answers.decision(made)


def _largest(served: Served, rgb: NDArray[np.uint8]) -> FaceResult | None:
    engine = served.engine
    results = engine.judge(rgb, engine.gate(rgb, engine.detector.detect(rgb)[:1]))
    return served.unnamed.identify(results)[0] if results else None


def _read(service: Service, picture: UploadFile) -> NDArray[np.uint8]:
    return read_picture(picture, service.settings.max_bytes, service.settings.max_pixels)


def _picture_answer(
    service: Service, served: Served, shape: tuple[int, ...], results: list[FaceResult]
) -> PictureAnswer:
    return PictureAnswer(
        model=answers.model_ref(served),
        width=shape[1],
        height=shape[0],
        faces=tuple(answers.face(result, service.name_of) for result in results),
    )
