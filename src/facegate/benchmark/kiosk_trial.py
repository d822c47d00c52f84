"""The door as a whole: service, browser, page, camera; twenty rendered people, their pictures, screens, strangers.

``python -m facegate.benchmark.kiosk_trial --bundles artifacts`` starts the real service on those models, enrols over
the API, lets every clip step before the kiosk in a real Chromium, and prints what happened with counts and
Clopper-Pearson intervals. Everybody shown is rendered: the figures are synthetic.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from facegate.benchmark.kiosk_door import Door, running
from facegate.benchmark.kiosk_scenes import STRANGER, Scene, Stage, enrolment, render_all, scenes
from facegate.benchmark.kiosk_visit import Visit, visit
from facegate.contracts import Rate
from facegate.errors import FacegateError, told_in_words
from facegate.metrics.intervals import exact_rate

LIMIT_S = 1.5
"""Within so much video an enrolled person shall be marked."""
SHOWN_S = 2.9
"""Video of one scene at most: a clip's three seconds, before its frames repeat."""


@dataclass(frozen=True)
class Shown:
    """A scene and what came of it."""

    scene: Scene
    visit: Visit

    @property
    def names(self) -> list[str]:
        """Who is to be seen, as they are enrolled; a stranger is ``unknown``."""
        return [name_of(person) if person < STRANGER else "unknown" for person in self.scene.people]


def name_of(person: int) -> str:
    """Name that a rendered person is enrolled under."""
    return f"Person {person:02d}"


def marked_in_time(shown: Shown) -> bool:
    """The person, and nobody else, was marked within the limit."""
    marked = shown.visit.marked
    return list(marked) == shown.names and marked[shown.names[0]] <= LIMIT_S


QUESTIONS: tuple[tuple[str, str, Callable[[Shown], bool]], ...] = (
    ("bona_fide", f"enrolled person marked within {LIMIT_S} s of video", marked_in_time),
    ("bona_fide", "enrolled person marked within the clip", lambda s: list(s.visit.marked) == s.names),
    ("bona_fide", "somebody else marked instead", lambda s: bool(set(s.visit.marked) - set(s.names))),
    ("replay", "replay not marked", lambda s: not s.visit.marked),
    ("replay", "replay called a spoof", lambda s: [d for _, d in s.visit.decisions] == ["spoof"]),
    ("print", "print not marked", lambda s: not s.visit.marked),
    ("print", "print called a spoof", lambda s: [d for _, d in s.visit.decisions] == ["spoof"]),
    ("stranger", "stranger not marked", lambda s: not s.visit.marked),
    ("stranger", "stranger called unknown", lambda s: [d for _, d in s.visit.decisions] == ["unknown"]),
    ("three", "three people: three answers, a retry counting", lambda s: s.visit.answered == 3),
    ("three", "three people: three decisions", lambda s: len(s.visit.decisions) == 3),
    ("three", "three people: the three right ones", lambda s: [d for _, d in s.visit.decisions] == s.names),
)
"""Kind of scene, what is asked, and whether it holds."""


def rates(results: Sequence[Shown]) -> list[tuple[str, Rate]]:
    """Every question with how often it held, over the scenes of its kind."""
    return [
        (text, exact_rate(sum(holds(s) for s in of_kind), len(of_kind)))
        for kind, text, holds in QUESTIONS
        for of_kind in [[s for s in results if s.scene.kind == kind]]
    ]


def table(results: Sequence[Shown]) -> str:
    """The rates as text, with the times to a mark and the frame rate that was reached."""
    lines = ["Synthetic: everybody shown is rendered.", ""]
    for text, rate in rates(results):
        share = "–" if rate.value is None else f"{100 * rate.value:.1f} %"
        bounds = f"({100 * rate.low:.1f}–{100 * rate.high:.1f})"
        lines.append(f"{text:<52} {rate.errors:>3} of {rate.trials:<3} {share:>7} {bounds}")
    times = [t for s in results if s.scene.kind == "bona_fide" for t in s.visit.marked.values()]
    if times:
        lines.append(f"seconds of video to the mark: median {np.median(times):.2f}, longest {max(times):.2f}")
    lines.append(f"judged frames a second, median: {np.median([s.visit.fps for s in results]):.1f}")
    return "\n".join(lines)


def enrol(door: Door, stage: Stage, people: int) -> dict[str, list[str]]:
    """Enrol everybody; names of those who were not taken, with the reasons of each picture."""
    refused = {}
    for person in range(people):
        answer = door.enrol(name_of(person), enrolment(stage, person))
        if answer.get("person") is None:
            pictures = answer.get("pictures", [])
            refused[name_of(person)] = [", ".join(p["reasons"]) for p in pictures if p["reasons"]]
    return refused


def main(
    bundles: Annotated[Path | None, typer.Option(help="folder of bundles, for instance artifacts")] = None,
    release: Annotated[Path | None, typer.Option(help="a pulled release instead")] = None,
    people: Annotated[int, typer.Option(help="how many people are enrolled")] = 20,
    head: Annotated[Path, typer.Option(help="the head, as `facegate fetch` makes it")] = Path(
        "data/assets/head.npz"
    ),
    clips: Annotated[Path, typer.Option(help="where clips are kept")] = Path(".cache/kiosk"),
    side: Annotated[int, typer.Option(help="of a person's square in the frame, pixels")] = 224,
    frames: Annotated[int, typer.Option(help="of a clip, at 15 a second")] = 45,
    workers: Annotated[int, typer.Option(help="processes that render")] = 1,
    out: Annotated[Path | None, typer.Option(help="write every scene's outcome there, as JSON")] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="folder for the page at the end of each scene")
    ] = None,
) -> None:
    """Run the trial and print its table."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise FacegateError("chromium is not installed", "apt-get install chromium")
    stage = Stage(head, clips, side, frames)
    results: list[Shown] = []
    with tempfile.TemporaryDirectory() as data, running(Path(data), bundles, release) as door:
        render_all(stage, people, workers)
        for name, reasons in enrol(door, stage, people).items():
            print(f"not enrolled: {name}: {'; '.join(reasons)}")
        for scene in scenes(stage, people):
            picture = pictures and pictures / f"{scene.clip.stem}.png"
            seen = visit(
                chromium, door.address, door.key, scene.clip, SHOWN_S, len(scene.people), picture=picture
            )
            results.append(Shown(scene, seen))
            outcomes = [name for _, name in seen.decisions]
            print(f"{scene.kind:<10} {scene.people}: {outcomes} marked {seen.marked}", flush=True)
    print(table(results))
    if out is not None:
        rows = [
            {"kind": s.scene.kind, "people": s.scene.people, "marked": s.visit.marked,
             "decisions": s.visit.decisions, "fps": s.visit.fps}
            for s in results
        ]  # fmt: skip
        out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    with told_in_words():
        typer.run(main)
