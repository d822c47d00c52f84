"""What lies behind a person: rooms, streets, leaves, shelves, curtains – out of focus and lit like the scene."""

import cv2
import numpy as np

from facegate.synthesis.geometry import Array
from facegate.synthesis.light import Light

SIZE = 160
"""Side at which backgrounds are painted; they are out of focus, so that larger pictures enlarge them."""


def sample_background(light: Light, rng: np.random.Generator) -> Array:
    """A random background, (SIZE, SIZE, 3) linear RGB, in the light of the scene."""
    painters = (
        _wall,
        _room,
        _shelves,
        _leaves,
        _bokeh,
        _curtain,
        _tiles,
        _window,
        _street,
        _office,
        _clutter,
    )
    odds = np.array([0.15, 0.12, 0.08, 0.11, 0.08, 0.08, 0.07, 0.09, 0.09, 0.08, 0.05])
    picture = painters[rng.choice(len(painters), p=odds / odds.sum())](rng)
    stained = cv2.multiply(picture, cv2.merge([1 + 0.06 * _noise(rng, 5, 3)] * 3), dtype=cv2.CV_32F)
    picture = _out_of_focus(
        np.asarray(stained, np.float32), float(np.exp(rng.uniform(np.log(0.5), np.log(6.5))))
    )
    saturation, level = rng.uniform(0.4, 1.0), light.level
    tint = (level / max(float(level.mean()), 1e-3)) ** 0.6 * level.mean() * rng.uniform(0.6, 1.7)
    mixing = tint[:, None] * (saturation * np.eye(3) + (1 - saturation) / 3)
    return np.asarray(np.clip(cv2.transform(picture, mixing), 0.002, 2.5), np.float32)


