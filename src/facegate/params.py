"""``params.yaml`` as frozen models: the only reader of configuration.

Every stage asks for :func:`load_params` and passes on the section that concerns it. A typo, a wrong type or
an impossible value ends with the dotted path, what was expected and the nearest valid key.
"""

import difflib
import hashlib
import json
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, model_validator

from facegate.contracts import Frozen, Task
from facegate.errors import MissingExtraError, ParamsError

PositiveInt = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class SyntheticParams(Frozen):
    """The embedded data set: rendered people."""

    seed: int = 7
    workers: Annotated[int, Field(ge=0, le=256)] = 0
    """Render processes; 0 uses every core. Never changes a picture."""
    recognition_people: PositiveInt
    stills_per_person: Annotated[int, Field(ge=2)]
    still_size: Annotated[int, Field(ge=96, le=512)] = 144
    spoof_people: PositiveInt
    bona_fide_per_person: PositiveInt
    attacks_per_species: PositiveInt
    attack_size: Annotated[int, Field(ge=128, le=512)] = 192
    clip_people: PositiveInt
    clip_size: Annotated[int, Field(ge=96, le=512)] = 144
    clip_frames: Annotated[int, Field(ge=4)] = 16
    clip_fps: Annotated[float, Field(ge=5, le=60)] = 15.0


class FolderParams(Frozen):
    """Pictures that the user has."""

    people: str = ""
    """Folder of one folder per person, for recognition."""
    presentations: str = ""
    """Folder of ``live/<subject>/`` and ``spoof/<species>/<subject>/`` pictures."""


class SplitParams(Frozen):
    """Shares of subjects; training takes the rest."""

    val: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    test: Annotated[float, Field(gt=0, lt=0.8)] = 0.2
    seed: int = 11


FieldSet = Literal[
    "celeba",
    "lfw",
    "insightface",
    "kaggle_oneshot",
    "celeba_spoof",
    "siw",
    "siw_mv2",
    "oulu_npu",
    "replay_attack",
    "replay_mobile",
    "casia_fasd",
]
"""Data sets of the field, as the licence ledger names them."""


class FieldParams(Frozen):
    """A data set of the field."""

    root: str = ""
    """Its folder; ``data/external/<source>`` if empty."""
    protocol: str = ""
    """Its protocol, such as ``2_3`` of siw; the set's first one if empty."""
    frames_per_second: Annotated[float, Field(gt=0, le=60)] = 2.0
    """Frames taken from each second of a video."""
    check_pins: bool = True
    """Whether annotation files and archives must have their published MD5."""
    download: bool = False
    """Let torchvision download celeba where it is missing; true says that you agree with its terms."""


class ForeignTest(FieldParams):
    """Test pictures from another data set than was trained on."""

    source: FieldSet


class DataParams(Frozen):
    """Where pictures come from and how they are split."""

    source: Literal["synthetic", "folder"] | FieldSet
    split: SplitParams = SplitParams()
    synthetic: SyntheticParams
    folder: FolderParams = FolderParams()
    field: FieldParams = FieldParams()
    test: ForeignTest | None = None
    """Replaces the test split by that of another data set."""
    commercial: bool = False
    """Refuse data whose terms forbid commercial use."""
    allow_leakage: bool = False
    """Test on people who may have been trained on (kaggle_oneshot was made from lfw)."""

    @model_validator(mode="after")
    def _folder_named(self) -> "DataParams":
        if self.source == "folder" and not (self.folder.people or self.folder.presentations):
            raise ValueError(
                "source is `folder`, but neither folder.people nor folder.presentations names a folder"
            )
        return self


class PrepareParams(Frozen):
    """Detection and cropping."""

    detector_score: Annotated[float, Field(gt=0, lt=1)] = 0.6
    context_factor: Annotated[float, Field(ge=1, le=4)] = 2.0
    context_size: Annotated[int, Field(ge=64, le=256)] = 128
    clip_frames: Annotated[int, Field(ge=8, le=16)] = 12
    """Frames that a film strip shows, taken evenly from a clip."""
    workers: Annotated[int, Field(ge=0, le=256)] = 0


TrapName = Literal["file", "label", "video", "no_face", "side_file", "box", "lookalike"]
"""Known defects of published data sets, see :mod:`facegate.datasets.traps`."""


