"""The WebSocket: a hello with the key, then frames; every frame is answered before the next one is judged.

The key comes in the first message and not in the URL, which ends up in logs. A browser's ``Origin`` has to be ours
or a named one: WebSockets know no CORS.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from facegate.errors import FacegateError
from facegate.serving import answers
from facegate.serving.freshness import parse
from facegate.serving.limits import refuse_for
from facegate.serving.problems import ProblemError, of_error
from facegate.serving.schemas.stream import Hello, Ready, StreamProblem
from facegate.serving.security import Principal
from facegate.serving.service import Service
from facegate.serving.streaming import CameraStream

router = APIRouter()
HELLO_S = 10.0
IDLE_S = 60.0
MOST_SUSPICIONS = 600
"""Frames in vain after which a stream is closed: repeated, out of order, from the future."""
POLICY_VIOLATION, TRY_AGAIN, INTERNAL = 1008, 1013, 1011
T = TypeVar("T")
_log = logging.getLogger(__name__)


@router.websocket("/v1/stream")
async def stream(socket: WebSocket) -> None:
    """Serve one camera."""
    service: Service = socket.app.state.service
    await socket.accept()
    try:
        with service.streams.enter("streams"):
            async with _counted(service):
                await _serve(socket, service)
    except WebSocketDisconnect:
        pass
    except ProblemError as problem:
        await _refuse(socket, problem)
    except FacegateError as error:
        await _refuse(socket, of_error(error))
    except Exception:
        _log.exception("a stream failed")
        await _refuse(socket, ProblemError(500, "something went wrong", "connect again"))


async def _serve(socket: WebSocket, service: Service) -> None:
    _same_origin(socket, service)
    hello = await _hello(socket)
    address = socket.client.host if socket.client else "unknown"
    threads = CapacityLimiter(1)

    async def off_loop(work: Callable[[], T]) -> T:
        return await to_thread.run_sync(work, limiter=threads)

    principal = await off_loop(lambda: service.ring.check(hello.key, address))
    wait = service.buckets.take(principal.id)
    if wait:
        raise refuse_for(wait, "this key asks too often")
    camera = await off_loop(lambda: _open(service, hello, principal))
    settings = service.settings
    ready = Ready(
        model=answers.model_ref(service.production.current),
        max_fps=settings.max_fps,
        max_bytes=settings.max_bytes,
    )
    await socket.send_text(ready.model_dump_json())
    while camera.freshness.suspicions < MOST_SUSPICIONS:
        message = await asyncio.wait_for(socket.receive(), IDLE_S)
        if message["type"] == "websocket.disconnect":
            return
        judge = partial(_frame, service, camera, hello.key, address, message.get("bytes"))
        await socket.send_text(await off_loop(judge))
    service.metrics.suspicion("closed")
    raise ProblemError(409, "the stream brings no new pictures, or its clock is wrong", "check the camera")


def _open(service: Service, hello: Hello, principal: Principal) -> CameraStream:
    if hello.session:
        service.attendance.session(hello.session)  # an unknown session is refused before the first frame
    return CameraStream(service, hello, principal.id)


def _frame(service: Service, camera: CameraStream, key: str, address: str, data: bytes | None) -> str:
    """Judge one message in a thread; the key is looked at again, so that a revoked one ends its streams."""
    service.ring.check(key, address)
    if data is None or len(data) > service.settings.max_bytes:
        raise ProblemError(
            413 if data else 422, "a frame is 8 bytes of time and a picture", "see /openapi.json"
        )
    frame = parse(data)
    if frame is None:
        raise ProblemError(
            422, "a frame begins with its time, a finite big-endian double", "see docs/serving.md"
        )
    return camera.frame(frame).model_dump_json()


async def _hello(socket: WebSocket) -> Hello:
    try:
        text = await asyncio.wait_for(socket.receive_text(), HELLO_S)
        return Hello.model_validate_json(text)
    except (TimeoutError, KeyError) as error:
        raise ProblemError(422, "the first message is no hello", "send a hello as JSON text") from error
    except ValidationError as error:
        lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
        raise ProblemError(422, f"the hello is not as described: {lines}", "see docs/serving.md") from error


def _same_origin(socket: WebSocket, service: Service) -> None:
    origin = socket.headers.get("origin")
    if origin is None or origin in service.settings.origins:
        return
    if urlsplit(origin).netloc != socket.headers.get("host"):
        raise ProblemError(
            403, "pages of another origin may not open streams", "name it in the settings' origins"
        )


async def _refuse(socket: WebSocket, problem: ProblemError) -> None:
    document = problem.document()
    told = StreamProblem(
        status=problem.status, title=document["title"], detail=problem.detail, remedy=problem.remedy
    )
    code = INTERNAL if problem.status == 500 else TRY_AGAIN if problem.status == 503 else POLICY_VIOLATION
    try:
        await socket.send_text(told.model_dump_json())
        await socket.close(code)
    except (WebSocketDisconnect, RuntimeError):
        pass  # it is gone already


@asynccontextmanager
async def _counted(service: Service) -> AsyncIterator[None]:
    service.metrics.stream(1)
    try:
        yield
    finally:
        service.metrics.stream(-1)
