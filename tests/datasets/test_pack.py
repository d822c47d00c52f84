import errno
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facegate.contracts import SAMPLE_COLUMNS, Column, nullable
from facegate.datasets.pack import MANIFEST, ROWS_PER_BATCH, PackWriter, encode_png, open_pack
from facegate.errors import PackError

COLUMNS = (
    Column("sample_id", "string", ""),
    Column("image", "binary", ""),
    nullable("age", "float32", ""),
    nullable("frame", "int32", ""),
    nullable("glasses", "bool", ""),
    nullable("landmarks", "list<float32>", ""),
)
floats = st.floats(-1e6, 1e6, width=32)
rows = st.lists(
    st.fixed_dictionaries(
        {"sample_id": st.text(max_size=5), "image": st.binary(max_size=40)},
        optional={
            "age": st.none() | floats,
            "frame": st.none() | st.integers(-(2**31), 2**31 - 1),
            "glasses": st.none() | st.booleans(),
            "landmarks": st.none() | st.lists(floats, max_size=10),
        },
    ),
    min_size=1,
    max_size=20,
)
slow = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(path, content, columns=COLUMNS, **options):
    with PackWriter(path, columns, **options) as writer:
        writer.write_all(content)
    return path


@given(rows, st.integers(1, 7))
@slow
def test_whatever_fits_the_columns_comes_back(tmp_path, content, rows_per_part):
    path = write(tmp_path / "pack", content, rows_per_part=rows_per_part, metadata={"seed": 1})
    pack = open_pack(path, COLUMNS, verify=True)
    empty = dict.fromkeys(column.name for column in COLUMNS)
    assert pack.rows() == [{**empty, **row} for row in content]
    assert pack.rows(1, 3) == pack.rows()[1:3]
    assert pack.metadata == {"seed": 1}
    assert pack.row(0) == {k: v for k, v in pack.rows()[0].items() if k != "image"}


@given(st.data())
@slow
def test_a_flipped_byte_or_a_cut_is_never_taken_for_the_pack(tmp_path, data):
    path = write(tmp_path / "pack", [{"sample_id": "a", "image": bytes(500)}])
    part = path / "part-00000.arrow"
    whole = bytearray(part.read_bytes())
    if data.draw(st.booleans(), "cut"):
        part.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    else:
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        part.write_bytes(whole)
    with pytest.raises(PackError, match="corrupt or truncated"):
        open_pack(path, verify=True)


@pytest.mark.parametrize("kept", [0, 100, 700])
def test_a_truncated_part_is_refused_without_verifying(tmp_path, kept):
    path = write(tmp_path / "pack", [{"sample_id": "a", "image": bytes(500)}])
    part = path / "part-00000.arrow"
    part.write_bytes(part.read_bytes()[:kept])
    with pytest.raises(PackError, match=r"part-00000.arrow: corrupt.*\n.*dvc repro"):
        open_pack(path)


def test_equal_packs_have_equal_digests_and_bytes(tmp_path):
    content = [{"sample_id": str(i), "image": b"x" * i} for i in range(9)]
    one, two = (write(tmp_path / name, content, rows_per_part=4) for name in ("one", "two"))
    assert open_pack(one).digest == open_pack(two).digest
    assert [f.name for f in sorted(one.iterdir())] == [MANIFEST, *(f"part-0000{i}.arrow" for i in range(3))]
    assert all((one / f.name).read_bytes() == f.read_bytes() for f in two.iterdir())


