"""One MLflow run per stage execution, tied to DVC and git.

A stage says ``with stage_run("train", Task.RECOGNITION, params, inputs={…}) as run`` and logs. The run is tagged
with stage, DVC experiment, commit and the hash of each input; it ends FINISHED, FAILED or KILLED, as the
stage does, and leaves ``run.json`` behind.
"""

import json
import logging
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.params import Params
from facegate.registry.front_page import EXPERIMENT_NOTE
from facegate.registry.names import run_name
from facegate.registry.provenance import (
    GitState,
    dependency_hashes,
    git_state,
    installed_packages,
    local_changes,
    stage_tags,
)
from facegate.registry.run import Run, create_run, process_tags
from facegate.registry.store import Store, ensure_experiment, init_store, open_store, store_errors

__all__ = ["Run", "Store", "init_store", "open_store", "stage_run"]

_log = logging.getLogger(__name__)


@contextmanager
def stage_run(
    stage: str,
    task: Task | None,
    params: Params,
    *,
    inputs: Mapping[str, Path],
    sections: Sequence[str] = (),
    reference: Path | None = None,
    title: str = "",
    root: Path | None = None,
) -> Iterator[Run]:
    """Open a run for one execution of a stage.

    Args:
        stage: name of the stage, ``train``.
        task: the task it works on, if it works on one.
        params: all parameters; their digest becomes a tag.
        inputs: path of each dependency by a short name; recorded as tags and data set inputs.
        sections: names of the sections of ``params.yaml`` to log as parameters.
        reference: where to write ``run.json``.
        title: more words for the run's name.
        root: project folder; by default DVC's root or the current folder.

    Raises:
        RegistryError: the store cannot be used, or an input is missing.
    """
    git, hashes = git_state(), dependency_hashes(inputs)
    store = init_store(root)
    experiment = params.register_.experiment
    experiment_id = ensure_experiment(store, experiment, EXPERIMENT_NOTE)
    task_name = task.value if task else ""
    tags = stage_tags(stage, task_name, params.digest(), git, hashes)
    _close_orphans(store, experiment_id, tags["dvc.stage"])
    name = run_name((stage, task_name, title, tags.get("dvc.exp", "")), git.commit, git.dirty)
    run = create_run(
        store, experiment, experiment_id, name, {**tags, **process_tags(), "profile": params.profile}
    )
    try:
        _log_origin(run, params, sections, inputs, hashes, git)
        yield run
        if reference is not None:
            run.write_reference(reference)
    except BaseException as error:
        _close_failed(run, error)
        raise
    run.close("FINISHED")


def _log_origin(
    run: Run,
    params: Params,
    sections: Sequence[str],
    inputs: Mapping[str, Path],
    hashes: Mapping[str, str],
    git: GitState,
) -> None:
    values = params.model_dump(mode="json", by_alias=True)
    run.params({"profile": params.profile, **{name: values[name] for name in sections}})
    for name, path in inputs.items():
        run.dataset(name, path.as_posix(), hashes[name], run.name.split(" · ")[0])
    run.text(installed_packages(), "origin/requirements.txt")
    run.text(json.dumps(values, indent=1, sort_keys=True) + "\n", "origin/params.json")
    if git.dirty:
        run.text(local_changes(), "origin/changes.patch")


def _close_failed(run: Run, error: BaseException) -> None:
    try:
        run.tag({"error": f"{type(error).__name__}: {error}"[:1000]})
        run.text("".join(traceback.format_exception(error)), "error.txt")
        run.close("FAILED" if isinstance(error, Exception) else "KILLED")
    except RegistryError as lost:  # the stage's own error is the one to show
        _log.warning("the run could not be marked as failed: %s", lost.problem)


def _close_orphans(store: Store, experiment_id: str, stage: str) -> None:
    """End runs of this stage whose process was killed; without this they read as running for ever."""
    here = process_tags()["process.host"]
    query = (
        f"attributes.status = 'RUNNING' AND tags.`dvc.stage` = '{stage}' AND tags.`process.host` = '{here}'"
    )
    with store_errors(store.uri):
        for run in store.client.search_runs([experiment_id], query, max_results=50):
            if not psutil.pid_exists(int(run.data.tags["process.pid"])):
                store.client.set_terminated(run.info.run_id, "KILLED")
