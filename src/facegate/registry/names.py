"""Names as MLflow takes them: metrics, parameters, registered models, aliases."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from facegate.contracts import Task

CANDIDATE = "candidate"
"""Alias of the newest fp32 version."""
CANDIDATE_INT8 = "candidate-int8"
"""Alias of the newest int8 version of the first target in ``quantize.targets``."""


def metric_name(name: str) -> str:
    """A name that MLflow accepts: ``TAR@FMR=1e-3`` becomes ``tar_at_fmr_1e-3``.

    Letters, digits and ``_ - . space : /`` stay; ``@`` reads *at*, ``%`` *percent*, all else an underscore.
    """
    words = name.strip().lower().replace("@", "_at_").replace("%", "_percent")
    return re.sub(r"_+", "_", re.sub(r"[^a-z0-9_\-.:/ ]", "_", words)).strip("_ ") or "unnamed"


def model_name(task: Task | str, prefix: str = "") -> str:
    """Name of a task's registered model, ``facegate-recognition`` with the prefix of ``register.prefix``."""
    return f"{prefix}facegate-{Task(task).value}"


def candidate_aliases(target: str, leads: bool) -> tuple[str, ...]:
    """Aliases that a version of a quantisation target takes over from its predecessor.

    ``candidate`` is fp32, ``candidate-<target>`` each int8 target, and ``candidate-int8`` the one that leads.
    """
    if target == "fp32":
        return (CANDIDATE,)
    own = f"{CANDIDATE}-{target}"
    return (own, CANDIDATE_INT8) if leads else (own,)


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of a nested mapping as ``(dotted.path, value)``; a list stays one value."""
    for key, value in values.items():
        path = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            yield from flatten(value, path)
        else:
            yield path, value


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """The numeric leaves of a nested mapping under names that MLflow accepts, grouped by their first word.

    ``eer: {value: …}`` becomes ``eer/value``: MLflow's pages put what shares the part before the slash together.
    """
    leaves = flatten(values)
    return {
        metric_name(path.replace(".", "/", 1)): float(value)
        for path, value in leaves
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def run_name(words: Sequence[str], commit: str, dirty: bool) -> str:
    """A run's name as a person reads it, ``train · recognition · 341008d*``; the star marks local changes."""
    tail = [commit[:7] + ("*" if dirty else "")] if commit else []
    return " · ".join([*(word for word in words if word), *tail])