class ValidateParams(Frozen):
    """What the packs must reach."""

    min_subjects_per_split: PositiveInt
    min_samples_per_split: PositiveInt
    min_samples_per_species: PositiveInt
    min_detection_rate: Fraction = 0.97
    max_dropped: Fraction = 0.05
    """Share of a data set's records that may be left out because of its known defects."""
    stop_on: tuple[TrapName, ...] = ()
    """Known defects that stop the graph instead of leaving the sample out."""
    min_clip_subjects_per_split: PositiveInt = 2
    """Clips cost a hundred times what a picture costs, so that there are fewer of them: liveness and eyes."""
    min_clips_per_split: PositiveInt = 4
    min_clips_per_species: PositiveInt = 2


class SpanParams(Frozen):
    """Where a sweep looks for one parameter."""

    low: float
    high: float
    log: bool = False
    """Even on a logarithmic scale."""

    @model_validator(mode="after")
    def _ordered(self) -> "SpanParams":
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError("`low` must lie below `high`, and above 0 on a logarithmic scale")
        return self


class TuneParams(Frozen):
    """The sweep before training."""

    trials: Annotated[int, Field(ge=0)]
    """0 skips the sweep: training then takes the values of params.yaml. The first trial is those values."""
    epochs: PositiveInt
    steps: PositiveInt | None = None
    """Of each epoch of a trial; all by default. Clips, which are few, always take all."""
    seed: int = 3
    space: dict[str, SpanParams] = Field(default_factory=dict)
    """Numbers of the task's section, by dotted path: ``optim.learning_rate``."""


class OptimParams(Frozen):
    """One training run."""

    epochs: PositiveInt
    batch_size: Annotated[int, Field(ge=2)]
    optimizer: Literal["adamw", "muon"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0, lt=1)]
    weight_decay: Annotated[float, Field(ge=0, lt=1)]
    warmup: Fraction = 0.08
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """Decay per step of the averaged weights, which are validated and kept; 0 keeps the last ones."""
    seed: int = 1


class TrainerParams(Frozen):
    """Where training runs (PyTorch Lightning's own words)."""

    accelerator: Literal["cpu", "gpu", "auto"] = "cpu"
    devices: PositiveInt = 1
    num_nodes: PositiveInt = 1
    strategy: str = "auto"
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    """CPU threads of the network; 0 uses every core that makes no batches. Threads that have to wait for
    one another on a busy core slow training down many times."""
    workers: Annotated[int, Field(ge=0, le=64)] = 1
    """Processes that make batches; 0 makes them in the training process. Never changes a result."""
    accumulate_grad_batches: PositiveInt = 1
    """Batches whose gradients make one step: so many times the batch, as with so many devices."""

    @model_validator(mode="after")
    def _one_script_per_process(self) -> "TrainerParams":
        if any(word in self.strategy for word in ("spawn", "fork", "notebook")):
            raise ValueError("processes that are spawned or forked do not hand their curves back; use `ddp`")
        return self

    def alone(self) -> "TrainerParams":
        """The same in one process, for what others would do a second time: a sweep, a registration."""
        return self.model_copy(update={"devices": 1, "num_nodes": 1, "strategy": "auto"})


class LessonsParams(Frozen):
    """What a teacher is asked (``training/pool.py``)."""

    teacher: Literal["sface"]
    """A recogniser that has seen real faces; the licence ledger names its terms."""
    pictures: PositiveInt
    """Faces that it is asked about."""
    augmentation: Fraction = 0.5
    """Share of them that is strongly augmented; teacher and student see the same picture."""
    seed: int = 1


class DistilParams(Frozen):
    """How a student learns its lessons."""

    relation_weight: Annotated[float, Field(ge=0)] = 20.0
    """Weight of the relations within a batch beside the cosine to the teacher."""
    contrast_weight: Annotated[float, Field(ge=0)] = 0.5
    """Weight of finding the teacher's embedding of the same picture among those of the batch."""
    labelled: Fraction = 0.0
    """Share of each batch that is labelled people under the margin loss."""


class FreezeParams(Frozen):
    """How a network goes on that was trained before."""

    epochs: Annotated[int, Field(ge=0)] = 0
    """The first epochs, in which its head alone learns."""
    rate: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Learning rate of the layers below the head after these, as a share of the head's."""
    statistics: bool = True
    """Whether the means and variances of batch normalisation stay as they are."""


