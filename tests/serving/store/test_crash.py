import json
import subprocess
import sys

import pytest

from facegate.serving.store import Database, Vault, new_key_line
from facegate.serving.store.schema import templates
from tests.conftest import ROOT
from tests.serving.store import crash


def test_what_was_acknowledged_survives_a_kill_and_nothing_is_half_written(url):
    """Four kills here; ``python -m tests.serving.store.crash --kills 100`` for more."""
    command = [sys.executable, "-m", "tests.serving.store.crash", "--kills", "4", "--url", url]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)["given"]
    assert result["problems"] == []
    assert result["acknowledged"]["enrolled"] >= 4


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_check_itself_finds_what_is_lost_and_what_is_half(url, draw):
    keys = new_key_line("k")
    from facegate.serving.store import Gallery

    database = Database.open(url)
    gallery = Gallery(database, Vault.from_text(keys), crash.MODEL)
    person = gallery.enrol(name="A", templates=draw(crash.PICTURES, crash.MODEL.size))
    with database.write() as connection:
        connection.execute(templates.delete().where(templates.c.id == 1))
    said = {
        ("enrolled", "lost"),
        ("marked", "7"),
        ("logged", "0"),
        ("corrected", "7"),
        ("deleted", person.id),
    }
    found = "\n".join(crash.problems(url, keys, said | {("enrolled", person.id)}))
    for word in ("person lost is lost", "2 templates", "0 crops", "mark 7 is lost", "entry 0", "is back"):
        assert word in found
