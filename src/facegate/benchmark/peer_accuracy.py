"""What accuracy the peers' time buys: their recognisers on the very comparisons of the evaluation.

    python -m facegate.benchmark.peer_accuracy --out reports/peers

All see the test people of the embedded run and are timed in one interleaved run, one thread. Each peer's own way is
kept: dlib finds the face with its HOG detector (enlarged twice; where it finds none, in facegate's box), aligns by its
own five points and compares by distance; SFace runs on OpenCV's engine, on facegate's crops.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from tqdm import tqdm

from facegate.benchmark import plots
from facegate.benchmark.peers import DLIB_CHIP, open_dlib
from facegate.benchmark.report import REPORT, TABLE, find_bundles, write_json
from facegate.benchmark.timing import Latency, interleave
from facegate.contracts import CROP_COLUMNS, SAMPLE_COLUMNS, Rate, Split
from facegate.datasets.pack import Pack, open_pack
from facegate.errors import told_in_words
from facegate.evaluation.baselines import equal_error
from facegate.evaluation.scores import answers, compare_embeddings
from facegate.evaluation.tables import Comparisons, comparisons, read_table
from facegate.faces.detect import Detector
from facegate.params import EvaluateParams, load_params
from facegate.runtime.bundle import load_bundle
from facegate.runtime.session import Session
from facegate.whole import whole_folder

RUNS = 200
DLIB, SFACE = "dlib ResNet", "SFace (OpenCV)"

Picture = NDArray[np.uint8]
Embeddings = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Recognised:
    """What one recogniser made of the test pictures.

    Attributes:
        embeddings: shape (n, size).
        by_distance: compared by Euclidean distance, not by the angle.
        once: one crop into an embedding, for the clock.
        unseen: pictures whose face the recogniser's own detector did not find.
    """

    embeddings: Embeddings
    once: Callable[[], object]
    by_distance: bool = False
    unseen: int = 0

    def scores(self, test: Comparisons) -> Embeddings:
        """Scores of the comparisons, higher is more alike, shape (n,)."""
        if not self.by_distance:
            return compare_embeddings(self.embeddings, test.probe, test.reference)
        return -np.linalg.norm(self.embeddings[test.probe] - self.embeddings[test.reference], axis=1)


def of_bundle(folder: Path, crops: Pack, rows: NDArray[np.intp]) -> Recognised:
    """A bundle of facegate's."""
    session = Session(load_bundle(folder))
    crop = crops.images(rows[:1])
    return Recognised(answers(session, crops, rows, folder.name), lambda: session.run(crop))


def of_sface(weights: Path, crops: Pack, rows: NDArray[np.intp]) -> Recognised | None:
    """SFace on OpenCV's engine; None where its weights are not here."""
    if not weights.is_file():
        return None
    network = cv2.FaceRecognizerSF.create(str(weights), "")

    def embed(crop: Picture) -> Embeddings:
        return np.array(network.feature(np.ascontiguousarray(crop[..., ::-1])))[0]

    found = [embed(crops.image(row)) for row in tqdm(rows, desc=SFACE, unit="picture", disable=None)]
    crop = crops.image(rows[0])
    return Recognised(np.stack(found), lambda: embed(crop))


def of_dlib(stills: Pack, rows: NDArray[np.intp]) -> Recognised | None:
    """dlib's ResNet on the uncropped pictures; None where it is not installed."""
    dlib = open_dlib()
    if dlib is None:
        return None
    ours = Detector()
    found, unseen = [], 0
    for row in tqdm(rows, desc=DLIB, unit="picture", disable=None):
        picture = stills.image(row)
        boxes = dlib.detect(picture, 1)
        unseen += not boxes
        box = max(boxes, key=lambda box: box.area()) if boxes else dlib.rectangle(*_corners(ours, picture))
        found.append(dlib.embed(picture, dlib.locate(picture, box)))
    return Recognised(np.array(found), lambda: dlib.embed(DLIB_CHIP), by_distance=True, unseen=unseen)


