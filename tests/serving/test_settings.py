"""Settings come from the environment, and go to worker processes by it."""

from pathlib import Path

import pytest

from facegate.errors import ParamsError
from facegate.serving.settings import Settings, read_settings, to_environment


def test_what_is_written_is_read_again():
    settings = Settings(
        source="folder", folder=Path("a b"), origins=("https://a", "https://b"), port=81, rate=2.5
    )
    assert read_settings(to_environment(settings)) == settings
    assert to_environment(Settings()) == {}


def test_changes_win_over_the_environment():
    assert read_settings({"FACEGATE_SERVE_PORT": "81", "OTHER": "x"}, port=82, host=None).port == 82


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"FACEGATE_SERVE_PROT": "81"}, "did you mean FACEGATE_SERVE_PORT"),
        ({"FACEGATE_SERVE_PORT": "many"}, "FACEGATE_SERVE_PORT"),
        ({"FACEGATE_SERVE_TIMEZONE": "Mars/Olympus"}, "no such time zone"),
        ({"FACEGATE_SERVE_SOURCE": "folder"}, "needs `folder`"),
        ({"FACEGATE_SERVE_ORIGINS": "*"}, "one by one"),
    ],
)
def test_mistakes_are_named(environment, words):
    with pytest.raises(ParamsError, match=words):
        read_settings(environment)


def test_the_database_lies_in_the_data_folder_unless_named():
    assert Settings(data=Path("/x")).database_url == "sqlite:////x/facegate.db"
    assert Settings(database="postgresql://db/facegate").database_url == "postgresql://db/facegate"
