import numpy as np
import pyarrow as pa
import pytest

from facegate.contracts import COMPARISON_COLUMNS, PRESENTATION_COLUMNS, Task
from facegate.datasets.pack import arrow_schema
from facegate.evaluation import scores
from facegate.evaluation.groups import sample_groups
from facegate.params import EvaluateParams
from tests.evaluation.small_bundles import contract
from tests.evaluation.small_sets import Brightness, Faces, attack_rows, face_rows, written


@pytest.fixture(scope="session")
def face_pack(tmp_path_factory):
    return written(tmp_path_factory.mktemp("faces") / "crops", face_rows())


@pytest.fixture(scope="session")
def attack_pack(tmp_path_factory):
    return written(tmp_path_factory.mktemp("attacks") / "crops", attack_rows())


@pytest.fixture(scope="session")
def evaluate_params():
    return EvaluateParams(bootstrap=200, confidence=0.95, seed=5)


@pytest.fixture(scope="session")
def face_table(face_pack):
    rows = np.concatenate([scores.rows_of(face_pack, split) for split in scores.MEASURED])
    embeddings = Faces().run(face_pack.images(rows))
    columns = scores.score_comparisons(embeddings, face_pack, rows, 10**6, 0)
    return pa.table(columns, schema=arrow_schema(COMPARISON_COLUMNS))


@pytest.fixture(scope="session")
def attack_table(attack_pack):
    rows = np.concatenate([scores.rows_of(attack_pack, split) for split in scores.MEASURED])
    answers = Brightness().run(attack_pack.images(rows))
    columns = scores.score_presentations(answers, contract(Task.SPOOF, "fp32"), attack_pack, rows)
    return pa.table(columns, schema=arrow_schema(PRESENTATION_COLUMNS))


@pytest.fixture(scope="session")
def attack_groups(attack_pack):
    ids = attack_pack.column("sample_id")
    return {name: dict(zip(ids, labels, strict=True)) for name, labels in sample_groups(attack_pack).items()}
