"""What is done before the first worker, and what uvicorn is told."""

import json
import logging
import os
import stat
import sys

import pytest

from facegate.errors import FacegateError
from facegate.serving.launch import FIRST_KEY, make_first_key, prepare, server_settings
from facegate.serving.logs import JsonLines
from facegate.serving.metrics import MULTIPROCESS
from facegate.serving.service import open_service
from facegate.serving.settings import Settings
from facegate.serving.store.database import Database
from facegate.serving.store.keys import Keys, Role


def settings_of(tmp_path, release, **changes):
    return Settings.model_validate(
        {"source": "folder", "folder": release, "data": tmp_path / "var", **changes}
    )


def test_the_first_key_lies_in_a_file_of_its_owner_and_nowhere_else(tmp_path, live_release, caplog):
    settings = settings_of(tmp_path, live_release)
    with caplog.at_level("INFO"):
        prepare(settings)
    for name in (FIRST_KEY, "vault.key"):
        assert stat.S_IMODE((settings.data / name).stat().st_mode) == 0o600
    secret = (settings.data / FIRST_KEY).read_text().strip()
    keys = Keys(Database.open(settings.database_url))
    found = keys.authenticate(secret)
    assert found is not None and found.role is Role.ADMIN and secret not in caplog.text
    assert make_first_key(keys, settings.data) is None, "only where there is no key"


def test_several_workers_share_an_empty_folder_for_metrics(tmp_path, live_release, monkeypatch):
    monkeypatch.setenv(MULTIPROCESS, "unset afterwards")
    folder = tmp_path / "var" / "metrics"
    folder.mkdir(parents=True)
    (folder / "counter_1.db").write_bytes(b"old")
    prepare(settings_of(tmp_path, live_release, workers=2))
    assert os.environ[MULTIPROCESS] == str(folder) and list(folder.iterdir()) == []


def test_no_proxy_is_believed_unless_named(tmp_path, live_release):
    alone = server_settings(settings_of(tmp_path, live_release))
    assert (
        alone["proxy_headers"] is False
        and alone["access_log"] is False
        and not alone["ws_per_message_deflate"]
    )
    behind = server_settings(settings_of(tmp_path, live_release, proxy="10.0.0.1"))
    assert (behind["proxy_headers"], behind["forwarded_allow_ips"]) == (True, "10.0.0.1")


def test_logs_are_one_object_a_line():
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("here", logging.ERROR, "f", 1, "it %s", ("failed",), sys.exc_info())
    record.fields = {"camera": "door"}
    text = JsonLines().format(record)
    line = json.loads(text)
    assert "\n" not in text and (line["event"], line["camera"], line["level"]) == (
        "it failed",
        "door",
        "error",
    )
    assert "two" in line["traceback"]


def test_a_vault_key_that_was_named_is_not_made(tmp_path, live_release):
    with pytest.raises(FacegateError, match="key file"):
        prepare(settings_of(tmp_path, live_release, vault_key=tmp_path / "lost.key"))


@pytest.mark.parametrize("place", ["taken", "taken/below", "/proc/facegate"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path, live_release, place):
    (tmp_path / "taken").write_text("a file")
    settings = settings_of(tmp_path, live_release, data=tmp_path / place)
    for start in (prepare, open_service):
        with pytest.raises(FacegateError, match=f"{place}: ") as caught:
            start(settings)
        assert "--data" in caught.value.remedy
