"""What is sent instead of a picture: glued, cut, huge, empty, mutated. Refused in words, never a 5xx."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facegate.serving.problems import MEDIA_TYPE
from tests.serving.conftest import jpeg, served


def png_header(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge: a decompression bomb."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(10_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


SMALL = jpeg(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8))
HOSTILE = {
    "nothing": (b"", 422, "empty"),
    "no picture": (b"hello", 422, "no known image format"),
    "PDF": (b"%PDF-1.7 ...", 422, "it is PDF"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "it is SVG"),
    "GIF": (b"GIF89a" + bytes(20), 422, "it is GIF"),
    "cut off": (SMALL[:-40], 422, "truncated"),
    "picture and archive": (SMALL + b"PK\x03\x04" + bytes(30), 422, "another file follows"),
    "picture and script": (SMALL + b"<script>alert(1)</script>", 422, "another file follows"),
    "picture and program": (SMALL + b"\x7fELF" + bytes(99), 422, "another file follows"),
    "bomb": (png_header(60_000, 60_000), 413, "60000 × 60000 pixels"),
    "long and thin bomb": (png_header(2**31 - 1, 1), 413, "pixels"),
    "no pixels": (png_header(0, 10), 422, "0 × 10 pixels"),
    "header only": (png_header(100, 100)[:33], 422, "truncated"),
    "data do not fit the header": (png_header(3000, 3000), 422, "corrupt"),
}


def send(running, data, path="detect"):
    return running.client.post(f"/v1/{path}", files={"picture": data}, headers=running.kiosk)


@pytest.mark.parametrize(("data", "status", "words"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_uploads_are_refused_in_words(shared, data, status, words):
    answer = send(shared, data)
    assert answer.status_code == status and answer.headers["content-type"] == MEDIA_TYPE
    problem = answer.json()
    assert words in problem["detail"] and problem["remedy"] and problem["status"] == status


def test_a_large_file_is_refused_by_its_length_alone(tmp_path, live_release):
    with served(tmp_path, live_release, max_bytes=2000) as running:
        small = send(running, SMALL[:1900])
        assert small.status_code == 422
        assert send(running, SMALL + bytes(2000)).status_code == 413, (
            "one file too large within a body that is not"
        )
        answer = send(running, bytes(200_000))
        assert answer.status_code == 413 and "at most" in answer.json()["detail"]

        def chunks():
            for _ in range(300):
                yield bytes(1000)

        headers = {**running.kiosk, "Content-Type": "multipart/form-data; boundary=x"}
        streamed = running.client.post("/v1/detect", content=chunks(), headers=headers)
        assert streamed.status_code == 413, "a body that does not say how long it is is counted"
        json = running.client.post("/v1/attendance", content=b"[" * 70_000, headers=running.operator)
        assert json.status_code == 413


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_pictures_never_break_the_service(shared, data):
    kind = data.draw(st.sampled_from(["flip", "cut", "insert", "repeat"]))
    place = data.draw(st.integers(0, len(SMALL) - 1))
    junk = data.draw(st.binary(min_size=1, max_size=40))
    mutated = {
        "flip": SMALL[:place] + junk + SMALL[place + len(junk) :],
        "cut": SMALL[:place] + SMALL[place + len(junk) :],
        "insert": SMALL[:place] + junk + SMALL[place:],
        "repeat": SMALL[:place] + SMALL[place // 2 :],
    }[kind]
    answer = send(shared, mutated, data.draw(st.sampled_from(["detect", "identify"])))
    assert answer.status_code in (200, 413, 422), answer.text


@pytest.mark.parametrize(
    ("files", "where"),
    [
        ({}, "body.picture"),
        ({"other": SMALL}, "body.picture"),
        ({"picture": SMALL, "camera": (None, "a b")}, "camera"),
    ],
)
def test_validation_errors_are_problems_that_repeat_nothing(shared, files, where):
    answer = shared.client.post("/v1/identify", files=files, headers=shared.kiosk)
    assert answer.status_code == 422 and answer.headers["content-type"] == MEDIA_TYPE
    assert where in answer.json()["errors"][0]["where"]
    assert set(answer.json()["errors"][0]) == {"where", "what"}
