"""Where a run comes from: commit, stage, and the hash of everything that went in.

Hashes are those of DVC (MD5; a folder's is the MD5 of its sorted listing), so that a run's tags, ``dvc.lock``
and ``.dvc/cache`` speak of the same thing.
"""

import getpass
import hashlib
import importlib.metadata
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from facegate.errors import ParamsError, RegistryError
from facegate.params import read_yaml

_WRITTEN_BY_STAGES = ("dvc.lock", "metrics", "reports", "promotions")


class GitState(NamedTuple):
    """Commit of the work tree (empty outside git) and whether anything but stage outputs differs from it."""

    commit: str
    dirty: bool


def git_state(folder: Path = Path()) -> GitState:
    """State of the work tree around a folder.

    Files that the stages themselves write (``dvc.lock``, ``metrics``, ``reports``) do not make it dirty: they
    differ after the first stage of every run.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    excluded = [f":(exclude){path}" for path in _WRITTEN_BY_STAGES]
    return GitState(commit, bool(commit and _git(folder, "status", "--porcelain", "--", ".", *excluded)))


def dependency_hashes(dependencies: Mapping[str, Path]) -> dict[str, str]:
    """MD5 of each dependency by the name given to it.

    Inside a DVC stage the hashes of upstream outputs come from ``dvc.lock``, where DVC has just written them;
    anywhere else the files are read.

    Raises:
        RegistryError: a dependency is missing.
    """
    locked = locked_hashes(Path("dvc.lock")) if os.environ.get("DVC_STAGE") else {}
    return {
        name: locked.get(Path(path).as_posix()) or dvc_md5(Path(path)) for name, path in dependencies.items()
    }


def locked_hashes(lock: Path) -> dict[str, str]:
    """MD5 of every stage output in a ``dvc.lock``, by path; empty if there is none.

    DVC writes the file in place, and of two branches side by side the other one may be at it: what is not there yet, or
    cannot be read, is left out.
    """
    if not lock.is_file():
        return {}
    try:
        stages = _mapping(read_yaml(lock).get("stages")).values()
    except ParamsError:
        return {}
    outs = [_mapping(out) for stage in stages for out in _mapping(stage).get("outs") or ()]
    return {str(out["path"]): str(out["md5"]) for out in outs if {"path", "md5", "size"} <= out.keys()}


def _mapping(value: object) -> dict[str, Any]:
    """The value if it is a mapping; an empty one for what was being written."""
    return value if isinstance(value, dict) else {}


def dvc_md5(path: Path) -> str:
    """DVC's hash of a file or folder (folders end in ``.dir``).

    Raises:
        RegistryError: the path does not exist.
    """
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    if not path.is_dir():
        raise RegistryError(f"{path}: no such dependency", "run the stage that writes it: `dvc repro`")
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    listing = [{"md5": dvc_md5(file), "relpath": name} for name, file in sorted(files.items())]
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode()).hexdigest() + ".dir"


def stage_tags(
    stage: str, task: str, params_digest: str, git: GitState, hashes: Mapping[str, str]
) -> dict[str, str]:
    """The tags that lead from a run to DVC and git, and by which runs are found."""
    environ = {
        "dvc.stage": os.environ.get("DVC_STAGE", ""),
        "dvc.exp": os.environ.get("DVC_EXP_NAME", ""),
        "dvc.exp.baseline": os.environ.get("DVC_EXP_BASELINE_REV", ""),
    }
    known = {
        "stage": stage,
        "task": task,
        "params.sha256": params_digest,
        "git.commit": git.commit,
        "git.dirty": str(git.dirty).lower(),
        "mlflow.source.git.commit": git.commit,
        "mlflow.source.type": "LOCAL",
    }
    deps = {f"dvc.dep.{name}": md5 for name, md5 in hashes.items()}
    tags = {**environ, **known, **deps}
    tags["dvc.stage"] = tags["dvc.stage"] or (f"{stage}@{task}" if task else stage)
    tags |= {"mlflow.source.name": f"dvc repro {tags['dvc.stage']}", "mlflow.user": user_name()}
    return {key: value for key, value in tags.items() if value}


def user_name() -> str:
    """Login name of whoever runs this; empty where there is none, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def installed_packages() -> str:
    """Installed distributions as pinned requirement lines, sorted."""
    found = {(d.metadata["Name"] or "").lower(): d.version for d in importlib.metadata.distributions()}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()) if name)


def local_changes(folder: Path = Path()) -> str:
    """What tracked files differ in from the commit, as a patch for ``git apply``; at most a megabyte of it."""
    return _git(folder, "diff", "HEAD", "--binary", "--", ".")[:1_000_000] + "\n"


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
