"""What fine-tuning gave: the same held-out pictures and the same strangers, judged before and after.

Three questions, each with the threshold that the validation strangers set for that very model: are the people told
apart better in pictures that training did not see, are strangers told from them, and are strangers told apart as well
as before.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import Rate
from facegate.errors import NotMeasurableError
from facegate.evaluation.numbers import plain
from facegate.evaluation.pairs import choose_pairs
from facegate.metrics.bootstrap import Resamples, bootstrap_rate, resample
from facegate.metrics.eer_interval import eer_rate, paired_difference, resampled_eers
from facegate.metrics.intervals import BOOTSTRAP
from facegate.metrics.verification import eer, error_curves, threshold_at_fmr
from facegate.params import EvaluateParams

TARGET = 0.01
"""False match rate among validation strangers at which the thresholds stand."""

VIEWS = ("held_out", "enrolled", "at_the_door", "strangers")

Vectors = NDArray[np.floating]
Names = NDArray[np.str_]
Scored = tuple[Any, ...]
"""Scores of comparisons, and the subjects of each."""


class Faces(NamedTuple):
    """One set of pictures as two models see it.

    Attributes:
        subjects: who is shown, shape (n,).
        before: unit embeddings of the first model, shape (n, d).
        after: unit embeddings of the second model, shape (n, d).
    """

    subjects: Names
    before: Vectors
    after: Vectors


class _Claims(NamedTuple):
    """Comparisons: subjects of probe and reference, and both models' scores, all of shape (n,)."""

    probe: Names
    reference: Names
    before: Vectors
    after: Vectors

    @property
    def mated(self) -> NDArray[np.bool_]:
        return self.probe == self.reference


def before_and_after(
    learned: Faces, held_out: Faces, validation: Faces, strangers: Faces, params: EvaluateParams
) -> dict[str, Any]:
    """Compare a fine-tuned recogniser with its parent.

    Args:
        learned: pictures of the people that were trained on.
        held_out: other pictures of them.
        validation: strangers that set the thresholds.
        strangers: still other people.
        params: resamples, confidence and seed.

    Returns:
        By question: ``held_out`` (held-out pictures with each other; absent where nobody has two), ``enrolled``
        (held-out pictures against templates of the learned ones), ``at_the_door`` (strangers against these templates)
        and ``strangers`` (their pictures with each other). Each has ``people``, ``eer`` and, but for ``at_the_door``, its
        difference with a paired interval, and ``fnmr`` and ``fmr`` at the model's own threshold; ``before`` and ``after``.
    """
    limit = _pairs(validation)
    thresholds = tuple(
        threshold_at_fmr(scores[~limit.mated], TARGET) for scores in (limit.before, limit.after)
    )
    enrolled = _against_templates(held_out, learned)
    door = _against_templates(strangers, learned)
    own = _pairs(held_out)
    views = {"enrolled": enrolled, "at_the_door": door, "strangers": _pairs(strangers)}
    if own.mated.any():
        views = {"held_out": own, **views}
    found = {name: _measure(claims, thresholds, params) for name, claims in views.items()}
    return plain({"target_fmr": TARGET, "threshold": list(thresholds), **found})


def verdict(found: dict[str, Any]) -> tuple[bool, bool]:
    """Whether the people gained (in held-out pictures), and whether strangers lost (beyond their interval)."""
    gained = found.get("held_out", found["enrolled"])["eer"]["difference"] < 0
    return gained, found["strangers"]["eer"]["low"] > 0


def lines(found: dict[str, Any]) -> list[str]:
    """The comparison for reading: per cent, before and after."""
    rows = [f"  {'per cent':<12} {'EER':>16} {'FNMR':>16} {'FMR':>16}   difference of EER"]
    for name in (view for view in VIEWS if view in found):
        view = found[name]
        cells = [_change(view.get(metric)) for metric in ("eer", "fnmr", "fmr")]
        eer = view.get("eer")
        change = (
            f"{100 * eer['difference']:+.2f} ({100 * eer['low']:+.2f} to {100 * eer['high']:+.2f})"
            if eer
            else ""
        )
        rows.append(f"  {name:<12} {cells[0]:>16} {cells[1]:>16} {cells[2]:>16}   {change}".rstrip())
    return rows


