"""A service that answers the pages from memory, in the real shapes: the schemas check every answer.

It stands in where a test is about a page and not about a decision; `benchmark` and the service's own tests hold
the real thing.
"""

import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import FastAPI, File, Form, Header, Response, UploadFile, WebSocket
from fastapi.responses import JSONResponse

from facegate.serving.pages import add_pages
from facegate.serving.schemas import faces, records, stream

KEY = "fg_a-key-that-opens"
WHEN = datetime(2030, 1, 31, 8, 0, tzinfo=UTC)
MODEL = faces.ModelRef(**faces.MODEL)
RATE = {"value": 0.0234, "errors": 7, "trials": 299, "low": 0.0095, "high": 0.0477, "confidence": 0.95}
POINT = {"threshold": 0.412, "metric": "BPCER", "measured": RATE, "dataset": "rendered", "split": "val"}
CONTRACT = {
    "operating_points": {"bpcer_5": POINT, "eer": {**POINT, "threshold": 0.55, "metric": "EER"}},
    "training_data": [{"name": "rendered people", "licence": "CC0-1.0"}],
}
FINDINGS = [
    ("recognition.fnmr@fmr_1e-3", "≤ 5 %", "2.34 %", 0.0477, 299, "pass", False, ""),
    ("spoof.apcer_worst", "≤ 7 %", "4.10 %", 0.1153, 52, "too few trials", True, "needs 299 trials: print"),
    ("recognition.one_thread_ms", "≤ 5", "0.61", 0.61, None, "pass", False, ""),
    ("spoof.iapar", "≤ 7 %", "–", None, None, "not measured", False, "no such figure in the evidence"),
    ("recognition.bias", "≤ 1.5", "1.92", 1.92, None, "fail", True, "slice: dark skin"),
]


def track(number: int, x: float, **changes: Any) -> stream.TrackAnswer:
    """One person in a frame of 640 × 480."""
    box = {"x": x, "y": 130.0, "width": 120.0, "height": 160.0}
    values = {**stream.TRACK, "id": number, "box": box, "verdict": None, "final": False, "person": None}
    return stream.TrackAnswer(**{**values, **changes})


def marked(number: int, name: str, repeated: bool = False) -> stream.Marked:
    ref = faces.PersonRef(id=name.lower(), name=name)
    return stream.Marked(track=number, person=ref, at="2030-01-31T08:59:00Z", repeated=repeated)


class Desk:
    """What the stub knows and what it was told; tests read and change it."""

    def __init__(self) -> None:
        self.people = [self.person(name) for name in ("Ada Lovelace", "Grace Hopper", "Kurt Gödel")]
        self.rows = [self.presence(str(i), p) for i, p in enumerate(self.people[:2])]
        self.frames: list[tuple[float, bytes]] = []
        self.hello: dict[str, Any] = {}
        self.corrections: list[records.Correction] = []
        self.enrolled: list[tuple[str, int, bool]] = []
        self.refuse_stream: stream.StreamProblem | None = None
        self.hang_up_after = 0
        self.faces: list[dict[str, Any]] = [faces.ANSWER]
        self.gate = True
        self.script: Callable[[int], tuple[list, list]] = lambda n: ([], [])

    @staticmethod
    def person(name: str, current: bool = True) -> records.PersonOut:
        return records.PersonOut(
            id=name.split()[0].lower(), name=name, templates=3, current=current, created=WHEN, updated=WHEN,
            keep_until=None,
        )  # fmt: skip

    @staticmethod
    def presence(number: str, person: records.PersonOut) -> records.Presence:
        return records.Presence(
            id=number, person=person.id, name=person.name, day="2030-01-31", session="", first_seen=WHEN,
            last_seen=WHEN, sightings=3, camera="kiosk", corrected=number == "1", note="",
        )  # fmt: skip

    def release(self) -> records.ReleaseOut:
        part = records.ComponentOut(
            task="spoof", name="facegate-spoof-x86-vnni", version=3, target="x86-vnni", contract_digest="9f" * 32,
            model_sha256="2c" * 32, operating_point="bpcer_5", threshold=0.412, synthetic=True, contract=CONTRACT,
        )  # fmt: skip
        names = ("fact", "limit", "value", "bound", "trials", "verdict", "blocking", "note")
        report = {
            "profile": "embedded", "release": "9f" * 32, "against": "", "synthetic": True, "passed": False,
            "findings": [dict(zip(names, f, strict=True), source="facegate") for f in FINDINGS],
        }  # fmt: skip
        other = part.model_copy(update={"task": "recognition", "name": "facegate-recognition-x86-vnni"})
        return records.ReleaseOut(
            release=MODEL.release, digest=MODEL.digest, production=True, synthetic=True, loaded=WHEN,
            components=(other, part), gate=report if self.gate else None,
        )  # fmt: skip


