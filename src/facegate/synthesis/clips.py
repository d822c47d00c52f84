"""One second of video of each presentation: what moves, and how, is what a liveness network can learn.

A live head turns in space, blinks and talks. A print moves by hand as a plane and nothing in it moves; with
holes, the wearer's eyes blink in it. A replay carries all of the live motion, on a plane that may move too. A
rigid mask turns in space while only the wearer's eyes move.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from facegate.contracts import AttackSpecies
from facegate.recapture.camera import Camera, capture, sample_camera, sample_portrait_camera
from facegate.recapture.display import Display
from facegate.recapture.geometry import Placement, project, to_pixels
from facegate.recapture.imaging import Bytes, Floats, to_linear
from facegate.recapture.media import PAPER, SCREENS, Medium, Wearer, sample_medium, show
from facegate.synthesis.assets import HeadAssets
from facegate.synthesis.attacks import presentation_row
from facegate.synthesis.background import sample_background
from facegate.synthesis.identity import Identity
from facegate.synthesis.light import sample_light
from facegate.synthesis.motion import Times, Track, blinks, talking, wander
from facegate.synthesis.photographs import (
    Photograph,
    live_framing,
    masked,
    photograph_of,
    photographed,
    room_light,
    take_photograph,
    wearer_of,
)
from facegate.synthesis.render import render
from facegate.synthesis.shot import Shot, sample_shot
from facegate.synthesis.stills import person_of

SPECIES = (AttackSpecies.BONA_FIDE, *PAPER, *SCREENS, AttackSpecies.MASK_RIGID)
"""Presentations that can be rendered as clips."""
VIDEO_SIZE = 160
"""Side of the video that a replay shows, pixels."""
LID_STEP = 0.2
"""Closures of a wearer's eyes are rendered in these steps, once each."""

_CLIP, _FIRST_PHOTOGRAPH = 6, 1000


@dataclass(frozen=True, eq=False)
class _Frame:
    picture: Bytes
    landmarks: Floats
    shot: Shot
    border_visible: bool = False


@dataclass(frozen=True, eq=False)
class _Take:
    """One clip while it is being made."""

    assets: HeadAssets
    identity: Identity
    species: AttackSpecies
    number: int
    size: int
    times: Times
    rng: np.random.Generator


def clip(
    assets: HeadAssets,
    seed: int,
    person: int,
    species: AttackSpecies,
    index: int,
    size: int,
    frames: int = 16,
    fps: float = 15.0,
) -> list[dict[str, object]]:
    """Make clip `index` of a species: rows of ``SAMPLE_COLUMNS`` without ``split``, one per frame.

    Column ``blink`` is the closure of the eyes that are seen: the photograph's own on a print, the wearer's
    behind holes or a mask.

    Args:
        assets: the head.
        seed: of the data set.
        person: number of the person, or of who is impersonated.
        species: one of ``SPECIES``.
        index: number of the clip within its species.
        size: side of the pictures, pixels.
        frames: number of pictures.
        fps: pictures per second.

    Raises:
        ValueError: the species cannot be rendered.
    """
    if species not in SPECIES:
        raise ValueError(f"{species.value} cannot be rendered; choose one of {[s.value for s in SPECIES]}")
    rng = np.random.default_rng([seed, person, index, _CLIP, SPECIES.index(species)])
    identity = person_of(assets, seed, person)
    take = _Take(assets, identity, species, index, size, Times(frames, fps), rng)
    camera = sample_camera(rng)
    if species in PAPER:
        variant, made = _print(take, camera)
    elif species in SCREENS:
        variant, made = _replay(take, camera)
    else:
        variant, made = _head(take, camera)
    return [_row(take, camera, variant, frame, k) for k, frame in enumerate(made)]


def _row(take: _Take, camera: Camera, variant: str, frame: _Frame, number: int) -> dict[str, object]:
    row = presentation_row(
        take.identity, take.species, take.number, frame.picture, frame.landmarks, frame.shot
    )
    name = f"{row['subject_id']}-{take.species.value}-clip-{take.number:03d}"
    return row | {
        "sample_id": f"{name}-{number:02d}",
        "clip_id": name,
        "frame": number,
        "time_s": number / take.times.fps,
        "camera": camera.name,
        "illumination": frame.shot.light.kind,
        "border_visible": frame.border_visible,
        "attributes": json.dumps({"variant": variant}),
    }


def _head(take: _Take, camera: Camera) -> tuple[str, Iterator[_Frame]]:
    """A live person, or one under a mask."""
    rng = take.rng
    base = sample_shot(rng, take.identity, variety=0.7, closed=0.0)
    variant = "live"
    if take.species is AttackSpecies.MASK_RIGID:
        base = masked(rng, base)
        variant = f"mask/{base.mask.kind if base.mask else 'none'}"
    shots = live_shots(rng, base, take.times)

    def frames() -> Iterator[_Frame]:
        for shot in shots:
            rendered = render(take.identity, shot, take.size)
            picture = capture(rendered.scene, camera, rng, take.size)
            yield _Frame(picture, rendered.landmarks, shot)

    return variant, frames()


