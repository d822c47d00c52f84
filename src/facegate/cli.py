"""The command line. Every command imports what it needs when it runs, so that `--help` is quick."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facegate.cli_benchmark import benchmark_app
from facegate.cli_registry import registry_app
from facegate.cli_release import add_commands, release_app
from facegate.cli_serving import keys_app, serve, vault_app
from facegate.errors import FacegateError

if TYPE_CHECKING:
    from facegate.contracts import Task
    from facegate.runtime.compare import Judgement, Verification

BundleOption = Annotated[Path | None, typer.Option(help="bundle folder instead of the newest candidate")]
PointOption = Annotated[str | None, typer.Option(help="operating point, for instance fmr_1e-3")]

app = typer.Typer(help="Face recognition with spoof detection.", no_args_is_help=True, add_completion=False)
profile_app = typer.Typer(help="Whole sets of parameters by name.", no_args_is_help=True)
app.add_typer(profile_app, name="profile")
app.add_typer(benchmark_app, name="benchmark")
app.add_typer(registry_app, name="registry")
app.add_typer(release_app, name="release")
add_commands(app)
app.add_typer(keys_app, name="keys")
app.add_typer(vault_app, name="vault")
app.command()(serve)


def main() -> None:
    """Entry point; an error that the user can mend is printed without a traceback and ends with code 1."""
    try:
        app()
    except FacegateError as error:
        print(f"facegate: {error}", file=sys.stderr)
        sys.exit(1)


@profile_app.command("list")
def profile_list() -> None:
    """Name the profiles of this project."""
    from facegate.profiles import list_profiles

    for name in list_profiles(Path("profiles")):
        print(name)


@profile_app.command("use")
def profile_use(name: Annotated[str, typer.Argument(help="for instance smoke or embedded")]) -> None:
    """Write params.yaml from a profile; `git diff params.yaml` then shows what differs from the default."""
    from facegate.profiles import use_profile

    use_profile(name)
    print(f"params.yaml now holds the profile {name}; `dvc repro` runs it")


@app.command()
def doctor() -> None:
    """Look at the installation and this project: what is there, what is missing, what to do."""
    from facegate.runtime.doctor import Status, checkup

    project = Path.cwd() if Path("dvc.yaml").is_file() else None
    checks = checkup(project)
    for check in checks:
        print(f"{check.status.value:>4}  {check.name}: {check.detail}")
        if check.remedy:
            print(f"      → {check.remedy}")
    raise typer.Exit(any(check.status is Status.FAIL for check in checks))


@app.command()
def fetch() -> None:
    """Bring or check what source and teacher need from outside; `dvc repro` then needs no network."""
    from facegate.params import load_params
    from facegate.sources.fetch import fetch_external

    params = load_params()
    lessons = params.recognition.lessons
    for file in fetch_external(params.data, teacher=lessons.teacher if lessons else None):
        print(f"{file}: there, and as published where a checksum is known")


@app.command()
def verify(
    first: Annotated[Path, typer.Argument(help="a picture with a face")],
    second: Annotated[Path, typer.Argument(help="another one")],
    bundle: BundleOption = None,
    point: PointOption = None,
) -> None:
    """Say whether two pictures show one person; uses the newest recognition candidate."""
    from facegate.contracts import Task
    from facegate.runtime.bundle import load_bundle
    from facegate.runtime.compare import verify_pictures

    answer = verify_pictures(load_bundle(bundle or _candidate(Task.RECOGNITION)), first, second, point)
    _print_decision({"accept": "same person", "reject": "different people"}, answer)


@app.command()
def spoof(
    picture: Annotated[Path, typer.Argument(help="a picture with a face")],
    bundle: BundleOption = None,
    point: PointOption = None,
) -> None:
    """Say whether a picture shows a live person; uses the newest spoof candidate."""
    from facegate.contracts import Task
    from facegate.runtime.bundle import load_bundle
    from facegate.runtime.compare import judge_picture

    answer = judge_picture(load_bundle(bundle or _candidate(Task.SPOOF)), picture, point)
    _print_decision({"accept": "bona fide", "reject": "attack"}, answer)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="a score table: scores/<task>/<target>.parquet")],
    second: Annotated[Path, typer.Argument(help="another one, of the same test set")],
) -> None:
    """Say whether the second model is better than the first, by a paired test over people."""
    import json

    from facegate.evaluation.compare_files import compare_files
    from facegate.params import load_params

    print(json.dumps(compare_files(first, second, load_params().evaluate), indent=2))


@app.command()
def results(
    write: Annotated[Path | None, typer.Option(help="page whose results table is replaced")] = None,
) -> None:
    """Show the results of the last run as a Markdown table, with counts and intervals."""
    import json

    from facegate.contracts import Task
    from facegate.reporting.results import replace_table, results_table

    metrics, benchmarks = {}, {}
    for task in Task:
        for place, found in (
            (Path(f"metrics/{task}.json"), metrics),
            (Path(f"reports/benchmark/{task}/benchmark.json"), benchmarks),
        ):
            if place.is_file():
                found[task] = json.loads(place.read_text())
    if not metrics:
        raise FacegateError("metrics/: nothing has been measured yet", "run `make repro`")
    table = results_table(metrics, benchmarks)
    print(table)
    if write is not None:
        write.write_text(replace_table(write.read_text(), table))


@app.command()
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


@app.command()
def tune(
    task: Annotated[str, typer.Argument(help="recognition, spoof, liveness or eyes")],
    workers: Annotated[int, typer.Option(help="processes at the sweep", min=1)] = 2,
) -> None:
    """Run the trials that `tune.TASK` of params.yaml asks for by several processes; `dvc repro` takes them in.

    With FACEGATE_SWEEPS set to a SQL URL, every machine that reaches the database may join.
    """
    from facegate.contracts import Task
    from facegate.params import load_params
    from facegate.registry.initial import initial_folder
    from facegate.training.study import STORAGE
    from facegate.training.workers import work_together

    if task not in list(Task):
        raise FacegateError(f"no task `{task}`", f"choose one of {', '.join(Task)}")
    chosen, params = Task(task), load_params()
    crops, pool = Path("data/crops") / task, Path("data/pool") / task
    initial, url = initial_folder(chosen, params), os.environ.get(STORAGE, "")
    done = work_together(chosen, params, crops, Path(".optuna"), workers, pool, initial, url)
    print(f"{done} trials are finished; `dvc repro` takes the best of them")


@app.command()
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


@app.command()
def kit(
    target: Annotated[str, typer.Option(help="processor family of the device: arm64, x86-vnni or x86-avx2")],
    out: Annotated[Path, typer.Option(help="folder of the kit")] = Path("kit"),
    task: Annotated[list[str] | None, typer.Option(help="recognition, spoof; both by default")] = None,
) -> None:
    """Write a folder that measures this project's models on a Raspberry Pi, a Jetson or any other device."""
    from facegate.benchmark.kit import write_kit
    from facegate.contracts import Task

    tasks = [Task(name) for name in task or (Task.RECOGNITION, Task.SPOOF)]
    bundles = {f"{name}-{kind}": _candidate(name, kind) for name in tasks for kind in ("fp32", target)}
    for file in write_kit(bundles, out, target):
        print(f"{out}/{file}")


@app.command()
def ui(port: Annotated[int, typer.Option(help="port on the loopback address")] = 5000) -> None:
    """Open the MLflow UI on this project's tracking store."""
    from facegate.registry.ui import ui_command, ui_environment, ui_page

    command = ui_command(port=port)
    print(f"MLflow UI: {ui_page(port)} (Ctrl-C ends it)", flush=True)
    os.execve(command[0], command, ui_environment())  # so that a signal to this process ends the server


def _candidate(task: "Task", target: str = "fp32") -> Path:
    from facegate.params import load_params
    from facegate.registry.listing import newest_candidate

    prefix = load_params().register_.prefix
    return newest_candidate(task, target, into=Path(".cache/bundles"), prefix=prefix)


def _print_decision(words: dict[str, str], answer: "Verification | Judgement") -> None:
    decision = answer.decision
    verdict = words.get(decision.verdict.value, decision.verdict.value)
    print(
        f"{verdict}: score {decision.score:.3f}, threshold {decision.threshold:.3f} ({decision.operating_point})"
    )
    print(f"model: {answer.model}")
    for warning in answer.warnings:
        print(f"note: {warning}")


if __name__ == "__main__":
    main()