class RecognitionParams(Frozen):
    """Who is this."""

    backbone: Annotated[str, Field(pattern=r"^(dense_resnet|mobilefacenet|timm/[a-z0-9_]+)$")] = (
        "dense_resnet"
    )
    """``dense_resnet``, ``mobilefacenet``, or ``timm/NAME`` for any backbone of the timm library."""
    width: Annotated[float, Field(gt=0, le=4)] = 1.0
    embedding: Annotated[int, Field(ge=16, le=1024)] = 128
    loss: Literal["arcface", "cosface", "subcenter_arcface", "adaface", "triplet", "contrastive"] = "cosface"
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.3
    scale: Annotated[float, Field(gt=0, le=128)] = 24.0
    margin_weight: Annotated[float, Field(ge=0)] = 0.5
    pair_weight: Annotated[float, Field(ge=0)] = 1.0
    people_per_batch: Annotated[int, Field(ge=2)] = 64
    pseudo_identities: Annotated[int, Field(ge=0, le=16)] = 2
    """Further identities made of each person by a fixed warp of the face."""
    augmentation: Fraction = 0.65
    lessons: LessonsParams | None = None
    """Learn from a teacher; without it the network learns from labels alone."""
    distil: DistilParams = DistilParams()
    init_from: str = ""
    """Weights to start from: a registered version (``recognition/3``; aliases move, and are refused here), or the
    folder of a trained network. Random ones if empty."""
    freeze: FreezeParams = FreezeParams()
    """Used with `init_from`."""
    optim: OptimParams

    @model_validator(mode="after")
    def _pairs(self) -> "RecognitionParams":
        pictures, rest = divmod(self.optim.batch_size, self.people_per_batch)
        if rest or pictures < 2:
            raise ValueError("optim.batch_size must be a multiple of people_per_batch, at least twice it")
        return self


class FinetuneParams(Frozen):
    """``facegate finetune``: a registered recogniser learns a few people, and stays as it is for all others."""

    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.4
    """Share of each person's pictures that is measured on and not learned."""
    anchors: PositiveInt = 2048
    """Faces of nobody in particular whose embeddings are to stay where the parent puts them."""
    anchor_weight: Annotated[float, Field(ge=0)] = 4.0
    """Weight of staying there beside learning the people."""
    pseudo_identities: Annotated[int, Field(ge=0, le=16)] = 2
    """Further identities made of each person by a fixed warp of the face."""
    augmentation: Fraction = 0.5
    """Share of strongly augmented pictures from the middle of training on."""
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.2
    scale: Annotated[float, Field(gt=0, le=128)] = 16.0
    freeze: FreezeParams = FreezeParams(epochs=4)
    optim: OptimParams = OptimParams(epochs=40, batch_size=64, learning_rate=1e-3, weight_decay=0.05)


class ContentParams(Frozen):
    """Pictures that are not faces, taken at once and by way of paper and screens (``training/content.py``)."""

    scenes: PositiveInt
    """Each gives four bona fide pictures and one of each flat attack species."""
    share: Annotated[float, Field(gt=0, le=0.5)] = 0.25
    """Of each batch of training."""
    seed: int = 1


class SpoofParams(Frozen):
    """Is this a live person, from one frame."""

    width: Annotated[float, Field(gt=0, le=4)] = 1.0
    species_weight: Annotated[float, Field(ge=0)] = 0.5
    """Weight of naming the attack species, a task of training only."""
    branch_weight: Annotated[float, Field(ge=0)] = 0.3
    """Weight of each branch's own answer, so that neither leans on the other."""
    mirrored: bool = False
    """Once trained, ask about the mirror image too and go by the mean: fewer errors in twice the time."""
    augmentation: Fraction = 0.5
    content: ContentParams | None = None
    """Other content beside the faces; without it the network sees faces alone."""
    optim: OptimParams

    @model_validator(mode="after")
    def _content_of_both_kinds(self) -> "SpoofParams":
        if self.content and round(self.optim.batch_size * self.content.share) < 2:
            raise ValueError("content.share leaves no place for a bona fide picture and an attack in a batch")
        return self


