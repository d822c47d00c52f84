"""Metrics as JSON that comes out the same, to the digit, when nothing has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel

DIGITS = 6


_EXACT = frozenset({"threshold", "slope", "offset"})


def plain(value: Any, *, exact: bool = False) -> Any:
    """Nested results as plain JSON values.

    Figures are rounded to six significant digits, below which the order of a sum may show. Thresholds are kept
    to the last bit, since a score may lie right beside them.

    Args:
        value: mappings, sequences, data classes, models such as ``Rate``, NumPy scalars and arrays.
        exact: keep every digit; set below keys named ``threshold``.
    """
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="json"), exact=exact)
    if is_dataclass(value) and not isinstance(value, type):
        return plain({field.name: getattr(value, field.name) for field in fields(value)})
    if isinstance(value, Mapping):
        return {str(key): plain(item, exact=str(key) in _EXACT) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist(), exact=exact)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item, exact=exact) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not exact:
        return float(f"{value:.{DIGITS}g}")
    return value
