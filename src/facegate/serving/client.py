"""A thin typed client: one method a route, answers as the models of ``schemas/``, refusals as :class:`ServiceError`.

::

    with Client("http://127.0.0.1:8000", key) as service:
        for face in service.identify(Path("door.jpg")).faces:
            print(face.verdict, face.person)
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter

from facegate.errors import FacegateError
from facegate.serving.schemas.faces import DetectAnswer, PictureAnswer, VerifyAnswer
from facegate.serving.schemas.records import (
    Correction,
    EnrolAnswer,
    JournalAnswer,
    KeyMade,
    KeyNew,
    KeyOut,
    ManualMark,
    Me,
    ModelsAnswer,
    PersonChange,
    PersonOut,
    PersonPage,
    Presence,
    PresenceList,
    Readiness,
    ReEnrolList,
    SessionNew,
    SessionOut,
)
from facegate.serving.schemas.stream import LivenessAnswer, MarkAnswer
from facegate.serving.store.keys import Role

Picture = bytes | Path
M = TypeVar("M", bound=BaseModel)


class ServiceError(FacegateError):
    """The service refused, or is out of reach.

    Args:
        status: HTTP status; 0 if there was no answer.
        problem: what is wrong.
        remedy: what to do next.
        document: the whole problem document.
    """

    def __init__(
        self, status: int, problem: str, remedy: str = "", document: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(problem, remedy)
        self.status, self.document = status, dict(document or {})


class Client:
    """Talks to one service; use as a context manager, or close it.

    Args:
        url: address of the service.
        key: API key.
        timeout_s: longest wait for an answer, seconds.
        http: connection to use instead of a new one.
    """

    def __init__(
        self, url: str, key: str, *, timeout_s: float = 30.0, http: httpx.Client | None = None
    ) -> None:
        self._http = http or httpx.Client(base_url=url, timeout=timeout_s)
        self._headers = {"Authorization": f"Bearer {key}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def detect(self, picture: Picture) -> DetectAnswer:
        """Find every face and measure its quality."""
        return self._post(DetectAnswer, "/v1/detect", files=[_file("picture", picture)])

    def spoof(self, picture: Picture, *, camera: str = "api") -> PictureAnswer:
        """Judge for every face whether it is a live person."""
        return self._post(PictureAnswer, "/v1/spoof", {"camera": camera}, [_file("picture", picture)])

    def identify(self, picture: Picture, *, camera: str = "api") -> PictureAnswer:
        """Decide for every face: is it live, and who is it."""
        return self._post(PictureAnswer, "/v1/identify", {"camera": camera}, [_file("picture", picture)])

    def verify(self, first: Picture, second: Picture) -> VerifyAnswer:
        """Decide whether two pictures show one live person."""
        return self._post(VerifyAnswer, "/v1/verify", files=[_file("first", first), _file("second", second)])

    def liveness(self, frames: Sequence[Picture], times: Sequence[float]) -> LivenessAnswer:
        """Judge for every person of a row of pictures whether it is a live one."""
        files = [_file("frames", frame) for frame in frames]
        return self._post(LivenessAnswer, "/v1/liveness", {"times": [str(at) for at in times]}, files)

    def liveness_clip(self, clip: Picture) -> LivenessAnswer:
        """Judge for every person of a film whether it is a live one."""
        return self._post(LivenessAnswer, "/v1/liveness", files=[_file("clip", clip)])

    def enrol(
        self, name: str, pictures: Sequence[Picture], *, id: str | None = None, allow_duplicate: bool = False
    ) -> EnrolAnswer:
        """Enrol a person from several pictures."""
        fields = {"name": name, "allow_duplicate": str(allow_duplicate).lower(), **({"id": id} if id else {})}
        return self._post(EnrolAnswer, "/v1/persons", fields, [_file("pictures", p) for p in pictures])

    def add_pictures(self, person: str, pictures: Sequence[Picture]) -> EnrolAnswer:
        """Add pictures to a person."""
        files = [_file("pictures", picture) for picture in pictures]
        return self._post(EnrolAnswer, f"/v1/persons/{person}/pictures", files=files)

    def persons(self, query: str = "") -> Iterator[PersonOut]:
        """Everybody enrolled, by name, page by page."""
        after: str | None = ""
        while after is not None:
            page = self._get(PersonPage, "/v1/persons", {"query": query, "after": after, "limit": 500})
            yield from page.persons
            after = page.next

    def person(self, id: str) -> PersonOut:
        """One person."""
        return self._get(PersonOut, f"/v1/persons/{id}")

    def change_person(self, id: str, change: PersonChange) -> PersonOut:
        """Change a person's name or date of deletion."""
        return PersonOut.model_validate_json(
            self._send("PATCH", f"/v1/persons/{id}", json=_json(change)).content
        )

    def delete_person(self, id: str, *, keep_attendance: bool = False) -> None:
        """Delete a person for good."""
        self._send("DELETE", f"/v1/persons/{id}", params={"keep_attendance": keep_attendance})

    def re_enrol_list(self) -> ReEnrolList:
        """People without a template of the recogniser in production."""
        return self._get(ReEnrolList, "/v1/persons/re-enrol")

    def mark_picture(self, picture: Picture, *, camera: str = "api", session: str = "") -> MarkAnswer:
        """Mark everybody present who is accepted in a picture."""
        fields = {"camera": camera, "session": session}
        return self._post(MarkAnswer, "/v1/attendance/picture", fields, [_file("picture", picture)])

    def mark(self, mark: ManualMark) -> Presence:
        """Mark somebody present by hand."""
        return Presence.model_validate_json(self._send("POST", "/v1/attendance", json=_json(mark)).content)

    def correct(self, id: str, correction: Correction) -> Presence:
        """Correct a presence."""
        answer = self._send("POST", f"/v1/attendance/{id}/corrections", json=_json(correction))
        return Presence.model_validate_json(answer.content)

    def attendance(self, day: date | None = None, **query: str) -> PresenceList:
        """Who was present; ``until``, ``person`` and ``session`` narrow it down."""
        return self._get(PresenceList, "/v1/attendance", _day(day, query))

    def attendance_csv(self, day: date | None = None, **query: str) -> str:
        """The same as CSV."""
        return self._send("GET", "/v1/attendance.csv", params=_day(day, query)).text

    def sessions(self) -> list[SessionOut]:
        """All sessions."""
        return TypeAdapter(list[SessionOut]).validate_json(self._send("GET", "/v1/sessions").content)

    def create_session(self, session: SessionNew) -> SessionOut:
        """Add a session."""
        return SessionOut.model_validate_json(self._send("POST", "/v1/sessions", json=_json(session)).content)

    def models(self) -> ModelsAnswer:
        """What is in production."""
        return self._get(ModelsAnswer, "/v1/models")

    def me(self) -> Me:
        """Whose key this is."""
        return self._get(Me, "/v1/me")

    def keys(self) -> list[KeyOut]:
        """All keys, without their secrets."""
        return TypeAdapter(list[KeyOut]).validate_json(self._send("GET", "/v1/keys").content)

    def create_key(self, name: str, role: Role) -> KeyMade:
        """Make a key."""
        body = _json(KeyNew(name=name, role=role))
        return KeyMade.model_validate_json(self._send("POST", "/v1/keys", json=body).content)

    def revoke_key(self, id: str) -> None:
        """Make a key void."""
        self._send("DELETE", f"/v1/keys/{id}")

    def journal(self) -> JournalAnswer:
        """Whether the log of decisions is unbroken."""
        return self._get(JournalAnswer, "/v1/journal")

    def readiness(self) -> Readiness:
        """Whether the service can answer."""
        return Readiness.model_validate_json(self._send("GET", "/readyz", accept=(503,)).content)

    def _get(self, model: type[M], path: str, query: Mapping[str, Any] | None = None) -> M:
        return model.model_validate_json(self._send("GET", path, params=query).content)

    def _post(
        self, model: type[M], path: str, fields: Mapping[str, Any] | None = None, files: Any = None
    ) -> M:
        return model.model_validate_json(self._send("POST", path, data=fields, files=files).content)

    def _send(self, method: str, path: str, *, accept: tuple[int, ...] = (), **parts: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, headers=self._headers, **parts)
        except httpx.HTTPError as error:
            raise ServiceError(
                0, f"{self._http.base_url}{path}: {error}", "check that the service runs"
            ) from error
        if answer.is_success or answer.status_code in accept:
            return answer
        try:
            found = answer.json()
        except ValueError:
            found = {}
        problem = found.get("detail") or f"{path}: status {answer.status_code}"
        raise ServiceError(answer.status_code, problem, found.get("remedy", ""), found)


def _file(field: str, picture: Picture) -> tuple[str, tuple[str, bytes]]:
    data = picture if isinstance(picture, bytes) else picture.read_bytes()
    return field, (field, data)


def _json(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json")


def _day(day: date | None, query: Mapping[str, str]) -> dict[str, str]:
    return {**query, **({"day": day.isoformat()} if day else {})}
