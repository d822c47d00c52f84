"""The pages in a real browser, in front of a service from memory; the camera is a rendered clip."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn

from facegate.benchmark.kiosk_clips import write_y4m
from facegate.benchmark.kiosk_visit import ARGUMENTS
from tests.serving.web.stub import KEY, Desk, make_app

POLICY = "Content Security Policy"
SIGNED_IN = "sessionStorage.setItem('facegate.key', '%s'); sessionStorage.setItem('facegate.role', '%s');"


@pytest.fixture(scope="package")
def camera_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of moving noise: pages are tested with it, decisions are not."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(40, 220, (8, 12, 16, 3), dtype=np.uint8)
    path = tmp_path_factory.mktemp("camera") / "noise.y4m"
    write_y4m(path, [frame.repeat(40, axis=0).repeat(40, axis=1) for frame in coarse])
    return path


@pytest.fixture(scope="package")
def browser(chromium: str, camera_file: Path) -> Iterator[Any]:
    """One Chromium for all tests of the pages; each test gets a context of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        arguments = [*ARGUMENTS, f"--use-file-for-fake-video-capture={camera_file}"]
        browser = engine.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def desk() -> Desk:
    """What the service knows; a test may change it before it opens a page."""
    return Desk()


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    """Where the service listens."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(make_app(desk), log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Opens a page as somebody who is signed in; errors in the page and refusals by its policy fail the test."""
    contexts, wrong = [], []

    def open_page(
        path: str,
        width: int = 1280,
        role: str | None = "operator",
        asked: list[str] | None = None,
        checked: bool = True,
        script: str = "",
        **more: Any,
    ) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 800}, locale="en-GB", **more)
        contexts.append(context)
        context.grant_permissions(["camera"], origin=address)
        context.add_init_script((SIGNED_IN % (KEY, role) if role else "") + script)
        page = context.new_page()
        if checked:
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("console", lambda message: wrong.append(message.text) if POLICY in message.text else None)
        if asked is not None:
            page.on("request", lambda request: asked.append(request.url))
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []
