"""What steps before the kiosk in a trial: enrolled people, pictures and screens of them, strangers, three at once.

All of them are rendered, from another seed than the embedded data set, so no network has met them. Clips are kept
between trials; the same arguments give the same bytes.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from facegate.benchmark.kiosk_clips import Picture, in_frame, pictures_of, rendered, together, write_y4m
from facegate.contracts import AttackSpecies
from facegate.synthesis.assets import HeadAssets, load_head_assets
from facegate.whole import whole_file

SEED = 70_707
REPLAYS = (AttackSpecies.REPLAY_PHONE, AttackSpecies.REPLAY_TABLET, AttackSpecies.REPLAY_MONITOR)
PRINTS = (AttackSpecies.PRINT, AttackSpecies.PRINT_CUT)
STRANGER = 1000
"""Numbers from here on are people who are never enrolled."""
PICTURES = 5
"""Pictures a person is enrolled from."""


@dataclass(frozen=True)
class Scene:
    """One clip before the camera.

    Attributes:
        kind: bona_fide, replay, print, stranger or three.
        people: who is to be seen, from left to right in the camera's picture.
        clip: the file.
    """

    kind: str
    people: tuple[int, ...]
    clip: Path


@dataclass(frozen=True)
class Stage:
    """How clips are rendered.

    Attributes:
        head: file of the head.
        folder: where clips are kept.
        side: of one person's square in the frame, pixels; a face fills about two thirds of its height.
        frames: of a clip, at 15 a second.
    """

    head: Path
    folder: Path
    side: int = 224
    frames: int = 45

    def file(self, name: str, ending: str) -> Path:
        """Where something is kept; a setting is part of its name."""
        return self.folder / f"{name}-{self.side}-{self.frames}.{ending}"


def scenes(stage: Stage, people: int) -> Iterator[Scene]:
    """All scenes of a trial with that many enrolled people; missing clips must have been rendered."""
    for number in range(people):
        for kind, person in (("bona_fide", number), ("replay", number), ("print", number)):
            yield Scene(kind, (person,), stage.file(f"{kind}-{person}", "y4m"))
        yield Scene("stranger", (STRANGER + number,), stage.file(f"stranger-{number}", "y4m"))
    for number in range(people):
        trio = (number, STRANGER + number, (number + 1) % people)
        yield Scene("three", trio, stage.file(f"together-{number}-{trio[2]}", "y4m"))


def render_all(stage: Stage, people: int, workers: int = 1) -> None:
    """Render what is missing, person by person, then three together."""
    stage.folder.mkdir(parents=True, exist_ok=True)
    persons = [(stage, number) for number in range(people)]
    trios = [(stage, scene) for scene in scenes(stage, people) if scene.kind == "three"]
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            list(pool.map(_render_person, persons))
            list(pool.map(_render_trio, trios))
        return
    for person in persons:
        _render_person(person)
    for trio in trios:
        _render_trio(trio)


def enrolment(stage: Stage, person: int) -> list[bytes]:
    """The JPEG pictures a person is enrolled from."""
    return [stage.file(f"enrol-{person}-{i}", "jpg").read_bytes() for i in range(PICTURES)]


@cache
def _head(path: Path) -> HeadAssets:
    return load_head_assets(path)


def _render_person(job: tuple[Stage, int]) -> None:
    stage, number = job
    head, end = _head(stage.head), stage.file(f"print-{number}", "y4m")
    if end.exists():  # written last
        return
    for i, data in enumerate(pictures_of(head, SEED, number, PICTURES, stage.side)):
        stage.file(f"enrol-{number}-{i}", "jpg").write_bytes(data)
    live = {"bona_fide": number, "stranger": STRANGER + number}
    for kind, person in live.items():
        frames = _frames(stage, person, AttackSpecies.BONA_FIDE)
        _keep(stage.file(f"{kind}-{number}", "y4m"), map(in_frame, frames))
    for kind, species in (("replay", REPLAYS), ("print", PRINTS)):
        frames = _frames(stage, number, species[number % len(species)])
        _keep(stage.file(f"{kind}-{number}", "y4m"), map(in_frame, frames))


def _render_trio(job: tuple[Stage, Scene]) -> None:
    stage, scene = job
    if not scene.clip.exists():
        people = together(_head(stage.head), SEED, scene.people, side=stage.side, frames=stage.frames)
        _keep(scene.clip, people)


def _frames(stage: Stage, person: int, species: AttackSpecies) -> list[Picture]:
    return rendered(_head(stage.head), SEED, person, species, side=stage.side, frames=stage.frames)


def _keep(path: Path, frames: Iterable[Picture]) -> None:
    with whole_file(path) as draft:
        write_y4m(draft, frames)
