"""The command line's part on training beside the graph: sweeps, folds, protocols, one's own site and people."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facegate.errors import FacegateError

if TYPE_CHECKING:
    from facegate.contracts import Task


def task_named(name: str) -> "Task":
    """The task of a name that a person gave.

    Raises:
        FacegateError: there is none of that name.
    """
    from facegate.contracts import Task

    if name not in list(Task):
        raise FacegateError(f"no task `{name}`", f"choose one of {', '.join(Task)}")
    return Task(name)


def tune(
    task: Annotated[str, typer.Argument(help="recognition, spoof, liveness or eyes")],
    workers: Annotated[int, typer.Option(help="processes at the sweep", min=1)] = 2,
) -> None:
    """Run the trials that `tune.TASK` of params.yaml asks for by several processes; `dvc repro` takes them in.

    With FACEGATE_SWEEPS set to a SQL URL, every machine that reaches the database may join.
    """
    from facegate.params import load_params
    from facegate.training.space import SWEEPS, sweeps_url, wanted_sweep

    chosen, params = task_named(task), load_params()
    wanted_sweep(chosen, params)
    from facegate.registry.initial import initial_folder  # takes seconds to import
    from facegate.training.workers import work_together

    crops, pool = Path("data/crops") / task, Path("data/pool") / task
    initial = initial_folder(chosen, params)
    done = work_together(chosen, params, crops, SWEEPS, workers, pool, initial, sweeps_url())
    print(f"{done} trials are finished; `dvc repro` takes the best of them")


def folds(
    protocol: Annotated[str, typer.Argument(help="data set and protocol, for instance siw/3 or oulu_npu/4")],
) -> None:
    """Train and evaluate a spoof protocol once per fold; mean ± standard deviation in reports/folds."""
    import json
    import subprocess

    from facegate.evaluation.folds import run_folds
    from facegate.profiles import edit_params
    from facegate.sources.catalogue import folds_of

    name, _, family = protocol.partition("/")
    params, before = Path("params.yaml"), Path("params.yaml").read_text()

    def reproduce() -> None:
        if subprocess.run([sys.executable, "-m", "dvc", "repro", "evaluate@spoof"], check=False).returncode:
            raise FacegateError(f"{protocol}: `dvc repro evaluate@spoof` failed", "mend what it says above")

    try:
        found = run_folds(
            folds_of(name, family),
            lambda fold: edit_params({"data": {"source": name, "field": {"protocol": fold}}}),
            reproduce,
            Path("reports/spoof/fp32/evaluation.json"),
            Path("reports/folds") / f"{name}-{family}",
        )
    finally:
        params.write_text(before)
    print(json.dumps(found["mean"], indent=2))


def protocols(
    protocol: Annotated[
        list[str] | None, typer.Option(help="content, simulation or species; all by default")
    ] = None,
    steps: Annotated[int, typer.Option(help="optimiser steps of every training", min=3)] = 450,
    out: Annotated[Path, typer.Option(help="folder of score tables and page")] = Path("reports/protocols"),
) -> None:
    """Train the spoof network without a species, without faces, without a part of the simulation; test on that."""
    from facegate.evaluation.protocol_stage import run_protocols
    from facegate.params import load_params

    crops, pool = Path("data/crops/spoof"), Path("data/pool/spoof")
    print(run_protocols(protocol or [], crops, pool, out, load_params(), steps))


def adapt(
    images: Annotated[
        Path, typer.Option(help="folder of pictures of the site; nobody in them need be known")
    ],
    model: Annotated[
        str, typer.Option(help="fp32 version: recognition@imported-sface, recognition/3")
    ] = "recognition@candidate",
) -> None:
    """Move a recogniser to a site by its unlabelled faces, and register the result as a new version."""
    from facegate.params import load_params
    from facegate.registry.adapt import adapt as carry_out

    done = carry_out(model, images, load_params())
    print(f"{done.faces} faces; {done.skipped} pictures without one")
    for kind, value in done.separations.items():
        print(f"  {'→' if kind == done.chosen else ' '} {kind:<14} separation {value:.3f}")
    for version in done.versions:
        print(f"registered {version.name}/{version.version} ({version.target}; {', '.join(version.aliases)})")
    if not done.versions:
        print("no shift separates these faces better than none: nothing was registered")


def finetune(
    people: Annotated[Path, typer.Option(help="folder of one folder of pictures per person")],
    model: Annotated[
        str,
        typer.Option(
            "--from", help="fp32 version that was trained here: recognition@candidate, recognition/3"
        ),
    ] = "recognition@candidate",
    strangers: Annotated[
        Path | None, typer.Option(help="crop pack of other people instead of the graph's own")
    ] = None,
) -> None:
    """Train a recogniser on with pictures of your own people, and register the result if it gained."""
    from facegate.evaluation.finetuned import lines
    from facegate.params import load_params
    from facegate.registry.finetune import finetune as carry_out

    done = carry_out(model, people, load_params(), strangers=strangers)
    print(
        f"{done.report['parent']} on {done.report['persons']} people: {done.report['learned']} pictures learned,"
    )
    print(f"{done.report['held_out_pictures']} held out, {done.report['skipped']} without a usable face")
    print("\n".join(lines(done.report)))
    for version in done.versions:
        print(f"registered {version.name}/{version.version} ({version.target}; {', '.join(version.aliases)})")
    if not done.versions:
        why = "strangers lost" if done.lost else "nothing was gained in held-out pictures"
        print(f"{why}: nothing was registered; `finetune` in params.yaml is the recipe")


def add_commands(app: typer.Typer) -> None:
    """Put the trainings beside the graph on the top level: tune, folds, protocols, adapt, finetune."""
    for command in (tune, folds, protocols, adapt, finetune):
        app.command()(command)
