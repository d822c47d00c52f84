import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facegate.contracts import Split, Task
from facegate.errors import NotMeasurableError, PackError
from facegate.evaluation import scores, tables
from tests.evaluation.small_bundles import contract
from tests.evaluation.small_sets import Brightness, Faces


@pytest.fixture
def comparison_file(face_pack, tmp_path):
    path = tmp_path / "fp32.parquet"
    scores.write_scores(Faces(), contract(Task.RECOGNITION, "fp32"), face_pack.path, path, seed=1)
    return path


def test_comparisons_hold_every_pair_within_val_and_test(comparison_file, face_pack):
    table, about = tables.read_table(comparison_file)
    assert about["synthetic"] is True
    assert about["dataset"] == "synthetic"
    assert about["crops_digest"] == face_pack.digest
    assert len(table) == 2 * 60 * 59 // 2
    test = tables.comparisons(table, Split.TEST)
    assert (test.samples.size, test.people.size, test.mated.sum()) == (60, 10, 10 * 15)
    np.testing.assert_array_equal(test.probe_subjects == test.reference_subjects, test.mated)


def test_scores_are_cosines_of_the_right_samples(comparison_file, face_pack):
    test = tables.comparisons(tables.read_table(comparison_file)[0], Split.TEST)
    row_of = {name: row for row, name in enumerate(face_pack.column("sample_id"))}
    for k in (0, 700, 1500):
        pair = [face_pack.image(row_of[test.samples[index[k]]]) for index in (test.probe, test.reference)]
        a, b = Faces().run(np.stack(pair)).astype(float)
        assert test.scores[k] == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-6)


def test_writing_again_gives_the_same_bytes(comparison_file, face_pack, tmp_path):
    again = tmp_path / "again.parquet"
    scores.write_scores(Faces(), contract(Task.RECOGNITION, "fp32"), face_pack.path, again, seed=1)
    assert again.read_bytes() == comparison_file.read_bytes()


def test_presentations_score_the_bona_fide_class_by_name(attack_pack, tmp_path):
    class Swapped:
        def run(self, images):
            return Brightness().run(images)[:, ::-1]

    straight, swapped = tmp_path / "a.parquet", tmp_path / "b.parquet"
    usual = contract(Task.SPOOF, "fp32")
    scores.write_scores(Brightness(), usual, attack_pack.path, straight)
    turned = usual.model_copy(update={"classes": ("bona_fide", "attack")})
    scores.write_scores(Swapped(), turned, attack_pack.path, swapped)
    assert tables.read_table(straight)[0].equals(tables.read_table(swapped)[0])
    test = tables.presentations(tables.read_table(straight)[0], Split.TEST)
    assert (
        test.scores[test.species == "bona_fide"].mean()
        > 0.8
        > 0.4
        > test.scores[test.species == "print"].mean()
    )


def test_a_model_that_answers_nan_is_named_with_its_sample(face_pack, tmp_path):
    class Broken:
        def run(self, images):
            return np.full((len(images), 4), np.nan, np.float32)

    path = tmp_path / "x.parquet"
    with pytest.raises(NotMeasurableError, match="p01-0"):
        scores.write_scores(Broken(), contract(Task.RECOGNITION, "fp32"), face_pack.path, path)
    assert not path.exists()


def test_a_table_that_is_missing_or_no_table_is_said(tmp_path):
    with pytest.raises(PackError, match="no such score table"):
        tables.read_table(tmp_path / "none.parquet")
    (tmp_path / "junk.parquet").write_bytes(b"junk")
    with pytest.raises(PackError, match="no score table"):
        tables.read_table(tmp_path / "junk.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(PackError, match=r"other\.parquet: no score table: it does not say which model"):
        tables.read_table(tmp_path / "other.parquet")


def test_columns_that_do_not_fit_leave_nothing_behind(tmp_path):
    with pytest.raises(PackError):
        tables.write_table(tmp_path / "x.parquet", {"score": [0.1]}, Task.SPOOF, {})
    assert list(tmp_path.iterdir()) == []


def test_a_split_without_rows_is_not_measurable(comparison_file):
    table, _ = tables.read_table(comparison_file)
    with pytest.raises(NotMeasurableError, match="train split"):
        tables.comparisons(table, Split.TRAIN)
