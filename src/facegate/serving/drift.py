"""Have the pictures changed since the models were measured? Scores and quality, per camera, against a reference.

There are two references. The contracts of the models say how spoof score, sharpness and brightness of live people lay
when they were measured: a shift against that says that the figures measured there need not hold here. And the first
values that a camera gave under a release, kept on the disk, so that a restart does not make yesterday's drift today's
normal: a shift against that says that something has changed here. What is compared is the newest window of values, by
two measures:

- PSI, the population stability index, over ten bins of equal share of the reference; above 0.25 is read as a shift
  (Siddiqi, *Credit Risk Scorecards*, 2006).
- The two-sample Kolmogorov-Smirnov distance; significant at 0.1 % when it exceeds c · √((n + m) / (n · m)), c = 1.95.

The alert wants both: PSI says that it is large, KS that it is not chance.
"""

import json
import logging
import math
import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import Distribution
from facegate.runtime.engine import FaceResult

PSI_LIMIT = 0.25
KS_FACTOR = math.sqrt(-math.log(0.001 / 2) / 2)
BINS = 10
EVERY = 50
"""New values between two comparisons."""
MOST_SERIES = 300
Values = NDArray[np.float64]
_log = logging.getLogger(__name__)


def psi(reference: Values, values: Values) -> float:
    """Population stability index, over bins of equal share of the reference; an empty bin counts half a value.

    Args:
        reference: shape (n,).
        values: shape (m,).
    """
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1]))
    shares = []
    for part in (reference, values):
        counts = np.bincount(np.searchsorted(edges, part, side="right"), minlength=len(edges) + 1)
        shares.append(np.maximum(counts, 0.5) / len(part))
    expected, found = shares
    return float(np.sum((found - expected) * np.log(found / expected)))


def ks(reference: Values, values: Values) -> float:
    """Two-sample Kolmogorov-Smirnov distance, 0 to 1."""
    first, second = np.sort(reference), np.sort(values)
    both = np.concatenate([first, second])
    below = [np.searchsorted(part, both, side="right") / len(part) for part in (first, second)]
    return float(np.abs(below[0] - below[1]).max())


def alarming(psi_value: float, ks_value: float, n: int, m: int) -> bool:
    """Whether a shift is both large and no chance."""
    return psi_value > PSI_LIMIT and ks_value > KS_FACTOR * math.sqrt((n + m) / (n * m))


class Sample(NamedTuple):
    """What values are held against.

    Attributes:
        values: shape (n,): all of them, or quantiles that stand for them.
        size: how many values they stand for.
    """

    values: Values
    size: int

    @classmethod
    def of(cls, known: Distribution) -> "Sample":
        """A distribution of a contract."""
        return cls(np.array(known.quantiles), known.samples)


def held_against(reference: Sample, values: Values) -> tuple[float, float, bool]:
    """PSI, KS and whether they are alarming."""
    shift, distance = psi(reference.values, values), ks(reference.values, values)
    return shift, distance, alarming(shift, distance, reference.size, len(values))


def measured(result: FaceResult) -> dict[str, float]:
    """What is watched of one face."""
    values: dict[str, float] = {}
    if result.quality is not None:
        quality = result.quality
        values |= {
            "eye_distance": quality.eye_distance,
            "sharpness": quality.sharpness,
            "brightness": quality.brightness,
        }
    if result.spoof is not None:
        values["spoof_score"] = result.spoof.score
    if result.match is not None:
        values["match_score"] = result.match.score
    return {name: value for name, value in values.items() if math.isfinite(value)}


CONTRACT, CAMERA = "contract", "camera"
"""What a shift is against."""
Tell = Callable[[str, str, str, float, float, bool], None]


