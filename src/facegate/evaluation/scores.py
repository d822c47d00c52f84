"""Bundle and crop pack in, score table out: the one place where evaluation runs a model."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facegate.contracts import CROP_COLUMNS, ModelContract, Split, Task
from facegate.datasets.pack import Pack, open_pack
from facegate.errors import NotMeasurableError
from facegate.evaluation.eye_scores import score_eyes
from facegate.evaluation.folds import protocol_pairs
from facegate.evaluation.pairs import choose_pairs
from facegate.evaluation.parallel import in_order
from facegate.evaluation.tables import write_table

MEASURED = (Split.VAL, Split.TEST)
BATCH = 64


class Model(Protocol):
    """What evaluation asks of a model; :class:`facegate.runtime.session.Session` is one."""

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Answers for crops of shape (n, height, width, 3)."""
        ...


def answers(model: Model, pack: Pack, rows: NDArray[np.intp], title: str = "scoring") -> NDArray[np.float32]:
    """What the model answers to some rows of a pack, shape (n, size), in their order.

    Raises:
        NotMeasurableError: an answer is NaN or infinite; the sample is named.
    """
    batches = [rows[start : start + BATCH] for start in range(0, rows.size, BATCH)]
    found = in_order(lambda batch: model.run(pack.images(batch)), batches)
    parts = []
    for batch in tqdm(batches, desc=title, unit="batch", leave=False, disable=None):
        parts.append(next(found))
        broken = ~np.isfinite(parts[-1]).all(axis=1)
        if broken.any():
            name = pack.column("sample_id")[batch[np.argmax(broken)]]
            raise NotMeasurableError(
                f"the model answers NaN or infinity to sample {name} of {pack.path}",
                "train or export it anew",
            )
    return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)


def rows_of(pack: Pack, split: Split) -> NDArray[np.intp]:
    """Rows of a split, in order."""
    return np.flatnonzero(pack.column("split") == split.value)


def compare_embeddings(
    embeddings: NDArray[np.floating], probe: NDArray[np.intp], reference: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Cosine of pairs of embeddings, -1 to 1, shape (n,).

    Rounded to six decimals: beyond that the order of summation shows, which may differ between runs.
    """
    unit = embeddings.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    cosine = np.empty(probe.size, np.float32)
    for start in range(0, probe.size, 100_000):
        part = slice(start, start + 100_000)
        cosine[part] = np.einsum("nd,nd->n", unit[probe[part]], unit[reference[part]]).round(6)
    return cosine


def score_comparisons(
    embeddings: NDArray[np.floating], pack: Pack, rows: NDArray[np.intp], limit: int, seed: int
) -> dict[str, Any]:
    """Columns of a comparison table: the samples of each split against each other, or a protocol's pairs.

    Args:
        embeddings: shape (n, d), of the given rows.
        pack: the crops.
        rows: their rows, shape (n,).
        limit: most non-mated comparisons of a split.
        seed: of their draw.
    """
    ids, subjects = pack.column("sample_id")[rows], pack.column("subject_id")[rows]
    splits = pack.column("split")[rows]
    parts = []
    for number, split in enumerate(MEASURED):
        inside = np.flatnonzero(splits == split.value)
        named = protocol_pairs(pack, ids[inside]) if split is Split.TEST else None
        pairs = named or choose_pairs(subjects[inside], limit, seed + number)
        probe, reference = inside[pairs.probe], inside[pairs.reference]
        parts.append((probe, reference, pairs.mated, np.full(probe.size, split.value, object)))
    probe, reference, mated, split_column = (np.concatenate(column) for column in zip(*parts, strict=True))
    return {
        "probe_id": ids[probe],
        "reference_id": ids[reference],
        "probe_subject": subjects[probe],
        "reference_subject": subjects[reference],
        "mated": mated,
        "split": split_column,
        "score": compare_embeddings(embeddings, probe, reference),
    }


def score_presentations(
    outputs: NDArray[np.float32], contract: ModelContract, pack: Pack, rows: NDArray[np.intp]
) -> dict[str, Any]:
    """Columns of a presentation table; the score is the output of the class that the contract calls bona fide."""
    names = {"sample_id", "subject_id", "species", "split"}
    return {
        **{name: pack.column(name)[rows] for name in names},
        "score": outputs[:, contract.classes.index("bona_fide")],
    }


def write_scores(
    model: Model, contract: ModelContract, crops: Path, out: Path, limit: int = 2_000_000, seed: int = 0
) -> None:
    """Score the validation and test splits of a crop pack and write the table.

    Args:
        model: a session of the bundle.
        contract: the bundle's contract.
        crops: the crop pack.
        out: the ``.parquet`` file.
        limit: most non-mated comparisons of a split.
        seed: of their draw.

    Raises:
        PackError: the pack is broken, or the table cannot be written.
        NotMeasurableError: the model answers NaN.
    """
    pack = open_pack(crops, CROP_COLUMNS)
    rows = np.concatenate([rows_of(pack, split) for split in MEASURED])
    if contract.task is Task.EYES:
        write_table(out, score_eyes(model, contract, pack, rows), contract.task, about(contract, pack))
        return
    outputs = answers(model, pack, rows, f"scoring {contract.task} {contract.quantisation.target}")
    if contract.task is Task.RECOGNITION:
        columns = score_comparisons(outputs, pack, rows, limit, seed)
    else:
        columns = score_presentations(outputs, contract, pack, rows)
    write_table(out, columns, contract.task, about(contract, pack))


def about(contract: ModelContract, pack: Pack) -> dict[str, Any]:
    """What a score table says of itself."""
    sources = sorted(set(pack.column("source")))
    return {
        "model_sha256": contract.model_sha256,
        "target": contract.quantisation.target,
        "crops_digest": pack.digest,
        "dataset": "+".join(sources),
        "synthetic": sources == ["synthetic"],
    }