def _out_of_focus(picture: Array, sigma: float) -> Array:
    """Gaussian blur; a strong one is done at half the resolution, where nothing is left to lose."""
    if sigma < 2.5:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    small = cv2.resize(picture, (SIZE // 2, SIZE // 2), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / 2)
    return np.asarray(cv2.resize(small, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.float32)


def _noise(rng: np.random.Generator, cells: float, octaves: int) -> Array:
    out = np.zeros((SIZE, SIZE), np.float32)
    for octave in range(octaves):
        count = max(2, int(cells * 2**octave))
        grid = rng.standard_normal((count, count), dtype=np.float32)
        out += 0.5**octave * cv2.resize(grid, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return out


def _colour(rng: np.random.Generator, low: float = 0.03, high: float = 0.7) -> Array:
    """A paint colour: rarely saturated."""
    colour = np.exp(rng.uniform(np.log(low), np.log(high))) * rng.uniform(0.55, 1.45, 3)
    return (colour * 0.6 + colour.mean() * 0.4).astype(np.float32)


def _grid() -> tuple[Array, Array]:
    line = np.arange(SIZE, dtype=np.float32) / SIZE
    x, y = np.meshgrid(line, line)
    return x, y


def _wall(rng: np.random.Generator) -> Array:
    """A painted wall, lit from one side."""
    x, y = _grid()
    angle = rng.uniform(0, 2 * np.pi)
    slope = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
    wall = _colour(rng, 0.12) * np.exp(slope * rng.uniform(-1.1, 1.1))[..., None]
    if rng.random() < 0.4:
        spot = np.exp(-((x - rng.random()) ** 2 + (y - rng.random()) ** 2) / rng.uniform(0.03, 0.3))
        wall = wall * (1 + rng.uniform(0.3, 1.5) * spot)[..., None]
    if rng.random() < 0.3:
        wall = wall * (1 + 0.12 * _noise(rng, 30, 3))[..., None]
    return wall.astype(np.float32)


def _box(
    picture: Array, rng: np.random.Generator, at: tuple[float, float, float, float], frame: float = 0.5
) -> None:
    left, top, right, bottom = (round(v * SIZE) for v in at)
    cv2.rectangle(picture, (left, top), (right, bottom), _colour(rng).tolist(), -1)
    if rng.random() < frame:
        cv2.rectangle(
            picture, (left, top), (right, bottom), _colour(rng, 0.01, 0.6).tolist(), int(rng.integers(1, 6))
        )


def _room(rng: np.random.Generator) -> Array:
    """A corner of a room with pictures, doors and furniture."""
    picture = _wall(rng)
    corner = round(rng.uniform(-0.2, 1.2) * SIZE)
    picture[:, : max(corner, 0)] *= rng.uniform(0.55, 0.9)
    floor = rng.uniform(0.72, 1.2)
    for _ in range(rng.integers(1, 5)):
        x, y = rng.uniform(-0.1, 0.95), rng.uniform(-0.1, 0.5)
        _box(picture, rng, (x, y, x + rng.uniform(0.08, 0.4), y + rng.uniform(0.08, 0.4)))
    if rng.random() < 0.35:
        x = rng.uniform(-0.2, 0.9)
        _box(picture, rng, (x, rng.uniform(-0.1, 0.3), x + rng.uniform(0.25, 0.45), 1.2), 0.9)
    if floor < 1:
        picture[round(floor * SIZE) :] = _colour(rng, 0.03, 0.4)
    for _ in range(rng.integers(0, 3)):
        x, y = rng.uniform(-0.1, 0.9), rng.uniform(0.5, 0.8)
        _box(picture, rng, (x, y, x + rng.uniform(0.15, 0.5), 1.2), 0.2)
    return picture


def _shelves(rng: np.random.Generator) -> Array:
    """Book shelves."""
    picture = np.tile(_colour(rng, 0.02, 0.3), (SIZE, SIZE, 1)).astype(np.float32)
    rows, offset = int(rng.integers(2, 6)), rng.uniform(-0.2, 0.1)
    palette = [_colour(rng, 0.02, 0.55) for _ in range(rng.integers(3, 10))]
    for row in range(rows + 1):
        x = -rng.uniform(0, 0.1)
        while x < 1:
            wide, tall = rng.uniform(0.012, 0.05), rng.uniform(0.6, 0.93)
            top = (row + 1 - tall) / rows + offset
            left, right = round(x * SIZE), round((x + wide) * SIZE)
            colour = palette[rng.integers(len(palette))] * rng.uniform(0.6, 1.3)
            cv2.rectangle(
                picture,
                (left, round(top * SIZE)),
                (right, round(((row + 0.97) / rows + offset) * SIZE)),
                colour.tolist(),
                -1,
            )
            x += wide + (rng.uniform(0.03, 0.2) if rng.random() < 0.1 else 0)
    return picture


def _leaves(rng: np.random.Generator) -> Array:
    """Trees or a hedge, with sky between."""
    _, y = _grid()
    leaf = np.array([0.06, 0.10, 0.03]) * rng.uniform(0.5, 2.0, 3)
    depth = _noise(rng, rng.uniform(4, 12), 5)
    picture = leaf * np.exp(0.6 * depth)[..., None] * (1.2 - 0.5 * y)[..., None]
    sky = np.array([0.6, 0.75, 1.0]) * rng.uniform(0.6, 1.8)
    gap = np.clip((_noise(rng, rng.uniform(3, 9), 4) - rng.uniform(0.2, 1.6) - 1.2 * (y - 0.4)) * 3, 0, 1)
    picture = picture * (1 - gap[..., None]) + sky * gap[..., None]
    if rng.random() < 0.4:
        ground = np.clip((y - rng.uniform(0.5, 0.9)) * 20, 0, 1)[..., None]
        picture = picture * (1 - ground) + _colour(rng, 0.05, 0.4) * ground
    return picture.astype(np.float32)


def _bokeh(rng: np.random.Generator) -> Array:
    """Lights at night."""
    picture = _wall(rng) * 0.12
    for _ in range(rng.integers(6, 35)):
        at = (int(rng.uniform(0, SIZE)), int(rng.uniform(0, SIZE)))
        glow = rng.uniform(0.15, 2.2) * rng.uniform(0.3, 1, 3)
        disc = picture.copy()
        cv2.circle(disc, at, int(rng.uniform(0.008, 0.05) * SIZE) + 1, glow.tolist(), -1)
        picture = np.maximum(picture, disc)
    return picture


def _curtain(rng: np.random.Generator) -> Array:
    """Cloth in folds."""
    x, y = _grid()
    bend = x + rng.uniform(0, 0.06) * np.sin(3 * y + rng.uniform(0, 6))
    fold = np.zeros_like(x)
    for _ in range(3):
        fold += rng.uniform(0.1, 0.4) * np.sin(bend * rng.uniform(15, 70) + rng.uniform(0, 6))
    return (_colour(rng, 0.05) * np.exp(fold)[..., None]).astype(np.float32)


def _tiles(rng: np.random.Generator) -> Array:
    """Bricks, tiles or panels, slightly turned."""
    x, y = _grid()
    angle = rng.normal(0, 0.06)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    tall, wide = rng.uniform(4, 22), rng.uniform(2, 14)
    row = np.floor(v * tall).astype(int)
    across = u * wide + 0.5 * (row % 2) * (rng.random() < 0.7)
    column = np.floor(across).astype(int)
    joint = np.minimum(np.abs(v * tall - row - 0.5), np.abs(across - column - 0.5))
    gap = np.maximum(np.abs(v * tall - row - 0.5), np.abs(across - column - 0.5)) > 0.5 - rng.uniform(
        0.03, 0.08
    )
    tint = rng.uniform(0.75, 1.2, (64, 64))[row % 64, column % 64]
    brick = _colour(rng, 0.06) * (tint * (1 + 0.05 * joint))[..., None]
    return np.where(gap[..., None], _colour(rng, 0.05, 0.6), brick).astype(np.float32)


def _window(rng: np.random.Generator) -> Array:
    """A bright window in a darker wall, perhaps with blinds."""
    picture = _wall(rng) * 0.6
    outside = _leaves(rng) * 1.5 if rng.random() < 0.5 else _street(rng) * 1.6
    left, top = rng.uniform(-0.2, 0.7, 2)
    right, bottom = left + rng.uniform(0.3, 0.8), top + rng.uniform(0.3, 0.8)
    x, y = _grid()
    inside = (x > left) & (x < right) & (y > top) & (y < bottom)
    panes = (x - left) / (right - left) * rng.integers(1, 4) % 1
    bars = (np.abs(panes - 0.5) > 0.47) | (np.abs(y - (top + bottom) / 2) < 0.012)
    if rng.random() < 0.35:
        bars |= np.sin(y * rng.uniform(60, 200)) > rng.uniform(-0.3, 0.6)
    picture = np.where(inside[..., None], outside, picture)
    return np.where((inside & bars)[..., None], _colour(rng, 0.1, 0.7), picture).astype(np.float32)


def _street(rng: np.random.Generator) -> Array:
    """Sky, houses with windows, a road."""
    _, y = _grid()
    sky = np.array([0.55, 0.68, 0.9]) * rng.uniform(0.5, 1.6) * rng.uniform(0.8, 1.2, 3)
    picture = (sky * (1.1 - 0.4 * y)[..., None]).astype(np.float32)
    x = -rng.uniform(0, 0.3)
    while x < 1:
        wide, top = rng.uniform(0.15, 0.5), rng.uniform(-0.2, 0.5)
        colour = _colour(rng, 0.05, 0.5)
        left, right = round(x * SIZE), round((x + wide) * SIZE)
        cv2.rectangle(picture, (left, round(top * SIZE)), (right, SIZE), colour.tolist(), -1)
        pane = (_colour(rng, 0.02, 0.5)).tolist()
        step = int(rng.integers(8, 26))
        for px in range(left + 4, right - 4, step):
            for py in range(max(round(top * SIZE), 0) + 5, round(0.85 * SIZE), int(step * 1.2)):
                cv2.rectangle(picture, (px, py), (px + step // 2, py + int(step * 0.7)), pane, -1)
        x += wide + (rng.uniform(0, 0.15) if rng.random() < 0.4 else 0)
    picture[round(rng.uniform(0.78, 1.0) * SIZE) :] = _colour(rng, 0.04, 0.3)
    return picture


def _office(rng: np.random.Generator) -> Array:
    """A long room in perspective: ceiling lights, walls, desks."""
    x, y = _grid()
    cx, cy = rng.uniform(0.2, 0.8), rng.uniform(0.25, 0.55)
    dx, dy = (x - cx) / 0.5, (y - cy) / rng.uniform(0.3, 0.5)
    depth = 1 / np.maximum(np.maximum(np.abs(dx), np.abs(dy)), 0.12)
    across, is_wall = np.where(np.abs(dx) > np.abs(dy), dy, dx) * depth, np.abs(dx) > np.abs(dy)
    wall, floor, roof = _colour(rng, 0.15), _colour(rng, 0.04, 0.3), _colour(rng, 0.3)
    picture = np.where(is_wall[..., None], wall, np.where((dy > 0)[..., None], floor, roof))
    lamps = (
        ~is_wall
        & (dy < 0)
        & (np.abs(across) < rng.uniform(0.15, 0.5))
        & (np.sin(depth * rng.uniform(4, 9)) > 0.3)
    )
    picture = np.where(lamps[..., None], np.float32(rng.uniform(1.2, 2.8)), picture)
    doors = is_wall & (np.sin(depth * rng.uniform(3, 8)) > rng.uniform(0.2, 0.8)) & (across > -0.4)
    picture = np.where(doors[..., None], _colour(rng, 0.03, 0.6), picture)
    return (picture * (1.15 - 0.08 * np.minimum(depth, 6))[..., None]).astype(np.float32)


def _clutter(rng: np.random.Generator) -> Array:
    """Things of all shapes."""
    picture = _wall(rng)
    for _ in range(rng.integers(8, 40)):
        at = tuple(int(v) for v in rng.uniform(0, SIZE, 2))
        axes = tuple(int(v) for v in rng.uniform(2, 28, 2))
        cv2.ellipse(picture, at, axes, rng.uniform(0, 180), 0, 360, _colour(rng).tolist(), -1)
    return picture
