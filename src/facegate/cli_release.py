"""The command line's part on releases: put together, evaluate, gate, promote, roll back, pull, import."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from facegate.errors import RegistryError

if TYPE_CHECKING:
    from facegate.contracts import Task
    from facegate.params import Params

release_app = typer.Typer(help="Releases: the models that judge a frame together.", no_args_is_help=True)

PRESENTATIONS = Path("data/samples/attacks")
LEFT_OUT = "none"
"""In place of a version: the release goes without such a model."""

RecognitionOption = Annotated[str | None, typer.Option(help="version of the recogniser")]
SpoofOption = Annotated[str | None, typer.Option(help="version of the spoof model")]
LivenessOption = Annotated[str | None, typer.Option(help="version of the liveness model, or none")]
EyesOption = Annotated[str | None, typer.Option(help="version of the eye model, or none")]
PresentationsOption = Annotated[
    Path, typer.Option(help="pack of bona fide presentations and attacks of the test people")
]
ReleaseArgument = Annotated[str, typer.Argument(help="release@production, release/3")]
GateOption = Annotated[str | None, typer.Option(help="profile of the gate instead of gates.profile")]
ReasonOption = Annotated[str, typer.Option(help="why; kept in the promotion record")]
YesOption = Annotated[bool, typer.Option("--yes", help="do not ask")]


@release_app.command("create")
def release_create(
    recognition: RecognitionOption = None,
    spoof: SpoofOption = None,
    liveness: LivenessOption = None,
    eyes: EyesOption = None,
    point: Annotated[
        list[str] | None, typer.Option(help="operating point by role, for instance recognition=fmr_1e-3")
    ] = None,
    presentations: PresentationsOption = PRESENTATIONS,
) -> None:
    """Put registered models together, evaluate them as one system, and register the release as a candidate.

    Of a task that is not named the int8 candidate is taken, if there is one.
    """
    from facegate.contracts import Task
    from facegate.registry.releases import create_release, usual_parts

    given = {Task.RECOGNITION: recognition, Task.SPOOF: spoof, Task.LIVENESS: liveness, Task.EYES: eyes}
    parts = usual_parts(_params()) | {task: reference for task, reference in given.items() if reference}
    done = create_release(
        {task: reference for task, reference in parts.items() if reference != LEFT_OUT},
        _params(),
        points=_points(point or []),
        presentations=_existing(presentations),
    )
    word = "registered" if done.created else "already registered as"
    print(f"{word} {done.name}/{done.version}; `facegate promote` sends it through the gate")


@release_app.command("evaluate")
def release_evaluate(
    release: ReleaseArgument = "release@candidate", presentations: PresentationsOption = PRESENTATIONS
) -> None:
    """Run a release as one system over the test people of a pack, here; another version where anything differs."""
    from facegate.registry.facts import release_facts
    from facegate.registry.gate_report import facts_table
    from facegate.registry.releases import evaluate_release, open_copy

    if not presentations.is_dir():
        raise RegistryError(f"{presentations}: no such pack", "run `dvc repro samples`, or name another pack")
    done = evaluate_release(release, _params(), presentations)
    with open_copy(f"release/{done.version}", prefix=_params().register_.prefix) as (folder, manifest):
        print(facts_table(release_facts(folder, manifest)))
    print(f"{done.name}/{done.version}" + ("" if done.created else ", evaluated on these pictures before"))


@release_app.command("gate")
def release_gate(
    release: Annotated[str, typer.Option(help="alias or number of the release")] = "candidate",
    gate: GateOption = None,
) -> None:
    """Hold a release against a gate and promote nothing; ends with code 1 if it is refused."""
    from facegate.registry.gate_report import text_table
    from facegate.registry.promote import check

    report = check(_params(), "production", reference=release, profile=gate).report
    print(text_table(report))
    raise typer.Exit(not report.passed)


def promote(
    to: Annotated[Literal["staging", "production"], typer.Option(help="where to")] = "production",
    release: Annotated[
        str | None, typer.Option(help="alias or number; by default one made of the int8 candidates")
    ] = None,
    gate: GateOption = None,
    reason: ReasonOption = "",
    override: Annotated[str, typer.Option(help="promote although the gate failed, for this reason")] = "",
    yes: YesOption = False,
) -> None:
    """Send a release through the gate, show its table, and promote it."""
    from facegate.registry.gate_report import text_table
    from facegate.registry.promote import check
    from facegate.registry.promote import promote as carry_out

    if release is None:
        release_create(presentations=PRESENTATIONS)
    proposal = check(_params(), to, reference=release or "candidate", profile=gate)
    print(text_table(proposal.report))
    if not (proposal.report.passed or override):
        raise RegistryError(
            f"the gate `{proposal.report.profile}` refuses {proposal.model}/{proposal.version}",
            "mend what failed, or promote with --override REASON, which is recorded",
        )
    _ask(f"promote {proposal.model}/{proposal.version} to {to}?", yes)
    entry = carry_out(proposal, reason=reason, override=override)
    print(f"{entry.release} is {to} (record {entry.index}, {entry.hash[:12]})")


def rollback(reason: ReasonOption = "", yes: YesOption = False) -> None:
    """Put the release before the present one back into production."""
    from facegate.registry.promote import rollback as carry_out

    _ask("put the previous release back into production?", yes)
    entry = carry_out(_params(), reason=reason)
    print(f"{entry.release} is production again (record {entry.index}, {entry.hash[:12]})")


def shadow(
    release: Annotated[
        str | None, typer.Argument(help="alias or number of the release; none with --off")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="take the shadow away")] = False,
    reason: ReasonOption = "",
) -> None:
    """Let a release judge beside production, unheard: only where they disagree is counted."""
    from facegate.registry.promote import set_shadow

    if off == (release is not None):
        raise RegistryError(
            "shadow needs a release or --off", "write `facegate shadow 3` or `facegate shadow --off`"
        )
    entry = set_shadow(_params(), release, reason=reason)
    print(f"{entry.release or 'nothing'} is the shadow (record {entry.index}, {entry.hash[:12]})")


def pull(
    out: Annotated[Path, typer.Option(help="folder that must not exist yet")],
    release: ReleaseArgument = "release@production",
) -> None:
    """Copy a release into a folder that runs without MLflow."""
    from facegate.registry.releases import pull as copy

    manifest = copy(release, out, prefix=_params().register_.prefix)
    for component in manifest.components.values():
        print(f"{component.model}/{component.version} ({component.target}), {component.operating_point}")
    print(f"in {out}")


def import_(
    model: Annotated[
        str, typer.Argument(help="a .onnx file, or a recipe: sface, minifasnet-v2, insightface")
    ],
    contract: Annotated[Path | None, typer.Option(help="JSON: what the model expects and answers")] = None,
    file: Annotated[
        Path | None, typer.Option(help="the recipe's .onnx file, where it is not installed")
    ] = None,
    quantise: Annotated[bool, typer.Option(help="also make the int8 targets")] = True,
) -> None:
    """Bring a model from elsewhere into the registry: parity, evaluation, int8, benchmark, as for our own."""
    from facegate.registry.imports import import_candidate
    from facegate.registry.recipes import find_model

    path, spec = find_model(model, contract, file)
    for done in import_candidate(path, spec, _params(), quantise=quantise):
        word = "registered" if done.created else "already registered as"
        print(f"{word} {done.name}/{done.version} ({done.target}; {', '.join(done.aliases)})")


def add_commands(app: typer.Typer) -> None:
    """Put what a release owner does daily on the top level: promote, rollback, shadow, pull, import."""
    for command in (promote, rollback, shadow, pull):
        app.command()(command)
    app.command("import")(import_)


def _points(texts: list[str]) -> "dict[Task, str]":
    from facegate.contracts import Task

    found = {}
    for text in texts:
        role, separator, point = text.partition("=")
        if not separator or role not in {task.value for task in Task}:
            raise RegistryError(f"--point {text}: not ROLE=POINT", "write for instance recognition=fmr_1e-3")
        found[Task(role)] = point
    return found


def _ask(question: str, yes: bool) -> None:
    """Go on only with a yes."""
    try:
        agreed = yes or typer.confirm(question)
    except typer.Abort:  # nobody is there to answer
        agreed = False
    if not agreed:
        raise RegistryError(
            "no alias was changed: the question was not answered with yes",
            "add --yes where nobody can be asked",
        )


def _existing(presentations: Path) -> Path | None:
    if presentations.is_dir():
        return presentations
    print(f"{presentations}: not there, so the release is not evaluated as a system and passes no gate")
    return None


def _params() -> "Params":
    from facegate.params import load_params

    return load_params()
