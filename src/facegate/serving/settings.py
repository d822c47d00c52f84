"""What an operator may set, as one frozen object read from ``FACEGATE_SERVE_…`` variables.

A service runs where there is no ``params.yaml``, in a container or on a board, and its worker processes inherit an
environment and nothing else; hence variables, each the name of a field in capitals.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator

from facegate.contracts import Frozen
from facegate.errors import ParamsError

FPIR = 0.01
"""Share of strangers that a search may take for somebody enrolled, unless told otherwise."""

PREFIX = "FACEGATE_SERVE_"
Source = Literal["registry", "folder", "candidates"]


class Settings(Frozen):
    """Configuration of the service; sizes are per process.

    Attributes:
        source: ``registry`` follows the aliases in MLflow, ``folder`` a pulled release, ``candidates`` tries out what
            was never promoted.
        folder: the pulled release, or the folder of bundles; without one, candidates come from the registry.
        project: project folder of the registry.
        prefix: ``register.prefix``.
        data: where database, keys and drift references lie.
        database: SQLAlchemy URL; SQLite in ``data`` by default.
        vault_key: file of the key that encrypts templates; in ``data`` by default.
        host: address to listen at.
        port: port to listen at.
        proxy: address of a reverse proxy whose ``X-Forwarded-For`` is believed; empty believes none.
        workers: processes.
        poll_s: pause between two looks at the source, seconds.
        threads: threads of one network.
        slots: pictures that are judged at once; 0 is one for each processor.
        queue: requests that may wait beyond these before 503 is answered.
        max_bytes: largest picture or clip, bytes.
        max_pixels: largest picture, width × height.
        max_pictures: pictures of one enrolment or frames of one clip.
        max_fps: frames a second that a stream may bring.
        max_streams: streams at once.
        clip_s: longest clip, seconds.
        rate: requests a second of one key, in the long run.
        burst: requests of one key at once.
        failures: wrong keys from one address before it is locked out.
        lockout_s: how long, seconds.
        origins: web origins besides the service's own that may call it.
        open_metrics: ``/metrics`` needs no key.
        keep_crops: keep enrolled crops, encrypted, to enrol anew when the recogniser changes.
        retention_days: age at which attendance, kept crops and the log of decisions are deleted; 0 keeps them.
        dedup_s: sightings of a person within this belong to one presence, seconds.
        fpir: share of strangers that a search may take for somebody enrolled; the threshold grows with the gallery.
        timezone: in which a day of attendance begins and ends.
        drift_reference: values per camera that make up a reference.
        drift_window: newest values per camera that are held against it.
    """

    source: Source = "registry"
    folder: Path | None = None
    project: Path | None = None
    prefix: str = ""
    data: Path = Path("var")
    database: str = ""
    vault_key: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    proxy: str = ""
    workers: int = Field(default=1, ge=1, le=64)
    poll_s: float = Field(default=2.0, gt=0)
    threads: int = Field(default=1, ge=1)
    slots: int = Field(default=0, ge=0)
    queue: int = Field(default=16, ge=0)
    max_bytes: int = Field(default=10_000_000, ge=1000)
    max_pixels: int = Field(default=16_000_000, ge=1000)
    max_pictures: int = Field(default=10, ge=1, le=100)
    max_fps: float = Field(default=15.0, gt=0)
    max_streams: int = Field(default=8, ge=0)
    clip_s: float = Field(default=10.0, gt=0)
    rate: float = Field(default=50.0, gt=0)
    burst: int = Field(default=100, ge=1)
    failures: int = Field(default=10, ge=1)
    lockout_s: float = Field(default=300.0, gt=0)
    origins: tuple[str, ...] = ()
    open_metrics: bool = False
    keep_crops: bool = False
    retention_days: int = Field(default=0, ge=0)
    dedup_s: float = Field(default=300.0, ge=0)
    fpir: float = Field(default=FPIR, gt=0, lt=1)
    timezone: str = "UTC"
    drift_reference: int = Field(default=500, ge=50)
    drift_window: int = Field(default=500, ge=50)

    @field_validator("origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("no such time zone; for instance Europe/Berlin") from error
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.source == "folder" and self.folder is None:
            raise ValueError("source `folder` needs `folder`: the place of a pulled release")
        if "*" in self.origins:
            raise ValueError("`origins` must be named one by one, not *")
        return self

    @property
    def database_url(self) -> str:
        """Where people and attendance are stored."""
        return self.database or f"sqlite:///{(self.data / 'facegate.db').resolve()}"

    @property
    def judged_at_once(self) -> int:
        """Number of slots, with 0 resolved."""
        return self.slots or os.cpu_count() or 1


def read_settings(environment: Mapping[str, str], **changes: object) -> Settings:
    """Settings from an environment, with changes laid over them.

    Raises:
        ParamsError: a variable is unknown or holds an impossible value.
    """
    values: dict[str, object] = {}
    for name, value in environment.items():
        if name.startswith(PREFIX):
            values[_field(name)] = value
    values |= {name: value for name, value in changes.items() if value is not None}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        lines = [f"{PREFIX}{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise ParamsError("; ".join(lines), "docs/serving.md lists the settings") from error


def to_environment(settings: Settings) -> dict[str, str]:
    """The variables from which worker processes read these settings again."""
    values = settings.model_dump(mode="json", exclude_defaults=True)
    return {
        PREFIX + name.upper(): ",".join(value) if isinstance(value, list) else str(value)
        for name, value in values.items()
        if value is not None
    }


def _field(variable: str) -> str:
    name = variable.removeprefix(PREFIX).lower()
    if name not in Settings.model_fields:
        near = difflib.get_close_matches(name, Settings.model_fields, n=1)
        hint = f"did you mean {PREFIX}{near[0].upper()}?" if near else "docs/serving.md lists the settings"
        raise ParamsError(f"{variable}: unknown", hint)
    return name
