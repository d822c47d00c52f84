"""The CI recipes are YAML, and every command of ours in them exists with the options that they give."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from facegate.cli import app
from tests.registry.conftest import ROOT

RECIPES = sorted((ROOT / "examples").glob("*/release.yml"))


def scripts(recipe: Path) -> list[str]:
    """All shell lines of a recipe."""
    values: Any = YAML(typ="safe").load(recipe.read_text())
    if recipe.parent.name == "github":
        steps = values["jobs"]["staging"]["steps"]
        return [line for step in steps if "run" in step for line in step["run"].splitlines()]
    found: list[str] = []
    for job in ("reproduce", "promote-to-staging"):
        for entry in values[job]["script"] + values[job].get("after_script", []):
            found += entry if isinstance(entry, list) else [entry]
    return found


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.parent.name)
def test_the_recipe_reproduces_gates_and_promotes(recipe: Path) -> None:
    lines = scripts(recipe)
    order = [
        next(i for i, line in enumerate(lines) if word in line)
        for word in ("dvc repro", "promote --to staging")
    ]
    assert order == sorted(order)
    ours = [shlex.split(line)[1:] for line in lines if line.strip().startswith("facegate ")]
    assert len(ours) == 2
    for words in ours:
        command: Any = typer.main.get_command(app)
        while words and not words[0].startswith("-"):
            command = command.commands[words.pop(0)]
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_both_recipes_let_one_promotion_run_at_a_time() -> None:
    assert len(RECIPES) == 2
    texts = [path.read_text() for path in RECIPES]
    assert all(re.search(r"group: promotion", text) for text in texts)
    assert all("secrets.FACEGATE_SIGNING_KEY" in text or "FACEGATE_*" in text for text in texts)
