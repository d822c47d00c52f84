"""What is installed, what is there, and what to do about the rest.

Pure looking: nothing heavy is imported, nothing is written, nothing is asked of the network. The command line
prints what comes out of here.
"""

import importlib.metadata
import os
import platform
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from facegate.errors import BundleError, MissingExtraError, ParamsError
from facegate.params import load_params
from facegate.runtime import processor
from facegate.runtime.bundle import CONTRACT, load_bundle
from facegate.runtime.session import Session

LEAST_DISK_GB = 5
PATIENCE = 1.0
"""Seconds to wait for somebody who writes to the tracking store."""
_REQUIREMENT = re.compile(r"""^(?P<name>[\w.-]+)[^;]*?(;.*extra\s*==\s*['"](?P<extra>[\w-]+)['"].*)?$""")


class Status(StrEnum):
    """How a check came out."""

    OK = "ok"
    INFO = "info"
    WARN = "warn"
    FAIL = "fail"


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        name: what.
        status: how it came out.
        detail: what was found.
        remedy: what to do; empty where nothing is to be done.
    """

    name: str
    status: Status
    detail: str
    remedy: str = ""


def checkup(project: Path | None = None) -> list[Check]:
    """Look at the installation and, if there is one, at the project's folder.

    Args:
        project: folder that holds ``dvc.yaml`` and ``params.yaml``; None looks at the installation alone.
    """
    checks = [_platform(), *extras()]
    if project is not None:
        project = Path(project)
        checks += [_disk(project), *_files(project), *_data(project), *_bundles(project), _store(project)]
    return checks


def extras(package: str = "facegate") -> list[Check]:
    """One check for the bare installation and one for each extra."""
    wanted: dict[str, list[str]] = {"": []}
    try:
        lines = importlib.metadata.requires(package) or []
    except importlib.metadata.PackageNotFoundError:
        return [Check("installation", Status.FAIL, f"{package} is not installed", "pip install -e .")]
    for line in lines:
        if found := _REQUIREMENT.match(line):
            wanted.setdefault(found["extra"] or "", []).append(found["name"])
    return [_extra(package, extra, names) for extra, names in wanted.items()]


def _extra(package: str, extra: str, names: list[str]) -> Check:
    versions = {name: _version(name) for name in sorted(names)}
    absent = [name for name, version in versions.items() if version is None]
    title = f"extra [{extra}]" if extra else "edge runtime"
    if not absent:
        return Check(title, Status.OK, ", ".join(f"{name} {version}" for name, version in versions.items()))
    status = Status.INFO if extra else Status.FAIL
    target = f"'{package}[{extra}]'" if extra else package
    return Check(title, status, f"not installed: {', '.join(absent)}", f"pip install {target}")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _platform() -> Check:
    python, machine = platform.python_version(), f"{platform.system()} {platform.machine()}"
    kernels = processor.flags() & {"avx2", *processor.VNNI, "asimddp", "i8mm"}
    return Check(
        "machine",
        Status.OK,
        f"Python {python}, {machine}, {processor.available_cores()} cores, int8 for {processor.family()} "
        f"(integer kernels: {', '.join(sorted(kernels)) or 'none known'}), "
        f"bfloat16 {'by the processor' if processor.has_bf16() else 'not by the processor: training is in float32'}",
    )


def _disk(project: Path) -> Check:
    here = next((p for p in (project, *project.parents) if p.exists()), Path())
    free = shutil.disk_usage(here).free / 1e9
    if free < LEAST_DISK_GB:
        return Check(
            "disk", Status.WARN, f"{free:.1f} GB free", f"free some space: the graph needs {LEAST_DISK_GB} GB"
        )
    return Check("disk", Status.OK, f"{free:.0f} GB free")


def _files(project: Path) -> Iterator[Check]:
    yield _parameters(project / "params.yaml")
    graph = project / "dvc.yaml"
    if graph.is_file():
        yield Check("graph", Status.OK, graph.name)
    else:
        remedy = "run in the project's folder, or restore it with git"
        yield Check("graph", Status.FAIL, f"{graph} is missing", remedy)
    if not (project / ".git").exists():
        yield Check(
            "git", Status.WARN, f"{project} is no git repository", "git init, so that DVC can name versions"
        )


def _parameters(path: Path) -> Check:
    try:
        profile = load_params(path).profile
    except MissingExtraError as error:
        return Check("parameters", Status.INFO, f"{path.name} was not read: {error.problem}", error.remedy)
    except ParamsError as error:
        return Check("parameters", Status.FAIL, error.problem, error.remedy)
    return Check("parameters", Status.OK, f"{path.name}, profile {profile}")


def _data(project: Path) -> Iterator[Check]:
    for folder in ("data/samples", "data/crops"):
        packs = sorted(path.parent.name for path in (project / folder).glob("*/pack.json"))
        if packs:
            yield Check(folder, Status.OK, ", ".join(packs))
        else:
            yield Check(folder, Status.INFO, "no packs yet", "dvc repro")


def _bundles(project: Path) -> Iterator[Check]:
    found = sorted((project / "artifacts").glob(f"*/candidates/*/{CONTRACT}"))
    if not found:
        yield Check("bundles", Status.INFO, "no models yet", "dvc repro")
    for path in found:
        yield check_bundle(path.parent)


def check_bundle(folder: Path) -> Check:
    """Load a bundle and run its golden vectors on this machine."""
    name = f"bundle {folder.parent.parent.name}/{folder.name}"
    try:
        bundle = load_bundle(folder)
        difference = Session(bundle).check_golden()
    except BundleError as error:
        return Check(name, Status.FAIL, error.problem, error.remedy)
    found = f"{bundle.contract.name}, golden vectors within {difference:.1g}, contract {bundle.digest[:12]}"
    if problem := processor.unsuited(bundle.contract.quantisation.target):
        return Check(name, Status.WARN, f"{found}; {problem}", "use fp32, or quantise it for `host`")
    return Check(name, Status.OK, found)


def _store(project: Path) -> Check:
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if uri:
        return Check("tracking store", Status.OK, f"MLFLOW_TRACKING_URI is {_without_password(uri)}")
    store = project / "mlruns" / "mlflow.db"
    if not store.is_file():
        return Check("tracking store", Status.INFO, f"{store} does not exist yet", "dvc repro")
    if damage := _damage(store):
        remedy = "restore it from a backup, or move it away and run `make repro`"
        return Check("tracking store", Status.FAIL, f"{store} is damaged: {damage}", remedy)
    return Check("tracking store", Status.OK, f"{store} ({store.stat().st_size / 1e6:.1f} MB)")


def _damage(database: Path) -> str:
    """What is wrong with an SQLite file; empty if nothing is, or if it is in use just now."""
    try:
        with closing(
            sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", PATIENCE, uri=True)
        ) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        return ""
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == "ok" else found


def _without_password(uri: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", uri)
