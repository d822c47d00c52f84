"""An imported model on its way to becoming a candidate: quantised, evaluated, measured and registered like ours.

Everything lies in ``imports/<name>/`` in the layout of the graph's own outputs. The versions take the aliases
``imported-<name>`` and ``imported-<name>-<target>``; ``candidate`` stays with what the graph built.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.benchmark.report import benchmark_task
from facegate.contracts import CROP_COLUMNS, Split, Task
from facegate.datasets.pack import Pack, open_pack
from facegate.datasets.prepare import ALIGNED_SIZE, prepare
from facegate.errors import RegistryError
from facegate.evaluation.stage import Places, evaluate_task
from facegate.exporting.bundles import GOLDEN_CROPS, PARITY, PARITY_CROPS, decisions, quantise_bundle
from facegate.exporting.parity import FP32_LIMIT, compare
from facegate.params import Params
from facegate.registry.evidence import collect
from facegate.registry.foreign import Measured, import_model, makers_answers
from facegate.registry.foreign_spec import ForeignSpec
from facegate.registry.initial import refuse_terms
from facegate.registry.register import Registered, register_bundle
from facegate.registry.wrapping import run_wrapped
from facegate.runtime.bundle import Bundle, by_target


def import_candidate(
    data: bytes, spec: ForeignSpec, params: Params, *, quantise: bool = True, root: Path | None = None
) -> list[Registered]:
    """Bring a model from elsewhere into the registry, with evidence measured on this project's pictures.

    Args:
        data: the ONNX file.
        spec: what its makers say of it.
        params: all parameters; ``quantize``, ``evaluate`` and ``benchmark`` are used.
        quantise: also make the int8 targets.
        root: project folder.

    Returns:
        What was registered, fp32 first.

    Raises:
        RegistryError: the project is commercial and the model's terms are not, the pictures are missing, or the model
            does not fit its spec.
    """
    refuse_terms(spec.name, spec.training_data, params)
    project, task = root or Path(), spec.task
    place = project / "imports" / spec.name
    crops = crops_for(spec, params, project, place)
    pack = open_pack(crops, CROP_COLUMNS)
    _import(data, spec, place / "exported" / "fp32", pack, params)
    return measure(task, place, crops, f"imported-{spec.name}", params, quantise=quantise, root=root)


def measure(
    task: Task,
    place: Path,
    crops: Path,
    alias: str,
    params: Params,
    *,
    quantise: bool = True,
    training: Path | None = None,
    root: Path | None = None,
) -> list[Registered]:
    """Quantise, evaluate, benchmark and register an fp32 bundle that the graph did not make.

    Args:
        task: its task.
        place: folder with ``exported/fp32``; everything that is made lies beside it.
        crops: pack that it is measured on.
        alias: what its versions are called.
        params: all parameters.
        quantise: also make the int8 targets.
        training: ``run.json`` of the run that trained it, if it was trained here.
        root: project folder.

    Returns:
        What was registered, fp32 first.
    """
    exported, targets = place / "exported", params.quantize.targets if quantise else ()
    for target in targets:
        quantise_bundle(exported / "fp32", crops, exported / target, target, params.quantize)
    places = Places(crops, exported, place / "candidates", place / "scores", place / "reports")
    metrics = evaluate_task(task, places, params.evaluate)
    benchmark_task(task, places.candidates, place / "benchmark", params.benchmark)
    return [
        _register(task, target, folder, alias, metrics, places, params, training, root)
        for target, folder in by_target(exported).items()
    ]


def crops_for(spec: ForeignSpec, params: Params, project: Path, place: Path) -> Path:
    """Crops as the model expects them: the graph's own, or new ones where it looks at faces from further away.

    Raises:
        RegistryError: a recogniser wants another size than aligned crops have, or there are no pictures.
    """
    own = (params.prepare.context_factor, params.prepare.context_size)
    if spec.task is Task.RECOGNITION and spec.size != ALIGNED_SIZE:
        raise RegistryError(
            f"{spec.name}: takes {spec.size} pixels; aligned faces have {ALIGNED_SIZE}",
            "export it for that size; five-point alignment to other sizes is not made here",
        )
    crops = project / "data" / "crops" / spec.task
    if spec.task is Task.RECOGNITION or own == (spec.crop_factor, spec.size):
        if not crops.is_dir():
            raise RegistryError(f"{crops}: no crops to measure it on", f"run `dvc repro prepare@{spec.task}`")
        return crops
    samples = project / "data" / "samples"
    if not samples.is_dir():
        raise RegistryError(f"{samples}: no pictures to crop for {spec.name}", "run `dvc repro samples`")
    update = {"context_factor": spec.crop_factor, "context_size": spec.size}
    wanted = params.prepare.model_validate({**params.prepare.model_dump(), **update})
    prepare(spec.task, samples, place / "crops", wanted, project / ".cache" / "crops")
    return place / "crops"


def _import(data: bytes, spec: ForeignSpec, out: Path, pack: Pack, params: Params) -> Bundle:
    """Write the fp32 bundle and its ``parity.json``: our graph against the maker's own way, on validation crops."""
    rows = np.flatnonzero(pack.column("split") == Split.VAL.value)[:PARITY_CROPS]
    pictures = pack.images(rows)
    measured = Measured(
        synthetic_only=pack.synthetic,
        params_digest=params.digest(),
        data_digests={"crops": pack.digest},
    )
    bundle = import_model(data, spec, out, pictures[:GOLDEN_CROPS], measured)
    report = _parity(data, spec, bundle, pack, rows, pictures)
    (out / PARITY).write_text(json.dumps(report, indent=1, sort_keys=True) + "\n")
    if not report["largest"] <= FP32_LIMIT:
        raise RegistryError(
            f"{spec.name}: wrapped, it answers differently by {report['largest']:.2g}; allowed are {FP32_LIMIT:g}",
            "compare colour, mean, scale and activation with what its makers say",
        )
    return bundle


def _parity(
    data: bytes,
    spec: ForeignSpec,
    bundle: Bundle,
    pack: Pack,
    rows: NDArray[np.intp],
    pictures: NDArray[np.uint8],
) -> dict[str, Any]:
    reference = makers_answers(data, spec, pictures)
    outputs = run_wrapped(bundle.model, pictures)
    found = compare(reference, outputs, decisions(spec.task, pack, rows.tolist(), reference))
    where = {"samples": len(rows), "split": Split.VAL.value, "limit": FP32_LIMIT}
    return {"reference": "the makers' own preprocessing and network", **where, **found}


def _register(
    task: Task,
    target: str,
    exported: Path,
    alias: str,
    metrics: dict[str, Any],
    places: Places,
    params: Params,
    training: Path | None,
    root: Path | None,
) -> Registered:
    validation = (root or Path()) / "reports" / "validate" / f"{task}.json"
    evidence = collect(
        task,
        metrics[target],
        places.reports / target,
        places.exported.parent / "benchmark",
        exported,
        places.scores / f"{target}.parquet",
        validation if validation.is_file() else None,
    )
    return register_bundle(
        places.candidates / target,
        params,
        evidence,
        inputs={"crops": places.crops},
        training=training,
        aliases=(alias if target == "fp32" else f"{alias}-{target}",),
        root=root,
    )
