"""Takes the picture: a person and a shot in, scene-linear light and the five landmarks out.

The scene is the light before any camera: capture it with :mod:`facegate.recapture.camera`.
"""

import functools
import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.synthesis.assets import EYE, LASH, SKIN, TEETH, TONGUE, HeadAssets
from facegate.synthesis.canonical import canonical
from facegate.synthesis.geometry import Array, harmonics, light_basis, rotation, smoothstep, unit
from facegate.synthesis.identity import Identity
from facegate.synthesis.look import hair_points
from facegate.synthesis.masks import mask_texture
from facegate.synthesis.raster import (
    FAR,
    carry,
    composite,
    depth_map,
    parallel_projection,
    rasterise,
    splat_depth,
    splat_strands,
    vertex_normals,
)
from facegate.synthesis.shade import Lighting, Surface, floats, shade_strands, shade_surfaces, shadow_taps
from facegate.synthesis.shot import Pose, Shot, sample_pose, sample_shot
from facegate.synthesis.strands import Strands
from facegate.synthesis.wear import Hat
from facegate.synthesis.worn import Shell, frame_strands, hat_height, hat_shell, lay_lenses, lens_outlines

__all__ = ["Pose", "Rendered", "Shot", "render", "sample_pose", "sample_shot"]

PIVOT = np.array([0, -0.105, -0.10], np.float32)
"""Where the head turns on the neck, metres from between the eyes."""
FACE_HEIGHT = 0.175
FACE_DEPTH = -0.035
"""How far (metres) behind the nose the point lies that a pose puts in the picture's middle."""
SHADOW_SIZE, SHADOW_EXTENT = 176, 0.52
BODY_FOLLOWS = 0.3
HAT = 5
"""Kind of a hat's triangles, after the kinds of the head."""
OPEN_SKY = np.array([1, *[2 / 3] * 3, *[1 / 4] * 5], np.float32)
"""Cosine lobe / π in spherical harmonics: light transfer where nothing is in the way."""
EYE_BIAS = 0.0012
"""The eyeball is drawn this far (metres) deeper, so that closing lids never let it through."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """Light that reaches the camera, and the truth about it.

    Attributes:
        scene: (S, S, 3) float32 scene-linear RGB, S = size × supersample; about 0 to 1, highlights above.
        landmarks: (5, 2) float32 pixels of a picture of `size`, order ``contracts.LANDMARK_NAMES``.
        alpha: (S, S) float32, 1 where the person covers the background.
    """

    scene: Array
    landmarks: Array
    alpha: Array


def render(
    identity: Identity, shot: Shot, size: int, supersample: float = 1.5, rigid: bool = False
) -> Rendered:
    """Render one picture.

    Args:
        identity: the person shown; with a mask, the person it shows.
        shot: everything else.
        size: side of the final picture, pixels.
        supersample: scene pixels per final pixel along each axis; a camera, which blurs, shows no more.
        rigid: the face moves as one piece: no expression and no blink.
    """
    stage = _Stage(identity, shot, round(size * supersample), rigid)
    stage.cast_shadows()
    stage.draw_surfaces()
    stage.draw_strands()
    landmarks = (stage.landmarks() + 0.5) / supersample - 0.5
    return Rendered(stage.picture, landmarks.astype(np.float32), stage.alpha)


class _Posed:
    """A head in its pose, in the camera's frame: origin in the middle of the face, z towards the camera."""

    def __init__(self, identity: Identity, shot: Shot, rigid: bool) -> None:
        assets, place, pose = identity.assets, canonical(identity.assets), shot.pose
        self.points = _deformed(identity, shot, rigid)
        yaw, pitch, roll = (math.radians(v) for v in (pose.yaw, pose.pitch, pose.roll))
        self.head = rotation(yaw, pitch, roll)
        self.body = rotation(yaw * BODY_FOLLOWS, 0, roll * BODY_FOLLOWS)
        self.middle = np.zeros(3, np.float32)
        mouth = identity.points[list(place.mouth)].mean(0)
        anchor = 0.25 * mouth + 0.25 * identity.points[place.nose] + (0, 0, FACE_DEPTH)
        self.middle = self.move(anchor[None])[0]
        self.follows = smoothstep(-0.20, -0.11, place.positions[:, 1])
        self.positions = self.move(self.points, self.follows)
        normals = np.empty_like(self.points)
        vertex_normals(self.positions, assets.corner[assets.triangles], normals)
        self.vertices = self.positions[assets.corner]
        self.normals = normals[assets.corner]

    def move(self, points: Array, follows: Array | float = 1.0) -> Array:
        """Head coordinates (N, 3) to the camera's frame; `follows` (N,) is 1 on the head and 0 on the body."""
        points = np.ascontiguousarray(points, np.float32)
        share, out = np.full(len(points), follows, np.float32), np.empty_like(points)
        carry(points, share, PIVOT, self.head, self.body, self.middle, out)
        return out