def _corners(detector: Detector, picture: Picture) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of facegate's box; of the whole picture where there is none."""
    faces = detector.detect(picture)
    x, y, width, height = faces[0].box.tolist() if faces else (0, 0, *picture.shape[1::-1])
    return int(x), int(y), int(x + width), int(y + height)


def compare_peers(
    recognisers: Mapping[str, Recognised], test: Comparisons, params: EvaluateParams, runs: int = RUNS
) -> dict[str, Any]:
    """Accuracy and time of several recognisers.

    Args:
        recognisers: by name, their embeddings in the order of ``test.samples``.
        test: the comparisons.
        params: resamples, confidence and seed.
        runs: rounds of the clock.

    Returns:
        By name: ``eer``, ``latency_ms``, ``unseen``; and ``comparisons``, ``pictures`` and ``people``.
    """
    times = interleave({name: r.once for name, r in recognisers.items()}, runs, 5, label="peers")
    models = {
        name: {
            "eer": equal_error(recognised.scores(test), test, params).model_dump(mode="json"),
            "latency_ms": Latency.of(times[name]).rounded(),
            "unseen": recognised.unseen,
        }
        for name, recognised in recognisers.items()
    }
    sizes = {"comparisons": len(test.probe), "pictures": len(test.samples), "people": len(test.people)}
    return {"models": models, **sizes}


def peer_table(report: Mapping[str, Any], synthetic: bool) -> str:
    """The comparison as a Markdown page."""
    people = "rendered people, *synthetic*" if synthetic else "people"
    lines = [
        "# Recognisers beside each other",
        "",
        f"{report['comparisons']:,} comparisons of {report['pictures']} pictures of {report['people']} {people}; "
        "one thread.",
        "",
        "| recogniser | EER (interval) | ms a crop, median | face not found by its own detector |",
        "|---|--:|--:|--:|",
    ]
    for name, model in report["models"].items():
        eer = Rate.model_validate(model["eer"])
        value = "not measurable" if eer.value is None else f"{100 * eer.value:.2f} %"
        rate = f"{value} ({100 * eer.low:.2f}–{100 * eer.high:.2f})"
        lines.append(f"| {name} | {rate} | {model['latency_ms']['median']:.2f} | {model['unseen']} |")
    return "\n".join(lines) + "\n"


def main(
    out: Annotated[Path, typer.Option(help="folder for the report; replaced as a whole")],
    candidates: Annotated[Path, typer.Option(help="bundles of the recogniser")] = Path(
        "artifacts/recognition/candidates"
    ),
    sface: Annotated[Path, typer.Option(help="SFace in full precision")] = Path("data/assets/teacher.onnx"),
) -> None:
    """Compare facegate's recognisers with the peers that are here, on the test people of the graph."""
    cv2.setNumThreads(1)
    params = load_params()
    crops = open_pack(Path("data/crops/recognition"), CROP_COLUMNS)
    stills = open_pack(Path("data/samples/stills"), SAMPLE_COLUMNS)
    test = comparisons(read_table(Path("scores/recognition/fp32.parquet"))[0], Split.TEST)
    rows, whole = (pack.rows_named(test.samples) for pack in (crops, stills))
    found = {
        **{
            f"facegate {name}": of_bundle(path, crops, rows)
            for name, path in find_bundles(candidates).items()
        },
        SFACE: of_sface(sface, crops, rows),
        DLIB: of_dlib(stills, whole),
    }
    report = compare_peers({name: r for name, r in found.items() if r}, test, params.evaluate)
    _write(out, report, crops.synthetic)
    print(json.dumps(report, indent=2))


def _write(out: Path, report: Mapping[str, Any], synthetic: bool) -> None:
    points = {
        name: (model["latency_ms"]["median"], model["eer"]["value"])
        for name, model in report["models"].items()
        if model["eer"]["value"] is not None
    }
    with whole_folder(out) as draft:
        write_json(draft / REPORT, {**report, "synthetic": synthetic})
        (draft / TABLE).write_text(peer_table(report, synthetic))
        title = "Recognisers: accuracy against latency, one thread"
        plots.accuracy_against_latency(draft / "accuracy.png", points, "equal error rate", title, synthetic)


if __name__ == "__main__":
    with told_in_words():
        typer.run(main)
