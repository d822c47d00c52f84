"""Registers bundles as versions of ``facegate-recognition``, ``facegate-spoof`` … with all their evidence.

fp32 and each int8 target are versions of one registered model, told apart by the tag ``quant.target``. Each has
a run of its own (its numbers, plots and reports) and one or two aliases: ``candidate`` is the newest fp32,
``candidate-<target>`` each int8 target, ``candidate-int8`` the first of ``quantize.targets``. A bundle that is
registered already is found by its digest: nothing is registered twice, only the aliases move to it.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from mlflow.entities import LoggedModelOutput, Metric
from mlflow.entities.model_registry import ModelVersion
from mlflow.models import Model
from mlflow.onnx import save_model

from facegate.contracts import ModelContract
from facegate.errors import RegistryError
from facegate.params import Params
from facegate.registry.bundles import FILES, Candidate, read_candidate
from facegate.registry.describe import pictures, version_text
from facegate.registry.evidence import Evidence
from facegate.registry.front_page import model_text, refresh
from facegate.registry.names import CANDIDATE, candidate_aliases, model_name, numbers
from facegate.registry.quiet import MlflowException
from facegate.registry.signature import signature_of
from facegate.registry.store import Store, ensure_experiment, init_store, store_errors
from facegate.registry.tracking import Run, stage_run
from facegate.runtime import signing
from facegate.runtime.bundle import sign_bundle


@dataclass(frozen=True)
class Registered:
    """Outcome of a registration."""

    name: str
    version: str
    target: str
    aliases: tuple[str, ...]
    created: bool


def register_bundle(
    folder: Path,
    params: Params,
    evidence: Evidence,
    *,
    inputs: Mapping[str, Path],
    training: Path | None = None,
    aliases: tuple[str, ...] | None = None,
    root: Path | None = None,
) -> Registered:
    """Register a bundle once and give it its candidate aliases.

    Args:
        folder: the bundle.
        params: all parameters; ``register`` names experiment and prefix, ``quantize.targets`` the default int8.
        evidence: what to keep with it.
        inputs: path of each dependency by name, as for :func:`stage_run`.
        training: ``run.json`` of the run that trained it.
        aliases: aliases to give it instead of the candidate's.
        root: project folder.

    Raises:
        BundleError: the bundle is incomplete or edited.
        RegistryError: the store cannot be used.
    """
    candidate = read_candidate(folder)
    name = model_name(candidate.contract.task, params.register_.prefix)
    store = init_store(root)
    with store.locked("registry"):
        found = find_version(store, name, candidate.digest)
        version = found or _register(store, name, candidate, params, evidence, inputs, training, root)
        if aliases is None:
            aliases = candidate_aliases(candidate.target, params.quantize.leads(candidate.target))
        with store_errors(store.uri):
            for alias in aliases:
                store.client.set_registered_model_alias(name, alias, str(version.version))
        if CANDIDATE in aliases:
            refresh(store, ensure_experiment(store, params.register_.experiment), params.register_.prefix)
    return Registered(name, str(version.version), candidate.target, aliases, created=found is None)


def find_version(store: Store, name: str, digest: str, tag: str = "bundle.digest") -> ModelVersion | None:
    """The version of a registered model that holds a bundle, by the bundle's digest, or by another tag."""
    with store_errors(store.uri):
        query = f"name = '{name}' AND tags.`{tag}` = '{digest}'"
        found = store.client.search_model_versions(query, max_results=10)
    return min(found, key=lambda version: int(version.version), default=None)


def _register(
    store: Store,
    name: str,
    candidate: Candidate,
    params: Params,
    evidence: Evidence,
    inputs: Mapping[str, Path],
    training: Path | None,
    root: Path | None,
) -> ModelVersion:
    task = candidate.contract.task
    origin = {"run.train": _run_id(training)} if training else {}
    with stage_run("register", task, params, inputs=inputs, title=candidate.target, root=root) as run:
        notes = f"{evidence.note}\n\n{pictures(run.run_id, evidence.plots)}".strip()
        text = version_text(candidate.contract, evidence.headline, notes)
        tags = {**version_tags(candidate, run, params), **origin}
        model_id = log_model(run, name, candidate, tags, evidence.metrics)
        run.tag({**origin, "quant.target": candidate.target, "model": name})
        run.describe(text)
        run.params({"contract": _summary(candidate.contract)})
        for place, path in evidence.files.items():
            run.file(path, place)
        return create_version(store, name, run.run_id, model_id, tags, text)