def _deformed(identity: Identity, shot: Shot, rigid: bool) -> Array:
    """The head with its expression and blink."""
    actions = dict(shot.expression) if shot.mask is None and not rigid else {}
    if shot.blink > 0 and not rigid:
        actions["eyeBlinkLeft"] = actions["eyeBlinkRight"] = shot.blink
    points = identity.points.copy()
    for name, value in sorted(actions.items()):
        if value:
            points += (
                np.float32(value) * identity.assets.expressions[identity.assets.expression_names.index(name)]
            )
    return points


class _Stage:
    """One picture while it is being made."""

    def __init__(self, identity: Identity, shot: Shot, side: int, rigid: bool) -> None:
        self.identity, self.shot, self.side = identity, shot, side
        self.assets, self.dressed = identity.assets, identity.dressed(shot.look)
        self.posed = _Posed(identity, shot, rigid)
        self.focal = side * shot.pose.scale / FACE_HEIGHT * shot.pose.distance
        self.coefficients = shot.light.coefficients(self.posed.head)
        self.world = shot.light.coefficients(np.eye(3, dtype=np.float32))
        self.groups = [(group, self._place(group)) for group in self._strands()]
        self.shell = self._shell()
        light = shot.light
        self.lighting = Lighting(
            towards=floats(light.towards),
            colour=floats(light.colour),
            fill_towards=floats(light.fill_towards),
            fill_colour=floats(light.fill_colour),
            camera=floats(np.array([0, 0, shot.pose.distance])),
            softness=np.float32(light.softness),
        )
        background = cv2.resize(shot.background, (side, side), interpolation=cv2.INTER_LINEAR)
        self.picture = np.ascontiguousarray(background, np.float32)
        self.alpha = np.zeros((side, side), np.float32)

    def _strands(self) -> list[Strands]:
        """Hair that shows, and the frame of glasses. A mask carries its brows and beard as paint."""
        shot, identity = self.shot, self.identity
        groups = [g for g in self.dressed.strands if shot.mask is None or g.scalp]
        if shot.hat is not None:
            groups = [_under(identity, group, shot.hat) for group in groups]
        if shot.glasses is not None:
            groups.append(frame_strands(identity, shot.glasses))
        return groups

    def _shell(self) -> "_PosedShell | None":
        hat, identity = self.shot.hat, self.identity
        if hat is None:
            return None
        shell = identity.remembered(hat, lambda: hat_shell(identity, hat))
        light = harmonics(shell.normals) * OPEN_SKY @ self.coefficients
        return _PosedShell(shell, self.posed.move(shell.points), shell.normals @ self.posed.head.T, light)

    def _place(self, group: Strands) -> Array:
        """(S, J, 3) points of a group of strands in the camera's frame."""
        corner = self.posed.points[self.assets.corner[group.triangle]]
        root = np.einsum("sk,skx->sx", group.share, corner)
        points = root[:, None] + group.offset
        flat = points.reshape(-1, 3)
        follows = smoothstep(-0.20, -0.11, flat[:, 1]) if group.scalp else 1.0
        return self.posed.move(flat, follows).reshape(points.shape)

    def project(self, points: Array) -> Array:
        """(N, 3) in the camera's frame to x, y in scene pixels (edges at integers) and depth in metres."""
        pose, depth = self.shot.pose, self.shot.pose.distance - points[..., 2]
        out = np.empty(points.shape, np.float32)
        out[..., 0] = self.side * (0.5 + pose.shift_x) + self.focal * points[..., 0] / depth
        out[..., 1] = self.side * (0.5 + pose.shift_y) - self.focal * points[..., 1] / depth
        out[..., 2] = depth
        return out

    def landmarks(self) -> Array:
        """(5, 2) scene pixels with centres at integers."""
        place, rest = canonical(self.assets), self.identity.points
        eyes = self.posed.move(np.stack([rest[lids].mean(0) for lids in place.lids]))
        others = self.posed.positions[[place.nose, *place.mouth]]
        return self.project(np.concatenate([eyes, others]))[:, :2] - 0.5

    def cast_shadows(self) -> None:
        """See the scene from the key light."""
        size, scale = SHADOW_SIZE, np.float32(SHADOW_SIZE / SHADOW_EXTENT)
        basis = light_basis(self.shot.light.towards)
        centre = np.array([0, -0.03, -0.06], np.float32)

        def seen(points: Array) -> Array:
            out = np.empty_like(points)
            parallel_projection(points, basis, scale, centre, size, out)
            return out

        self.shadow_at = seen(self.posed.vertices)
        near = np.full((size, size), FAR, np.float32)
        solid = (self.assets.kind == SKIN) | (self.assets.kind == EYE)
        depth_map(self.shadow_at, self.assets.triangles[solid], near)
        self.shell_shadow = None
        if self.shell is not None:
            self.shell_shadow = seen(self.shell.points)
            depth_map(self.shell_shadow, self.shell.shell.triangles, near)
        hair_near, hair_count = np.full((size, size), FAR, np.float32), np.zeros((size, size), np.float32)
        self.strand_shadow = [seen(points.reshape(-1, 3)) for _, points in self.groups]
        for (group, _), at in zip(self.groups, self.strand_shadow, strict=True):
            if group.scalp:
                splat_depth(at, hair_near, hair_count)
        self.shadow = np.stack([near, hair_near, hair_count], -1)

    def draw_surfaces(self) -> None:
        """Skin, eyes, teeth, clothes, hat; then the lenses of glasses before them."""
        mesh, side = _mesh(self.assets), self.side
        screen, vertex, paint = self.project(self.posed.vertices), self._attributes(), mesh.paint
        triangles, kind = mesh.triangles, mesh.kind
        self.depth = np.full((side, side), FAR, np.float32)
        ids = np.full((side, side), -1, np.int32)
        whole = np.ones(len(screen), np.float32)
        rasterise(screen, triangles, mesh.bias, mesh.single_sided, whole, 0, self.depth, ids)
        if self.shell is not None:
            over, added, flat = self.project(self.shell.points), self.shell.shell.triangles, np.float32(0)
            bias, both = np.full(len(added), flat), np.zeros(len(added), np.bool_)
            rasterise(over, added, bias, both, self.shell.shell.keep, len(triangles), self.depth, ids)
            hat = np.tile(
                np.array(self.shot.hat.colour if self.shot.hat else (0, 0, 0), np.float32), (len(over), 1)
            )
            triangles = np.concatenate([triangles, added + np.int32(len(screen))])
            kind = np.concatenate([kind, np.full(len(added), HAT, np.uint8)])
            screen, paint = np.concatenate([screen, over]), np.concatenate([paint, hat])
            vertex = np.concatenate([vertex, self._shell_attributes(self.shell)])
        shade_surfaces(
            ids, screen, triangles, kind, vertex, paint, self._texture(),
            self.shadow, _taps(), self.lighting, self._surface(), self.picture,
        )  # fmt: skip
        self.alpha[ids >= 0] = 1
        if self.shot.glasses is not None:
            outlines = lens_outlines(self.identity, self.shot.glasses)
            seen = self.project(self.posed.move(outlines.reshape(-1, 3))).reshape(outlines.shape)
            lay_lenses(self.picture, self.depth, seen, self.shot.glasses, self.shot.light.level)

    def _texture(self) -> Array:
        mask, identity, look = self.shot.mask, self.identity, self.shot.look
        if mask is None:
            return self.dressed.texture
        return identity.remembered((look, mask), lambda: mask_texture(identity, look, mask))

    def _attributes(self) -> Array:
        place, posed = canonical(self.assets), self.posed
        vertex = np.empty((len(posed.vertices), 18), np.float32)
        vertex[:, 0:3], vertex[:, 3:6] = posed.vertices, posed.normals
        vertex[:, 6:8], vertex[:, 8:11] = self.assets.uv, place.vertices
        transfer = self.dressed.transfer
        openness = np.clip(transfer[:, 0] * 3.5449, 0, 1)
        vertex[:, 11:14] = np.maximum(transfer @ self.coefficients, 0.012 * openness[:, None])
        vertex[:, 14] = openness
        vertex[:, 15:18] = self.shadow_at
        return vertex

    def _shell_attributes(self, shell: "_PosedShell") -> Array:
        vertex = np.zeros((len(shell.points), 18), np.float32)
        vertex[:, 0:3], vertex[:, 3:6], vertex[:, 8:11] = shell.points, shell.normals, shell.shell.place
        vertex[:, 11:14], vertex[:, 14], vertex[:, 15:18] = (
            np.maximum(shell.light, 0.01),
            1,
            self.shell_shadow,
        )
        return vertex

    def _surface(self) -> Surface:
        identity, mask = self.identity, self.shot.mask
        eyes = self.posed.move(identity.eyes)
        skin, holes, iris = np.array([0.55, 0.54, 0.48, 1.0]), np.zeros(8), identity.iris
        if mask is not None:
            skin = np.array([0.8, mask.gloss, mask.roughness, mask.scatter])
            holes = np.array([canonical(self.assets).eye, 0.0, *mask.hole, *mask.wearer, mask.rim])
            iris = identity.iris if mask.iris is None else np.array(mask.iris)
        return Surface(
            head=floats(self.posed.head),
            eyes=floats(eyes),
            gaze=floats(self._gaze(eyes)),
            iris=floats(iris),
            skin=floats(skin),
            cloth=floats(self.shot.clothing.parameters()),
            holes=floats(holes),
        )

    def _gaze(self, eyes: Array) -> Array:
        """(2, 3) unit vectors: towards the camera as far as eyes turn, and off it by the shot's gaze."""
        camera = np.array([0, 0, self.shot.pose.distance], np.float32)
        towards = unit(camera - eyes) @ self.posed.head
        turn = np.tan(np.radians(self.shot.pose.gaze))
        x = np.clip(towards[:, 0] / towards[:, 2], -0.45, 0.45) + turn[0]
        y = np.clip(towards[:, 1] / towards[:, 2], -0.25, 0.25) + turn[1]
        return unit(np.stack([x, y, np.ones(2)], 1)) @ self.posed.head.T

    def draw_strands(self) -> None:
        """Hair, brows, lashes and beard over everything else."""
        side = self.side
        nearest = np.full((side, side), FAR, np.float32)
        total, clear = np.zeros((side, side, 4), np.float32), np.ones((side, side), np.float32)
        middle = self.posed.move(canonical(self.assets).centre[None])[0]
        drawn = []
        for (group, points), shadow in zip(self.groups, self.strand_shadow, strict=True):
            colour = np.zeros(points.shape, np.float32)
            gloss = np.float32(1.0 if group.scalp else 0.3)
            screen = self.project(points)
            shade_strands(
                points, screen, self.depth, group.colour, shadow, middle, self.world,
                self.shadow, _taps(), self.lighting, gloss, colour,
            )  # fmt: skip
            width = group.width * (self.focal / screen[..., 2])
            bias = np.float32(0.004 if group.scalp else 0.0025)
            drawn.append((screen, colour, width.astype(np.float32), group.alpha, bias))
        for final in (False, True):
            for screen, colour, width, alpha, bias in drawn:
                splat_strands(screen, colour, width, alpha, self.depth, bias, nearest, total, clear, final)
        composite(self.picture, self.alpha, total, clear)


