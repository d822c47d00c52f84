"""Re-capture of any picture: put it on paper or a screen, hold it before a camera, take a picture.

:func:`recapture` does all of it for one still. Clips need the same medium again under another placement:
:func:`sample_medium`, then :func:`show` for each frame.
"""

from dataclasses import dataclass

import numpy as np

from facegate.contracts import AttackSpecies
from facegate.recapture.camera import SENSOR_SCALE, Camera, capture, sample_camera
from facegate.recapture.cutout import Cutout, cut_eyes, sample_cutout
from facegate.recapture.display import Display, display_radiance, sample_display
from facegate.recapture.framing import (
    BORDER_SHARE,
    Extent,
    Framing,
    coverage,
    place_content,
    place_face,
    sample_extent,
    sample_framing,
)
from facegate.recapture.geometry import (
    Placement,
    Rays,
    cast_rays,
    eye_mouth_distance,
    project,
    to_pixels,
    to_units,
)
from facegate.recapture.imaging import Bytes, Floats, mix, resize, tint, to_linear
from facegate.recapture.paper import Print, margin_radiance, print_radiance, sample_print
from facegate.recapture.room import Finger, Light, backdrop, draw_fingers, sample_fingers, sample_light

PAPER = (AttackSpecies.PRINT, AttackSpecies.PRINT_CUT)
SCREENS = (AttackSpecies.REPLAY_PHONE, AttackSpecies.REPLAY_TABLET, AttackSpecies.REPLAY_MONITOR)
CONTENT_FACE = 0.2
"""Stands in for the eye-mouth distance (photo units) where a picture has no face."""


@dataclass(frozen=True)
class Recapture:
    """A re-captured picture.

    Attributes:
        image: RGB (size, size, 3), 0 to 255.
        landmarks: (5, 2) in its pixels; None if the photograph had none.
        border_visible: an edge of the medium is in view.
        camera: family of the camera.
        variant: which simulation of the medium made it, such as ``laser/clustered`` or ``display/pentile``.
    """

    image: Bytes
    landmarks: Floats | None
    border_visible: bool
    camera: str
    variant: str


@dataclass(frozen=True)
class Medium:
    """A medium in a room, held in some way: everything but the photograph it shows.

    Attributes:
        surface: the print or the screen.
        light: light at the medium.
        placement: its pose.
        extent: part of the photograph that it carries.
        fingers: who holds it.
        cutout: holes for the eyes, if any.
        background: linear RGB behind it, any size.
    """

    surface: Print | Display
    light: Light
    placement: Placement
    extent: Extent
    fingers: tuple[Finger, ...]
    cutout: Cutout | None
    background: Floats


@dataclass(frozen=True)
class Wearer:
    """The person behind a print with holes.

    Attributes:
        picture: uint8 RGB.
        landmarks: (5, 2) in its pixels.
    """

    picture: Bytes
    landmarks: Floats


def recapture(
    photo: Bytes,
    landmarks: Floats | None,
    species: AttackSpecies,
    rng: np.random.Generator,
    size: int,
    background: Floats | None = None,
    *,
    wearer: Wearer | None = None,
    framing: Framing | None = None,
    light: Light | None = None,
    camera: Camera | None = None,
) -> Recapture:
    """Attack a camera with a picture.

    Args:
        photo: any picture, uint8 RGB (h, w, 3).
        landmarks: its face's five landmarks in pixels; None for a picture of anything else.
        species: print, print_cut, or one of the replay species.
        rng: source of all randomness.
        size: side of the picture that the camera takes.
        background: linear RGB behind the medium; a blurred room by default.
        wearer: person behind a print_cut; the photographed person by default.
        framing: where the face lands; drawn by default.
        light: light at the medium; drawn by default.
        camera: camera to take it with; drawn from the common population by default.

    Raises:
        ValueError: the species is not a flat medium, or print_cut without landmarks.
    """
    aspect = photo.shape[0] / photo.shape[1]
    points = None if landmarks is None else to_units(landmarks, photo.shape[1])
    medium = sample_medium(rng, species, points, aspect, framing=framing, background=background, light=light)
    if medium.cutout and wearer is None and landmarks is not None:
        wearer = Wearer(photo, landmarks)
    camera = camera or sample_camera(rng)
    scene, border_visible = show(to_linear(photo), medium, size, points, wearer)
    return Recapture(
        image=capture(scene, camera, rng, size),
        landmarks=None if points is None else to_pixels(project(points, medium.placement), size),
        border_visible=border_visible,
        camera=camera.name,
        variant=medium.surface.variant,
    )


