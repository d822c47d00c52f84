"""What a person in front of the camera is told: one plain sentence for each reason, all of them in one file."""

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from facegate.serving.schemas.faces import Hint


@cache
def texts() -> dict[str, str]:
    """The sentences by code (``texts.json``)."""
    return json.loads((files("facegate.serving") / "texts.json").read_text(encoding="utf-8"))


def hint(code: str) -> Hint:
    """The sentence for a reason; a code without one stands for itself."""
    return Hint(code=code, text=texts().get(code, code))


def hints(codes: Iterable[str]) -> tuple[Hint, ...]:
    """The sentences for several reasons, each once, in order."""
    return tuple(hint(code) for code in dict.fromkeys(codes))
