"""The command line's part on the service."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from facegate.cli import app
from facegate.errors import ParamsError
from facegate.serving import launch as launching
from facegate.serving.store.vault import Vault


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, list(words), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output.strip()

    return run


def test_keys_are_made_listed_and_revoked(call) -> None:
    secret = call("keys", "create", "front door", "--role", "kiosk")
    assert re.fullmatch(r"fg_[0-9a-f]{16}_\S{43}", secret)
    id_ = secret.split("_")[1]
    line = call("keys", "list")
    assert id_ in line and "good" in line and "front door" in line and secret not in line
    call("keys", "revoke", id_)
    assert "revoked" in call("keys", "list")


def test_vault_keys_are_made_and_rotated(call, tmp_path: Path) -> None:
    line = call("vault", "new", "2030-01")
    assert Vault.from_text(line).key_id == "2030-01"
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "vault.key").write_text(line + "\n")
    assert call("vault", "rotate") == "0 templates and 0 crops were sealed anew, by 2030-01"


@pytest.mark.parametrize(
    ("words", "source"),
    [
        ((), "registry"),
        (("--candidates",), "candidates"),
        (("--release", "door"), "folder"),
        (("--bundles", "b"), "candidates"),
    ],
)
def test_serve_knows_its_sources(
    call, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], source: str
) -> None:
    seen = []
    monkeypatch.setattr(launching, "launch", seen.append)
    call("serve", *words, "--port", "8123")
    assert (seen[0].source, seen[0].port) == (source, 8123)
    assert seen[0].folder == (Path(words[1]) if len(words) > 1 else None)


def test_one_source_at_a_time(call) -> None:
    with pytest.raises(ParamsError, match="exclude each other"):
        call("serve", "--candidates", "--release", "door")
