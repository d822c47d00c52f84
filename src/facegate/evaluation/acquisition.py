"""What comparisons leave out: pictures in which no face was found, and people who get several tries.

FMR and FNMR know only pictures that were acquired. FAR and FRR (ISO/IEC 19795-1) are those of transactions: a person
claims an identity in one attempt or up to three, a picture without a usable face is a failed attempt, and one
accepted attempt accepts the claim. In attack detection, presentations without an answer are counted by BPNRR and
APNRR (ISO/IEC 30107-3).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import AttackSpecies, Split
from facegate.datasets.pack import Pack
from facegate.errors import NotMeasurableError
from facegate.evaluation.search import DRAWN, score_matrix
from facegate.evaluation.tables import Comparisons
from facegate.metrics.bootstrap import bootstrap_rate, bootstrap_rates, resample
from facegate.metrics.pad import worst_species
from facegate.metrics.transactions import accepted_transactions
from facegate.params import EvaluateParams

ATTEMPTS = (1, 3)
"""Most attempts of a transaction."""
UNKNOWN = "not recorded: the crops were made before failures were kept; run `dvc repro prepare`"

Missed = Sequence[tuple[str, str, str]]
"""Sample, subject and species of each picture that gave no crop."""


def not_acquired(pack: Pack, split: Split) -> Missed | None:
    """Pictures of a split in which no usable face was found; None where the pack does not say."""
    rows = pack.metadata.get("not_acquired")
    if rows is None:
        return None
    return [(sample, subject, species) for sample, subject, part, species in rows if part == split.value]


def failures_to_acquire(pack: Pack, split: Split, params: EvaluateParams) -> dict[str, Any]:
    """FTA over all pictures, and over those of live people (BPNRR) and of each attack species (APNRR).

    Returns:
        ``failure_to_acquire``; if there are attacks also ``bpnrr``, ``apnrr`` (by species) and
        ``worst_apnrr_species``; or ``{"note": why not}``.
    """
    missed = not_acquired(pack, split)
    if missed is None:
        return {"note": UNKNOWN}
    inside = pack.column("split") == split.value
    subjects = np.concatenate([pack.column("subject_id")[inside], [row[1] for row in missed]]).astype(str)
    species = np.concatenate([pack.column("species")[inside], [row[2] for row in missed]]).astype(str)
    failed = np.arange(subjects.size) >= inside.sum()
    draws = resample(subjects, params.bootstrap, params.seed)
    found: dict[str, Any] = {
        "failure_to_acquire": bootstrap_rate(draws, failed, subjects, None, params.confidence)
    }
    names, code = np.unique(species, return_inverse=True)
    if names.size > 1:
        rates = bootstrap_rates(draws, failed, code, names.size, subjects, None, params.confidence)
        by_species = dict(zip(names.tolist(), rates, strict=True))
        found["bpnrr"] = by_species.pop(AttackSpecies.BONA_FIDE.value, None)
        found |= {"apnrr": by_species, "worst_apnrr_species": worst_species(by_species)}
    return found


def transactions(
    test: Comparisons, missed: Missed | None, point: str, threshold: float, params: EvaluateParams
) -> dict[str, Any]:
    """FAR and FRR of transactions of up to one and up to three attempts, failures to acquire among them.

    Everybody is enrolled with their first acquired picture; their other pictures, in the order of their names, are
    the attempts. Each person claims their own identity and, with the same attempts, everybody else's.

    Args:
        test: every comparison of the test people.
        missed: from :func:`not_acquired`.
        point: name of the operating point.
        threshold: at or above it an attempt is accepted.
        params: resamples, confidence and seed.

    Returns:
        ``operating_point``, ``threshold`` and ``by_attempts`` {n: {"far", "frr"}}, or ``{"note": why not}``.
    """
    scores = score_matrix(test)
    if scores is None or missed is None:
        return {"note": DRAWN if scores is None else UNKNOWN}
    sample, person = _attempts(test, missed)
    references = np.unique(test.subjects, return_index=True)[1]
    # A picture that was not acquired has number -1; its row is not looked at.
    table, acquired = scores[np.ix_(sample, references)], sample >= 0
    found = {}
    for most in ATTEMPTS:
        group = _whole(person, most)
        kept = group >= 0
        if not kept.any():
            found[str(most)] = {"note": f"not measured: nobody has {most} attempts"}
            continue
        accepted = accepted_transactions(table[kept], acquired[kept], group[kept], threshold)
        claimant = person[kept][np.unique(group[kept], return_index=True)[1]]
        found[str(most)] = _far_frr(accepted, claimant, params)
    return {"operating_point": point, "threshold": threshold, "by_attempts": found}


def _attempts(test: Comparisons, missed: Missed) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Sample (-1 if it was not acquired) and person of each attempt, by person and name."""
    code = {name: number for number, name in enumerate(test.people)}
    references = set(np.unique(test.subjects, return_index=True)[1].tolist())
    rows = [
        (int(test.subjects[k]), str(test.samples[k]), k)
        for k in range(test.samples.size)
        if k not in references
    ]
    # Who was never acquired could not be enrolled and makes no claim.
    rows += [(code[subject], name, -1) for name, subject, _ in missed if subject in code]
    if not rows:
        raise NotMeasurableError(
            "nobody has a second picture", "evaluate a set with several pictures a person"
        )
    person, _, sample = zip(*sorted(rows), strict=True)
    return np.array(sample), np.array(person)


def _whole(person: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Number of the transaction of each attempt of sorted people, -1 for those left over."""
    group, start = np.full(person.size, -1), 0
    for first, count in zip(*np.unique(person, return_index=True, return_counts=True)[1:], strict=True):
        whole = count // most
        group[first : first + whole * most] = start + np.repeat(np.arange(whole), most)
        start += whole
    return group


def _far_frr(
    accepted: NDArray[np.bool_], claimant: NDArray[np.intp], params: EvaluateParams
) -> dict[str, Any]:
    draws = resample(np.arange(accepted.shape[1]), params.bootstrap, params.seed)
    who, claimed = (
        index.ravel() for index in np.broadcast_arrays(claimant[:, None], np.arange(accepted.shape[1]))
    )
    own, flat = who == claimed, accepted.ravel()
    return {
        "far": bootstrap_rate(draws, flat[~own], who[~own], claimed[~own], params.confidence),
        "frr": bootstrap_rate(draws, ~flat[own], who[own], None, params.confidence),
    }
