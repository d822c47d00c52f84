"""The leave-something-out protocols from packs to page."""

from collections.abc import Sequence
from pathlib import Path

from facegate.contracts import CROP_COLUMNS
from facegate.datasets.pack import open_pack
from facegate.errors import ParamsError
from facegate.evaluation.protocol_page import PROTOCOLS, write_protocols
from facegate.evaluation.protocol_runs import run_arms
from facegate.evaluation.protocols import measure_arms
from facegate.params import Params
from facegate.training.protocols import REFERENCE, arms_of


def run_protocols(
    protocols: Sequence[str], crops: Path, pool: Path, out: Path, params: Params, steps: int
) -> Path:
    """Train what is not trained yet, measure, and write the page.

    Args:
        protocols: keys of :data:`~facegate.evaluation.protocol_page.PROTOCOLS`; empty for all.
        crops: spoof crops.
        pool: content that is not faces.
        out: gets the score tables, ``protocols.json``, plots and ``report.html``.
        params: recipe, trainer and evaluation.
        steps: optimiser steps of every arm.

    Returns:
        The page.

    Raises:
        ParamsError: no such protocol.
        PackError: a pack cannot be used.
        NotMeasurableError: the splits are too small.
    """
    for name in protocols:
        if name not in PROTOCOLS:
            raise ParamsError(f"`{name}` is no protocol", f"choose of {', '.join(PROTOCOLS)}")
    wanted = {REFERENCE.protocol, *(protocols or PROTOCOLS)}
    arms = [arm for arm in arms_of(open_pack(crops, CROP_COLUMNS)) if arm.protocol in wanted]
    tables = run_arms(arms, crops, pool, out, params, steps)
    write_protocols(out, measure_arms(arms, tables, crops, params.evaluate))
    return out / "report.html"
