"""Every stage names the code that makes its figures: who changes a line gets new figures by `dvc repro`."""

from pathlib import Path

import grimp
import pytest
import yaml

ROOT = Path(__file__).parents[2]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]

BENEATH = (
    "facegate.contracts", "facegate.errors", "facegate.whole", "facegate.chain", "facegate.params", "facegate.profiles",
    "facegate.registry", "facegate.datasets.pack", "facegate.datasets.shards", "facegate.runtime.processor",
    "facegate.reporting.canvas", "facegate.sources.catalogue", "pipelines.stage",
)  # fmt: skip
"""What stages stand on and no figure comes from: schemas, files, parameters, the tracking store, how plots look; and the
list of sources, each of which only `samples` reads."""

CLIPS = ("facegate.datasets.clip_batches", "facegate.training.clips", "facegate.models.liveness")
EYES = ("facegate.datasets.eye_batches", "facegate.training.eyes", "facegate.models.eyes")
PICTURES = ("facegate.datasets.modules", "facegate.datasets.augment")
CROPPING = ("facegate.datasets.prepare", "facegate.datasets.fingerprints", "facegate.datasets.traps")
ELSEWHERE = {
    "lessons": ("facegate.training.content",),
    "content": ("facegate.training.pool", "facegate.sources"),
    "tune": (*CLIPS, *EYES),
    "train": (*CLIPS, *EYES),
    "tune_clips": (*EYES, *PICTURES),
    "train_clips": (*EYES, *PICTURES),
    "tune_eyes": (*CLIPS, *PICTURES, *CROPPING),
    "train_eyes": (*CLIPS, *PICTURES, *CROPPING),
}
"""What a stage imports and only another task's run of the same script uses."""


def upstream(script: str, leave: tuple[str, ...]) -> set[str]:
    """Modules that a script imports, directly or by way of others, but for those left out and what only they import."""
    graph = grimp.build_graph("facegate", "pipelines")
    for name in list(graph.modules):
        if name in leave or name.startswith(tuple(f"{room}." for room in leave)):
            graph.remove_module(name)
    return graph.find_upstream_modules(script)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_names_the_code_that_it_runs(name: str) -> None:
    stage = STAGES[name].get("do", STAGES[name])
    script = stage["cmd"].split()[2]
    named = [ROOT / dep for dep in stage["deps"] if dep.startswith(("src/", "pipelines/"))]
    missing = []
    for module in upstream(script, (*BENEATH, *ELSEWHERE.get(name, ()))):
        base = ROOT / ("src" if module.startswith("facegate") else "") / Path(*module.split("."))
        if base.is_dir():
            continue
        file = base.with_suffix(".py")
        if not any(file.is_relative_to(place) for place in named):
            missing.append(file.relative_to(ROOT).as_posix())
    assert sorted(missing) == []
