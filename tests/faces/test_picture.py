import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.errors import PictureError
from facegate.faces.headers import read_header
from facegate.faces.picture import load_picture

# A picture whose four quarters tell every orientation apart: red, green / blue, white.
UPRIGHT = np.zeros((16, 24, 3), np.uint8)
UPRIGHT[:8, :12, 0] = UPRIGHT[:8, 12:, 1] = UPRIGHT[8:, :12, 2] = 255
UPRIGHT[8:, 12:] = 255


def encode(extension, image, *options):
    return cv2.imencode(extension, image, list(options))[1].tobytes()


def bgr(image=UPRIGHT):
    return np.ascontiguousarray(image[..., ::-1])


def exif(orientation, order="<"):
    head = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return head + struct.pack(order + "IH", 8, 1) + entry + struct.pack(order + "I", 0)


def with_exif(jpeg, block):
    body = b"Exif\0\0" + block
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width, height):
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


FILES = {
    "png": encode(".png", bgr()),
    "bmp": encode(".bmp", bgr()),
    "webp": encode(".webp", bgr(), cv2.IMWRITE_WEBP_QUALITY, 101),
    "jpeg": encode(".jpg", bgr(), cv2.IMWRITE_JPEG_QUALITY, 100),
    "progressive": encode(".jpg", bgr(), cv2.IMWRITE_JPEG_QUALITY, 100, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts": encode(".jpg", bgr(), cv2.IMWRITE_JPEG_QUALITY, 100, cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
}


@pytest.mark.parametrize("kind", FILES)
def test_reads_each_format(kind):
    picture = load_picture(FILES[kind])
    assert picture.dtype == np.uint8 and picture.shape == UPRIGHT.shape
    assert np.abs(picture.astype(int) - UPRIGHT).mean() < (8 if "r" in kind or kind == "jpeg" else 1)
    header = read_header(FILES[kind])
    assert (header.width, header.height, header.end) == (24, 16, len(FILES[kind]))


@pytest.mark.parametrize("name", ["obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png"])
def test_real_photographs_are_read_as_opencv_reads_them(photos, name):
    expected = np.asarray(cv2.imread(str(photos / name), cv2.IMREAD_COLOR))
    assert (load_picture(photos / name) == expected[..., ::-1]).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", "<>")
def test_exif_orientation_is_undone(orientation, order):
    stored = {
        1: UPRIGHT,
        2: UPRIGHT[:, ::-1],
        3: UPRIGHT[::-1, ::-1],
        4: UPRIGHT[::-1],
        5: UPRIGHT.transpose(1, 0, 2),
        6: np.rot90(UPRIGHT, 1),
        7: UPRIGHT[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(UPRIGHT, -1),
    }[orientation]
    jpeg = with_exif(encode(".jpg", bgr(stored), cv2.IMWRITE_JPEG_QUALITY, 100), exif(orientation, order))
    assert np.abs(load_picture(jpeg).astype(int) - UPRIGHT).mean() < 8
    peer = np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))  # rotates itself
    assert (load_picture(jpeg) == peer[..., ::-1]).all()


@pytest.mark.parametrize("block", [b"", b"II*\0", exif(0), exif(9), exif(3)[:12], b"XX*\0" + exif(3)[4:]])
def test_broken_exif_means_upright(block):
    jpeg = with_exif(FILES["jpeg"], block)
    assert (load_picture(jpeg) == load_picture(FILES["jpeg"])).all()


def test_png_with_exif_orientation():
    data = encode(".png", bgr(UPRIGHT[::-1, ::-1]))
    at = data.index(b"IDAT") - 4
    assert (load_picture(data[:at] + chunk(b"eXIf", exif(3)) + data[at:]) == UPRIGHT).all()


def test_grey_palette_and_16_bit_become_8_bit_rgb():
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    assert (load_picture(encode(".png", grey)) == grey[..., None]).all()
    deep = grey.astype(np.uint16) * 257
    assert (load_picture(encode(".png", deep)) == grey[..., None]).all()
    bilevel = encode(".png", (grey > 100).astype(np.uint8) * 255, cv2.IMWRITE_PNG_BILEVEL, 1)
    assert set(np.unique(load_picture(bilevel))) == {0, 255}


def test_transparency_is_laid_over_white():
    image = np.zeros((4, 4, 4), np.uint8)
    image[..., 3] = [0, 255, 128, 64]
    picture = load_picture(encode(".png", image))
    assert picture[0, :, 0].tolist() == [255, 0, 127, 191]


@pytest.mark.parametrize("kind", FILES)
def test_truncated_files_are_refused(kind):
    data = FILES[kind]
    for keep in (0, 1, 5, 20, len(data) // 2, len(data) - 1):
        with pytest.raises(PictureError, match=r"the picture: .*\n  → "):
            load_picture(data[:keep])


@pytest.mark.parametrize("size", [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (10_000, 5_001)])
def test_bombs_are_refused_from_their_header(size):
    with pytest.raises(PictureError, match="too large"):
        load_picture(png_claiming(*size))


def test_limits_are_the_callers():
    with pytest.raises(PictureError, match="24 × 16 pixels is too large; at most 383"):
        load_picture(FILES["png"], max_pixels=383)
    with pytest.raises(PictureError, match="bytes is too large"):
        load_picture(FILES["png"], max_bytes=10)


def test_empty_pictures_are_refused():
    with pytest.raises(PictureError, match="0 × 7"):
        load_picture(png_claiming(0, 7))


def test_a_jpeg_of_many_scans_is_refused():
    data = FILES["jpeg"]
    scan = data[data.index(b"\xff\xda") : -2]
    with pytest.raises(PictureError, match="101 scans"):
        load_picture(data[:-2] + scan * 100 + data[-2:])


@pytest.mark.parametrize("tail", [b"PK\x03\x04rest", b"\n<script>alert(1)</script>", b"%PDF-1.7", b"\0\0MZ"])
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_a_second_file_behind_the_picture_is_refused(kind, tail):
    with pytest.raises(PictureError, match="another file follows"):
        load_picture(FILES[kind] + tail)


def test_what_a_phone_appends_is_left_unread():
    appended = FILES["jpeg"] + b"\0\0SEFH\x6b\0" + FILES["jpeg"]
    assert (load_picture(appended) == load_picture(FILES["jpeg"])).all()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"GIF89a" + bytes(40), "GIF"),
        (b"II*\0" + bytes(40), "TIFF"),
        (b"%PDF-1.4" + bytes(40), "PDF"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "heic"),
        (b"hello, this is text", "no known image format"),
    ],
)
def test_other_formats_are_named(data, name):
    with pytest.raises(PictureError, match=name):
        load_picture(data)


def test_header_and_data_must_agree():
    data = bytearray(FILES["png"])
    data[16:24] = struct.pack(">II", 25, 16)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    with pytest.raises(PictureError, match="corrupt"):
        load_picture(bytes(data))


def test_missing_files_and_folders(tmp_path):
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(PictureError, match="cannot be read"):
            load_picture(path)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(FILES)),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=8),
)
def test_damaged_files_give_a_picture_or_a_picture_error(kind, flips):
    data = bytearray(FILES[kind])
    for place, value in flips:
        data[place % len(data)] = value
    try:
        picture = load_picture(bytes(data), max_pixels=10**6)
    except PictureError:
        return
    assert picture.ndim == 3 and picture.shape[2] == 3 and picture.dtype == np.uint8
