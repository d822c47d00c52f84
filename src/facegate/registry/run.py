"""One MLflow run in the hands of a stage: log numbers, files, notes, data sets, and open runs below it."""

import json
import logging
import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.utils.async_logging.run_operations import RunOperations
from optuna.exceptions import TrialPruned

from facegate.registry.names import flatten, metric_name
from facegate.registry.store import Store, store_errors
from facegate.whole import write_whole

_MAX_PARAM = 6000
_log = logging.getLogger(__name__)


@dataclass
class Run:
    """An open run. It satisfies the training room's ``MetricLogger``.

    Attributes:
        store: the store it lives in.
        experiment: name of its experiment.
        experiment_id: id of its experiment.
        run_id: its id.
        name: its name.
    """

    store: Store
    experiment: str
    experiment_id: str
    run_id: str
    name: str
    _pending: list[RunOperations] = field(default_factory=list)

    def log(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Log numbers at a step without waiting for the store.

        A store that fails meanwhile costs the curve and not the training: it is reported when the run ends.
        """
        now = int(time.time() * 1000)
        entries = [Metric(metric_name(name), float(value), now, step) for name, value in metrics.items()]
        operation = self.store.client.log_batch(self.run_id, metrics=entries, synchronous=False)
        if operation is not None:
            self._pending.append(operation)

    def summary(self, metrics: Mapping[str, float]) -> None:
        """Log final numbers and wait until they are stored."""
        now = int(time.time() * 1000)
        entries = [Metric(metric_name(name), float(value), now, 0) for name, value in metrics.items()]
        with store_errors(self.store.uri):
            for start in range(0, len(entries), 900):
                self.store.client.log_batch(self.run_id, metrics=entries[start : start + 900])

    def params(self, values: Mapping[str, Any]) -> None:
        """Log parameters; a nested mapping becomes dotted names."""
        entries = [Param(metric_name(key), _text(value)) for key, value in flatten(values)]
        with store_errors(self.store.uri):
            for start in range(0, len(entries), 100):
                self.store.client.log_batch(self.run_id, params=entries[start : start + 100])

    def tag(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        entries = [RunTag(key, str(value)) for key, value in tags.items()]
        with store_errors(self.store.uri):
            self.store.client.log_batch(self.run_id, tags=entries)

    def describe(self, markdown: str) -> None:
        """Set the text on the run's page."""
        self.tag({"mlflow.note.content": markdown})

    def file(self, path: Path, folder: str = "") -> None:
        """Keep a copy of a file, or of a folder's contents, among the run's artifacts."""
        with store_errors(self.store.uri):
            if path.is_dir():
                self.store.client.log_artifacts(self.run_id, str(path), folder or None)
            else:
                self.store.client.log_artifact(self.run_id, str(path), folder or None)

    def text(self, text: str, name: str) -> None:
        """Keep a text among the run's artifacts."""
        with store_errors(self.store.uri):
            self.store.client.log_text(self.run_id, text, name)

    def dataset(self, name: str, path: str, md5: str, context: str) -> None:
        """Record a data set that went in, by its DVC hash; its data are not read."""
        source = CodeDatasetSource({"dvc.path": path, "dvc.md5": md5})
        entity = MetaDataset(source, name=name, digest=md5[:12])._to_mlflow_entity()
        entry = DatasetInput(entity, [InputTag("mlflow.data.context", context)])
        with store_errors(self.store.uri):
            self.store.client.log_inputs(self.run_id, [entry])

    @contextmanager
    def child(self, name: str, params: Mapping[str, Any] | None = None) -> Iterator["Run"]:
        """A run below this one, for one trial of a sweep.

        A pruned trial ends as KILLED with the tag ``optuna.state=PRUNED``, a failed one as FAILED. Either
        exception goes on to its caller.
        """
        tags = {"mlflow.parentRunId": self.run_id, "stage": "trial", **process_tags()}
        run = create_run(self.store, self.experiment, self.experiment_id, name, tags)
        run.params(params or {})
        try:
            yield run
        except TrialPruned:
            run.tag({"optuna.state": "PRUNED"})
            run.close("KILLED")
            raise
        except Exception:
            run.tag({"optuna.state": "FAIL"})
            run.close("FAILED")
            raise
        except BaseException:
            run.close("KILLED")
            raise
        run.tag({"optuna.state": "COMPLETE"})
        run.close("FINISHED")

    def close(self, status: str) -> None:
        """Wait for what is still being logged and end the run as FINISHED, FAILED or KILLED."""
        failures = []
        for operation in self._pending:
            try:
                operation.wait()
            except Exception as error:  # any backend may stand behind the queue
                failures.append(error)
        self._pending.clear()
        if failures:
            _log.warning("%s: %d of its points were not stored: %s", self.name, len(failures), failures[0])
        with store_errors(self.store.uri):
            self.store.client.set_terminated(self.run_id, status)

    def write_reference(self, path: Path) -> None:
        """Write ``run.json``, by which a stage's output still names its run when DVC restores it."""
        reference = {"run_id": self.run_id, "experiment": self.experiment, "name": self.name}
        write_whole(path, json.dumps(reference, indent=1, sort_keys=True) + "\n")


def create_run(store: Store, experiment: str, experiment_id: str, name: str, tags: Mapping[str, str]) -> Run:
    """Start a run."""
    with store_errors(store.uri):
        created = store.client.create_run(experiment_id, tags=dict(tags), run_name=name)
    return Run(store, experiment, experiment_id, created.info.run_id, name)


def process_tags() -> dict[str, str]:
    """Tags that tell which process keeps a run open."""
    return {"process.host": platform.node(), "process.pid": str(os.getpid())}


def _text(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= _MAX_PARAM else text[: _MAX_PARAM - 1] + "…"
