"""The application: middleware, routes, pages and the life of a process around one :class:`Service`."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware

import facegate
from facegate.serving import logs, problems
from facegate.serving.middleware import SMALL_BODY, Guard, Headers, Observe
from facegate.serving.pages import add_pages
from facegate.serving.routes import admin, attendance, health, liveness, persons, pictures, stream
from facegate.serving.service import Service, open_service
from facegate.serving.settings import Settings, read_settings

SLACK = 100_000
"""Bytes of a multipart body besides its files."""
ABOUT = """\
Who is this, and is it a live person? Every answer names the release that gave it, the score, the threshold and the
operating point; what is not accepted comes with reasons and with a hint for the person at the camera.

The key goes into `Authorization: Bearer fg_…`. Refusals are `application/problem+json` (RFC 9457) with the next step
in `remedy`. The WebSocket `/v1/stream` is described in docs/serving.md.
"""
_log = logging.getLogger(__name__)


def from_environment() -> FastAPI:
    """The application as worker processes make it, from ``FACEGATE_SERVE_…`` variables."""
    logs.set_up()
    return create_app(open_service(read_settings(os.environ)))


def create_app(service: Service) -> FastAPI:
    """Put the application together around a service, which starts and stops with it."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        service.start()
        to_thread.current_default_thread_limiter().total_tokens = (
            service.room.count + service.streams.count + 8
        )
        try:
            yield
        finally:
            await to_thread.run_sync(service.stop)
            _log.info("stopped")

    app = FastAPI(
        title="facegate",
        version=facegate.__version__,
        description=ABOUT,
        lifespan=life,
        docs_url=None,  # their scripts come from other hosts, which the content policy forbids
        redoc_url=None,
    )
    app.state.service = service
    problems.install(app)
    for room in (pictures, liveness, persons, attendance, admin, health, stream):
        app.include_router(room.router)
    add_pages(app)
    _surround(app, service)
    _describe(app)
    return app


def _surround(app: FastAPI, service: Service) -> None:
    """The last that is added is the outermost."""
    settings = service.settings
    app.add_middleware(
        Guard,
        keys=service.ring,
        buckets=service.buckets,
        room=service.room,
        largest=lambda path: largest_body(path, settings),
        closed=lambda path: path.startswith("/v1") or (path == "/metrics" and not settings.open_metrics),
    )
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After", "X-Request-ID"],
            max_age=600,
        )
    app.add_middleware(Headers)
    app.add_middleware(Observe, metrics=service.metrics)


def largest_body(path: str, settings: Settings) -> int:
    """Most bytes that a path's body may have: by its files, or small where it takes none."""
    one = settings.max_bytes + SLACK
    if path == "/v1/persons" or path.endswith("/pictures"):
        return settings.max_pictures * settings.max_bytes + SLACK
    if path == "/v1/liveness":
        return max(one, settings.max_pictures * settings.max_bytes + SLACK)
    if path == "/v1/verify":
        return 2 * settings.max_bytes + SLACK
    takes_one = path in ("/v1/detect", "/v1/spoof", "/v1/identify", "/v1/attendance/picture")
    return one if takes_one else SMALL_BODY


def _describe(app: FastAPI) -> None:
    """Add the problem document to the OpenAPI page; FastAPI only lists models that a route returns."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            page = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            schemas = page["components"]["schemas"]
            schemas["ProblemOut"] = problems.ProblemOut.model_json_schema(
                ref_template="#/components/schemas/{model}"
            )
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            app.openapi_schema = page
        return app.openapi_schema

    app.openapi = described  # pyright: ignore[reportAttributeAccessIssue]
