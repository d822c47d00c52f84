"""Release folders whose evidence was truly evaluated, on score tables of simulated people as many as asked for."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from facegate.contracts import COMPARISON_COLUMNS, PRESENTATION_COLUMNS, Split, Task
from facegate.datasets.pack import arrow_schema
from facegate.evaluation import recognition, spoof, spoof_points
from facegate.evaluation.stage import complete
from facegate.evaluation.tables import comparisons, presentations
from facegate.params import EvaluateParams
from facegate.registry.facts import Facts, release_facts
from facegate.registry.release import Manifest, write_manifest
from facegate.registry.system import SYSTEM_COLUMNS, write_claims
from facegate.registry.system_rates import system_rates
from facegate.runtime.bundle import load_bundle
from tests.registry.conftest import build_bundle

SPECIES = ("print", "print_cut", "replay_phone", "replay_tablet", "replay_monitor", "mask_rigid")
ABOUT = {"dataset": "simulated", "synthetic": True}


def comparison_table(skill: float, people: int, pictures: int, seed: int = 0) -> pa.Table:
    """All comparisons of `people` test people and half as many validation people; `skill` is d′."""
    rng = np.random.default_rng(seed)
    parts = []
    for split, count in ((Split.VAL, people // 2), (Split.TEST, people)):
        who = np.repeat(np.arange(count), pictures)
        first, second = np.triu_indices(who.size, 1)
        names = np.array([f"{split}{p}" for p in range(count)])[who]
        ids = np.char.add(np.char.add(names, "-"), np.tile(np.arange(pictures), count).astype(str))
        mated = who[first] == who[second]
        values = {
            "probe_id": ids[first], "reference_id": ids[second], "probe_subject": names[first],
            "reference_subject": names[second], "mated": mated, "split": np.full(mated.size, split.value),
            "score": (rng.normal(0, 1, mated.size) + skill * mated).astype(np.float32),
        }  # fmt: skip
        parts.append(pa.table(values, schema=arrow_schema(COMPARISON_COLUMNS)))
    return pa.concat_tables(parts)


def presentation_table(
    skill: float, people: int, open_species: str = "", bona_fide: int = 6, attacks: int = 2, seed: int = 0
) -> pa.Table:
    """Presentations of `people` test and as many validation people; attacks of the open species look live."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for split, person in itertools.product((Split.VAL, Split.TEST), range(people)):
        for number, species in enumerate([*["bona_fide"] * bona_fide, *SPECIES * attacks]):
            live = species in ("bona_fide", open_species)
            rows.append(
                {
                    "sample_id": f"{split}{person}-{number}",
                    "subject_id": f"{split}{person}",
                    "species": species,
                    "split": split.value,
                    "score": float(rng.normal(skill * live)),
                }
            )
    return pa.Table.from_pylist(rows, schema=arrow_schema(PRESENTATION_COLUMNS))


def claim_table(spoof_scores: pa.Table, recognition_skill: float, seed: int = 0) -> pa.Table:
    """Claims of the test people whose spoof scores are given: every presentation matches as a genuine one does."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    test = presentations(spoof_scores, Split.TEST)
    others = {name: np.setdiff1d(test.subjects, [name]) for name in np.unique(test.subjects)}
    for sample, subject, species, score in zip(*vars(test).values(), strict=True):
        claimed = [subject, *(others[subject] if species == "bona_fide" else ())]
        rows += [
            {
                "probe_id": sample,
                "subject_id": subject,
                "claimed_subject": name,
                "species": species,
                "acquired": True,
                "pad_score": float(score),
                "match_score": float(rng.normal(recognition_skill * (name == subject))),
            }
            for name in claimed
        ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(SYSTEM_COLUMNS))


def release_folder(
    folder: Path,
    recognition_skill: float = 3.1,
    spoof_skill: float = 3.0,
    open_species: str = "",
    *,
    people: int = 40,
    pictures: int = 8,
    spoof_people: int = 26,
    params: EvaluateParams | None = None,
) -> tuple[Facts, Manifest]:
    """Write a release folder without any registry and read its facts."""
    evaluation = params or EvaluateParams(bootstrap=100)
    compared = comparison_table(recognition_skill, people, pictures)
    presented = presentation_table(spoof_skill, spoof_people, open_species)
    points = {
        Task.RECOGNITION: recognition.operating_points(
            comparisons(compared, Split.VAL), "simulated", evaluation
        ),
        Task.SPOOF: spoof_points.operating_points(
            presentations(presented, Split.VAL), "simulated", evaluation
        ),
    }
    found = {
        Task.RECOGNITION: recognition.evaluate_recognition(compared, ABOUT, {}, evaluation),
        Task.SPOOF: spoof.evaluate_spoof(presented, ABOUT, {}, evaluation),
    }
    for task, figures in found.items():
        bundle = load_bundle(build_bundle(folder / "made", task))
        complete(bundle, folder / "release" / "models" / task, points[task], bundle.contract.calibration)
        _write(folder / "release" / "evidence" / task / "evaluation.json", figures)
        _write(folder / "release" / "evidence" / task / "validation.json", {"passed": True})
    wanted = {Task.RECOGNITION: "fmr_1e-2", Task.SPOOF: "bpcer_5"}
    origins = {task: (f"facegate-{task}", 1) for task in found}
    manifest = write_manifest(folder / "release", origins, wanted)
    claims = claim_table(presented, recognition_skill)
    pad, match = (manifest.components[task].threshold for task in (Task.SPOOF, Task.RECOGNITION))
    system = folder / "release" / "evidence" / "system"
    decision = {"median": 40.0, "p95": 50.0, "frames": 40, "machine": {"cpu": "a test"}}
    _write(
        system / "evaluation.json", {**system_rates(claims, pad, match, evaluation), "decision_ms": decision}
    )
    write_claims(claims, system / "scores.parquet")
    manifest = write_manifest(folder / "release", origins, wanted)
    return release_facts(folder / "release", manifest), manifest


def _write(path: Path, values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values))