def _change(rates: dict[str, Any] | None) -> str:
    return " → ".join(f"{100 * rates[side]['value']:.2f}" for side in ("before", "after")) if rates else "–"


def _measure(claims: _Claims, thresholds: tuple[float, ...], params: EvaluateParams) -> dict[str, Any]:
    mated = claims.mated
    everyone = np.concatenate([claims.probe, claims.reference])
    draws = resample(everyone, params.bootstrap, params.seed)
    genuine, impostor = claims.probe[mated], (claims.probe[~mated], claims.reference[~mated])
    sides: dict[str, Vectors] = dict(zip(("before", "after"), (claims.before, claims.after), strict=True))
    found: dict[str, Any] = {
        "people": draws.people.size,
        "fmr": {
            name: bootstrap_rate(draws, scores[~mated] >= threshold, *impostor, params.confidence)
            for (name, scores), threshold in zip(sides.items(), thresholds, strict=True)
        },
    }
    if not mated.any():
        return found
    found["fnmr"] = {
        name: bootstrap_rate(draws, scores[mated] < threshold, genuine, None, params.confidence)
        for (name, scores), threshold in zip(sides.items(), thresholds, strict=True)
    }
    parts = [((scores[mated], genuine), (scores[~mated], *impostor)) for scores in sides.values()]
    rates = dict(zip(sides, (_eer(draws, *part, params) for part in parts), strict=True))
    return {**found, "eer": {**rates, **_difference(draws, rates, parts, params)}}


def _eer(draws: Resamples, genuine: Scored, impostor: Scored, params: EvaluateParams) -> Rate:
    """The equal error rate; of so few people that resamples hold no pair, anything from 0 to 1."""
    try:
        return eer_rate(draws, genuine, impostor, params.confidence)  # pyright: ignore[reportArgumentType]
    except NotMeasurableError:
        point = eer(error_curves(genuine[0], impostor[0]))
        errors = (genuine[0] < point.threshold).sum() + (impostor[0] >= point.threshold).sum()
        return Rate(
            value=point.value,
            errors=int(errors),
            trials=genuine[0].size + impostor[0].size,
            low=0.0,
            high=1.0,
            confidence=params.confidence,
            method=BOOTSTRAP,
        )


def _difference(
    draws: Resamples, rates: dict[str, Rate], parts: list[tuple[Any, Any]], params: EvaluateParams
) -> dict[str, float]:
    try:
        before, after = (resampled_eers(draws, *part) for part in parts)
        low, high, p = paired_difference(before, after, draws.people.size, params.confidence)
    except NotMeasurableError:
        low, high, p = -1.0, 1.0, 1.0
    change = (rates["after"].value or 0.0) - (rates["before"].value or 0.0)
    return {"difference": change, "low": low, "high": high, "p_value": p}


def _pairs(faces: Faces) -> _Claims:
    """All pictures with each other, or all mated ones with a draw of the others."""
    chosen = choose_pairs(faces.subjects)
    probe, reference = chosen.probe, chosen.reference

    def scores(vectors: Vectors) -> Vectors:
        return np.einsum("nd,nd->n", vectors[probe], vectors[reference])

    return _Claims(
        faces.subjects[probe], faces.subjects[reference], scores(faces.before), scores(faces.after)
    )


def _against_templates(probes: Faces, enrolled: Faces) -> _Claims:
    """Every probe against the template of every enrolled person: the mean of their embeddings."""
    people = np.unique(enrolled.subjects)

    def scores(vectors: Vectors, references: Vectors) -> Vectors:
        templates = np.stack([references[enrolled.subjects == name].mean(0) for name in people])
        templates /= np.linalg.norm(templates, axis=1, keepdims=True)
        return (vectors @ templates.T).ravel()

    return _Claims(
        np.repeat(probes.subjects, people.size),
        np.tile(people, probes.subjects.size),
        scores(probes.before, enrolled.before),
        scores(probes.after, enrolled.after),
    )
