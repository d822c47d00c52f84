import os
import pickle
import struct
from contextlib import suppress

import cv2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facegate.datasets.pack import open_pack
from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.insightface import pairs, read_bin, read_rec, samples
from facegate.sources.packing import pack_records
from tests.sources.miniature import image


def jpeg(seed):
    return cv2.imencode(".jpg", image(seed, 112, 112))[1].tobytes()


def write_bin(path, mated, protocol=4):
    pictures = [jpeg(i) for i in range(2 * len(mated))]
    path.write_bytes(pickle.dumps((pictures, mated), protocol=protocol))
    return pictures


def write_rec(folder, labels):
    """A record file with one picture per label and, as published, identity records after the pictures."""
    parts, index = [], []

    def add(flag, label, extra, data):
        body = struct.pack("<IfQQ", flag, label, len(index), 0) + extra + data
        index.append(f"{len(index)}\t{sum(map(len, parts))}")
        parts.append(struct.pack("<II", 0xCED7230A, len(body)) + body + b"\0" * (-len(body) % 4))

    end = len(labels) + 1
    add(2, 0.0, struct.pack("<ff", end, end + len(set(labels))), b"")
    for number, label in enumerate(labels):
        data = jpeg(number)
        add(*((2, 0.0, struct.pack("<ff", label, 0), data) if number % 2 else (0, float(label), b"", data)))
    for label in sorted(set(labels)):
        add(2, float(label), struct.pack("<ff", 1, 2), b"")
    (folder / "train.rec").write_bytes(b"".join(parts))
    (folder / "train.idx").write_text("\n".join(index) + "\n")


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_bin_of_any_pickle_protocol_becomes_pictures_and_pairs(tmp_path, protocol):
    pictures = write_bin(tmp_path / "agedb_30.bin", [True, False] * 10, protocol)
    assert read_bin(tmp_path / "agedb_30.bin") == (pictures, [True, False] * 10)
    records = list(samples(tmp_path, "agedb_30", SplitParams()))
    assert [r.content for r in records] == pictures
    assert {r.row["split"] for r in records} == {"test"}
    assert [r.row["subject_id"] for r in records[:4]] == [
        "agedb_30-00000", "agedb_30-00000", "agedb_30-00001a", "agedb_30-00001b",
    ]  # fmt: skip
    found = pairs(tmp_path, "agedb_30")
    assert (found[0].first, found[0].second, found[0].mated, found[1].mated) == (
        "agedb_30/00000", "agedb_30/00001", True, False,
    )  # fmt: skip
    assert [pair.fold for pair in found] == [fold for fold in range(1, 11) for _ in range(2)]


def test_python_2_pickles_are_read(tmp_path):
    data = jpeg(0)
    body = b"(lp0\nS" + repr(data)[1:].encode() + b"\naS'x'\na"
    (tmp_path / "lfw.bin").write_bytes(b"(" + body + b"(lp1\nI01\nat.")
    assert read_bin(tmp_path / "lfw.bin") == ([data, b"x"], [True])


class Evil:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("call", [os.system, eval, os.getenv, bytearray, getattr])
def test_a_pickle_that_names_code_is_refused_and_not_run(tmp_path, protocol, call):
    marker = tmp_path / "ran"
    evil = Evil(call, f"touch {marker}") if call is os.system else Evil(call, "1")
    (tmp_path / "lfw.bin").write_bytes(pickle.dumps(([evil, b""], [True]), protocol=protocol))
    with pytest.raises(SourceError, match="which is not allowed"):
        read_bin(tmp_path / "lfw.bin")
    assert not marker.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (([b"a"], [True]), "1 pictures for 1 pairs"),
        (([], []), "0 pictures for 0 pairs"),
        (([b"a", 3.5], [True]), "a picture is of type float"),
        (([b"a", b"b"], ["yes"]), "a label is of type str"),
        ({"a": 1}, "not a list of pictures"),
        (5, "not a list of pictures"),
    ],
)
def test_a_bin_of_another_shape_is_refused(tmp_path, content, message):
    (tmp_path / "lfw.bin").write_bytes(pickle.dumps(content))
    with pytest.raises(SourceError, match=message):
        read_bin(tmp_path / "lfw.bin")


@pytest.mark.parametrize("kept", [0, 1, 50, -1])
def test_a_truncated_bin_is_refused(tmp_path, kept):
    write_bin(tmp_path / "lfw.bin", [True])
    data = (tmp_path / "lfw.bin").read_bytes()
    (tmp_path / "lfw.bin").write_bytes(data[:kept])
    with pytest.raises(SourceError, match="not a list of pictures"):
        read_bin(tmp_path / "lfw.bin")


def test_a_training_pack_is_read_where_it_lies(tmp_path):
    labels = [i // 2 for i in range(24)]
    write_rec(tmp_path, labels)
    records = list(samples(tmp_path, "train", SplitParams()))
    assert [int(r.row["subject_id"]) for r in records] == labels, "records after the pictures are no pictures"
    assert len({(r.row["subject_id"], r.row["split"]) for r in records}) == 12
    metadata = pack_records(records, tmp_path / "pack", tmp_path / "cache", workers=1)
    assert (metadata["samples"], metadata["unreadable"]) == (24, 0)
    pack = open_pack(tmp_path / "pack")
    assert [pack.rows(i, i + 1)[0]["image"] for i in range(24)] == [jpeg(i) for i in range(24)]


def test_a_training_pack_that_is_cut_off_or_does_not_fit_its_index_is_refused(tmp_path):
    write_rec(tmp_path, [0, 1, 2])
    rec, idx = tmp_path / "train.rec", tmp_path / "train.idx"
    whole, lines = rec.read_bytes(), idx.read_text()
    spoilt = [whole[: len(whole) // 2], whole[:200], whole[:60], bytes(len(whole))]
    for content, index in [
        *((content, lines) for content in spoilt),
        (whole, lines.replace("1\t", "1\t4", 1)),
    ]:
        rec.write_bytes(content)
        idx.write_text(index)
        with pytest.raises(SourceError, match=r"cut off at byte|no whole record at byte"):
            list(read_rec(rec, idx))
    idx.write_text("3\t0\n")
    with pytest.raises(SourceError, match="the header, is missing"):
        list(read_rec(rec, idx))


@given(st.binary(max_size=200), st.integers(0, 2000), st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_spoilt_bytes_end_in_a_source_error_and_nothing_else(tmp_path, noise, at, keep):
    write_bin(tmp_path / "lfw.bin", [True])
    data = (tmp_path / "lfw.bin").read_bytes()
    (tmp_path / "lfw.bin").write_bytes(data[:at] + noise + data[at + len(noise) :] if keep else noise)
    with suppress(SourceError):
        pictures, mated = read_bin(tmp_path / "lfw.bin")
        assert len(pictures) == 2 * len(mated)
        assert all(type(item) is bytes for item in pictures)
