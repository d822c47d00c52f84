"""Where the time goes inside a network, by ONNX Runtime's own profile."""

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.runtime.runners import open_session, session_options

_SUFFIX = "_kernel_time"


def profile_layers(model: bytes, picture: NDArray[np.uint8], runs: int = 100) -> list[dict[str, Any]]:
    """Median time of each operator as the runtime executes it, slowest first.

    Args:
        model: serialised ONNX model.
        picture: its input, shape (1, height, width, 3).
        runs: how many answers to profile, at one thread.

    Returns:
        ``node``, ``operator``, ``shape`` of its output, ``us`` (median microseconds), and ``share`` of the sum.
    """
    with tempfile.TemporaryDirectory(prefix="facegate-profile-") as folder:
        events = json.loads(_profile(model, picture, runs, folder).read_text())
    times: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(_SUFFIX):
            given = event["args"]
            key = (event["name"].removesuffix(_SUFFIX), given["op_name"], _shape(given))
            times[key].append(event["dur"])
    medians = {key: float(np.median(durations)) for key, durations in times.items()}
    whole = sum(medians.values()) or 1.0
    ranked = sorted(medians.items(), key=lambda item: -item[1])
    return [
        {"node": node, "operator": operator, "shape": shape, "us": us, "share": round(us / whole, 4)}
        for (node, operator, shape), us in ranked
    ]


def _profile(model: bytes, picture: NDArray[np.uint8], runs: int, folder: str) -> Path:
    options = session_options(1)
    options.enable_profiling = True
    options.profile_file_prefix = str(Path(folder) / "profile")
    session = open_session(model, options)
    name = session.get_inputs()[0].name
    for _ in range(runs):
        session.run(None, {name: picture})
    return Path(session.end_profiling())


def _shape(arguments: dict[str, Any]) -> str:
    for tensor in arguments.get("output_type_shape", []):
        for dtype, shape in tensor.items():
            return f"{dtype} {'×'.join(map(str, shape))}"
    return ""
