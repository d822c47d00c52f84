"""What is stored: people, attendance, keys, and which models are in production."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from facegate.serving.schemas import Wire
from facegate.serving.schemas.faces import MODEL, PERSON, Hint, ModelRef, example
from facegate.serving.store.keys import Role

WHEN = "2030-01-31T08:00:00Z"


class PersonOut(Wire):
    """An enrolled person."""

    model_config = example(
        {
            "id": PERSON["id"], "name": "Ada", "templates": 3, "current": True,
            "created": WHEN, "updated": WHEN, "keep_until": None,
        }
    )  # fmt: skip
    id: str
    name: str
    templates: int = Field(description="pictures enrolled for the recogniser in production")
    current: bool = Field(description="false: the recogniser changed and the person must be enrolled anew")
    created: datetime
    updated: datetime
    keep_until: datetime | None = Field(description="the person is deleted after that; null keeps them")


class PersonPage(Wire):
    """People in the order of their names."""

    persons: tuple[PersonOut, ...]
    total: int
    next: str | None = Field(description="give it as `after` for the next page; null at the end")


class PersonChange(Wire):
    """What to change of a person; null leaves it as it is."""

    model_config = example({"name": "Ada L.", "keep_until": None})
    name: str | None = Field(default=None, min_length=1, max_length=200)
    keep_until: datetime | None = Field(default=None, description="delete the person after that")


class EnrolledPicture(Wire):
    """What became of one picture of an enrolment."""

    index: int = Field(description="number of the picture, from 0")
    accepted: bool
    reasons: tuple[str, ...] = Field(description="no_face, several_faces, spoof, blurred, other_person, …")
    hints: tuple[Hint, ...]


class Duplicate(Wire):
    """Somebody enrolled already who looks like the new person."""

    id: str
    name: str
    score: float


class EnrolAnswer(Wire):
    """What became of an enrolment; nothing is stored unless `person` is given."""

    model_config = example(
        {
            "person": {
                "id": PERSON["id"], "name": "Ada", "templates": 1, "current": True,
                "created": WHEN, "updated": WHEN, "keep_until": None,
            },
            "pictures": [{"index": 0, "accepted": True, "reasons": [], "hints": []}],
            "duplicates": [], "model": MODEL,
        }
    )  # fmt: skip
    person: PersonOut | None
    pictures: tuple[EnrolledPicture, ...]
    duplicates: tuple[Duplicate, ...]
    model: ModelRef


class ReEnrolList(Wire):
    """People without a template of the recogniser in production."""

    persons: tuple[PersonOut, ...]


class SessionNew(Wire):
    """A lesson, shift or event that attendance can be marked for."""

    model_config = example({"id": "math-1", "name": "Mathematics", "starts": WHEN, "ends": None})
    id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    name: str = Field(min_length=1, max_length=200)
    starts: datetime
    ends: datetime | None = None


class SessionOut(SessionNew):
    """A session as it is stored."""


class Presence(Wire):
    """One person's presence in one session of one day."""

    model_config = example(
        {
            "id": "17", "person": PERSON["id"], "name": "Ada", "day": "2030-01-31", "session": "",
            "first_seen": WHEN, "last_seen": WHEN, "sightings": 3, "camera": "front-door", "corrected": False,
            "note": "",
        }
    )  # fmt: skip
    id: str
    person: str = Field(description="identifier; empty if the person was deleted since")
    name: str
    day: str = Field(description="YYYY-MM-DD in the time zone of the service")
    session: str
    first_seen: datetime
    last_seen: datetime
    sightings: int
    camera: str
    corrected: bool = Field(description="changed or entered by hand")
    note: str


class PresenceList(Wire):
    """Attendance, by day and time."""

    rows: tuple[Presence, ...]
    unknown: int = Field(description="sightings of people who are not enrolled, over the same days")


class ManualMark(Wire):
    """Mark somebody present by hand."""

    model_config = example({"person": PERSON["id"], "session": "", "at": None, "reason": "forgot the badge"})
    person: str = Field(max_length=64)
    session: str = Field(default="", max_length=100)
    at: datetime | None = Field(default=None, description="when; null is now")
    reason: str = Field(min_length=1, max_length=500)


class Correction(Wire):
    """Change or withdraw a presence; what was there stays in the audit trail."""

    model_config = example(
        {"first_seen": WHEN, "last_seen": None, "void": False, "reason": "clock was wrong"}
    )
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    void: bool = Field(default=False, description="the person was not present")
    reason: str = Field(min_length=1, max_length=500)


class KeyNew(Wire):
    """A key to be made."""

    model_config = example({"name": "door 2", "role": "kiosk"})
    name: str = Field(min_length=1, max_length=100)
    role: Role


class KeyOut(Wire):
    """A key without its secret."""

    id: str
    name: str
    role: Role
    created: datetime
    revoked: bool


class KeyMade(KeyOut):
    """A new key; its secret is shown this once."""

    model_config = example(
        {"id": "k1", "name": "door 2", "role": "kiosk", "created": WHEN, "revoked": False, "key": "fg_…"}
    )
    key: str


class Me(Wire):
    """Whose key this is."""

    model_config = example({"id": "k1", "name": "door 2", "role": "kiosk"})
    id: str
    name: str
    role: Role


class ComponentOut(Wire):
    """One model of a release."""

    task: str
    name: str
    version: int | None = Field(description="in the registry; null for a bundle folder")
    target: str = Field(description="quantisation: fp32, x86-vnni, …")
    contract_digest: str = Field(description="SHA-256 over the contract")
    model_sha256: str
    operating_point: str
    threshold: float
    synthetic: bool
    contract: dict[str, Any] = Field(description="the whole contract")


class ReleaseOut(Wire):
    """A release that is loaded."""

    release: str
    digest: str
    production: bool
    synthetic: bool
    loaded: datetime
    components: tuple[ComponentOut, ...]
    gate: dict[str, Any] | None = Field(description="the gate's report; null where there is none")


class ModelsAnswer(Wire):
    """What is in production, what runs beside it, and how the last change went."""

    source: Literal["registry", "folder", "candidates"]
    warning: str = Field(description="empty in production; says so loudly where candidates are on trial")
    production: ReleaseOut
    shadow: ReleaseOut | None
    last_error: str = Field(description="why the newest release was not taken; empty if nothing failed")


class JournalAnswer(Wire):
    """Whether the hash-chained log of decisions is unbroken."""

    entries: int
    sound: bool
    problems: tuple[str, ...]


class Health(Wire):
    """The process runs."""

    status: Literal["ok"] = "ok"


class Readiness(Wire):
    """Whether the service can answer, and whether it follows production."""

    model_config = example(
        {"ready": True, "release": "facegate-release/7", "checks": {"models": "ok"}, "problems": []}
    )
    ready: bool
    release: str
    checks: dict[str, str] = Field(description="models, database, registry: ok, or what is wrong")
    problems: tuple[str, ...] = Field(description="not fatal: for instance a broken newer release")
