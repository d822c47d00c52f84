"""Who is enrolled: look, enrol from several pictures, change, delete for good."""

from datetime import datetime
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, File, Form, Path, Query, Response, UploadFile

from facegate.serving import answers
from facegate.serving.enrolment import Judged, judge, middle, of_one_person
from facegate.serving.hints import hints
from facegate.serving.problems import ProblemError, documented
from facegate.serving.routes import Operator, ServiceHere
from facegate.serving.schemas.records import (
    Duplicate,
    EnrolAnswer,
    EnrolledPicture,
    PersonChange,
    PersonOut,
    PersonPage,
    ReEnrolList,
)
from facegate.serving.served import Served
from facegate.serving.service import Service
from facegate.serving.store.gallery import Gallery
from facegate.serving.store.people import Person
from facegate.serving.uploads import read_picture

router = APIRouter(prefix="/v1/persons", tags=["persons"], responses=documented(401, 403, 413, 422, 429, 503))
IDENTIFIER = r"^[A-Za-z0-9._-]{1,64}$"
PersonId = Annotated[str, Path(pattern=IDENTIFIER)]
Pictures = Annotated[list[UploadFile], File(description="one face in each", min_length=1)]


@router.get("")
def list_persons(
    service: ServiceHere,
    _: Operator,
    after: Annotated[str, Query(pattern=r"^[0-9]{0,6}$", description="`next` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    query: Annotated[str, Query(max_length=100, description="part of a name or identifier")] = "",
) -> PersonPage:
    """Show who is enrolled, by name."""
    number = max(1, int(after or 1))
    page = _gallery(service).persons(page=number, size=limit, search=query)
    more = number * limit < page.total
    return PersonPage(
        persons=tuple(map(_shown, page.persons)), total=page.total, next=str(number + 1) if more else None
    )


@router.get("/re-enrol")
def re_enrol_list(service: ServiceHere, _: Operator) -> ReEnrolList:
    """Show who has no template of the recogniser in production."""
    gallery = _gallery(service)
    return ReEnrolList(
        persons=tuple(_shown(gallery.person(one.person_id)) for one in gallery.re_enrol_list())
    )


@router.post("", status_code=201, responses=documented(409))
def enrol(
    service: ServiceHere,
    principal: Operator,
    name: Annotated[str, Form(min_length=1, max_length=200)],
    pictures: Pictures,
    id: Annotated[str | None, Form(pattern=IDENTIFIER, description="a random one by default")] = None,
    keep_until: Annotated[datetime | None, Form(description="delete the person after that")] = None,
    allow_duplicate: Annotated[bool, Form(description="enrol although somebody looks alike")] = False,
) -> EnrolAnswer:
    """Enrol a person from the pictures that are good enough; nothing is stored if none is."""
    served, judged = _judge_all(service, pictures)
    judged = of_one_person(judged, served.engine.recogniser)
    good = _good(served, judged)
    alike = _duplicates(served, good)
    if alike and not allow_duplicate:
        report = _answer(served, judged, alike)
        raise _refused(409, "somebody who looks like this is enrolled already", report)
    person = served.gallery.enrol(name=name, person_id=id, keep_until=keep_until, **_templates(service, good))
    service.journal.append("enrol", {"person": person.id, "pictures": len(good), "key": principal.id})
    return _answer(served, judged, alike, person)


@router.post("/{id}/pictures", responses=documented(404))
def add_pictures(service: ServiceHere, principal: Operator, id: PersonId, pictures: Pictures) -> EnrolAnswer:
    """Add pictures to a person; also the way to enrol somebody anew for another recogniser."""
    _gallery(service).person(id)  # 404 before any picture is judged
    served, judged = _judge_all(service, pictures)
    scores = [served.gallery.compare(id, one.embedding) for one in judged if one.good]
    known = None if None in scores or not scores else np.array(scores, np.float32)
    judged = of_one_person(judged, served.engine.recogniser, known)
    good = _good(served, judged)
    person = served.gallery.add_templates(id, **_templates(service, good))
    service.journal.append("add_pictures", {"person": id, "pictures": len(good), "key": principal.id})
    return _answer(served, judged, (), person)


@router.get("/{id}", responses=documented(404))
def show(service: ServiceHere, _: Operator, id: PersonId) -> PersonOut:
    """Show one person."""
    return _shown(_gallery(service).person(id))


@router.patch("/{id}", responses=documented(404))
def change(service: ServiceHere, principal: Operator, id: PersonId, wanted: PersonChange) -> PersonOut:
    """Give a person another name or another date of deletion."""
    gallery = _gallery(service)
    person = gallery.person(id)
    if wanted.name is not None:
        person = gallery.rename(id, wanted.name)
    if wanted.keep_until is not None:
        person = gallery.keep_until(id, wanted.keep_until)
    service.journal.append("change_person", {"person": id, "key": principal.id})
    return _shown(person)


@router.delete("/{id}", status_code=204, responses=documented(404))
def delete(
    service: ServiceHere,
    principal: Operator,
    id: PersonId,
    keep_attendance: Annotated[bool, Query(description="keep the marks, without a name")] = False,
) -> Response:
    """Delete a person: templates of all recognisers, kept crops, and attendance unless it is to be kept."""
    _gallery(service).delete(id, keep_attendance=keep_attendance)
    service.journal.append("delete_person", {"person": id, "key": principal.id})
    return Response(status_code=204)


def _gallery(service: Service) -> Gallery:
    return service.production.current.gallery


def _judge_all(service: Service, pictures: list[UploadFile]) -> tuple[Served, list[Judged]]:
    settings = service.settings
    if len(pictures) > settings.max_pictures:
        raise ProblemError(
            413, f"{len(pictures)} pictures; at most {settings.max_pictures} are taken", "send fewer"
        )
    served, judged = service.production.current, []
    for picture in pictures:
        with service.slots.one():
            judged.append(judge(served, read_picture(picture, settings.max_bytes, settings.max_pixels)))
    return served, judged


def _good(served: Served, judged: list[Judged]) -> list[Judged]:
    """Those that make templates.

    Raises:
        ProblemError: 422, there are none; the pictures' reasons go along.
    """
    good = [one for one in judged if one.good]
    if not good:
        raise _refused(422, "no picture can be used", _answer(served, judged, ()))
    return good


def _duplicates(served: Served, good: list[Judged]) -> tuple[Duplicate, ...]:
    probe = middle([one.embedding for one in good])
    threshold = served.engine.decide_match(1.0).threshold
    found = served.gallery.duplicates(probe, threshold)
    return tuple(
        Duplicate(id=m.person, name=served.gallery.person(m.person).name, score=round(m.score, 4))
        for m in found
    )


def _templates(service: Service, good: list[Judged]) -> dict[str, Any]:
    crops = [one.result.crop for one in good if one.result is not None]
    return {
        "templates": np.stack([one.embedding for one in good]),
        "crops": crops if service.settings.keep_crops else None,
    }


def _answer(
    served: Served, judged: list[Judged], alike: tuple[Duplicate, ...], person: Person | None = None
) -> EnrolAnswer:
    pictures = tuple(
        EnrolledPicture(index=i, accepted=one.good, reasons=one.reasons, hints=hints(one.reasons))
        for i, one in enumerate(judged)
    )
    shown = _shown(person) if person else None
    return EnrolAnswer(person=shown, pictures=pictures, duplicates=alike, model=answers.model_ref(served))


def _refused(status: int, detail: str, report: EnrolAnswer) -> ProblemError:
    return ProblemError(status, detail, "`enrolment` says why", enrolment=report.model_dump(mode="json"))


def _shown(person: Person) -> PersonOut:
    return PersonOut(
        id=person.id,
        name=person.name,
        templates=person.templates,
        current=person.templates > 0,
        created=person.created_at,
        updated=person.updated_at,
        keep_until=person.keep_until,
    )
