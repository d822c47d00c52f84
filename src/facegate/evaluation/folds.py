"""Published protocols with folds: comparisons of one run in ten folds (LFW), or one run per fold (SiW, OULU-NPU).

Both end as a figure per fold, their mean and their standard deviation, as the tables of the field print them.
"""

import json
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from facegate.contracts import Rate, Split
from facegate.datasets.pack import Pack
from facegate.errors import NotMeasurableError
from facegate.evaluation.numbers import plain
from facegate.evaluation.pairs import Pairs
from facegate.metrics.intervals import exact_rate
from facegate.metrics.transactions import fold_accuracy
from facegate.reporting.page import Section, Table, with_interval

THRESHOLD_FROM = "eer"
"""Operating point of the spoof protocols: the equal error rate of the validation (Dev) people."""


def protocol_pairs(pack: Pack, ids: NDArray[Any]) -> Pairs | None:
    """The comparisons that a pack's protocol names, mated ones first; None where it names none.

    A set like the InsightFace ``.bin`` knows pairs and no identities, so its pictures may be compared by these
    alone. Pairs with a picture in which no face was found are left out here and counted by :func:`by_fold`.

    Args:
        pack: the crops.
        ids: sample ids of the split, shape (n,); the indices returned point into them.
    """
    named = pack.metadata.get("pairs")
    if not named:
        return None
    place = {name: number for number, name in enumerate(ids)}
    found = _in_order(named, place)
    if not found:
        return None
    probe, reference = (np.array([place[pair[end]] for pair in found]) for end in (1, 2))
    return Pairs(probe, reference, np.array([bool(pair[3]) for pair in found]))


def _in_order(named: Sequence[Sequence[Any]], known: Container[str]) -> list[Sequence[Any]]:
    """The pairs [fold, id, id, mated] of which both pictures are known, mated ones first."""
    return sorted(
        (pair for pair in named if pair[1] in known and pair[2] in known), key=lambda pair: not pair[3]
    )


def by_fold(table: pa.Table, pack: Pack, confidence: float) -> dict[str, Any] | None:
    """Accuracy per fold, the threshold chosen on all other folds (LFW, View 2); None where there are no folds.

    Returns:
        Plain JSON: ``folds`` (fold: ``Rate`` of right decisions), ``accuracy`` (mean, standard deviation and
        standard error over folds), ``pairs`` and ``pairs_without_a_face``.
    """
    named = pack.metadata.get("pairs")
    if not named or len({fold for fold, *_ in named}) < 2:
        return None
    part = table.filter(pc.field("split") == Split.TEST.value)
    known = {*part["probe_id"].to_pylist(), *part["reference_id"].to_pylist()}
    folds = np.array([fold for fold, *_ in _in_order(named, known)])
    found = fold_accuracy(part["score"].to_numpy(), part["mated"].to_numpy(), folds)
    names, sizes = np.unique(folds, return_counts=True)
    rates = {
        str(name): exact_rate(round(accuracy * size), int(size), confidence)
        for name, size, accuracy in zip(names, sizes, found.accuracies, strict=True)
    }
    return plain(
        {
            "threshold_from": "the other folds",
            "folds": rates,
            "accuracy": {**spread(found.accuracies), "standard_error": found.standard_error},
            "pairs": int(sizes.sum()),
            "pairs_without_a_face": len(named) - int(sizes.sum()),
        }
    )


def section(metrics: Mapping[str, Any]) -> list[Section]:
    """The protocol's folds for the report page; empty where there are none."""
    found = metrics.get("by_fold")
    if not found:
        return []
    mean = found["accuracy"]
    rows = [(fold, with_interval(Rate.model_validate(rate))) for fold, rate in found["folds"].items()]
    summary = f"{mean['mean']:.2%} ± {mean['sd']:.2%} (standard error {mean['standard_error']:.2%})"
    lead = (
        f"Accuracy of {found['pairs']:,} pairs, each fold at the threshold of the others. "
        f"{found['pairs_without_a_face']:,} pairs are left out, for no face was found in one of their pictures."
    )
    rows.append(("mean ± standard deviation", summary))
    return [Section("Protocol by fold", lead, tables=(Table(("fold", "accuracy"), rows),))]


def spread(values: ArrayLike) -> dict[str, Any]:
    """Mean and sample standard deviation over folds; the latter is None for one fold."""
    numbers = np.asarray(values, float)
    sd = float(numbers.std(ddof=1)) if numbers.size > 1 else None
    return {"mean": float(numbers.mean()), "sd": sd, "folds": int(numbers.size)}


def over_runs(runs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Spoof figures of one run per fold: each fold's rates, and mean ± standard deviation.

    Args:
        runs: what ``evaluation.json`` holds, by fold.

    Returns:
        Plain JSON: ``folds`` with ``bpcer`` and the worst species' ``apcer`` at the threshold of the validation
        people's EER and the legacy ``acer``; ``mean`` with :func:`spread` of each.

    Raises:
        NotMeasurableError: there is no run, or a rate of one could not be measured.
    """
    if not runs:
        raise NotMeasurableError("no fold has been run", "name a protocol with folds, for instance siw/2")
    folds = {name: _figures(name, metrics) for name, metrics in runs.items()}
    mean = {key: spread([values[key] for values in folds.values()]) for key in ("acer", "apcer", "bpcer")}
    first = next(iter(runs.values()))
    return plain(
        {
            "dataset": first["dataset"],
            "synthetic": bool(first["synthetic"]),
            "folds": folds,
            "mean": mean,
            "note": f"threshold: {THRESHOLD_FROM} of the validation people; ACER is not in ISO/IEC 30107-3",
        }
    )


def _figures(name: str, metrics: Mapping[str, Any]) -> dict[str, Any]:
    at = metrics["operating_points"][THRESHOLD_FROM]
    apcer, bpcer = at["worst_apcer"]["value"], at["bpcer"]["value"]
    if apcer is None or bpcer is None:
        raise NotMeasurableError(f"fold {name}: a rate was not measured", "look at the report of that fold")
    rates = {"apcer_rate": at["worst_apcer"], "bpcer_rate": at["bpcer"], "worst_species": at["worst_species"]}
    return {"acer": (apcer + bpcer) / 2, "apcer": apcer, "bpcer": bpcer, **rates}


def run_folds(
    folds: Sequence[str],
    choose: Callable[[str], object],
    reproduce: Callable[[], None],
    result: Path,
    out: Path,
) -> dict[str, Any]:
    """Run the graph once per fold and gather the figures.

    Args:
        folds: names of the protocol's folds.
        choose: makes a fold the one that the next run takes.
        reproduce: brings `result` up to date; DVC's cache makes a fold that was run before a matter of seconds.
        result: ``evaluation.json`` of the model.
        out: folder of ``<fold>.json`` and ``summary.json``.

    Returns:
        See :func:`over_runs`.
    """
    out.mkdir(parents=True, exist_ok=True)
    runs: dict[str, Any] = {}
    for fold in folds:
        choose(fold)
        reproduce()
        runs[fold] = json.loads(result.read_text())
        (out / f"{fold}.json").write_text(result.read_text())
    found = over_runs(runs)
    (out / "summary.json").write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    return found