class LivenessParams(Frozen):
    """Is this a live person, from a clip."""

    head: Literal["tcn", "gru", "cnn_lstm", "cnn3d"] = "tcn"
    """``tcn`` and ``gru`` read the spoof network's features; ``cnn_lstm`` and ``cnn3d`` learn small pictures."""
    width: Annotated[float, Field(gt=0, le=4)] = 1.0
    cues: bool = True
    """Whether the network sees how the face moves."""
    spoof: str = "artifacts/spoof/trained"
    """Folder of the trained spoof network whose features it reads; it is not trained further."""
    views: Annotated[int, Field(ge=1, le=64)] = 6
    """Augmented versions of each training clip; their frames are described once, before training."""
    optim: OptimParams


class EyesParams(Frozen):
    """Are the eyes open, from one eye."""

    width: Annotated[float, Field(gt=0, le=4)] = 1.0
    augmentation: Fraction = 0.8
    optim: OptimParams


class SweepParams(Frozen):
    """The sweeps, apart from the recipes, so that a change here does not retrain what it does not change."""

    recognition: TuneParams
    spoof: TuneParams
    liveness: TuneParams = TuneParams(trials=0, epochs=1)
    eyes: TuneParams = TuneParams(trials=0, epochs=1)


class QuantizeParams(Frozen):
    """Static int8."""

    targets: tuple[Literal["x86-vnni", "x86-avx2", "arm64", "fp16"], ...] = ("x86-vnni",)
    """Families of processors for int8; ``fp16`` is half precision without calibration."""
    method: Literal["minmax", "percentile", "entropy"] = "minmax"
    calibration_samples: Annotated[int, Field(ge=16)] = 256
    max_flip_rate: Fraction = 0.005
    """Share of decisions that may differ from fp32 before layers are left in floating point."""


class EvaluateParams(Frozen):
    """Evaluation."""

    bootstrap: Annotated[int, Field(ge=100)] = 1000
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    seed: int = 5


class BenchmarkParams(Frozen):
    """Latency on this machine."""

    runs: Annotated[int, Field(ge=20)] = 300
    warmup: PositiveInt = 30
    seconds: Annotated[float, Field(gt=0)] = 30.0
    threads: tuple[PositiveInt, ...] = (1, 2)


class RegisterParams(Frozen):
    """Names in the model registry."""

    experiment: str = "facegate"
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]*$")] = ""


class ReleaseParams(Frozen):
    """What a release is made of, unless its maker says otherwise."""

    points: dict[Task, str] = Field(default_factory=dict)
    """Operating point by role; the preferred one of its contract where none is named."""


class GateRule(Frozen):
    """One condition of a gate; exactly one of the limits, or none for a fact that must be true."""

    fact: str
    """Name of a measured rate, number or flag, for instance ``worst_apcer``."""
    at_most: float | None = None
    at_least: float | None = None
    source: str = ""
    """Who set the limit."""
    verified: bool = True
    """The limit was read in the published text."""
    required: bool = True
    """A fact that was not measured fails the gate."""

    @model_validator(mode="after")
    def _one_limit(self) -> "GateRule":
        if self.at_most is not None and self.at_least is not None:
            raise ValueError(f"the rule on `{self.fact}` has both at_most and at_least")
        return self


class GatesParams(Frozen):
    """Conditions for promotion."""

    profile: str = "embedded"
    """``embedded``, ``fido``, ``android-class3``, ``nist-800-63b``, or a profile of one's own below."""
    profiles: dict[str, tuple[GateRule, ...]] = Field(default_factory=dict)
    """One's own profiles; they may not take the name of a published one."""


class GraphParams(Frozen):
    """Tasks by the stages that they go through, since DVC cannot compute."""

    pictures: tuple[Task, ...]
    """Trained on single crops."""
    stills: tuple[Task, ...]
    """Evaluated on their own."""
    lessons: tuple[Task, ...]
    content: tuple[Task, ...]
    clips: tuple[Task, ...]
    eyes: tuple[Task, ...]
    frame: tuple[Literal["both"], ...]
    """Whether the whole path of a frame is measured."""


def stages_of(tasks: Sequence[Task]) -> GraphParams:
    """The graph of a choice of tasks."""

    def among(*wanted: Task) -> tuple[Task, ...]:
        return tuple(task for task in tasks if task in wanted)

    whole = {Task.RECOGNITION, Task.SPOOF} <= set(tasks)
    return GraphParams(
        pictures=among(Task.RECOGNITION, Task.SPOOF),
        stills=among(Task.RECOGNITION, Task.SPOOF, Task.EYES),
        lessons=among(Task.RECOGNITION),
        content=among(Task.SPOOF),
        clips=among(Task.LIVENESS),
        eyes=among(Task.EYES),
        frame=("both",) if whole else (),
    )


