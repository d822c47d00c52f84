"""Does it live, can it answer, how is it doing: for whoever runs the service, not for its users."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from facegate.errors import FacegateError
from facegate.serving.metrics import CONTENT_TYPE
from facegate.serving.problems import documented
from facegate.serving.routes import ServiceHere
from facegate.serving.schemas.records import Health, Readiness
from facegate.serving.security import require
from facegate.serving.service import Service
from facegate.serving.store.keys import Role

router = APIRouter(tags=["operation"])
_operator = require(Role.OPERATOR)


@router.get("/healthz")
async def healthz() -> Health:
    """The process runs."""
    return Health()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "cannot answer"}})
def readyz(service: ServiceHere) -> JSONResponse:
    """Whether the service can answer, and what is wrong that does not keep it from answering."""
    found = readiness(service)
    return JSONResponse(found.model_dump(mode="json"), 200 if found.ready else 503)


def readiness(service: Service) -> Readiness:
    """Look at models, database and what follows them."""
    production = service.production
    database, gallery = _database(service)
    name = production.current.release.name if production.ready else ""
    models = "ok" if production.ready else (production.problem or "being loaded")
    problems = [*production.problems, *(f"drift: {alert}" for alert in service.drift.alerts())]
    problems += gallery
    return Readiness(
        ready=production.ready and database == "ok",
        release=name,
        checks={"models": models, "database": database},
        problems=tuple(problems),
    )


def _database(service: Service) -> tuple[str, list[str]]:
    """Whether the database answers, and what is wrong with the gallery in it."""
    problems = []
    try:
        service.database.ping()
        if service.production.ready:
            gallery = service.production.current.gallery
            waiting, damaged = len(gallery.re_enrol_list()), len(gallery.damaged)
            if waiting:
                problems.append(
                    f"{waiting} people must be enrolled anew for this recogniser: GET /v1/persons/re-enrol"
                )
            if damaged:
                problems.append(f"{damaged} templates do not open and are left out of the search")
    except FacegateError as error:
        return error.problem, problems
    return "ok", problems


def _may_read(request: Request, service: ServiceHere) -> None:
    if not service.settings.open_metrics:
        _operator(request)


@router.get(
    "/metrics",
    dependencies=[Depends(_may_read)],
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **documented(401, 403, 429)},
)
def metrics(service: ServiceHere) -> Response:
    """What Prometheus reads; needs a key of role operator unless the settings open it."""
    return Response(service.metrics.page(), media_type=CONTENT_TYPE)
