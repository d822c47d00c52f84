"""Film strips: frames and figures survive the way into a picture and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.faces.film import film_strip, frames_in, slots, unroll, with_cues
from facegate.faces.motion import motion_cues


def test_a_strip_unrolls_into_its_frames_and_figures():
    rng = np.random.default_rng(2)
    frames = rng.integers(0, 256, (12, 20, 20, 3), np.uint8)
    cues = rng.uniform(-1, 1, (12, 3)).astype(np.float32)
    strip = with_cues(frames, cues)
    assert strip.shape == (241, 20, 3)
    back, figures = unroll(strip)
    assert (back == frames).all()
    assert figures == pytest.approx(cues, abs=1 / 128 + 1e-6)


def test_the_last_line_reads_as_the_network_reads_pictures():
    """(value - 128) / 128 of a pixel is the figure itself."""
    cues = np.array([[0.5, -0.25, 0.0]] * 8, np.float32)
    strip = with_cues(np.zeros((8, 16, 16, 3), np.uint8), cues)
    assert ((strip[-1, :8].astype(float) - 128) / 128 == cues).all()
    assert (strip[-1, 8:] == 128).all()


def test_figures_come_from_the_frames():
    frames = np.random.default_rng(3).integers(0, 256, (8, 64, 64, 3), np.uint8)
    _, figures = unroll(film_strip(frames))
    assert figures == pytest.approx(motion_cues(frames), abs=1 / 128)


def test_slots_take_the_nearest_frame():
    assert slots([0.0, 1.0, 2.0, 3.0], 4).tolist() == [0, 1, 2, 3]
    assert slots([0.0, 1.0, 2.0], 6).tolist() == [0, 0, 1, 1, 2, 2]
    assert slots([0.0, 0.1, 0.2, 3.0], 4).tolist() == [0, 2, 3, 3]


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=40), st.integers(8, 16))
def test_slots_ascend_from_the_first_frame_to_the_last(gaps, count):
    times = np.cumsum(gaps)
    chosen = slots(times, count)
    assert len(chosen) == count
    assert (np.diff(chosen) >= 0).all()
    assert chosen[0] == 0
    assert chosen[-1] == len(times) - 1


@pytest.mark.parametrize(("height", "width"), [(240, 20), (10, 20), (20 * 21 + 1, 20), (1, 20)])
def test_other_pictures_are_no_strip(height, width):
    with pytest.raises(ValueError, match="no film strip"):
        frames_in(height, width)
