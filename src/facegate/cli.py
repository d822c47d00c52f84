"""The command line. Every command imports what it needs when it runs, so that `--help` is quick."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from facegate.errors import FacegateError

app = typer.Typer(help="Face recognition with spoof detection.", no_args_is_help=True, add_completion=False)
profile_app = typer.Typer(help="Whole sets of parameters by name.", no_args_is_help=True)
registry_app = typer.Typer(help="Registered models.", no_args_is_help=True)
app.add_typer(profile_app, name="profile")
app.add_typer(registry_app, name="registry")


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
def ui(port: Annotated[int, typer.Option(help="port on the loopback address")] = 5000) -> None:
    """Open the MLflow UI on this project's tracking store."""
    from facegate.registry.ui import ui_command, ui_environment

    print(f"MLflow UI: http://127.0.0.1:{port} (Ctrl-C ends it)")
    raise typer.Exit(subprocess.call(ui_command(Path.cwd(), port), env=ui_environment()))


if __name__ == "__main__":
    main()
