"""The command line's part on the service: run it, make and revoke its keys."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from facegate.serving.settings import Settings
    from facegate.serving.store.keys import Keys

keys_app = typer.Typer(help="API keys of the service.", no_args_is_help=True)
vault_app = typer.Typer(help="Keys that encrypt templates at rest.", no_args_is_help=True)
DataOption = Annotated[Path | None, typer.Option(help="folder of database and keys; `var` by default")]
DatabaseOption = Annotated[str | None, typer.Option(help="SQLAlchemy URL instead of SQLite in that folder")]


def serve(
    release: Annotated[
        Path | None, typer.Option(help="serve a pulled release instead of the registry's")
    ] = None,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="try the newest candidates; NOT production")
    ] = False,
    bundles: Annotated[Path | None, typer.Option(help="try the bundles of a folder; NOT production")] = None,
    host: Annotated[str | None, typer.Option(help="address to listen at; 127.0.0.1 by default")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen at; 8000 by default")] = None,
    workers: Annotated[int | None, typer.Option(help="processes; 1 by default")] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Run the service: REST API, streams, kiosk and console; it follows the release in production."""
    from facegate.errors import ParamsError
    from facegate.serving.launch import launch

    if sum((release is not None, candidates, bundles is not None)) > 1:
        raise ParamsError("--release, --candidates and --bundles exclude each other", "choose one")
    source = "folder" if release else "candidates" if candidates or bundles else None
    launch(
        _settings(
            source=source, folder=release or bundles, host=host, port=port, workers=workers, data=data,
            database=database, prefix=_prefix(source),
        )
    )  # fmt: skip


@keys_app.command("create")
def keys_create(
    name: Annotated[str, typer.Argument(help="what the key is for, for instance `front door`")],
    role: Annotated[Literal["kiosk", "operator", "admin"], typer.Option(help="what it may do")] = "kiosk",
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Make a key and print it, this once."""
    from facegate.serving.store.keys import Role

    print(_keys(data, database).create(Role(role), name).secret)


@keys_app.command("list")
def keys_list(data: DataOption = None, database: DatabaseOption = None) -> None:
    """Show all keys, without their secrets."""
    for key in _keys(data, database).all():
        state = "revoked" if key.revoked_at else "good"
        print(f"{key.id}  {key.role:<9} {key.created_at:%Y-%m-%d}  {state:<8} {key.label}")


@keys_app.command("revoke")
def keys_revoke(
    key: Annotated[str, typer.Argument(help="identifier, as `facegate keys list` shows it")],
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Make a key void; running services notice within seconds."""
    _keys(data, database).revoke(key)
    print(f"{key} is void")


@vault_app.command("new")
def vault_new(name: Annotated[str, typer.Argument(help="name of the key, for instance 2030-01")]) -> None:
    """Print a new key as a line of a key file; append it, then `facegate vault rotate`."""
    from facegate.serving.store.vault import new_key_line

    print(new_key_line(name))


@vault_app.command("rotate")
def vault_rotate(data: DataOption = None, database: DatabaseOption = None) -> None:
    """Seal everything anew by the newest key; the older ones may go afterwards."""
    from facegate.serving.service import open_vault
    from facegate.serving.store.database import Database
    from facegate.serving.store.rotation import rotate

    settings = _settings(data=data, database=database)
    vault = open_vault(settings)
    done = rotate(Database.open(settings.database_url), vault)
    print(f"{done.templates} templates and {done.crops} crops were sealed anew, by {vault.key_id}")


def _settings(**changes: object) -> "Settings":
    import os

    from facegate.errors import MissingExtraError

    try:
        from facegate.serving.settings import read_settings
    except ImportError as error:
        raise MissingExtraError(f"{error.name} is not installed", "pip install 'facegate[serve]'") from error
    return read_settings(os.environ, **changes)


def _prefix(source: str | None) -> str | None:
    """``register.prefix`` of the project, where the registry is asked and there is a project."""
    if source == "folder" or not Path("params.yaml").is_file():
        return None
    from facegate.params import load_params

    return load_params().register_.prefix or None


def _keys(data: Path | None, database: str | None) -> "Keys":
    settings = _settings(data=data, database=database)
    from facegate.serving.store.database import Database
    from facegate.serving.store.keys import Keys

    settings.data.mkdir(parents=True, exist_ok=True)
    return Keys(Database.open(settings.database_url))