def log_model(
    run: Run, name: str, candidate: Candidate, tags: Mapping[str, str], metrics: Mapping[str, Any]
) -> str:
    """Log a bundle as an MLflow model of a run: the exact ONNX file, signature, contract and golden vectors.

    Returns:
        Id of the logged model.
    """
    client, contract = run.store.client, candidate.contract
    with store_errors(run.store.uri), tempfile.TemporaryDirectory() as scratch:
        logged = client.create_logged_model(
            run.experiment_id, f"{name}-{candidate.target}", run.run_id, dict(tags), model_type="onnx"
        )
        model = Model(
            artifact_path=logged.artifact_location,
            run_id=run.run_id,
            model_id=logged.model_id,
            model_uuid=logged.model_id,
        )
        place = Path(scratch) / "model"
        save_model(
            onnx.load(candidate.folder / "model.onnx"), str(place), mlflow_model=model, signature=signature_of(contract),
            metadata={"contract": json.loads(contract.model_dump_json())}, pip_requirements=["onnxruntime", "numpy"],
            onnx_execution_providers=["CPUExecutionProvider"], save_as_external_data=False,
        )  # fmt: skip
        for file in FILES:
            (place / file).write_bytes((candidate.folder / file).read_bytes())
        if signing.signing_configured():
            sign_bundle(place)
        client.log_model_artifacts(logged.model_id, str(place))
        client.finalize_logged_model(logged.model_id, "READY")
        client.log_outputs(run.run_id, [LoggedModelOutput(logged.model_id, step=0)])
        values = numbers(metrics)
        entries = [Metric(key, value, 0, 0, model_id=logged.model_id) for key, value in values.items()]
        for start in range(0, len(entries), 900):
            client.log_batch(run.run_id, metrics=entries[start : start + 900])
    return logged.model_id


def create_version(
    store: Store, name: str, run_id: str, model_id: str, tags: Mapping[str, str], text: str
) -> ModelVersion:
    """Create a version with its tags and description at once, and the registered model on first use."""
    with store_errors(store.uri):
        try:
            task = tags.get("task", "")
            store.client.create_registered_model(name, {"task": task}, model_text(task))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        with store.current():
            return store.client.create_model_version(
                name, f"models:/{model_id}", run_id, dict(tags), description=text[:5000], model_id=model_id
            )


def version_tags(candidate: Candidate, run: Run, params: Params) -> dict[str, str]:
    """Tags by which versions are told apart, found again, and led back to data and code."""
    with store_errors(run.store.uri):
        kept = run.store.client.get_run(run.run_id).data.tags
    origin = {k: v for k, v in kept.items() if k.startswith(("dvc.", "git.")) or k == "params.sha256"}
    return {
        "quant.target": candidate.target,
        "task": candidate.contract.task.value,
        "profile": params.profile,
        "synthetic": str(candidate.contract.synthetic_only).lower(),
        **origin,
        "bundle.digest": candidate.digest,
        "contract.sha256": candidate.contract_sha256,
        "golden.sha256": candidate.golden_sha256,
        "signed": str(signing.signing_configured()).lower(),
        "model.sha256": candidate.contract.model_sha256,
    }


def _summary(contract: ModelContract) -> dict[str, Any]:
    shape = f"{contract.input.height}×{contract.input.width} {contract.input.colour} {contract.input.crop}"
    return {
        "input": shape,
        "output": f"{contract.output.kind} {contract.output.size}",
        "target": contract.quantisation.target,
        "opset": contract.opset,
    }


def _run_id(reference: Path) -> str:
    try:
        return str(json.loads(reference.read_text())["run_id"])
    except (OSError, ValueError, KeyError) as error:
        raise RegistryError(
            f"{reference}: names no run", "run the training stage again: `dvc repro -f train`"
        ) from error