def live_shots(rng: np.random.Generator, base: Shot, times: Times) -> list[Shot]:
    """What a living person does in front of a camera, frame by frame."""
    yaw, pitch, roll = (wander(rng, times, spread) for spread in (3.2, 2.2, 1.5))
    x, y, nearer = (wander(rng, times, spread) for spread in (0.012, 0.012, 0.015))
    gaze_x, gaze_y = wander(rng, times, 4.0, 0.2), wander(rng, times, 2.5, 0.2)
    lids = np.clip(base.blink + blinks(rng, times), 0, 1)
    jaw, mood = talking(rng, times), 1 + wander(rng, times, 0.15, 0.8)
    shots = []
    for k in range(times.frames):
        pose = replace(
            base.pose,
            yaw=float(base.pose.yaw + yaw[k]),
            pitch=float(base.pose.pitch + pitch[k]),
            roll=float(base.pose.roll + roll[k]),
            shift_x=float(base.pose.shift_x + x[k]),
            shift_y=float(base.pose.shift_y + y[k]),
            scale=float(base.pose.scale * (1 + nearer[k])),
            gaze=(float(base.pose.gaze[0] + gaze_x[k]), float(base.pose.gaze[1] + gaze_y[k])),
        )
        expression = {name: float(np.clip(v * mood[k], 0, 1)) for name, v in base.expression.items()}
        expression["jawOpen"] = float(expression.get("jawOpen", 0) + jaw[k])
        shots.append(replace(base, pose=pose, blink=float(lids[k]), expression=expression))
    return shots


def _print(take: _Take, camera: Camera) -> tuple[str, Iterator[_Frame]]:
    """A print moved by hand; the wearer's eyes blink behind its holes."""
    rng, identity = take.rng, take.identity
    number = _FIRST_PHOTOGRAPH + take.number
    photograph = photograph_of(take.assets, identity.seed, identity.index, number)
    medium = _medium(take, photograph)
    places = hand_held(rng, medium.placement, take.times, 1.0)
    lids = np.round(blinks(rng, take.times) / LID_STEP) * LID_STEP

    def frames() -> Iterator[_Frame]:
        for k, place in enumerate(places):
            wearer, shot = None, photograph.shot
            if medium.cutout:
                closure = round(float(lids[k]), 3)
                wearer = wearer_of(take.assets, identity.seed, identity.index, number, closure)
                shot = replace(shot, blink=closure)
            yield _filmed(take, camera, replace(medium, placement=place), photograph, shot, wearer)

    return medium.surface.variant, frames()


def _replay(take: _Take, camera: Camera) -> tuple[str, Iterator[_Frame]]:
    """A video of the live person on a screen, held by hand or standing on a table."""
    rng = take.rng
    base = photographed(rng, sample_shot(rng, take.identity, variety=0.6, closed=0.0))
    shots = live_shots(rng, base, take.times)
    recorder = sample_portrait_camera(rng)
    first = take_photograph(rng, take.identity, shots[0], recorder, VIDEO_SIZE)
    medium = _medium(take, first)
    stands = take.species is AttackSpecies.REPLAY_MONITOR
    places = hand_held(rng, medium.placement, take.times, 0.1 if stands else 0.7)

    def frames() -> Iterator[_Frame]:
        for k, (shot, place) in enumerate(zip(shots, places, strict=True)):
            video = first if k == 0 else take_photograph(rng, take.identity, shot, recorder, VIDEO_SIZE)
            now = replace(medium, placement=place, surface=_later(medium.surface, k))
            yield _filmed(take, camera, now, video, shot, None)

    return medium.surface.variant, frames()


def hand_held(
    rng: np.random.Generator, placement: Placement, times: Times, restless: float
) -> list[Placement]:
    """How a hand moves a flat medium; `restless` 1 is a print waved a little, 0.1 a screen on a table."""

    def track(spread: float) -> Track:
        return restless * wander(rng, times, spread)

    x, y, nearer, roll = track(0.018), track(0.018), track(0.02), track(0.03)
    tilt_x, tilt_y, bend = track(0.06), track(0.06), track(0.25)
    return [
        replace(
            placement,
            target=(float(placement.target[0] + x[k]), float(placement.target[1] + y[k])),
            scale=float(placement.scale * (1 + nearer[k])),
            roll=float(placement.roll + roll[k]),
            tilt=(float(placement.tilt[0] + tilt_x[k]), float(placement.tilt[1] + tilt_y[k])),
            bend=float(placement.bend * (1 + bend[k])),
        )
        for k in range(times.frames)
    ]


def _medium(take: _Take, photograph: Photograph) -> Medium:
    light = sample_light(take.rng)
    return sample_medium(
        take.rng,
        take.species,
        photograph.units,
        1.0,
        framing=live_framing(take.rng, photograph),
        background=sample_background(light, take.rng),
        light=room_light(take.rng, light),
    )


def _later(surface: object, frame: int) -> Display:
    """The screen a frame later: its beat with the shutter has moved on."""
    assert isinstance(surface, Display)
    depth, bands, phase = surface.refresh
    return replace(surface, refresh=(depth, bands, (phase + 0.23 * frame) % 1))


def _filmed(
    take: _Take, camera: Camera, medium: Medium, photograph: Photograph, shot: Shot, wearer: Wearer | None
) -> _Frame:
    scene, border = show(to_linear(photograph.picture), medium, take.size, photograph.units, wearer)
    picture = capture(scene, camera, take.rng, take.size)
    landmarks = to_pixels(project(photograph.units, medium.placement), take.size)
    return _Frame(picture, landmarks, shot, border)
