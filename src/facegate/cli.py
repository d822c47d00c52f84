"""The command line. Every command imports what it needs when it runs, so that `--help` is quick."""

import atexit
import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facegate import cli_release, cli_training
from facegate.cli_benchmark import benchmark_app
from facegate.cli_registry import registry_app
from facegate.cli_serving import keys_app, serve, vault_app
from facegate.errors import FacegateError, told_in_words

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
app.add_typer(cli_release.release_app, name="release")
cli_release.add_commands(app)
cli_training.add_commands(app)
app.add_typer(keys_app, name="keys")
app.add_typer(vault_app, name="vault")
app.command()(serve)


def main() -> None:
    """Entry point; an error that the user can mend is printed without a traceback and ends with code 1."""
    # otherwise the interpreter looks through all that was imported once more before it ends
    atexit.register(gc.freeze)
    with told_in_words():
        app()


@profile_app.command("list")
def profile_list() -> None:
    """Name the profiles of this project."""
    from facegate.profiles import list_profiles

    names = list_profiles(Path("profiles"))
    if not names:
        raise FacegateError("profiles: no profile is here", "run from the project's folder")
    for name in names:
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
    from facegate.reporting.results import read_measured, results_table, write_into

    table = results_table(*read_measured(Path()))
    print(table)
    if write is not None:
        write_into(write, table)


@app.command()
def kit(
    target: Annotated[str, typer.Option(help="processor family of the device: arm64, x86-vnni or x86-avx2")],
    out: Annotated[Path, typer.Option(help="folder of the kit")] = Path("kit"),
    task: Annotated[list[str] | None, typer.Option(help="recognition, spoof; both by default")] = None,
) -> None:
    """Write a folder that measures this project's models on a Raspberry Pi, a Jetson or any other device."""
    from facegate.benchmark.kit import check_target, write_kit
    from facegate.contracts import Task

    check_target(target)
    tasks = [cli_training.task_named(name) for name in task or (Task.RECOGNITION, Task.SPOOF)]
    bundles = {f"{name}-{kind}": _candidate(name, kind) for name in tasks for kind in ("fp32", target)}
    for file in write_kit(bundles, out, target):
        print(f"{out}/{file}")


@app.command()
def ncnn(
    bundle: Annotated[
        Path, typer.Argument(help="folder of an fp32 bundle, for instance of a pulled release")
    ],
) -> None:
    """Put a bundle's network into ncnn's form, and say how fast every runtime is with it here."""
    from facegate.exporting.ncnn_form import write_ncnn_form
    from facegate.runtime.bundle import load_bundle
    from facegate.runtime.session import AUTO, Session

    print(f"wrote {write_ncnn_form(bundle)}")
    choice = Session(load_bundle(bundle), runtime=AUTO).choice
    print(choice.reason if choice else "")


@app.command()
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="port on the loopback address")] = 5000,
) -> None:
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
