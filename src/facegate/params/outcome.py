"""Sections of what becomes of a trained network: int8, figures, speed, the registry, releases and their gate."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from facegate.contracts import Frozen, Task
from facegate.params.kinds import Fraction, PositiveInt

Target = Literal["host", "x86-vnni", "x86-avx2", "arm64", "fp16"]
"""Families of processors for int8; ``host`` is this machine's, ``fp16`` half precision without calibration."""


class QuantizeParams(Frozen):
    """Static int8."""

    targets: Annotated[tuple[Target, ...], Field(min_length=1)] = ("host",)
    """What bundles are made for beside fp32. The first is measured in the path of a frame and becomes ``candidate-int8``."""
    method: Literal["minmax", "percentile", "entropy"] = "minmax"
    calibration_samples: Annotated[int, Field(ge=16)] = 256
    max_flip_rate: Fraction = 0.005
    """Share of decisions that may differ from fp32 before layers are left in floating point."""

    def leads(self, target: str) -> bool:
        """Whether a bundle is the first one asked for, by the target that its contract names."""
        first = self.targets[0]
        return target not in ("fp32", "fp16", *self.targets) if first == "host" else target == first


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
