import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.faces.align import TEMPLATE_112
from facegate.faces.detect import Face
from facegate.faces.track import Tracker, TrackParams, TrackState, affinity, next_state

TENTATIVE, CONFIRMED, LOST, ENDED = TrackState
PARAMS = TrackParams()


def face(x, y=100.0, side=80.0):
    box = np.array([x, y, side, side], np.float32)
    return Face(box, (TEMPLATE_112 / 112 * side + box[:2]).astype(np.float32), 0.9)


@pytest.mark.parametrize(
    ("state", "hit", "hits", "gap", "after"),
    [
        (TENTATIVE, True, 1, 0.0, TENTATIVE),
        (TENTATIVE, True, 2, 0.1, TENTATIVE),
        (TENTATIVE, True, 3, 0.1, CONFIRMED),
        (TENTATIVE, False, 2, 0.1, ENDED),
        (CONFIRMED, True, 9, 0.1, CONFIRMED),
        (CONFIRMED, False, 9, 0.1, LOST),
        (CONFIRMED, False, 9, 1.1, ENDED),
        (LOST, True, 9, 0.9, CONFIRMED),
        (LOST, False, 9, 1.0, LOST),
        (LOST, False, 9, 1.01, ENDED),
        (ENDED, True, 9, 0.0, ENDED),
        (ENDED, False, 9, 0.0, ENDED),
    ],
)
def test_the_state_machine(state, hit, hits, gap, after):
    assert next_state(state, hit, hits, gap, PARAMS) is after


def run(frames, step=0.1, params=PARAMS):
    tracker = Tracker(params)
    return [tracker.update(faces, i * step) for i, faces in enumerate(frames)]


def test_a_walking_face_keeps_its_number():
    history = run([[face(10 + 12 * i)] for i in range(12)])
    assert [[t.id for t in tracks] for tracks in history] == [[1]] * 12
    assert [tracks[0].state for tracks in history] == [TENTATIVE] * 2 + [CONFIRMED] * 10
    assert history[-1][0].velocity == pytest.approx([120, 0], abs=1)
    assert (history[-1][0].first_s, history[-1][0].hits) == (0.0, 12)


def test_two_faces_that_cross_keep_their_numbers():
    frames = [[face(20 * i, y=60), face(400 - 20 * i, y=150)] for i in range(20)]
    last = run(frames)[-1]
    assert [(t.id, float(t.face.box[1])) for t in last] == [(1, 60.0), (2, 150.0)]


def test_the_order_of_detections_does_not_matter():
    frames = [[face(20 * i), face(600 - 15 * i), face(300, y=300)] for i in range(12)]
    turned = [frame if i == 0 else frame[::-1] for i, frame in enumerate(frames)]
    for a, b in zip(run(frames)[-1], run(turned)[-1], strict=True):
        assert a.id == b.id and (a.face.box == b.face.box).all()


def test_a_short_absence_is_forgiven_and_motion_foretells_the_return():
    seen = [[face(10 + 20 * i)] if i not in (6, 7) else [] for i in range(12)]
    history = run(seen)
    assert [tracks[0].state for tracks in history[5:9]] == [CONFIRMED, LOST, LOST, CONFIRMED]
    assert {t.id for tracks in history for t in tracks} == {1}


def test_a_long_absence_ends_the_track_and_its_number_is_not_used_again():
    history = run([[face(10)]] * 4 + [[]] * 12 + [[face(10)]])
    assert [t.state for tracks in history for t in tracks].count(ENDED) == 1
    assert [t.id for t in history[-1]] == [2]


def test_a_single_false_alarm_never_becomes_a_track():
    history = run([[face(10)], [], []])
    assert [[t.state for t in tracks] for tracks in history] == [[TENTATIVE], [ENDED], []]


def test_a_face_elsewhere_is_another_person():
    history = run([[face(10)]] * 3 + [[face(300)]])
    assert [(t.id, t.state) for t in history[-1]] == [(1, LOST), (2, TENTATIVE)]


@pytest.mark.parametrize("now", [1.0, 0.5, float("nan")])
def test_time_must_grow(now):
    tracker = Tracker()
    tracker.update([], 1.0)
    with pytest.raises(ValueError, match="time must grow"):
        tracker.update([], now)


def test_affinity_of_standing_still_and_of_a_step_aside():
    (track,) = run([[face(10)]])[0]
    values = affinity(track, [face(10), face(90)], 0.1)
    assert values == pytest.approx([1.0, -1.0], abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.tuples(st.floats(0, 600), st.floats(0, 400)), max_size=4), max_size=15))
def test_every_face_belongs_to_exactly_one_track(places):
    frames = [[face(x, y) for x, y in frame] for frame in places]
    tracker = Tracker()
    for i, faces in enumerate(frames):
        tracks = tracker.update(faces, i / 10)
        shown = [id(t.face) for t in tracks if t.seen(i / 10)]
        assert sorted(shown) == sorted(map(id, faces))
        assert len({t.id for t in tracks}) == len(tracks)
