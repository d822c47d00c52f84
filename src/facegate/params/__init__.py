"""``params.yaml`` as frozen models: the only reader of configuration.

Every stage asks for :func:`load_params` and passes on the section that concerns it. A typo, a wrong type or
an impossible value ends with the dotted path, what was expected and the nearest valid key.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from facegate.contracts import Frozen, Task
from facegate.errors import ParamsError
from facegate.params.data import (
    DataParams,
    FieldParams,
    FieldSet,
    FolderParams,
    ForeignTest,
    PrepareParams,
    SplitParams,
    SyntheticParams,
    TrapName,
    ValidateParams,
)
from facegate.params.kinds import Fraction, PositiveInt
from facegate.params.outcome import (
    BenchmarkParams,
    EvaluateParams,
    GateRule,
    GatesParams,
    QuantizeParams,
    RegisterParams,
    ReleaseParams,
)
from facegate.params.reading import explain, read_yaml
from facegate.params.training import (
    AuxiliaryParams,
    ContentParams,
    DistilParams,
    EyesParams,
    FinetuneParams,
    FreezeParams,
    LessonsParams,
    LivenessParams,
    OptimParams,
    RecognitionParams,
    SpanParams,
    SpoofParams,
    SweepParams,
    TrainerParams,
    TuneParams,
)

__all__ = [
    "AuxiliaryParams",
    "BenchmarkParams",
    "ContentParams",
    "DataParams",
    "DistilParams",
    "EvaluateParams",
    "EyesParams",
    "FieldParams",
    "FieldSet",
    "FinetuneParams",
    "FolderParams",
    "ForeignTest",
    "Fraction",
    "FreezeParams",
    "GateRule",
    "GatesParams",
    "GraphParams",
    "LessonsParams",
    "LivenessParams",
    "OptimParams",
    "Params",
    "PositiveInt",
    "PrepareParams",
    "QuantizeParams",
    "RecognitionParams",
    "RegisterParams",
    "ReleaseParams",
    "SpanParams",
    "SplitParams",
    "SpoofParams",
    "SweepParams",
    "SyntheticParams",
    "TrainerParams",
    "TrapName",
    "TuneParams",
    "ValidateParams",
    "load_params",
    "parse_params",
    "read_yaml",
    "stages_of",
]


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
        shown_by = {"clip_people": {Task.LIVENESS, Task.EYES}, "spoof_people": {Task.SPOOF}}
        for people, tasks in shown_by.items():
            asked = tasks & set(self.tasks)
            if self.data.source == "synthetic" and asked and not getattr(self.data.synthetic, people):
                raise ValueError(
                    f"`tasks` names {', '.join(sorted(asked))}, and `data.synthetic.{people}` is 0"
                )
        if Task.SPOOF in self.tasks and self.spoof.framing and not self.prepare.surroundings:
            raise ValueError("`spoof.framing` cuts crops anew from what `prepare.surroundings: true` keeps")
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
        lines = [explain(dict(problem), Params) for problem in error.errors()]
        raise ParamsError(f"{name}: " + f"\n{name}: ".join(lines), f"edit {name} and run again") from error
