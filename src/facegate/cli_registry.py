"""The command line's part on registered models: look, put together, promote, roll back, check."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from facegate.errors import RegistryError

if TYPE_CHECKING:
    from facegate.params import Params

registry_app = typer.Typer(help="Registered models.", no_args_is_help=True)
release_app = typer.Typer(help="Releases: the models that judge a frame together.", no_args_is_help=True)

ReasonOption = Annotated[str, typer.Option(help="why; kept in the promotion record")]
YesOption = Annotated[bool, typer.Option("--yes", help="do not ask")]
VersionArgument = Annotated[
    str, typer.Argument(help="recognition/7, spoof@candidate-int8, release@production")
]


@registry_app.command("list")
def list_all() -> None:
    """Show every registered version with its aliases."""
    from facegate.registry.listing import list_versions

    rows = list_versions()
    if not rows:
        print("nothing is registered yet; `make repro` trains and registers")
    for row in rows:
        data = "synthetic" if row.synthetic else "real"
        aliases = ", ".join(row.aliases) or "-"
        when = f"{row.created:%Y-%m-%d %H:%M}"
        print(
            f"{row.name}/{row.version:<4} {row.target:<10} {when}  {row.commit[:7]:<8} {data:<10} {aliases}"
        )


@registry_app.command()
def show(version: VersionArgument) -> None:
    """Lead a version back to its run, commit, data and parameters."""
    from facegate.registry.lineage import lines
    from facegate.registry.lineage import show as look

    print("\n".join(lines(look(version, prefix=_params().register_.prefix))))


@registry_app.command()
def reproduce(version: VersionArgument) -> None:
    """Print the commands that rebuild a version from a clone of the repository."""
    from facegate.registry.lineage import reproduce as commands

    print("\n".join(commands(version, prefix=_params().register_.prefix)))


@registry_app.command()
def relocate() -> None:
    """After the project's folder was moved: write its new place into the store."""
    from facegate.registry.relocate import relocate as move

    done = move()
    print(f"{done.rows} entries now name {done.new}")


@registry_app.command()
def verify() -> None:
    """Hash everything that was promoted again, and name whatever has changed."""
    from facegate.registry.verify import verify as check

    problems = check(_params())
    for problem in problems:
        print(problem)
    print("nothing has changed" if not problems else f"{len(problems)} problems")
    raise typer.Exit(bool(problems))


@registry_app.command()
def prune(
    keep: Annotated[int, typer.Option(help="newest versions of each kind to keep")] = 3,
    yes: Annotated[bool, typer.Option("--yes", help="delete; without it the list is only shown")] = False,
) -> None:
    """List versions that no alias, release or record needs; delete them with --yes."""
    from facegate.registry.prune import delete, plan

    found = plan(_params(), keep)
    for row in delete(found) if yes else found.superfluous:
        print(f"{'deleted' if yes else 'not needed'}: {row.name}/{row.version} ({row.target})")
    if not found.superfluous:
        print("nothing is superfluous")


@release_app.command("create")
def release_create(
    recognition: Annotated[
        str, typer.Option(help="version of the recogniser")
    ] = "recognition@candidate-int8",
    spoof: Annotated[str, typer.Option(help="version of the spoof model")] = "spoof@candidate-int8",
) -> None:
    """Put two registered models together into a release candidate."""
    from facegate.contracts import Task
    from facegate.registry.releases import create_release

    done = create_release({Task.RECOGNITION: recognition, Task.SPOOF: spoof}, _params())
    word = "registered" if done.created else "already registered as"
    print(f"{word} {done.name}/{done.version}; `facegate release promote` sends it through the gate")


@release_app.command("promote")
def release_promote(
    to: Annotated[Literal["staging", "production"], typer.Option(help="where to")] = "production",
    release: Annotated[str, typer.Option(help="alias or number of the release")] = "candidate",
    gate: Annotated[str | None, typer.Option(help="profile of the gate instead of gates.profile")] = None,
    reason: ReasonOption = "",
    override: Annotated[str, typer.Option(help="promote although the gate failed, for this reason")] = "",
    yes: YesOption = False,
) -> None:
    """Send a release through the gate, show its table, and promote it."""
    from facegate.registry.gate_report import text_table
    from facegate.registry.promote import check, promote

    proposal = check(_params(), to, reference=release, profile=gate)
    print(text_table(proposal.report))
    if not (proposal.report.passed or override):
        raise RegistryError(
            f"the gate `{proposal.report.profile}` refuses {proposal.model}/{proposal.version}",
            "mend what failed, or promote with --override REASON, which is recorded",
        )
    if not yes:
        typer.confirm(f"promote {proposal.model}/{proposal.version} to {to}?", abort=True)
    entry = promote(proposal, reason=reason, override=override)
    print(f"{entry.release} is {to} (record {entry.index}, {entry.hash[:12]})")


@release_app.command("rollback")
def release_rollback(reason: ReasonOption = "", yes: YesOption = False) -> None:
    """Put the release before the present one back into production."""
    from facegate.registry.promote import rollback

    if not yes:
        typer.confirm("put the previous release back into production?", abort=True)
    entry = rollback(_params(), reason=reason)
    print(f"{entry.release} is production again (record {entry.index}, {entry.hash[:12]})")


@release_app.command("pull")
def release_pull(
    out: Annotated[Path, typer.Option(help="folder that must not exist yet")],
    release: VersionArgument = "release@production",
) -> None:
    """Copy a release into a folder that runs without MLflow."""
    from facegate.registry.releases import pull

    manifest = pull(release, out, prefix=_params().register_.prefix)
    for component in manifest.components.values():
        print(f"{component.model}/{component.version} ({component.target}), {component.operating_point}")
    print(f"in {out}")


def _params() -> "Params":
    from facegate.params import load_params

    return load_params()
