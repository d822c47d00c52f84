"""From a registered version back to its data, code, parameters and environment, and to the commands that remake it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.registry.listing import get_version
from facegate.registry.names import CANDIDATE, model_name
from facegate.registry.store import Store, open_store, store_errors

ENVIRONMENT_COMMANDS = ("python -m venv .venv", ". .venv/bin/activate")
"""How the rebuilt version gets an environment of its own."""
CHILDREN = ("adapted", "finetuned")
"""Tags of versions that were made of another version, by how."""


@dataclass(frozen=True)
class Lineage:
    """Where a version comes from.

    Attributes:
        name: registered model.
        version: its number.
        created: when it was registered.
        aliases: aliases that point at it.
        tags: tags of the version.
        run: name and id of the run that registered it.
        training_run: name and id of the run that trained it; empty where unknown.
        inputs: path and DVC hash of each input of these runs, by name.
        params: logged parameters of the training run.
        metrics: numbers of the version.
        source: where the store keeps its files.
    """

    name: str
    version: str
    created: datetime
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    run: tuple[str, str]
    training_run: tuple[str, str]
    inputs: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    source: str


def show(reference: str, *, prefix: str = "", root: Path | None = None) -> Lineage:
    """Lineage of ``recognition/7``, ``spoof@candidate-int8`` or ``recognition`` (its candidate).

    Raises:
        RegistryError: there is no such version, or the store cannot be used.
    """
    store = open_store(root)
    version = resolve(store, reference, prefix)
    run_id, train_id = str(version.run_id or ""), version.tags.get("run.train", "")
    run, training = _run(store, run_id), _run(store, train_id)
    return Lineage(
        name=str(version.name),
        version=str(version.version),
        created=datetime.fromtimestamp((version.creation_timestamp or 0) / 1000, UTC),
        aliases=tuple(sorted(version.aliases)),
        tags=dict(version.tags),
        run=(run.info.run_name or "", run_id) if run else ("", run_id),
        training_run=(training.info.run_name or "", train_id) if training else ("", train_id),
        inputs={**_inputs(training), **_inputs(run)},
        params=dict(training.data.params) if training else {},
        metrics=dict(run.data.metrics) if run else {},
        source=str(version.source),
    )


def resolve(store: Store, reference: str, prefix: str = "") -> ModelVersion:
    """The version that a person means by ``recognition/7``, ``release@production`` or ``spoof``.

    Raises:
        RegistryError: the reference cannot be read, or there is no such version.
    """
    word, separator, which = reference.partition("@" if "@" in reference else "/")
    names = {
        **{task.value: model_name(task, prefix) for task in Task},
        "release": f"{prefix}facegate-release",
    }
    if word not in names and word not in names.values():
        raise RegistryError(
            f"`{reference}`: `{word}` is no registered model",
            f"write for instance recognition/3 or spoof@candidate; models are {', '.join(names)}",
        )
    if separator and not which:
        raise RegistryError(f"`{reference}`: no version after `{separator}`", "write recognition/3")
    return get_version(store, names.get(word, word), which or CANDIDATE)


def lines(lineage: Lineage) -> list[str]:
    """A lineage for reading."""
    tags = lineage.tags
    dirty = " with local changes (origin/changes.patch in the run)" if tags.get("git.dirty") == "true" else ""
    head = [
        f"{lineage.name}/{lineage.version}  {' '.join('@' + alias for alias in lineage.aliases)}".rstrip(),
        f"  registered  {lineage.created:%Y-%m-%d %H:%M} UTC in run {_named(lineage.run)}",
        f"  trained     in run {_named(lineage.training_run)}" if lineage.training_run[1] else "",
        *(f"  {word:<11} from {tags.get('parent')}, {tags[word]}" for word in CHILDREN if word in tags),
        f"  code        {tags.get('git.commit') or 'unknown commit'}{dirty}",
        f"  profile     {tags.get('profile', '')}, parameters {tags.get('params.sha256', '')[:12]}",
        f"  model       {tags.get('quant.target', '')}, SHA-256 {tags.get('model.sha256', '')[:12]}",
        f"  measured    {'on synthetic data' if tags.get('synthetic') == 'true' else 'on real people'}",
    ]
    inputs = [f"  input       {name}: {md5}" for name, md5 in sorted(lineage.inputs.items())]
    metrics = [f"  metric      {name} = {value:.6g}" for name, value in sorted(lineage.metrics.items())]
    return [line for line in (*head, *inputs, *metrics) if line]


def reproduce(reference: str, *, prefix: str = "", root: Path | None = None) -> list[str]:
    """The commands that rebuild a version beside a clone of the repository; the last one compares the bytes.

    Parameters come from the run itself and not from a profile, which may have changed since. They are written as JSON,
    which is YAML too.

    Raises:
        RegistryError: there is no such version, it records no commit, or it was not trained here.
    """
    found = show(reference, prefix=prefix, root=root)
    tags, folder = found.tags, f"{found.name}-{found.version}"
    commit = tags.get("git.commit")
    if not commit:
        raise RegistryError(
            f"{found.name}/{found.version} was registered outside git, so its code is not known",
            "register from a git work tree; `facegate registry show` prints what is known",
        )
    if found.training_run[1] == "":
        raise RegistryError(
            f"{found.name}/{found.version} was not trained here, so no graph rebuilds it",
            "an imported model is rebuilt by importing its file again; a release by its models' commands",
        )
    if "finetuned" in tags:
        raise RegistryError(
            f"{found.name}/{found.version} was fine-tuned on pictures that the project does not keep",
            f"run `facegate finetune --from {tags.get('parent')} --people FOLDER` at commit {commit}",
        )
    task, target = tags["task"], tags["quant.target"]
    origin = f"../{folder}-origin"
    commands = [
        f"MLFLOW_TRACKING_URI={shlex.quote(open_store(root).uri)} "
        f"mlflow artifacts download --run-id {found.run[1]} --artifact-path origin --dst-path {origin}",
        f"git worktree add ../{folder} {commit}",
        f"cd ../{folder}",
    ]
    if tags.get("git.dirty") == "true":
        commands.append(f"git apply {origin}/origin/changes.patch")
    model = f"artifacts/{task}/candidates/{target}/model.onnx"
    return [
        *commands,
        *ENVIRONMENT_COMMANDS,
        f"pip install -c {origin}/origin/requirements.txt -e '.[train]'",
        f"cp {origin}/origin/params.json params.yaml",
        f"dvc repro {'evaluate_clips' if task == Task.LIVENESS else 'evaluate'}@{task}",
        f"echo '{tags['model.sha256']}  {model}' | sha256sum --check",
    ]


def _run(store: Store, run_id: str):
    if not run_id:
        return None
    try:
        with store_errors(store.uri):
            return store.client.get_run(run_id)
    except RegistryError:
        return None  # deleted since; the version's own tags remain


def _inputs(run) -> dict[str, str]:
    return (
        {k.removeprefix("dvc.dep."): v for k, v in run.data.tags.items() if k.startswith("dvc.dep.")}
        if run
        else {}
    )


def _named(run: tuple[str, str]) -> str:
    return f"{run[0]} ({run[1][:8]})" if run[0] else run[1]
