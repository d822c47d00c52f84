"""Clips: one decision a person from all frames, and every limit before and while a film is decoded."""

import cv2
import numpy as np
import pytest

from facegate.faces.picture import load_picture
from facegate.serving.clips import film_frames, is_film
from facegate.serving.problems import ProblemError
from tests.serving.conftest import served
from tests.serving.test_stream import frames


def film(path, pictures: list[bytes], fps: float = 10.0, name: str = "clip.avi", code: str = "MJPG") -> bytes:
    first = load_picture(pictures[0])
    writer = cv2.VideoWriter(str(path / name), cv2.VideoWriter.fourcc(*code), fps, first.shape[1::-1])
    for picture in pictures:
        writer.write(load_picture(picture)[..., ::-1])
    writer.release()
    return (path / name).read_bytes()


def ask(running, files, **data):
    return running.client.post("/v1/liveness", files=files, data=data, headers=running.kiosk)


def test_pictures_with_their_times(shared, portraits):
    files = [("frames", frame) for frame in frames(portraits["obama"], 8)]
    answer = ask(shared, files, times=[k / 10 for k in range(8)]).json()
    assert (answer["frames"], answer["seconds"], answer["clip"]) == (8, 0.7, None)
    (track,) = answer["tracks"]
    assert (track["verdict"], track["person"], track["identity"]) == ("accept", None, None) and track[
        "llr"
    ] > 3
    few = ask(shared, files[:2], times=[0, 0.1]).json()["tracks"][0]
    assert (few["verdict"], few["reasons"]) == ("retry", ["undecided"]), "two frames are too few to decide"


def test_a_film(tmp_path, shared, portraits):
    clip = film(tmp_path, frames(portraits["obama"], 8))
    answer = ask(shared, {"clip": clip})
    assert answer.status_code == 200, answer.text
    assert answer.json()["frames"] == 8 and answer.json()["seconds"] == pytest.approx(0.7, abs=0.02)
    assert answer.json()["tracks"][0]["verdict"] == "accept"


def test_an_attack_over_a_film(tmp_path, attack_release, portraits):
    with served(tmp_path / "var", attack_release) as running:
        (track,) = ask(running, {"clip": film(tmp_path, frames(portraits["obama"], 6))}).json()["tracks"]
        assert (track["verdict"], track["reasons"]) == ("reject", ["spoof"])


@pytest.mark.parametrize(
    ("count", "times", "status", "words"),
    [
        (0, [], 422, "either `clip` or `frames`"),
        (2, [0.0], 422, "2 frames and 1 times"),
        (2, [1.0, 1.0], 422, "do not grow"),
        (2, ["nan", "inf"], 422, "do not grow"),
        (11, list(range(11)), 413, "at most 10"),
        (1, [0.0], 422, "1 frames can be read"),
    ],
)  # fmt: skip
def test_impossible_frames(shared, portraits, count, times, status, words):
    answer = ask(shared, [("frames", portraits["obama"])] * count or {"x": b""}, times=times)
    assert answer.status_code == status and words in answer.json()["detail"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"#EXTM3U\nhttp://127.0.0.1:1/x.ts",
        b"ffconcat version 1.0\nfile /etc/passwd",
        b"\0\0\0\x18ftypisom" + bytes(64),
    ],
)
def test_what_is_no_film_is_refused_before_or_by_the_decoder(shared, data):
    answer = ask(shared, {"clip": data})
    assert answer.status_code == 422, answer.text


def test_a_film_is_bounded_in_time_rate_and_size(tmp_path, portraits):
    data = film(tmp_path, frames(portraits["obama"], 20), fps=20)
    assert is_film(data)

    def times(**limits):
        bounds = {"seconds": 60.0, "max_fps": 100.0, "max_pixels": 10**7}
        return [at for at, _ in film_frames(data, **{**bounds, **limits})]

    assert len(times()) == 20 and np.all(np.diff(times()) > 0)
    assert times(seconds=0.5)[-1] <= 0.5
    assert len(times(max_fps=5.0)) == 5
    with pytest.raises(ProblemError) as refused:
        times(max_pixels=100)
    assert refused.value.status == 413


def test_no_file_is_left_behind(tmp_path, portraits, monkeypatch):
    data = film(tmp_path, frames(portraits["obama"], 4))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    reading = film_frames(data, seconds=9, max_fps=9, max_pixels=10**7)
    next(reading)
    assert len(list(scratch.iterdir())) == 1
    reading.close()
    assert list(scratch.iterdir()) == []
