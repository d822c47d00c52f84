"""What a registered version says of itself: Markdown for the MLflow UI, from its contract and its evidence."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from facegate.contracts import ModelContract, OperatingPoint, Rate, Task

_PURPOSE = {
    Task.RECOGNITION: "Who is this? Turns an aligned face into an embedding; the cosine of two tells how alike.",
    Task.SPOOF: "Is this a live person? Judges one frame; higher is more bona fide.",
    Task.LIVENESS: "Is this a live person? Judges a short clip; higher is more bona fide.",
    Task.EYES: "Are the eyes open? Judges one eye.",
}
_SYNTHETIC = (
    "> **Synthetic.** Measured on rendered people. These numbers prove that the pipeline works; they say "
    "nothing about real faces."
)


def rates_in(metrics: Mapping[str, Any], prefix: str = "") -> dict[str, Rate]:
    """Every :class:`Rate` in a nested metrics mapping, by dotted path."""
    found: dict[str, Rate] = {}
    for key, value in metrics.items():
        path = f"{prefix}.{key}" if prefix else str(key)
        if not isinstance(value, Mapping):
            continue
        try:
            found[path] = Rate.model_validate(value)
        except ValidationError:
            found |= rates_in(value, path)
    return found


def version_text(contract: ModelContract, headline: Mapping[str, Rate], note: str = "") -> str:
    """Description of a version: what it does, how well (value, interval, n), and on what terms."""
    quantisation = contract.quantisation
    kind = (
        "fp32"
        if quantisation.target == "fp32"
        else f"{quantisation.target} · int8, {quantisation.method} calibration"
    )
    parts = [
        f"**{contract.name}** · {kind}",
        _PURPOSE[contract.task],
        _SYNTHETIC if contract.synthetic_only else "",
        rate_table(headline) if headline else "",
        operating_point_table(contract),
        _terms(contract),
        note,
    ]
    return "\n\n".join(part for part in parts if part)


def rate_table(rates: Mapping[str, Rate]) -> str:
    """Rates as a Markdown table: value, interval and the number of trials."""
    confidence = {f"{100 * rate.confidence:g} %" for rate in rates.values()}
    head = confidence.pop() if len(confidence) == 1 else "its"
    rows = [
        (name, percent(rate.value), f"{percent(rate.low)} to {percent(rate.high)}", f"{rate.trials:,}")
        for name, rate in rates.items()
    ]
    return markdown_table(("measure", "value", f"{head} interval", "n"), rows)


def operating_point_table(contract: ModelContract) -> str:
    """Thresholds that travel with the model, and where they were measured."""
    if not contract.operating_points:
        return ""
    rows = [
        (name, f"{point.threshold:.4f}", _measured(point), f"{point.dataset}, {point.split.value}")
        for name, point in sorted(contract.operating_points.items())
    ]
    table = markdown_table(("operating point", "threshold", "measured", "on"), rows)
    return f"**Thresholds** (a score at or above is accepted)\n\n{table}"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; hard spaces keep MLflow's bare cells apart."""
    gap = "\u00a0" * 3
    lines = ["|".join(f"{cell}{gap}" for cell in row) for row in (head, *rows)]
    return "\n".join(f"|{line}|" for line in [lines[0], "|".join(["---"] * len(head)), *lines[1:]])


def pictures(run_id: str, paths: Iterable[str]) -> str:
    """Pictures among a run's artifacts, as the MLflow UI shows them inside a description."""
    return "\n\n".join(
        f"![{Path(path).stem}](get-artifact?path={quote(path, safe='')}&run_uuid={run_id})" for path in paths
    )


def percent(value: float | None) -> str:
    """A rate for reading: two significant digits below one percent."""
    if value is None:
        return "–"
    scaled = 100 * value
    return f"{scaled:.2g} %" if 0 < scaled < 1 else f"{scaled:.2f} %"


def _measured(point: OperatingPoint) -> str:
    rate = point.measured
    return f"{point.metric} {percent(rate.value)} (≤ {percent(rate.high)}, n = {rate.trials:,})"


def _terms(contract: ModelContract) -> str:
    behind = "; ".join(
        f"{d.name} ({d.role.replace('_', ' ')}, {d.licence}{'' if d.commercial_use else ', **non-commercial**'})"
        for d in contract.training_data
    )
    commit = f"commit `{contract.git_commit[:7]}`" if contract.git_commit else "unknown commit"
    return f"Built at {commit} from: {behind or 'nothing recorded'}."