class Drift:
    """Watches every camera; threads may share it.

    Args:
        folder: where references are kept.
        tell: told of camera, value, what it is held against, PSI, KS and whether that is alarming.
        reference: values that make up a reference.
        window: newest values that are compared.
    """

    def __init__(self, folder: Path, tell: Tell, reference: int = 500, window: int = 500) -> None:
        self.folder, self.tell = folder, tell
        self.reference, self.window = reference, window
        self._lock = threading.Lock()
        self._release = ""
        self._series: dict[tuple[str, str], _Series] = {}
        self._contract: dict[str, Sample] = {}

    def release(self, digest: str, contract: Mapping[str, Distribution] | None = None) -> None:
        """Begin anew for a release, with what its contracts say and the references kept for it."""
        with self._lock:
            self._release, self._series = digest[:12], {}
            self._contract = {name: Sample.of(known) for name, known in (contract or {}).items()}
            for file in sorted((self.folder / self._release).glob("*.json")):
                self._restore(file)

    def add(self, camera: str, result: FaceResult) -> None:
        """Take in one face."""
        for name, value in measured(result).items():
            self._add(camera, name, value)

    def alerts(self) -> tuple[str, ...]:
        """What is alarming now, as ``camera: value against the contract``."""
        with self._lock:
            return tuple(
                f"{camera}: {name} against the {against}"
                for (camera, name), one in self._series.items()
                for against, alarm in one.alarming.items()
                if alarm
            )

    def _add(self, camera: str, name: str, value: float) -> None:
        with self._lock:
            if (camera, name) not in self._series and len(self._series) >= MOST_SERIES:
                return
            series = self._series.setdefault((camera, name), _Series(self.window))
            learning = len(series.reference) < self.reference
            if learning:
                series.reference.append(value)
                if len(series.reference) == self.reference:
                    self._keep(camera, name, series)
            found = series.compare(self._references(name, series, learning)) if series.add(value) else {}
        for against, shift in found.items():
            self.tell(camera, name, against, *shift)

    def _references(self, name: str, series: "_Series", learning: bool) -> dict[str, Sample]:
        own = {} if learning else {CAMERA: Sample(np.array(series.reference), len(series.reference))}
        return own | ({CONTRACT: self._contract[name]} if name in self._contract else {})

    def _keep(self, camera: str, name: str, series: "_Series") -> None:
        place = self.folder / self._release
        safe = re.sub(r"[^A-Za-z0-9._-]", "_", f"{camera}--{name}")
        values = {"camera": camera, "value": name, "reference": list(series.reference)}
        try:
            place.mkdir(parents=True, exist_ok=True)
            draft = place / f"{safe}.{id(series)}.partial"
            draft.write_text(json.dumps(values))
            draft.replace(place / f"{safe}.json")
        except OSError as error:  # the watch goes on in memory
            _log.error("drift reference not kept", extra={"fields": {"problem": str(error)}})

    def _restore(self, file: Path) -> None:
        try:
            values: Mapping[str, object] = json.loads(file.read_text())
            series = _Series(self.window)
            series.reference = [float(v) for v in values["reference"]][: self.reference]  # pyright: ignore[reportGeneralTypeIssues]
            self._series[str(values["camera"]), str(values["value"])] = series
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.error(
                "drift reference unreadable", extra={"fields": {"file": file.name, "problem": str(error)}}
            )


class _Series:
    """One value of one camera."""

    def __init__(self, window: int) -> None:
        self.reference: list[float] = []
        self.newest: deque[float] = deque(maxlen=window)
        self.fresh = 0
        self.alarming: dict[str, bool] = {}

    def add(self, value: float) -> bool:
        """Take in a value; whether it is time to compare, which is every so many values."""
        self.newest.append(value)
        self.fresh += 1
        return len(self.newest) == self.newest.maxlen and self.fresh >= EVERY

    def compare(self, references: Mapping[str, Sample]) -> dict[str, tuple[float, float, bool]]:
        """By reference PSI, KS and whether they are alarming."""
        self.fresh = 0
        found = {against: held_against(known, np.array(self.newest)) for against, known in references.items()}
        self.alarming = {against: shift[-1] for against, shift in found.items()}
        return found