def test_pictures_come_back_as_they_were(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
    pack = open_pack(write(tmp_path / "pack", [{"sample_id": "a", "image": encode_png(picture)}] * 2))
    np.testing.assert_array_equal(pack.image(1), picture)
    assert pack.images().shape == (2, 7, 5, 3)


def test_bytes_that_are_no_picture_are_named(tmp_path):
    pack = open_pack(write(tmp_path / "pack", [{"sample_id": "a", "image": b"not a picture"}]))
    with pytest.raises(PackError, match="row 0: the image bytes cannot be decoded"):
        pack.image(0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"sample_id": "a", "image": b"", "agee": 3.0}, r"unknown columns \['agee'\]"),
        ({"sample_id": "a", "image": b"", "age": "old"}, "does not fit its schema"),
        ({"sample_id": "a"}, r"lack a value in \['image'\]"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_and_leaves_nothing(tmp_path, row, message):
    with pytest.raises(PackError, match=message):
        write(tmp_path / "pack", [row])
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_writer_keeps_the_old_pack(tmp_path):
    path = write(tmp_path / "pack", [{"sample_id": "old", "image": b""}])
    with pytest.raises(KeyboardInterrupt), PackWriter(path, COLUMNS, rows_per_part=1) as writer:
        writer.write({"sample_id": "new", "image": b""})
        raise KeyboardInterrupt
    assert open_pack(path, verify=True).row(0)["sample_id"] == "old"
    assert [f.name for f in tmp_path.iterdir()] == ["pack"]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*args, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pa, "OSFile", full)
    with pytest.raises(PackError, match=r"pack: the disk is full\n.*free some space"):
        write(tmp_path / "pack", [{"sample_id": "a", "image": b""}])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_disk_that_fills_up_while_writing_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(PackWriter, "_part_file", Path("/dev/full"))
    with pytest.raises(PackError, match="the disk is full"):
        write(tmp_path / "pack", [{"sample_id": "a", "image": bytes(100_000)}] * 300)
    assert list(tmp_path.iterdir()) == []


def test_a_writer_holds_few_rows_in_memory(tmp_path):
    with PackWriter(tmp_path / "pack", COLUMNS, rows_per_part=700) as writer:
        for i in range(1500):
            writer.write({"sample_id": str(i), "image": b""})
            assert len(writer._pending) < ROWS_PER_BATCH
    pack = open_pack(tmp_path / "pack", verify=True)
    assert list(pack.column("sample_id")) == [str(i) for i in range(1500)]
    manifest = json.loads((tmp_path / "pack" / MANIFEST).read_text())
    assert [part["rows"] for part in manifest["parts"]] == [700, 700, 100]


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(PackError, match=r"no pack here \(pack.json is missing\)"):
        open_pack(tmp_path)
    path = write(tmp_path / "pack", [{"sample_id": "a", "image": b""}])
    with pytest.raises(PackError, match=r"columns \['subject_id'.*are missing"):
        open_pack(path, SAMPLE_COLUMNS)
    (path / "part-00000.arrow").unlink()
    with pytest.raises(PackError, match=r"part-00000\.arrow: corrupt or truncated"):
        open_pack(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"parts": []', "\xff"])
def test_a_spoilt_manifest_is_refused(tmp_path, text):
    path = write(tmp_path / "pack", [{"sample_id": "a", "image": b""}])
    (path / MANIFEST).write_text(text, encoding="latin1")
    with pytest.raises(PackError, match=r"pack\.json: corrupt"):
        open_pack(path)


def test_a_manifest_with_another_count_is_refused(tmp_path):
    path = write(tmp_path / "pack", [{"sample_id": "a", "image": b""}])
    manifest = json.loads((path / MANIFEST).read_text())
    manifest["parts"][0]["rows"] = 2
    (path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(PackError, match="holds 1 rows and the manifest says 2"):
        open_pack(path)


def test_a_pack_without_rows_is_refused(tmp_path):
    with pytest.raises(PackError, match="the pack has no rows"):
        open_pack(write(tmp_path / "pack", []))


def test_rows_are_found_by_the_ids_of_their_samples(tmp_path):
    content = [{"sample_id": name, "image": b""} for name in ("a", "b", "c")]
    pack = open_pack(write(tmp_path / "pack", content, rows_per_part=2))
    assert pack.rows_named(["c", "a", "c"]).tolist() == [2, 0, 2]
    assert pack.rows_named([]).shape == (0,)
    with pytest.raises(KeyError, match="nobody"):
        pack.rows_named(["nobody"])
