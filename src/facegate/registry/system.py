"""Runs a release as one system over the test people: what a person and an attacker at the door would meet.

Each test person of the presentation pack is enrolled with one bona fide picture. Every other bona fide picture is
a claim of their own identity, and of everybody else's; every attack is a claim of the identity that it imitates.
Both scores are kept for every claim, also where the first check would have ended it, so that each rate can be
computed anew from the table.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from tqdm import tqdm

from facegate.benchmark.frame_path import compose
from facegate.benchmark.machine import describe
from facegate.contracts import SAMPLE_COLUMNS, AttackSpecies, Column, Split
from facegate.datasets.pack import Pack, arrow_schema, open_pack
from facegate.errors import NotMeasurableError, PictureError
from facegate.faces.detect import Face
from facegate.runtime.engine import FaceEngine, Match
from facegate.whole import whole_file

BONA_FIDE = AttackSpecies.BONA_FIDE.value
SYSTEM_COLUMNS = (
    Column("probe_id", "string", "sample_id of the presentation"),
    Column("subject_id", "string", "the person shown; for an attack, the person imitated"),
    Column("claimed_subject", "string", "the identity that is claimed"),
    Column("species", "string", "AttackSpecies; bona_fide for a live person"),
    Column("acquired", "bool", "a face was found and passed the quality gate"),
    Column("pad_score", "float32", "score of the spoof model; NaN where nothing could be cropped"),
    Column("match_score", "float32", "comparison with the claimed person's reference; NaN likewise"),
)
TIMED_PICTURES = 40


class Look(NamedTuple):
    """What the models say of the largest face of one picture.

    Attributes:
        acquired: found, and good enough.
        pad: spoof model's score; NaN if there is none.
        embedding: unit length; None if there is none.
    """

    acquired: bool
    pad: float
    embedding: NDArray[np.float32] | None


def score_system(engine: FaceEngine, pack: Pack, split: Split = Split.TEST) -> pa.Table:
    """Every claim of a split with both its scores, in the columns ``SYSTEM_COLUMNS``.

    Args:
        engine: the release's engine.
        pack: presentations: bona fide ones and attacks of the same people.
        split: whose people to take.

    Raises:
        NotMeasurableError: the split holds no attacks, or nobody who can be enrolled and tried again.
    """
    rows = _rows(pack, split)
    species, subjects = pack.column("species")[rows], pack.column("subject_id")[rows]
    if not (species != BONA_FIDE).any():
        raise NotMeasurableError(f"{pack.path}: no attacks in {split}", "take a set that holds some")
    shown = tqdm(rows, desc="judging presentations", unit="picture", leave=False, disable=None)
    looks = [look(engine, pack.image(int(row))) for row in shown]
    references = _references(looks, species, subjects)
    if len(references) < 2:
        raise NotMeasurableError(
            f"{pack.path}: fewer than two people of {split} can be enrolled", "add people"
        )
    ids = pack.column("sample_id")[rows]
    claims = [
        {
            "probe_id": ids[i],
            "subject_id": subjects[i],
            "claimed_subject": claimed,
            "species": species[i],
            "acquired": looks[i].acquired,
            "pad_score": looks[i].pad,
            "match_score": _match(engine, looks[i], looks[references[claimed]]),
        }
        for i, claimed in _claims(species, subjects, references)
    ]
    return pa.Table.from_pylist(claims, schema=arrow_schema(SYSTEM_COLUMNS))


def look(engine: FaceEngine, rgb: NDArray[np.uint8]) -> Look:
    """Both models' answers to the largest face, whatever the quality gate says."""
    faces: list[Face] = engine.detector.detect(rgb)
    if not faces or engine.spoof is None:
        return Look(False, np.nan, None)
    (gated,) = engine.gate(rgb, faces[:1])
    try:
        pad = engine.spoof.score(rgb, faces[0])
        embedding = engine.recogniser.embed(rgb, faces[0])
    except PictureError:
        return Look(False, np.nan, None)
    return Look(gated.open, pad, embedding)


def time_decisions(engine: FaceEngine, pack: Pack, split: Split = Split.TEST) -> dict[str, Any]:
    """Milliseconds from a camera frame to its decision, with one face before the camera.

    The frame is 640 × 480 with a bona fide picture of the pack on a plain wall; the whole engine runs, with one
    thread, against a single claimed reference.

    Returns:
        ``median`` and ``p95`` in milliseconds, ``frames``, and the ``machine``.
    """
    rows = [row for row in _rows(pack, split) if pack.column("species")[row] == BONA_FIDE][:TIMED_PICTURES]
    frames = [compose([pack.image(int(row))], 1) for row in rows]
    timed = FaceEngine(
        engine.recogniser, engine.spoof, _Claim(), detector=engine.detector, limits=engine.limits
    )
    seconds = []
    for number, frame in enumerate([frames[0], *frames]):
        start = time.perf_counter()
        timed.look(frame)
        if number:  # the first one warms up
            seconds.append(time.perf_counter() - start)
    median, p95 = np.quantile(seconds, [0.5, 0.95]) * 1e3
    return {
        "median": round(float(median), 3),
        "p95": round(float(p95), 3),
        "frames": len(frames),
        "machine": describe(),
    }


def open_presentations(path: Path) -> Pack:
    """A presentation pack, checked byte by byte against its own hashes."""
    return open_pack(path, SAMPLE_COLUMNS, verify=True)


def write_claims(table: pa.Table, path: Path) -> None:
    """Write the table of claims, whole or not at all."""
    with whole_file(path) as draft:
        pq.write_table(table, draft, compression="zstd")


class _Claim:
    """A gallery of one made-up person, for timing: as much work as one claimed identity."""

    def search(self, embedding: NDArray[np.float32]) -> Match:
        return Match("claimed", float(embedding @ embedding))


def _rows(pack: Pack, split: Split) -> NDArray[np.intp]:
    rows = np.flatnonzero(pack.column("split") == split.value)
    return rows[np.argsort(pack.column("sample_id")[rows].astype(str), kind="stable")]


def _references(looks: list[Look], species: NDArray[Any], subjects: NDArray[Any]) -> dict[str, int]:
    """Per person the first bona fide picture that was acquired: enrolment is attended and tried until it works."""
    found: dict[str, int] = {}
    for i, seen in enumerate(looks):
        if species[i] == BONA_FIDE and seen.acquired:
            found.setdefault(str(subjects[i]), i)
    return found


def _claims(
    species: NDArray[Any], subjects: NDArray[Any], references: dict[str, int]
) -> Iterator[tuple[int, str]]:
    enrolment = set(references.values())
    for i, subject in enumerate(subjects):
        if species[i] != BONA_FIDE and subject in references:
            yield i, str(subject)
        elif species[i] == BONA_FIDE and i not in enrolment:
            yield from ((i, claimed) for claimed in references)


def _match(engine: FaceEngine, probe: Look, reference: Look) -> float:
    if probe.embedding is None or reference.embedding is None:
        return float("nan")
    return round(engine.recogniser.compare(probe.embedding, reference.embedding), 6)
