"""How errors grow as pictures get worse: each corruption at several strengths, thresholds held.

Recognition compares a corrupted probe with a clean reference, as happens at a door. A subsample of people and
pictures keeps it to seconds; the intervals say what that costs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facegate.contracts import AttackSpecies, Split
from facegate.datasets.pack import Pack
from facegate.evaluation.corruptions import CORRUPTIONS
from facegate.evaluation.numbers import plain
from facegate.evaluation.parallel import in_order
from facegate.evaluation.scores import Model, compare_embeddings, rows_of
from facegate.metrics.bootstrap import bootstrap_rate, resample
from facegate.params import EvaluateParams

STRENGTHS = (0.0, 0.33, 0.67, 1.0)
PICTURES = 240


def recognition_robustness(
    model: Model, pack: Pack, threshold: float, params: EvaluateParams
) -> dict[str, Any]:
    """FNMR and FMR of corrupted probes against clean references at a fixed threshold.

    Returns:
        ``{corruption: [{"strength", "fnmr", "fmr"}, …]}``.
    """
    rows = _subsample(pack, rows_of(pack, Split.TEST), params.seed)
    subjects = pack.column("subject_id")[rows].astype(str)
    clean = pack.images(rows)
    reference = model.run(clean)
    probe, other = (index.ravel() for index in np.indices((rows.size, rows.size)))
    keep = probe != other
    probe, other = probe[keep], other[keep]
    mated = subjects[probe] == subjects[other]
    draws = resample(subjects, params.bootstrap, params.seed)

    def measure(pictures: NDArray[np.uint8]) -> dict[str, Any]:
        both = np.concatenate([model.run(pictures), reference])
        accepted = compare_embeddings(both, probe, other + rows.size) >= threshold
        one, two = subjects[probe], subjects[other]
        return {
            "fnmr": bootstrap_rate(draws, ~accepted[mated], one[mated], None, params.confidence),
            "fmr": bootstrap_rate(draws, accepted[~mated], one[~mated], two[~mated], params.confidence),
        }

    return _curves(clean, measure, params.seed)


def spoof_robustness(
    model: Model, pack: Pack, threshold: float, genuine: int, params: EvaluateParams
) -> dict[str, Any]:
    """BPCER, and APCER pooled over species, of corrupted presentations at a fixed threshold.

    Args:
        model: the session.
        pack: the spoof crops.
        threshold: of the bona fide score.
        genuine: index of the bona fide class among the outputs.
        params: resamples, confidence and seed.

    Returns:
        ``{corruption: [{"strength", "bpcer", "apcer"}, …]}``.
    """
    rows = _subsample(pack, rows_of(pack, Split.TEST), params.seed)
    subjects = pack.column("subject_id")[rows].astype(str)
    live = pack.column("species")[rows] == AttackSpecies.BONA_FIDE.value
    draws = resample(subjects, params.bootstrap, params.seed)

    def measure(pictures: NDArray[np.uint8]) -> dict[str, Any]:
        accepted = model.run(pictures)[:, genuine] >= threshold
        return {
            "bpcer": bootstrap_rate(draws, ~accepted[live], subjects[live], None, params.confidence),
            "apcer": bootstrap_rate(draws, accepted[~live], subjects[~live], None, params.confidence),
        }

    return _curves(pack.images(rows), measure, params.seed)


def _curves(clean: NDArray[np.uint8], measure: Any, seed: int) -> dict[str, Any]:
    found: dict[str, Any] = {name: [] for name in CORRUPTIONS}
    untouched = measure(clean)
    steps = [(name, strength) for name in CORRUPTIONS for strength in STRENGTHS]

    def figures(step: tuple[str, float]) -> dict[str, Any]:
        name, strength = step
        if strength == 0:
            return untouched
        pictures = [
            CORRUPTIONS[name](picture, strength, np.random.default_rng((seed, row)))
            for row, picture in enumerate(clean)
        ]
        return measure(np.stack(pictures))

    measured = in_order(figures, steps)
    for name, strength in tqdm(steps, desc="robustness", unit="step", leave=False, disable=None):
        found[name].append({"strength": strength, **next(measured)})
    return plain(found)


def _subsample(pack: Pack, rows: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """Whole people, in a drawn order, until there are enough pictures."""
    subjects = pack.column("subject_id")[rows].astype(str)
    people = np.unique(subjects)
    order = np.random.default_rng(seed).permutation(people.size)
    sizes = np.array([(subjects == people[k]).sum() for k in order])
    taken = order[: max(2, int(np.searchsorted(np.cumsum(sizes), PICTURES, "right")))]
    return rows[np.isin(subjects, people[taken])]
