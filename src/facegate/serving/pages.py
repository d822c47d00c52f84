"""The kiosk and the console: files from ``web/``, each at its own path, under a policy that runs nothing else.

No page holds a script or a style of its own, so the policy can forbid both inline; nothing is fetched from
another host. The policy is put on these answers alone: the API has its own headers.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

WEB = Path(__file__).with_name("web")
PAGES = {
    "/": "kiosk.html",
    "/enrol": "enrol.html",
    "/attendance": "attendance.html",
    "/people": "people.html",
    "/model": "model.html",
    "/sign-in": "sign-in.html",
}
"""Path of each page, and its file."""

HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        )
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), screen-wake-lock=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
"""Sent with every page and file; ``no-cache`` means: ask whether it changed, so an update is seen at once."""


class _Files(StaticFiles):
    """Static files with the headers of the pages."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or 304 if the browser has it already."""
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


def add_pages(app: FastAPI) -> None:
    """Serve every page at its path and the files beside them under ``/web``; to be called after the API's routes."""
    files = _Files(directory=WEB)
    for path, file in PAGES.items():
        app.add_api_route(path, _page(files, file), methods=["GET", "HEAD"], include_in_schema=False)
    app.mount("/web", files, name="web")


def _page(files: _Files, file: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        return await files.get_response(file, request.scope)

    return page
