"""The pure part of the trial of the door: clips, outcomes, rates."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from facegate.benchmark.kiosk_clips import HEIGHT, WIDTH, in_frame, together, write_y4m
from facegate.benchmark.kiosk_scenes import STRANGER, Scene, Stage, scenes
from facegate.benchmark.kiosk_trial import QUESTIONS, Shown, name_of, rates, table
from facegate.benchmark.kiosk_visit import Visit, outcome
from facegate.faces.detect import Detector
from facegate.synthesis.assets import load_head_assets


def track(
    number: int, name: str = "", reasons: tuple[str, ...] = (), x: float = 0.0, final: bool = True
) -> dict:
    verdict = "accept" if name else "reject"
    return {
        "id": number, "box": {"x": x, "y": 0.0, "width": 10.0, "height": 10.0}, "final": final,
        "verdict": verdict, "reasons": list(reasons), "person": {"name": name} if name else None,
    }  # fmt: skip


def answer(
    time: float, *tracks: dict, marked: tuple[tuple[int, str], ...] = (), status: str = "seen"
) -> dict:
    marks = [{"track": number, "person": {"name": name}} for number, name in marked]
    return {"time": time, "status": status, "tracks": list(tracks), "marked": marks}


def shown(kind: str, people: tuple[int, ...], *answers: dict) -> Shown:
    return Shown(Scene(kind, people, Path("x")), Visit(list(answers)))


def test_a_clip_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    grey = [np.full((48, 64, 3), value, np.uint8) for value in (40, 90, 200)]
    write_y4m(tmp_path / "a.y4m", grey)
    assert (tmp_path / "a.y4m").read_bytes().startswith(b"YUV4MPEG2 W64 H48 F15:1 Ip A1:1 C420jpeg\nFRAME\n")
    video = cv2.VideoCapture(str(tmp_path / "a.y4m"))
    means = [float(video.read()[1].mean()) for _ in grey]
    assert means == sorted(means)
    assert not video.read()[0]


def test_pixels_are_shown_as_they_were_taken_in_a_whole_frame() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (224, 224, 3), dtype=np.uint8)
    frame = in_frame(picture)
    top, left = (HEIGHT - 224) // 2, (WIDTH - 224) // 2
    assert frame.shape == (HEIGHT, WIDTH, 3)
    assert np.array_equal(frame[top : top + 224, left : left + 224], picture)


def test_no_straight_border_stands_around_a_person() -> None:
    rng = np.random.default_rng(1)
    picture = cv2.GaussianBlur(rng.integers(0, 255, (224, 224, 3), dtype=np.uint8), (0, 0), 3)
    frame = in_frame(np.asarray(picture, np.uint8)).astype(np.float32)
    left = (WIDTH - 224) // 2
    rows = slice((HEIGHT - 224) // 2, (HEIGHT + 224) // 2)
    across = np.abs(np.diff(frame[rows, left - 3 : left + 3], axis=1)).mean(axis=(0, 2))
    inside = np.abs(np.diff(frame[rows, left : left + 224], axis=1)).mean()
    assert across.max() < 1.5 * inside


def test_a_trial_shows_everybody_each_way_and_trios_of_two_known_and_a_stranger() -> None:
    found = list(scenes(Stage(Path("head"), Path("clips")), 20))
    assert {kind: sum(s.kind == kind for s in found) for kind in ("bona_fide", "replay", "print", "stranger", "three")} == {
        "bona_fide": 20, "replay": 20, "print": 20, "stranger": 20, "three": 20,
    }  # fmt: skip
    assert len({scene.clip for scene in found}) == len(found)
    for scene in found:
        if scene.kind == "three":
            assert [person >= STRANGER for person in scene.people] == [False, True, False]
            assert len(set(scene.people)) == 3


def test_the_time_to_a_mark_counts_video_from_the_first_sight_of_that_face() -> None:
    seen = Visit(
        [
            answer(1.0),
            answer(1.1, track(1, final=False), status="dropped"),
            answer(1.2, track(1, final=False)),
            answer(1.9, track(1, "Person 00"), marked=((1, "Person 00"),)),
            answer(2.9, track(1, "Person 00"), marked=((1, "Person 00"),)),
        ]
    )
    assert seen.marked == {"Person 00": pytest.approx(0.7)}
    assert seen.fps == pytest.approx(3 / 1.9)


def test_outcomes_stand_from_left_to_right() -> None:
    seen = Visit(
        [
            answer(1.0, track(1, x=300, reasons=("unknown_person",)), track(2, x=20, reasons=("spoof",))),
            answer(1.1, track(3, "Person 01", x=500), track(4, x=100, final=False)),
        ]
    )
    assert [name for _, name in seen.decisions] == ["spoof", "unknown", "Person 01"]
    assert outcome(track(1)) == "reject"


def test_who_is_asked_to_try_again_was_answered() -> None:
    waiting, again = track(1, final=False) | {"verdict": None}, track(2, final=False) | {"verdict": "retry"}
    assert Visit([answer(1.0, waiting, again), answer(1.1, waiting, again)]).answered == 1


def test_rates_count_what_held() -> None:
    mark = ((1, name_of(0)),)
    results = [
        shown(
            "bona_fide", (0,), answer(0, track(1, final=False)), answer(1, track(1, name_of(0)), marked=mark)
        ),
        shown(
            "bona_fide", (0,), answer(0, track(1, final=False)), answer(2, track(1, name_of(0)), marked=mark)
        ),
        shown("bona_fide", (1,), answer(0, track(1, name_of(0)), marked=mark)),
        shown("replay", (0,), answer(0, track(1, reasons=("spoof",)))),
        shown("replay", (1,), answer(0, track(1, name_of(0)), marked=mark)),
        shown("stranger", (STRANGER,), answer(0, track(1, reasons=("unknown_person",)))),
        shown("three", (0, STRANGER, 1), answer(0, track(1, name_of(0), x=1), track(2, name_of(1), x=9))),
    ]
    found = {text: (rate.errors, rate.trials) for text, rate in rates(results)}
    assert list(found.values()) == [
        (1, 3),
        (2, 3),
        (1, 3),
        (1, 2),
        (1, 2),
        (0, 0),
        (0, 0),
        (1, 1),
        (1, 1),
        (0, 1),
        (0, 1),
        (0, 1),
    ]
    assert len(found) == len(QUESTIONS)
    text = table(results)
    assert text.startswith("Synthetic")
    assert "replay not marked" in text
    assert "  1 of 2" in text
    assert "0 of 0         – (0.0–100.0)" in text


def test_three_stand_in_one_room_and_each_is_found_where_they_stand(head_file: Path) -> None:
    head = load_head_assets(head_file)
    people = (3, STRANGER + 3, 4)
    first, last = together(head, 70_707, people, frames=2)
    assert first.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(first.astype(int) - last).mean() > 1  # they move
    faces = sorted(Detector().detect(np.ascontiguousarray(first[..., ::-1])), key=lambda face: face.box[0])
    middles = [float(face.box[0] + face.box[2] / 2) for face in faces]
    assert middles == pytest.approx([WIDTH / 6, WIDTH / 2, 5 * WIDTH / 6], abs=50)
    assert all(100 < face.box[3] < 220 for face in faces)
    again = together(head, 70_707, people, frames=2)[0]
    assert np.array_equal(first, again)