class Params(Frozen):
    """All of ``params.yaml``."""

    profile: str
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)] = tuple(Task)
    """What is trained; a data set that serves one task leaves one."""
    graph: GraphParams = Field(default_factory=lambda: stages_of(tuple(Task)))
    """What follows from `tasks` for dvc.yaml; ``facegate profile use`` writes it."""
    data: DataParams
    prepare: PrepareParams = PrepareParams()
    validate_: ValidateParams = Field(alias="validate")
    trainer: TrainerParams = TrainerParams()
    recognition: RecognitionParams
    spoof: SpoofParams
    liveness: LivenessParams
    eyes: EyesParams
    finetune: FinetuneParams = FinetuneParams()
    tune: SweepParams
    quantize: QuantizeParams = QuantizeParams()
    evaluate: EvaluateParams = EvaluateParams()
    benchmark: BenchmarkParams = BenchmarkParams()
    register_: RegisterParams = Field(RegisterParams(), alias="register")
    release: ReleaseParams = ReleaseParams()
    gates: GatesParams = GatesParams()

    @model_validator(mode="after")
    def _graph_follows_tasks(self) -> "Params":
        if Task.LIVENESS in self.tasks and Task.SPOOF not in self.tasks:
            raise ValueError(
                "`tasks` names liveness without spoof, whose network describes the frames of a clip"
            )
        if self.graph != stages_of(self.tasks):
            raise ValueError(
                "`graph` does not follow from `tasks`; change `tasks` in the profile and run `facegate profile use`"
            )
        return self

    def digest(self) -> str:
        """SHA-256 of all values, as 64 hexadecimal digits."""
        text = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check a parameter file.

    Raises:
        ParamsError: the file is missing, is no YAML, or holds anything that :class:`Params` refuses.
    """
    return parse_params(read_yaml(path), str(path))


def parse_params(values: dict[str, Any], name: str = "params.yaml") -> Params:
    """Check parameters that were read from `name`.

    Raises:
        ParamsError: see :func:`load_params`.
    """
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        lines = [_explain(dict(problem)) for problem in error.errors()]
        raise ParamsError(f"{name}: " + f"\n{name}: ".join(lines), f"edit {name} and run again") from error


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML 1.2 mapping, the dialect that DVC reads too (``1e-3`` is a number).

    Raises:
        ParamsError: the file is missing or is no YAML mapping.
    """
    try:
        from ruamel.yaml import YAML, YAMLError
    except ImportError as error:
        raise MissingExtraError(
            "reading params.yaml needs the `train` extra", "pip install 'facegate[train]'"
        ) from error
    try:
        values = YAML(typ="safe", pure=True).load(path.read_text())
    except FileNotFoundError as error:
        raise ParamsError(
            f"{path}: no such file", "run from the project's folder, or restore it with git"
        ) from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path}: not valid YAML: {error}", "mend the line it names") from error
    if not isinstance(values, dict):
        raise ParamsError(f"{path}: expected a mapping of sections", "compare with profiles/embedded.yaml")
    return values


def _explain(problem: dict[str, Any]) -> str:
    where = [str(part) for part in problem["loc"]]
    path = ".".join(where)
    if problem["type"] == "extra_forbidden":
        valid = _keys_at(where[:-1])
        near = difflib.get_close_matches(where[-1], valid, n=1, cutoff=0.5)
        hint = f"did you mean `{near[0]}`?" if near else f"valid keys: {', '.join(valid)}"
        return f"`{path}` is unknown; {hint}"
    if problem["type"] == "missing":
        return f"`{path}` is missing"
    return f"`{path}`: {problem['msg']} (got {problem['input']!r})"


def _keys_at(path: list[str]) -> list[str]:
    model: type[BaseModel] = Params
    for part in path:
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        inner = _model_of(field.annotation) if field else None
        if inner is None:
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if get_origin(annotation) in (Union, types.UnionType, Annotated):
        return next((m for m in map(_model_of, get_args(annotation)) if m), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
