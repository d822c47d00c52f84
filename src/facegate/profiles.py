"""Profiles: whole sets of parameters by name.

``profiles/embedded.yaml`` holds every value with its comment; any other profile holds only what differs.
Using a profile writes ``params.yaml``, the one file that DVC tracks, so that `git diff params.yaml` shows
exactly how a run differs from the default.
"""

import difflib
import io
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from facegate.contracts import Task
from facegate.errors import ParamsError
from facegate.params import Params, parse_params, read_yaml, stages_of
from facegate.whole import write_whole

BASE = "embedded"


def list_profiles(folder: Path) -> list[str]:
    """Names of the profiles in a folder, sorted."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def use_profile(name: str, folder: Path = Path("profiles"), target: Path = Path("params.yaml")) -> Params:
    """Write `target` from the base profile and the profile `name`; comments of the base are kept.

    Raises:
        ParamsError: there is no such profile, or what it yields is not valid; `target` is then untouched.
    """
    known = list_profiles(folder)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"profiles here: {', '.join(known) or 'none'}"
        raise ParamsError(f"{folder}: no profile `{name}`", hint)
    values = _round_trip().load((folder / f"{BASE}.yaml").read_text())
    if name != BASE:
        overlay(values, read_yaml(folder / f"{name}.yaml"))
    return _write(values, target, f"profile {name}")


def _write(values: Any, target: Path, name: str) -> Params:
    overlay(values, {"graph": _changed_graph(values)})
    text = io.StringIO()
    _round_trip().dump(values, text)
    params = parse_params(_plain(values), name)
    write_whole(target, text.getvalue())
    return params


def edit_params(changes: Mapping[str, Any], target: Path = Path("params.yaml")) -> Params:
    """Put `changes` over the values of a parameter file; its comments are kept.

    Raises:
        ParamsError: the file is missing, or what it would hold is not valid; it is then untouched.
    """
    read_yaml(target)
    values = _round_trip().load(target.read_text())
    overlay(values, changes)
    return _write(values, target, str(target))


def overlay(base: MutableMapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Put `changes` over `base` in place, mapping by mapping; any other value replaces the old one."""
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), MutableMapping):
            overlay(base[key], value)
        else:
            base[key] = value


def _changed_graph(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """What dvc.yaml reads of the tasks, where it differs; unknown tasks are left to the check of all parameters."""
    known = [Task(name) for name in values.get("tasks", ()) if name in set(Task)]
    follows = {name: [str(of) for of in tasks] for name, tasks in stages_of(known)}
    return {name: tasks for name, tasks in follows.items() if list(values["graph"][name]) != tasks}


def _round_trip() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _plain(values: Any) -> Any:
    if isinstance(values, Mapping):
        return {str(key): _plain(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_plain(value) for value in values]
    return values
