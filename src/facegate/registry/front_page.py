"""The pages that a person meets first in the MLflow UI: of the experiment and of each registered model.

They say what is here, show the plots of the newest candidate, and are written anew whenever a candidate is registered.
"""

from collections.abc import Iterator

from mlflow.entities.model_registry import ModelVersion

from facegate.contracts import Task
from facegate.errors import RegistryError
from facegate.registry.describe import pictures
from facegate.registry.evidence import EVALUATION, PLOTS
from facegate.registry.listing import get_version
from facegate.registry.names import CANDIDATE, model_name
from facegate.registry.store import Store, store_errors

EXPERIMENT_NOTE = """\
**facegate**: face recognition with spoof detection, from pictures to gated ONNX models.

One run is one execution of a DVC stage. Filter by `tags.stage = 'train'` and `tags.task = 'spoof'`; the tags
`dvc.dep.*` hold the MD5 of each input as `dvc.lock` has it, `git.commit` the code. Sweeps nest their trials.
The registered models carry their evidence: *Models* → `facegate-recognition`, `facegate-spoof`,
`facegate-liveness`, `facegate-eyes`; what goes to production is a *release*: `facegate-release`, with the table of its gate.
"""
MODEL_NOTES = {
    Task.RECOGNITION: "**Who is this?** Aligned 112×112 face in, embedding out.",
    Task.SPOOF: "**Is this a live person?** Context crop of one frame in, probability of a bona fide out.",
    Task.LIVENESS: "**Is this a live person?** Film strip of a clip in, probability of a bona fide out.",
    Task.EYES: "**Are the eyes open?** Crop of one eye in, probability of open out.",
}
ALIAS_NOTE = (
    "Aliases: `candidate` newest fp32 · `candidate-int8` newest int8 of the first target · `candidate-<target>` "
    "each int8 target. Only a release reaches production: see `facegate-release`."
)


def model_text(task: str, shown: str = "") -> str:
    """Description of a registered model, with the plots of its candidate once there is one."""
    note = MODEL_NOTES.get(Task(task), "") if task in set(Task) else ""
    return "\n\n".join(part for part in (note, ALIAS_NOTE, shown) if part)


def refresh(store: Store, experiment_id: str, prefix: str) -> None:
    """Write the front pages anew from the candidates that are registered now."""
    sections = [EXPERIMENT_NOTE]
    with store_errors(store.uri):
        for task, version in _candidates(store, prefix):
            shown = f"**Candidate: version {version.version}**\n\n{_plots(task, version)}"
            store.client.update_registered_model(str(version.name), model_text(task, shown))
            sections.append(f"**{version.name}, version {version.version}**\n\n{_plots(task, version)}")
        store.client.set_experiment_tag(experiment_id, "mlflow.note.content", "\n\n".join(sections))


def _candidates(store: Store, prefix: str) -> Iterator[tuple[Task, ModelVersion]]:
    for task in MODEL_NOTES:
        try:
            yield task, get_version(store, model_name(task, prefix), CANDIDATE)
        except RegistryError:
            continue  # nothing is registered for this task yet


def _plots(task: Task, version: ModelVersion) -> str:
    return pictures(str(version.run_id), [f"{EVALUATION}/{name}.png" for name in PLOTS.get(task, ())])
