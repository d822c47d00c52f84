"""A settled decision becomes attendance: a mark for who was accepted, a count for a stranger, an entry for both."""

from datetime import UTC, datetime

from facegate.runtime.engine import FaceResult, Reason
from facegate.serving.schemas.faces import PersonRef
from facegate.serving.schemas.stream import Marked
from facegate.serving.service import Service


def mark_accepted(
    service: Service, result: FaceResult, number: int, camera: str, session: str, key: str
) -> Marked | None:
    """Mark the person of a settled result, or count a stranger; with its entry in the log of decisions.

    Args:
        service: where attendance is kept.
        result: what became of the face.
        number: of the track or face, for the answer.
        camera: where the face was seen.
        session: what the person is present at; empty for nothing.
        key: identifier of the key that asked.
    """
    match, live = result.match, result.spoof
    details = {
        "camera": camera, "session": session, "key": key, "verdict": result.verdict.value,
        "reasons": list(result.reasons), "person": match.person if match and result.open else "",
        "score": round(match.score, 4) if match else None, "live": round(live.score, 4) if live else None,
    }  # fmt: skip
    if not result.open or match is None:
        if Reason.UNKNOWN in result.reasons:
            service.attendance.count_unknown(camera=camera, session_id=session or None)
        service.journal.append("decision", details)
        return None
    done = service.attendance.mark(match.person, camera=camera, session_id=session or None, score=match.score)
    service.journal.append("decision", {**details, "mark": done.mark.id})
    service.metrics.mark(not done.new)
    person = PersonRef(id=match.person, name=done.mark.name or "")
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Marked(track=number, person=person, at=at, repeated=not done.new)
