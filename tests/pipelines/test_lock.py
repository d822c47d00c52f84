import shutil
from pathlib import Path

import pytest
from dvc.exceptions import DvcException
from dvc.repo import Repo

from pipelines.lock import STAGE, mend

LOCK = Path(__file__).parents[2] / "dvc.lock"


def stages(text):
    return sum(bool(STAGE.match(line)) for line in text.splitlines())


@pytest.fixture
def readable(tmp_path):
    """Says whether DVC can read a text as lock file of this graph."""
    Repo.init(str(tmp_path), no_scm=True)
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(LOCK.with_name(name), tmp_path / name)

    def check(text):
        (tmp_path / "dvc.lock").write_text(text)
        try:
            return bool(Repo(str(tmp_path)).index.stages)
        except DvcException:
            return False

    return check


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("end", ["- path:", "\n    - ", "\n    de"])
def test_a_lock_that_was_cut_off_can_be_read_again(readable, tmp_path, share, end):
    whole = LOCK.read_text()
    cut = whole.index(end, int(len(whole) * share)) + len(end)
    assert not readable(whole[:cut])
    assert mend(tmp_path / "dvc.lock")
    rest = (tmp_path / "dvc.lock").read_text()
    assert whole.startswith(rest)
    assert stages(rest) == stages(whole[:cut]) - 1
    assert readable(rest)


def test_a_lock_of_one_stage_is_begun_anew(tmp_path):
    lock = tmp_path / "dvc.lock"
    lock.write_text("schema: '2.0'\nstages:\n  fetch:\n    cmd: python\n    deps:\n    - path:")
    assert mend(lock)
    assert not lock.exists()


@pytest.mark.parametrize("text", [None, "", "schema: '2.0'\n"])
def test_where_no_stage_is_nothing_is_done(tmp_path, text):
    lock = tmp_path / "dvc.lock"
    if text is not None:
        lock.write_text(text)
    assert not mend(lock)
    assert lock.exists() == (text is not None)
