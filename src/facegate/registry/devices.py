"""What a device measured, added to the runs of the model versions that it measured.

A version then shows beside its accuracy how fast it is on the board it was made for. A result is found again by
its own SHA-256: importing it twice changes nothing.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mlflow.entities import Metric
from mlflow.entities.model_registry import ModelVersion

from facegate.benchmark.kit import DeviceModel, DeviceResult, read_result
from facegate.errors import RegistryError
from facegate.registry.names import metric_name, numbers
from facegate.registry.store import Store, open_store, store_errors

FOLDER = "devices"
"""Artifact folder of a run that holds the results of devices."""


@dataclass(frozen=True)
class Imported:
    """One model of a result and the version that it was added to.

    Attributes:
        version: name and number.
        device: processor, as in the metrics' names.
        added: False if the same result was there already.
        metrics: values by metric.
    """

    version: str
    device: str
    added: bool
    metrics: dict[str, float]


def import_device_result(path: Path, root: Path | None = None) -> list[Imported]:
    """Add ``result.json`` of a device kit to the runs of its models.

    Args:
        path: the file that the device wrote.
        root: project folder.

    Returns:
        One entry a model, in the result's order.

    Raises:
        BundleError: the file is missing or is no result.
        RegistryError: a model of it is not registered here (nothing is added then), or the store cannot be used.
    """
    result = read_result(path)
    store = open_store(root)
    versions = {name: _version(store, model) for name, model in result.models.items()}
    strangers = [name for name, version in versions.items() if version is None]
    if strangers:
        raise RegistryError(
            f"{path}: {', '.join(strangers)}: no registered version holds this model",
            "import it where the kit was written; `facegate registry list` shows the versions",
        )
    return [
        _add(store, version, result, result.models[name], path)
        for name, version in versions.items()
        if version is not None
    ]


def device_metrics(result: DeviceResult, model: DeviceModel) -> dict[str, float]:
    """Metrics of one model on one device by the names under which a run keeps them."""
    values = {
        "latency_ms": model.latency_ms,
        "load_ms": model.load_ms,
        "import_ms": result.import_ms,
        "golden_passed": float(model.golden["passed"]),
        "golden_difference": float(model.golden["difference"]),
        **({} if result.peak_mb is None else {"peak_mb": result.peak_mb}),
    }
    return numbers({f"{FOLDER}.{device_name(result)}": values})


def device_name(result: DeviceResult) -> str:
    """Processor and threads as one word, for instance ``raspberry_pi_5_model_b_rev_1.0_1_threads``."""
    return metric_name(f"{result.machine.get('cpu') or 'unknown'} {result.threads} threads").replace(" ", "_")


def _version(store: Store, model: DeviceModel) -> ModelVersion | None:
    with store_errors(store.uri):
        found = store.client.search_model_versions(f"tags.`model.sha256` = '{model.model_sha256}'")
    return max(found, key=lambda version: int(version.version), default=None)


def _add(
    store: Store, version: ModelVersion, result: DeviceResult, model: DeviceModel, path: Path
) -> Imported:
    text = path.read_text()
    place = f"{FOLDER}/{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    run, metrics = str(version.run_id), device_metrics(result, model)
    with store_errors(store.uri):
        added = place not in [file.path for file in store.client.list_artifacts(run, FOLDER)]
        if added:
            store.client.log_batch(run, metrics=[Metric(key, value, 0, 0) for key, value in metrics.items()])
            store.client.log_text(run, text, place)
    return Imported(f"{version.name}/{version.version}", device_name(result), added, metrics)
