import numpy as np
import pytest
from sqlalchemy import select

from facegate.serving.store import Gallery, Vault, VaultError, key_counts, new_key_line, rotate, rotation
from facegate.serving.store.schema import crops, templates
from tests.serving.store.conftest import MODEL


@pytest.fixture
def lines() -> list[str]:
    return [new_key_line("old"), new_key_line("new")]


@pytest.fixture
def filled(database, lines, draw):
    gallery = Gallery(database, Vault.from_text(lines[0]), MODEL)
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    for i in range(5):
        gallery.enrol(name=f"P{i}", templates=draw(2), crops=[picture, picture])
    return gallery


def test_everything_is_sealed_anew_and_the_old_key_can_go(filled, database, lines, draw, monkeypatch):
    monkeypatch.setattr(rotation, "_PIECE", 3)
    assert key_counts(database) == {"old": 20}
    with database.read() as connection:
        before = set(connection.execute(select(templates.c.sealed)).scalars())
    assert tuple(rotate(database, Vault.from_text("\n".join(lines)))) == (10, 10)
    assert key_counts(database) == {"new": 20}
    with database.read() as connection:
        assert not before & set(connection.execute(select(templates.c.sealed)).scalars())
        assert len(connection.execute(select(crops)).all()) == 10
    probe = draw(1)[0]
    fresh = Gallery(database, Vault.from_text(lines[1]), MODEL)
    assert fresh.candidates(probe) == filled.candidates(probe)
    assert rotate(database, Vault.from_text(lines[1])) == (0, 0)


def test_a_missing_old_key_stops_the_rotation_and_nothing_is_lost(filled, database, lines):
    with pytest.raises(VaultError, match="key `old`, which is not here"):
        rotate(database, Vault.from_text(lines[1]))
    assert key_counts(database) == {"old": 20}