@dataclass(frozen=True, eq=False)
class _PosedShell:
    """A hat in the camera's frame, with the ambient light on it."""

    shell: Shell
    points: Array
    normals: Array
    light: Array


def _under(identity: Identity, group: Strands, hat: Hat) -> Strands:
    """A group of strands, cleared where the hat covers it."""
    if not group.scalp:
        return group
    height = hat_height(hat, hair_points(identity, group))
    return replace(group, alpha=np.where(height > 0.003, 0, group.alpha).astype(np.float32))


@functools.lru_cache(maxsize=1)
def _taps() -> Array:
    return shadow_taps()


@dataclass(frozen=True, eq=False)
class _Mesh:
    """What the rasteriser needs of the head's mesh."""

    triangles: NDArray[np.int32]
    kind: NDArray[np.uint8]
    bias: Array
    single_sided: NDArray[np.bool_]
    paint: Array


@functools.lru_cache(maxsize=2)
def _mesh(assets: HeadAssets) -> _Mesh:
    keep = assets.kind != LASH
    triangles, kind = assets.triangles[keep], assets.kind[keep]
    paint = np.zeros((len(assets.corner), 3), np.float32)
    paint[assets.vertices_of(TEETH)] = (0.58, 0.53, 0.44)
    paint[assets.vertices_of(TONGUE)] = (0.30, 0.09, 0.085)
    bias = np.where(kind == EYE, EYE_BIAS, 0).astype(np.float32)
    return _Mesh(np.ascontiguousarray(triangles), kind, bias, kind == SKIN, paint)
