import numpy as np

from facegate.synthesis.raster import (
    FAR,
    composite,
    depth_map,
    parallel_projection,
    rasterise,
    splat_strands,
    vertex_normals,
)


def canvas(side: int = 40) -> tuple[np.ndarray, np.ndarray]:
    return np.full((side, side), FAR, np.float32), np.full((side, side), -1, np.int32)


def draw(
    screen: np.ndarray, triangles: list[list[int]], keep: np.ndarray | None = None, single: bool = False
):
    depth, ids = canvas()
    screen = screen.astype(np.float32)
    whole = np.ones(len(screen), np.float32) if keep is None else keep.astype(np.float32)
    count = len(triangles)
    rasterise(
        screen,
        np.array(triangles, np.int32),
        np.zeros(count, np.float32),
        np.full(count, single),
        whole,
        0,
        depth,
        ids,
    )
    return depth, ids


SQUARE = np.array([[5, 5, 1], [35, 5, 1], [35, 35, 1], [5, 35, 1]], float)


def test_two_triangles_cover_their_square_once():
    depth, ids = draw(SQUARE, [[0, 1, 2], [0, 2, 3]])
    assert (ids >= 0).sum() == 30 * 30
    np.testing.assert_allclose(depth[ids >= 0], 1, atol=1e-5)


def test_the_nearer_triangle_wins_whatever_the_order():
    far = SQUARE + np.array([0, 0, 1])
    both = np.concatenate([SQUARE, far])
    for order in ([[0, 1, 2], [4, 5, 6]], [[4, 5, 6], [0, 1, 2]]):
        depth, _ = draw(both, order)
        assert depth[10, 30] == np.float32(1)


def test_depth_is_perspective_correct():
    tilted = np.array([[0, 0, 1], [40, 0, 3], [0, 40, 1], [40, 40, 3]], float)
    depth, _ = draw(tilted, [[0, 1, 2], [1, 3, 2]])
    share = (np.arange(40) + 0.5) / 40
    np.testing.assert_allclose(depth[20], 1 / (1 - share + share / 3), rtol=1e-4)


def test_keep_cuts_along_its_zero_line():
    _, ids = draw(SQUARE, [[0, 1, 2], [0, 2, 3]], keep=np.array([1, -1, -1, 1]))
    assert (ids >= 0).sum() == 30 * 15
    assert (ids[:, 20:] < 0).all()


def test_back_faces_are_dropped_where_asked():
    _, front = draw(SQUARE, [[0, 2, 1]], single=True)
    _, back = draw(SQUARE, [[0, 1, 2]], single=True)
    assert ((front >= 0).sum() > 0) != ((back >= 0).sum() > 0)


def test_normals_of_a_cube_corner_match_numpy():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(8, 3)).astype(np.float32)
    triangles = rng.permuted(np.tile(np.arange(8), (12, 1)), axis=1)[:, :3].astype(np.int32)
    out = np.empty_like(points)
    vertex_normals(points, triangles, out)
    expected = np.zeros((8, 3))
    for a, b, c in triangles:
        face = np.cross(points[b] - points[a], points[c] - points[a])
        for k in (a, b, c):
            expected[k] += face
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(out, expected, atol=1e-4)


def test_shadow_map_holds_the_nearest_depth():
    points, out = np.array([[0, 0, 0], [0.1, 0.2, 0.3]], np.float32), np.empty((2, 3), np.float32)
    parallel_projection(
        points, np.eye(3, dtype=np.float32), np.float32(100), np.zeros(3, np.float32), 40, out
    )
    np.testing.assert_allclose(out, [[20, 20, 0], [30, 0, -0.3]], atol=1e-5)
    depth, _ = canvas()
    depth_map(SQUARE.astype(np.float32), np.array([[0, 1, 2]], np.int32), depth)
    depth_map((SQUARE - np.array([0, 0, 0.5])).astype(np.float32), np.array([[0, 2, 3]], np.int32), depth)
    assert depth[10, 30] == 1
    assert depth[30, 10] == 0.5


def strand(start: tuple, end: tuple, width: float, colour: float = 1.0, opacity: float = 1.0):
    screen = np.array([[start, end]], np.float32)
    shape = (1, 2)
    tone = np.full((*shape, 3), colour, np.float32)
    return screen, tone, np.full(shape, width, np.float32), np.full(shape, opacity, np.float32)


def splat(*strands, surface: float = float(FAR)) -> tuple[np.ndarray, np.ndarray]:
    depth = np.full((40, 40), surface, np.float32)
    nearest, total, clear = canvas()[0], np.zeros((40, 40, 4), np.float32), np.ones((40, 40), np.float32)
    for final in (False, True):
        for screen, tone, width, alpha in strands:
            splat_strands(screen, tone, width, alpha, depth, np.float32(0), nearest, total, clear, final)
    picture, alpha = np.zeros((40, 40, 3), np.float32), np.zeros((40, 40), np.float32)
    composite(picture, alpha, total, clear)
    return picture, alpha


def test_a_strand_covers_length_times_width_in_any_direction():
    for end in ((35.0, 20.0, 1.0), (20.0, 35.0, 1.0), (33.0, 31.0, 1.0)):
        _, alpha = splat(strand((5.0, 6.0, 1.0), end, 2.0))
        length = np.hypot(end[0] - 5, end[1] - 6)
        assert abs(alpha.sum() - 2 * length) < 0.12 * 2 * length


def test_strands_behind_a_surface_do_not_show():
    _, alpha = splat(strand((5, 5, 2), (35, 30, 2), 3.0), surface=1.0)
    assert alpha.max() == 0


def test_the_nearer_of_two_strands_gives_the_colour():
    near = strand((5, 20.5, 1.0), (35, 20.5, 1.0), 3.0, colour=1.0)
    far = strand((5, 20.5, 1.5), (35, 20.5, 1.5), 3.0, colour=0.0)
    for order in ((near, far), (far, near)):
        picture, alpha = splat(*order)
        assert picture[20, 20, 0] > 0.95
        assert alpha[20, 20] > 0.95


def test_thin_strands_are_faint():
    _, thin = splat(strand((5, 20.5, 1), (35, 20.5, 1), 0.25))
    assert 0.15 < thin[20, 20] < 0.35
