from typing import get_args

import pytest

from facegate.datasets.pack import open_pack
from facegate.errors import SourceError
from facegate.params import DataParams, FieldParams, FieldSet, ForeignTest, SyntheticParams
from facegate.sources import write_samples
from facegate.sources.catalogue import CATALOGUE, check_sets, folds_of, select
from facegate.sources.ledger import LEDGER
from tests.sources.miniature import write_image, write_text, write_video

SYNTHETIC = SyntheticParams(
    recognition_people=1,
    stills_per_person=2,
    spoof_people=1,
    bona_fide_per_person=1,
    attacks_per_species=1,
    clip_people=1,
)


def data(source, root, protocol="", **more):
    field = FieldParams(root=str(root), protocol=protocol, frames_per_second=3)
    return DataParams.model_validate({"source": source, "synthetic": SYNTHETIC, "field": field, **more})


@pytest.fixture
def casia(tmp_path):
    for part, people, seed in (("train", 3, 0), ("test", 2, 99)):
        for person in range(1, people + 1):
            for number, stem in enumerate(("1", "3", "7")):
                write_video(
                    tmp_path / f"casia/{part}_release/{person}/{stem}.avi", 6, seed=seed + person * 9 + number
                )
    return tmp_path / "casia"


@pytest.fixture
def kaggle(tmp_path):
    for person in range(6):
        for number in range(2):
            write_image(tmp_path / f"kaggle/Face Dataset/{person}/{number}.jpg", person * 2 + number)
    return tmp_path / "kaggle"


@pytest.fixture
def lfw(tmp_path):
    for name in ("Ann", "Bo"):
        for number in (1, 2):
            write_image(tmp_path / f"lfw/lfw/{name}/{name}_{number:04d}.jpg", number)
    write_text(tmp_path / "lfw/pairs.txt", "1\t1\nAnn\t1\t2\nAnn\t1\tBo\t2\n")
    return tmp_path / "lfw"


def test_every_set_of_the_parameters_is_in_the_catalogue_and_in_the_ledger():
    assert set(get_args(FieldSet)) == set(CATALOGUE) <= set(LEDGER)
    assert all(
        dataset.pack in ("stills", "attacks") and list(dataset.protocols) for dataset in CATALOGUE.values()
    )


def test_a_video_set_becomes_a_pack_and_missing_videos_are_listed(casia, tmp_path):
    counts = write_samples(data("casia_fasd", casia), tmp_path, tmp_path / "out", tmp_path / "cache")
    pack = open_pack(tmp_path / "out" / "attacks")
    # Fifteen videos of a second each, three frames from each; nine files per person are not there.
    assert counts == {"stills": 0, "attacks": 45, "clips": 0}
    assert pack.metadata["unreadable"] == 45
    assert pack.metadata["source"] == "casia_fasd"
    assert {row["clip_id"] for row in pack.rows()} == {
        f"{p:02d}/{s}" for p in (1, 2, 3, 21, 22) for s in "137"
    }


def test_test_pictures_may_come_from_another_set_with_its_pairs(kaggle, lfw, tmp_path):
    test = ForeignTest(source="lfw", root=str(lfw))
    params = data("kaggle_oneshot", kaggle, test=test, allow_leakage=True)
    write_samples(params, tmp_path, tmp_path / "out", tmp_path / "cache")
    pack = open_pack(tmp_path / "out" / "stills")
    tested = {row["sample_id"] for row in pack.rows() if row["split"] == "test"}
    assert tested == {"lfw:Ann_0001", "lfw:Ann_0002", "lfw:Bo_0002"}
    assert {row["source"] for row in pack.rows() if row["split"] != "test"} == {"kaggle_oneshot"}
    assert pack.metadata["pairs"] == [
        [1, "lfw:Ann_0001", "lfw:Ann_0002", True], [1, "lfw:Ann_0001", "lfw:Bo_0002", False],
    ]  # fmt: skip


def test_a_protocol_may_carry_the_name_of_its_set_and_has_folds(casia):
    assert len(select(data("casia_fasd", casia, "casia_fasd/cut"))[1]) == 5 * 6
    assert folds_of("siw", "2") == ["2_1", "2_2", "2_3", "2_4"]
    assert len(folds_of("oulu_npu", "4")) == 6
    assert folds_of("oulu_npu", "1") == ["1"]
    with pytest.raises(SourceError, match=r"no protocol `9`\n.*3_1"):
        folds_of("siw", "9")
    with pytest.raises(SourceError, match="`siwi` is no data set of the field"):
        folds_of("siwi", "2")


def test_the_bin_files_that_show_people_of_lfw_are_leakage_too(kaggle, lfw):
    for protocol in ("lfw", "calfw", "cplfw"):
        test = ForeignTest(source="insightface", protocol=protocol, root=str(lfw))
        with pytest.raises(SourceError, match="show the same people"):
            select(data("kaggle_oneshot", kaggle, test=test))


def test_leakage_other_tasks_and_terms_are_refused(kaggle, lfw, casia):
    test = ForeignTest(source="lfw", root=str(lfw))
    with pytest.raises(SourceError, match="show the same people"):
        select(data("kaggle_oneshot", kaggle, test=test))
    with pytest.raises(SourceError, match="serves another task"):
        select(data("casia_fasd", casia, test=test))
    with pytest.raises(SourceError, match="a commercial model may not be trained on casia_fasd"):
        check_sets(data("casia_fasd", casia, commercial=True))


def test_a_missing_folder_and_an_unknown_protocol_are_told(casia, tmp_path):
    with pytest.raises(SourceError, match=r"gone: no such folder\n.*docs/datasets/casia_fasd\.md"):
        check_sets(data("casia_fasd", tmp_path / "gone"))
    with pytest.raises(SourceError, match=r"no protocol `2_9`\n.*overall, warped"):
        select(data("casia_fasd", casia, "2_9"))
