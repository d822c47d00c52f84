"""One clip before the camera of the real page in a real browser, and what the page was told and showed.

The browser's own traffic is read along: every answer of the service with its time, and, at the end, what stands on
the page. Times are those that the page gave its frames, so they count video and not the waiting before it.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facegate.errors import MissingExtraError

ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
"""A Chromium that asks nobody and takes a file for its camera."""
LEAST_FRAMES = 12
"""Judged frames that a scene gets at least, however slow the machine is: a decision needs a few."""
PATIENCE_S = 120.0
"""Longest visit, on a machine that does other work."""


@dataclass
class Visit:
    """What happened while a clip was shown.

    Attributes:
        answers: frame messages of the service, in order.
        shown: names in the page's list of people marked present.
        headline: what the page said at the end.
    """

    answers: list[dict[str, Any]] = field(default_factory=list)
    shown: tuple[str, ...] = ()
    headline: str = ""

    @property
    def seen(self) -> list[dict[str, Any]]:
        """Answers to frames that were judged."""
        return [answer for answer in self.answers if answer["status"] == "seen"]

    @property
    def marked(self) -> dict[str, float]:
        """Who was marked, and after how many seconds of being in view."""
        begun: dict[int, float] = {}
        marked: dict[str, float] = {}
        for answer in self.seen:
            for track in answer["tracks"]:
                begun.setdefault(track["id"], answer["time"])
            for mark in answer["marked"]:
                marked.setdefault(mark["person"]["name"], answer["time"] - begun[mark["track"]])
        return marked

    @property
    def decisions(self) -> list[tuple[float, str]]:
        """Middle of the face (pixels from the left) and outcome of every track that was settled, left to right."""
        settled = {
            track["id"]: (track["box"]["x"] + track["box"]["width"] / 2, outcome(track))
            for answer in self.seen
            for track in answer["tracks"]
            if track["final"]
        }
        return sorted(settled.values())

    @property
    def answered(self) -> int:
        """How many tracks were told something: accepted, rejected, or to try again."""
        return len({t["id"] for answer in self.seen for t in answer["tracks"] if t["verdict"] is not None})

    @property
    def fps(self) -> float:
        """Judged frames a second."""
        times = [answer["time"] for answer in self.seen]
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0


def outcome(track: dict[str, Any]) -> str:
    """Name of an accepted person, else spoof, unknown, or the verdict itself."""
    if track["person"]:
        return str(track["person"]["name"])
    for reason, name in (("spoof", "spoof"), ("unknown_person", "unknown")):
        if reason in track["reasons"]:
            return name
    return str(track["verdict"])


def visit(
    chromium: str,
    address: str,
    key: str,
    clip: Path,
    seconds: float,
    until: int = 1,
    extra: Sequence[str] = (),
    picture: Path | None = None,
) -> Visit:
    """Show a clip to the kiosk.

    Args:
        chromium: path of the browser.
        address: of the service.
        key: of role kiosk or above.
        clip: a ``.y4m`` file.
        seconds: of video to show at most, counted from the first judged frame.
        until: this many settled people end the visit early.
        extra: further arguments of the browser.
        picture: a ``.png`` file for the page as it stood at the end.

    Raises:
        MissingExtraError: Playwright is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise MissingExtraError("playwright is not installed", "pip install 'facegate[dev]'") from error
    arguments = [*ARGUMENTS, f"--use-file-for-fake-video-capture={clip}", *extra]
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=chromium, args=arguments)
        try:
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            context.grant_permissions(["camera"], origin=address)
            context.add_init_script(f"sessionStorage.setItem('facegate.key', {json.dumps(key)})")
            return _watch(context.new_page(), address, seconds, until, picture)
        finally:
            browser.close()


def _watch(page: Any, address: str, seconds: float, until: int, picture: Path | None) -> Visit:
    found = Visit()

    def take(data: str | bytes) -> None:
        message = json.loads(data)
        if message["type"] == "frame":
            found.answers.append(message)

    page.on("websocket", lambda socket: socket.on("framereceived", take))
    page.set_default_timeout(1000 * PATIENCE_S)
    page.goto(address)
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and not _done(found, seconds, until):
        page.wait_for_timeout(50)
    page.wait_for_timeout(100)  # what came last is put on the page
    found.shown = tuple(page.locator("#recent li span:first-child").all_inner_texts())
    found.headline = page.inner_text("#headline")
    if picture is not None:
        page.screenshot(path=picture)
    return found


def _done(found: Visit, seconds: float, until: int) -> bool:
    seen = found.seen
    if len(found.decisions) >= until:
        return True
    return len(seen) >= LEAST_FRAMES and seen[-1]["time"] - seen[0]["time"] >= seconds
