"""What stands before the routes, as plain ASGI: identify, count, limit; in that order, and before any decoding.

From the outside in: :class:`Observe` (request number, log line, metrics), :class:`Headers` (content security
policy and its kin), :class:`Guard` (key, rate, room, size of the body).
"""

import logging
import secrets
import time
from collections.abc import Callable
from typing import Any

from anyio import to_thread
from starlette.datastructures import Headers as RequestHeaders
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facegate.errors import FacegateError
from facegate.serving.limits import Buckets, Room, refuse_for
from facegate.serving.metrics import Metrics
from facegate.serving.problems import ProblemError, of_error
from facegate.serving.security import KeyRing, Principal, bearer

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of answers that no browser should show as a page; the pages bring their own (``pages.py``)."""
SMALL_BODY = 65_536
"""Largest JSON body, bytes."""
_log = logging.getLogger("facegate.access")


class Observe:
    """Numbers every request, logs one line about it and counts it; never what it carried.

    Args:
        app: what comes after.
        metrics: where it is counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number, start, status = secrets.token_hex(6), time.perf_counter(), 500
        scope.setdefault("state", {})["request"] = number

        async def numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = number
            await send(message)

        try:
            await self.app(scope, receive, numbered)
        finally:
            self._note(scope, number, status, time.perf_counter() - start)

    def _note(self, scope: Scope, number: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "") or "other"
        self.metrics.request(route, scope["method"], status, seconds)
        principal: Principal | None = scope["state"].get("principal")
        fields: dict[str, Any] = {
            "request": number,
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round(1000 * seconds, 1),
            "key": principal.id if principal else "",
        }
        level = logging.DEBUG if route in ("/healthz", "/readyz", "/metrics") else logging.INFO
        _log.log(level, "request", extra={"fields": fields})


class Headers:
    """Gives every answer the security headers.

    Args:
        app: what comes after.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, secured if scope["type"] == "http" else send)


class Guard:
    """Lets a request in that has a key, is not one too many and not too large.

    Args:
        app: what comes after.
        keys: whose a key is.
        buckets: tokens by key.
        room: how many requests are inside.
        largest: most bytes of a body, by path.
        closed: whether a path needs a key.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: KeyRing,
        buckets: Buckets,
        room: Room,
        largest: Callable[[str], int],
        closed: Callable[[str], bool],
    ) -> None:
        self.app, self.keys, self.buckets, self.room = app, keys, buckets, room
        self.largest, self.closed = largest, closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not self.closed(scope["path"]) or scope["method"] == "OPTIONS":
            await self.app(scope, receive, send)
            return
        try:
            headers = RequestHeaders(scope=scope)
            await self._identify(scope, headers)
            counted = _counted(receive, headers, self.largest(scope["path"]))
            with self.room.enter():
                await self.app(scope, counted, send)
        except ProblemError as problem:
            await problem.response()(scope, receive, send)
        except FacegateError as error:
            await of_error(error).response()(scope, receive, send)

    async def _identify(self, scope: Scope, headers: RequestHeaders) -> None:
        key = bearer(headers.get("authorization"))
        address = scope["client"][0] if scope.get("client") else "unknown"
        principal = self.keys.remembered(key) or await to_thread.run_sync(self.keys.check, key, address)
        scope.setdefault("state", {})["principal"] = principal
        wait = self.buckets.take(principal.id)
        if wait:
            raise refuse_for(wait, "this key asks too often")


def _counted(receive: Receive, headers: RequestHeaders, most: int) -> Receive:
    """The body as it comes in, cut off where it grows too large.

    Raises:
        ProblemError: 413, the body says so itself.
    """
    claimed = headers.get("content-length", "0")
    if not claimed.isdigit() or int(claimed) > most:
        raise ProblemError(
            413, f"a body of {claimed[:20]} bytes; at most {most:,} are taken", "send less at once"
        )
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:  # of Starlette's family: FastAPI lets it through while it reads a body
            raise HTTPException(413, f"the body is larger than {most:,} bytes")
        return message

    return counted
