"""From claims to the rates of the whole system, in the words of ISO/IEC 30107-3:2023 and 19795-1.

A claim is accepted when a sample was acquired *and* the spoof model takes it for bona fide *and* it matches.

- **IAPAR**: impostor attack presentations accepted, per species; the worst species counts.
- **IAPMR**: attack presentations that match, were there no attack detection: how much rests on it.
- **False rejects** and **false accepts** of transactions, failures to acquire among them. A transaction is one
  attempt, or up to three in a row of which one success is enough.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facegate.contracts import AttackSpecies, Rate
from facegate.evaluation.numbers import plain
from facegate.metrics.bootstrap import Resamples, bootstrap_rate, bootstrap_rates, resample
from facegate.metrics.pad import worst_species
from facegate.params import EvaluateParams

ATTEMPTS = 3
_BONA_FIDE = AttackSpecies.BONA_FIDE.value


def system_rates(
    table: pa.Table, pad_threshold: float, match_threshold: float, params: EvaluateParams
) -> dict[str, Any]:
    """All rates of a release at its thresholds.

    Args:
        table: claims in the columns ``SYSTEM_COLUMNS``.
        pad_threshold: at or above it a presentation is taken for bona fide.
        match_threshold: at or above it a comparison matches.
        params: resamples over people, confidence and seed.

    Returns:
        Plain JSON values; every rate is a dumped ``Rate`` with its interval over people.
    """
    column = {name: table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names}
    claimed, subject = column["claimed_subject"].astype(str), column["subject_id"].astype(str)
    draws = resample(np.union1d(subject, claimed), params.bootstrap, params.seed)
    matched = column["acquired"] & (column["match_score"] >= match_threshold)
    accepted = matched & (column["pad_score"] >= pad_threshold)
    attack = column["species"] != _BONA_FIDE
    genuine, impostor = ~attack & (subject == claimed), ~attack & (subject != claimed)

    def rate(rows: NDArray[np.bool_], errors: NDArray[np.bool_]) -> Rate:
        second = claimed[rows] if (subject[rows] != claimed[rows]).any() else None
        return bootstrap_rate(draws, errors[rows], subject[rows], second, params.confidence)

    species = column["species"][attack].astype(str)
    iapar = _by_species(draws, accepted[attack], species, subject[attack], params)
    iapmr = _by_species(draws, matched[attack], species, subject[attack], params)
    worst = worst_species(iapar)
    return plain(
        {
            "people": int(np.unique(claimed).size),
            "thresholds": {"pad": {"threshold": pad_threshold}, "match": {"threshold": match_threshold}},
            "iapar": {"worst_species": worst, "worst": iapar[worst], "species": iapar},
            "iapmr": {"worst": iapmr[worst_species(iapmr)], "species": iapmr},
            "false_reject": rate(genuine, ~accepted),
            "false_reject_3_attempts": _transactions(draws, accepted[genuine], subject[genuine], params),
            "false_accept": rate(impostor, accepted),
            "failure_to_acquire": rate(genuine, ~column["acquired"]),
        }
    )


def _by_species(
    draws: Resamples,
    errors: NDArray[np.bool_],
    species: NDArray[np.str_],
    subjects: NDArray[np.str_],
    params: EvaluateParams,
) -> Mapping[str, Rate]:
    names, code = np.unique(species, return_inverse=True)
    rates = bootstrap_rates(draws, errors, code, names.size, subjects, None, params.confidence)
    return dict(zip(names.tolist(), rates, strict=True))


def _transactions(
    draws: Resamples, accepted: NDArray[np.bool_], subjects: NDArray[np.str_], params: EvaluateParams
) -> Rate:
    """False rejects of transactions of up to three attempts: a person's attempts in turn, whole triples only."""
    refused, whose = [], []
    for person in np.unique(subjects):
        attempts = accepted[subjects == person]
        whole = attempts[: attempts.size // ATTEMPTS * ATTEMPTS].reshape(-1, ATTEMPTS)
        refused.extend(np.logical_not(whole.any(axis=1)).tolist())
        whose.extend([person] * len(whole))
    return bootstrap_rate(draws, np.array(refused, bool), np.array(whose, str), None, params.confidence)
