import cv2
import numpy as np
import pytest

from facegate.contracts import Split
from facegate.errors import PictureError
from facegate.sources.boxes import fit_box
from facegate.sources.reading import LARGEST_SIDE, read_record, read_records
from facegate.sources.records import Span, record
from tests.sources.miniature import image, write_image


def item(file, **optional):
    return record(file, "id", "s", Split.TRAIN, "test", **optional)


def test_a_large_picture_is_shrunk_with_its_landmarks_and_box(tmp_path):
    file = tmp_path / "large.png"
    picture = np.zeros((1280, 2560, 3), np.uint8)
    picture[400:440, 1000:1040] = 255
    cv2.imwrite(str(file), picture)
    marks = [1019.5, 419.5] * 5
    (row,) = read_record(item(file, landmarks=marks, face_box=[1000.0, 400, 40, 40]))
    assert (row["width"], row["height"]) == (LARGEST_SIDE, 640)
    found = cv2.imdecode(np.frombuffer(row["image"], np.uint8), cv2.IMREAD_GRAYSCALE)
    assert found is not None
    ys, xs = np.nonzero(found > 128)
    np.testing.assert_allclose(row["landmarks"][:2], [xs.mean(), ys.mean()], atol=0.3)
    assert row["face_box"] == [500, 200, 20, 20]


def test_a_picture_inside_a_larger_file_is_read_in_place(tmp_path):
    data = cv2.imencode(".jpg", image(1))[1].tobytes()
    (tmp_path / "many").write_bytes(b"before" + data + b"after")
    (row,) = read_record(item(tmp_path / "many")._replace(span=Span(6, len(data))))
    assert row["image"] == data


def test_a_picture_that_was_turned_by_its_camera_is_packed_upright(tmp_path):
    data = cv2.imencode(".jpg", image(1, width=40, height=24))[1].tobytes()
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    turned = data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]
    (tmp_path / "turned.jpg").write_bytes(turned)
    (row,) = read_record(item(tmp_path / "turned.jpg"))
    assert (row["width"], row["height"]) == (24, 40)
    assert row["image"].startswith(b"\x89PNG")


def test_problems_are_rows_and_do_not_stop_the_others(tmp_path):
    write_image(tmp_path / "good.png")
    records = [
        item(tmp_path / "gone.png"),
        item(tmp_path / "good.png")._replace(problem="the label says so"),
        item(tmp_path / "good.png"),
    ]
    rows = list(read_records(records))
    assert [row.get("problem") for row in rows] == [
        "cannot be read: No such file or directory", "the label says so", None,
    ]  # fmt: skip
    with pytest.raises(PictureError, match=r"gone\.png: cannot be read"):
        list(read_record(records[0]))


@pytest.mark.parametrize(
    ("box", "frame", "expected"),
    [
        ([10, 10, 20, 20], None, [10, 10, 20, 20]),
        ([-5, 90, 20, 20], None, [0, 90, 15, 10]),
        ([112, 112, 56, 56], 224, [50, 50, 25, 25]),
        ([10, 10, -3, 5], None, None),
        ([100, 0, 5, 5], None, None),
        ([float("nan"), 0, 5, 5], None, None),
    ],
)
def test_boxes_are_cut_to_the_picture(box, frame, expected):
    assert fit_box(box, 100, 100, frame) == expected