def sample_medium(
    rng: np.random.Generator,
    species: AttackSpecies,
    landmarks: Floats | None,
    aspect: float,
    *,
    framing: Framing | None = None,
    background: Floats | None = None,
    light: Light | None = None,
) -> Medium:
    """Draw a medium and how it is held.

    Args:
        rng: source of all randomness.
        species: print, print_cut, or one of the replay species.
        landmarks: (5, 2) on the photograph in photo units, or None.
        aspect: height / width of the photograph.
        framing: where the face lands; drawn by default.
        background: linear RGB behind the medium; a blurred room by default.
        light: light at the medium; drawn by default.

    Raises:
        ValueError: the species is not a flat medium, or print_cut without landmarks.
    """
    if species not in PAPER + SCREENS:
        raise ValueError(f"{species.value} is not a flat medium")
    if species is AttackSpecies.PRINT_CUT and landmarks is None:
        raise ValueError("print_cut needs the landmarks of a face")
    face = CONTENT_FACE if landmarks is None else eye_mouth_distance(landmarks)
    surface = sample_print(rng, face) if species in PAPER else sample_display(rng, species, face)
    bend = _sample_bend(rng) / face * 0.3 if species in PAPER else 0.0
    if landmarks is None:
        placement = place_content(rng, aspect, bend)
    else:
        placement = place_face(rng, landmarks, framing or sample_framing(rng), bend, aspect)
    rim = surface.margin if isinstance(surface, Print) else surface.bezel
    shows = bool(rng.random() < BORDER_SHARE)
    extent = sample_extent(rng, placement, face, aspect, rim, shows)
    held = shows and species is not AttackSpecies.REPLAY_MONITOR and rng.random() < 0.4
    return Medium(
        surface=surface,
        light=light or sample_light(rng),
        placement=placement,
        extent=extent,
        fingers=sample_fingers(rng, extent.outer, face) if held else (),
        cutout=sample_cutout(rng) if species is AttackSpecies.PRINT_CUT else None,
        background=backdrop(rng, 96, 96) if background is None else background,
    )


def show(
    photo: Floats,
    medium: Medium,
    size: int,
    landmarks: Floats | None = None,
    wearer: Wearer | None = None,
) -> tuple[Floats, bool]:
    """What a camera of `size` pixels has before it.

    Args:
        photo: linear RGB (h, w, 3) that the medium shows, 0 to 1.
        medium: the medium.
        size: side of the camera's picture.
        landmarks: (5, 2) on the photograph in photo units; needed for holes.
        wearer: person behind the holes.

    Returns:
        Scene at the sensor's resolution, linear RGB, and whether an edge of the medium's picture is in view
        (more than 0.3 % of the rays miss it).
    """
    cells = SENSOR_SCALE * size
    rays = cast_rays(medium.placement, cells, cells)
    inner = coverage(rays, medium.extent.box)
    border_visible = bool((inner < 0.5).mean() > 0.003)
    scene = _surface(photo, medium, rays)
    if border_visible:
        scene = mix(_rim(medium, rays), scene, inner)
    if medium.cutout and wearer and landmarks is not None:
        eyes = to_pixels(project(landmarks[:2], medium.placement), cells)
        scene = cut_eyes(scene, eyes, wearer.picture, wearer.landmarks[:2], medium.cutout)
    if border_visible:
        behind = np.maximum(resize(medium.background, cells, cells), 0)
        scene = mix(behind, scene, coverage(rays, medium.extent.outer))
        scene = draw_fingers(scene, rays, medium.fingers, medium.light)
    return scene, border_visible


def _surface(photo: Floats, medium: Medium, rays: Rays) -> Floats:
    if isinstance(medium.surface, Print):
        return print_radiance(photo, medium.surface, rays, medium.light)
    return display_radiance(photo, medium.surface, rays, medium.light)


def _rim(medium: Medium, rays: Rays) -> Floats:
    if isinstance(medium.surface, Print):
        return margin_radiance(medium.surface, rays, medium.light)
    plain = np.full((*rays.u.shape, 3), medium.surface.bezel_tone, np.float32)
    return tint(plain, medium.light.ambient)


def _sample_bend(rng: np.random.Generator) -> float:
    return float(rng.choice((0.0, rng.normal(0, 0.15), rng.normal(0, 0.45)), p=(0.3, 0.4, 0.3)))
