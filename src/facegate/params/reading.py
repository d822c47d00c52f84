"""From a file to values, and from what pydantic found wrong to a line that a person can act on."""

import difflib
import types
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from facegate.errors import MissingExtraError, ParamsError


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML 1.2 mapping, the dialect that DVC reads too (``1e-3`` is a number).

    Raises:
        ParamsError: the file is missing or is no YAML mapping.
    """
    try:
        from ruamel.yaml import YAML, YAMLError
    except ImportError as error:
        raise MissingExtraError(
            "reading params.yaml needs the `train` extra", "pip install 'facegate[train]'"
        ) from error
    try:
        values = YAML(typ="safe", pure=True).load(path.read_text())
    except FileNotFoundError as error:
        raise ParamsError(
            f"{path}: no such file", "run from the project's folder, or restore it with git"
        ) from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path}: not valid YAML: {error}", "mend the line it names") from error
    if not isinstance(values, dict):
        raise ParamsError(f"{path}: expected a mapping of sections", "compare with profiles/embedded.yaml")
    return values


def explain(problem: dict[str, Any], root: type[BaseModel]) -> str:
    """One line on a value that `root` refused: its dotted path, what was expected, the nearest valid key."""
    where = [str(part) for part in problem["loc"]]
    path = ".".join(where)
    if problem["type"] == "extra_forbidden":
        valid = _keys_at(root, where[:-1])
        near = difflib.get_close_matches(where[-1], valid, n=1, cutoff=0.5)
        hint = f"did you mean `{near[0]}`?" if near else f"valid keys: {', '.join(valid)}"
        return f"`{path}` is unknown; {hint}"
    if problem["type"] == "missing":
        return f"`{path}` is missing"
    return f"`{path}`: {problem['msg']} (got {problem['input']!r})"


def _keys_at(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        inner = _model_of(field.annotation) if field else None
        if inner is None:
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if get_origin(annotation) in (Union, types.UnionType, Annotated):
        return next((m for m in map(_model_of, get_args(annotation)) if m), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
