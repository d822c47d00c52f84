"""An imported model on its way to becoming a candidate: quantised, evaluated, measured and registered like ours.

Everything lies in ``imports/<name>/`` in the layout of the graph's own outputs. The versions take the aliases
``imported-<name>`` and ``imported-<name>-<target>``; ``candidate`` stays with what the graph built.
"""

import json
from pathlib import Path

from facegate.benchmark.report import benchmark_task
from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.evaluation.stage import Places, evaluate_task
from facegate.exporting.bundles import quantise_bundle
from facegate.params import Params
from facegate.registry.evidence import collect
from facegate.registry.foreign import ForeignSpec, import_model
from facegate.registry.register import Registered, register_bundle


def import_candidate(
    model: Path, spec: ForeignSpec, params: Params, *, quantise: bool = True, root: Path | None = None
) -> list[Registered]:
    """Bring a model from elsewhere into the registry, with evidence measured on this project's crops.

    Args:
        model: the ONNX file.
        spec: what its makers say of it.
        params: all parameters; ``quantize``, ``evaluate`` and ``benchmark`` are used.
        quantise: also make the int8 targets.
        root: project folder.

    Returns:
        What was registered, fp32 first.

    Raises:
        RegistryError: the file or the crops are missing, or the model does not fit its spec.
    """
    project, task = root or Path(), spec.task
    crops, place = project / "data" / "crops" / task, project / "imports" / spec.name
    if not model.is_file():
        raise RegistryError(f"{model}: no such file", "give the path of the .onnx file")
    if not crops.is_dir():
        raise RegistryError(
            f"{crops}: there are no crops to measure it on", f"run `dvc repro prepare@{task}`"
        )
    fp32 = place / "exported" / "fp32"
    import_model(model.read_bytes(), spec, fp32)
    targets = params.quantize.targets if quantise else ()
    for target in targets:
        quantise_bundle(fp32, crops, place / "exported" / target, target, params.quantize)
    places = Places(
        crops=crops,
        exported=place / "exported",
        candidates=place / "candidates",
        scores=place / "scores",
        reports=place / "reports",
    )
    metrics = evaluate_task(task, places, params.evaluate)
    benchmark_task(task, places.candidates, place / "benchmark", params.benchmark)
    return [_register(target, task, spec, metrics, places, params, root) for target in ("fp32", *targets)]


def _register(
    target: str,
    task: Task,
    spec: ForeignSpec,
    metrics: dict,
    places: Places,
    params: Params,
    root: Path | None,
) -> Registered:
    place = places.exported.parent
    validation = (root or Path()) / "reports" / "validate" / f"{task}.json"
    evidence = collect(
        task,
        metrics[target],
        places.reports / target,
        place / "benchmark",
        places.exported / target,
        places.scores / f"{target}.parquet",
        validation if validation.is_file() else None,
    )
    name = f"imported-{spec.name}" + ("" if target == "fp32" else f"-{target}")
    return register_bundle(
        places.candidates / target,
        params,
        evidence,
        inputs={"crops": places.crops},
        aliases=(name,),
        root=root,
    )


def read_spec(path: Path) -> ForeignSpec:
    """Read the file behind ``--contract``.

    Raises:
        RegistryError: it is missing, no JSON, or lacks a field; the field is named.
    """
    try:
        return ForeignSpec.model_validate(json.loads(path.read_text()))
    except OSError as error:
        raise RegistryError(f"{path}: cannot be read: {error.strerror}", "give a JSON file") from error
    except ValueError as error:
        lines = "; ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise RegistryError(
            f"{path}: not a description of a model: {lines or error}", "compare with docs/importing.md"
        ) from error
