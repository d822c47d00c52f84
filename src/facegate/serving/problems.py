"""Every refusal as ``application/problem+json`` (RFC 9457), and none that repeats what was sent.

An error names the thing and the next step, as everywhere in facegate. Validation errors leave out the offending
input: it may be a picture or a key.
"""

import logging
import uuid
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from facegate.errors import FacegateError, PictureError, RegistryError
from facegate.serving.store.errors import ConflictError, InvalidError, NotFoundError, StoreError, VaultError

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Who are you?",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Cannot be used",
    429: "Too many requests",
    500: "A defect of the service",
    503: "Busy or not ready",
}
_STATUS: tuple[tuple[type[FacegateError], int], ...] = (
    (PictureError, 422),
    (InvalidError, 422),
    (NotFoundError, 404),
    (ConflictError, 409),
    (RegistryError, 503),
    (StoreError, 503),
    (VaultError, 503),
)
_log = logging.getLogger(__name__)


class ProblemOut(BaseModel):
    """Why a request was refused (RFC 9457); further members belong to the kind of problem."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank", "title": "Cannot be used", "status": 422,
                    "detail": "the picture: cannot be read: it is PDF, and only JPEG, PNG, WebP and BMP are read",
                    "remedy": "save it as JPEG or PNG and try again",
                }
            ]
        }
    )  # fmt: skip
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    remedy: str = Field(default="", description="the next step")
    errors: list[dict[str, str]] = Field(
        default=[], description="validation errors: where, and what is wrong"
    )


class ProblemError(Exception):
    """A refusal.

    Args:
        status: HTTP status.
        detail: what is wrong.
        remedy: what to do next.
        headers: response headers.
        members: further members of the problem document.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        remedy: str = "",
        *,
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.remedy = status, detail, remedy
        self.headers, self.members = headers or {}, members

    def document(self) -> dict[str, Any]:
        """The problem document."""
        title = TITLES.get(self.status, "Refused")
        head = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}
        return {**head, "remedy": self.remedy, **self.members}

    def response(self) -> JSONResponse:
        """The answer that carries it."""
        return JSONResponse(self.document(), self.status, self.headers, MEDIA_TYPE)


def busy(detail: str, retry_after_s: float = 1.0) -> ProblemError:
    """A 503 that says when to come again."""
    wait = max(1, round(retry_after_s))
    return ProblemError(503, detail, f"try again in {wait} s", headers={"Retry-After": str(wait)})


def of_error(error: FacegateError) -> ProblemError:
    """The refusal that an error of facegate's means to a client."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 409)
    return ProblemError(status, error.problem, error.remedy)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, for its OpenAPI entry."""
    schema = {"$ref": "#/components/schemas/ProblemOut"}
    return {
        status: {"description": TITLES[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Turn everything that a request can raise into a problem document."""

    async def problem(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ProblemError)
        return error.response()

    async def facegate(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, FacegateError)
        return of_error(error).response()

    app.add_exception_handler(ProblemError, problem)
    app.add_exception_handler(FacegateError, facegate)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _defect)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [{"where": ".".join(map(str, e["loc"])), "what": str(e["msg"])} for e in error.errors()[:20]]
    return ProblemError(422, "the request is not as described", "see /openapi.json", errors=errors).response()


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return ProblemError(error.status_code, str(error.detail), headers=dict(error.headers or {})).response()


async def _defect(_: Request, error: Exception) -> JSONResponse:
    number = uuid.uuid4().hex[:12]
    _log.error("defect", exc_info=error, extra={"fields": {"defect": number}})
    return ProblemError(
        500, f"something went wrong ({number})", "tell the operator this number; the log has more"
    ).response()