def make_app(desk: Desk) -> FastAPI:
    """The pages with the stub's routes before them."""
    app = FastAPI()
    _add_people(app, desk)
    _add_attendance(app, desk)
    _add_rest(app, desk)
    _add_stream(app, desk)
    add_pages(app)
    return app


def _problem(status: int, detail: str, **members: Any) -> JSONResponse:
    document = {"type": "about:blank", "title": "Refused", "status": status, "detail": detail, **members}
    return JSONResponse(document, status, media_type="application/problem+json")


def _add_rest(app: FastAPI, desk: Desk) -> None:
    @app.get("/v1/me")
    def me(authorization: Annotated[str, Header()] = ""):
        if authorization != f"Bearer {KEY}":
            return _problem(401, "no such key")
        return records.Me(id="k1", name="desk", role=records.Role.OPERATOR)

    @app.post("/v1/spoof")
    def spoof(picture: UploadFile) -> faces.PictureAnswer:
        assert picture.file.read(2) == b"\xff\xd8"
        found = [faces.FaceAnswer(**face) for face in desk.faces]
        return faces.PictureAnswer(model=MODEL, width=640, height=480, faces=tuple(found))

    @app.get("/v1/models")
    def models() -> records.ModelsAnswer:
        release = desk.release()
        return records.ModelsAnswer(
            source="registry", warning="", production=release, shadow=None, last_error=""
        )


def _add_people(app: FastAPI, desk: Desk) -> None:
    @app.get("/v1/persons")
    def persons(query: str = "", limit: int = 50, after: str = "") -> records.PersonPage:
        found = [p for p in desk.people if query.lower() in p.name.lower()]
        return records.PersonPage(persons=tuple(found[:limit]), total=len(found), next=None)

    @app.patch("/v1/persons/{id}")
    def change(id: str, what: records.PersonChange) -> records.PersonOut:
        (person,) = [p for p in desk.people if p.id == id]
        new = person.model_copy(update={"name": what.name})
        desk.people = [new if p.id == id else p for p in desk.people]
        return new

    @app.delete("/v1/persons/{id}", status_code=204)
    def delete(id: str) -> None:
        desk.people = [p for p in desk.people if p.id != id]

    @app.post("/v1/persons", status_code=201)
    def enrol(
        name: Annotated[str, Form()],
        pictures: Annotated[list[UploadFile], File()],
        allow_duplicate: Annotated[bool, Form()] = False,
    ):
        seen = tuple(
            records.EnrolledPicture(index=i, accepted=True, reasons=(), hints=())
            for i in range(len(pictures))
        )
        answer = records.EnrolAnswer(person=None, pictures=seen, duplicates=(), model=MODEL)
        if name == "Twin" and not allow_duplicate:
            twin = records.Duplicate(id="ada", name="Ada Lovelace", score=0.83)
            document = answer.model_copy(update={"duplicates": (twin,)}).model_dump(mode="json")
            return _problem(409, "enrolled already", enrolment=document)
        desk.enrolled.append((name, len(pictures), allow_duplicate))
        return answer.model_copy(update={"person": desk.person(name)})


def _add_attendance(app: FastAPI, desk: Desk) -> None:
    @app.get("/v1/attendance")
    def attendance(day: str, person: str = "") -> records.PresenceList:
        rows = [r for r in desk.rows if r.day == day and person in ("", r.person)]
        return records.PresenceList(rows=tuple(rows), unknown=2)

    @app.get("/v1/attendance.csv")
    def csv(day: str, authorization: Annotated[str, Header()] = "") -> Response:
        assert authorization == f"Bearer {KEY}"
        return Response(f"name,day\nAda,{day}\n", media_type="text/csv")

    @app.post("/v1/attendance/{id}/corrections")
    def correct(id: str, correction: records.Correction) -> records.Presence:
        desk.corrections.append(correction)
        (row,) = [r for r in desk.rows if r.id == id]
        new = row.model_copy(update={"corrected": True})
        desk.rows = [r for r in desk.rows if r.id != id] + ([] if correction.void else [new])
        return new


def _add_stream(app: FastAPI, desk: Desk) -> None:
    @app.websocket("/v1/stream")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        hello = stream.Hello(**json.loads(await socket.receive_text()))
        desk.hello = hello.model_dump()
        if desk.refuse_stream:
            await socket.send_text(desk.refuse_stream.model_dump_json())
            await socket.close()
            return
        await socket.send_text(stream.Ready(model=MODEL, max_fps=15, max_bytes=10**7).model_dump_json())
        async for message in socket.iter_bytes():
            (time,) = struct.unpack(">d", message[:8])
            desk.frames.append((time, message[8:]))
            tracks, marks = desk.script(len(desk.frames))
            answer = stream.FrameAnswer(
                time=time,
                width=640,
                height=480,
                status="seen",
                tracks=tuple(tracks),
                marked=tuple(marks),
                hints=(),
            )
            await socket.send_text(answer.model_dump_json())
            if len(desk.frames) == desk.hang_up_after:
                await socket.close()
                return
