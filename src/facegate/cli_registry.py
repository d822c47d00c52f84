"""The command line's part on registered models: look, lead back, check, prune."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facegate.errors import RegistryError

if TYPE_CHECKING:
    from facegate.params import Params

registry_app = typer.Typer(help="Registered models.", no_args_is_help=True)

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


@registry_app.command()
def keys(
    out: Annotated[Path, typer.Option(help="folder for the two PEM files; no file is overwritten")],
) -> None:
    """Make a pair of Ed25519 keys: one to sign releases with, one by which they are trusted."""
    import os

    from facegate.runtime.signing import PRIVATE_VARIABLE, PUBLIC_VARIABLE, new_keys

    out.mkdir(parents=True, exist_ok=True)
    for variable, path, data, mode in zip(
        (PRIVATE_VARIABLE, PUBLIC_VARIABLE),
        (out / "signing.pem", out / "public.pem"),
        new_keys(),
        (0o600, 0o644),
        strict=True,
    ):
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(data)
        except FileExistsError as error:
            raise RegistryError(f"{path}: exists already", "name another folder; keys are kept") from error
        print(f"export {variable}={path.resolve()}")


def _params() -> "Params":
    from facegate.params import load_params

    return load_params()
