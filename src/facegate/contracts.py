"""The words that every room speaks: splits, tasks, attack species, table columns and the model contract.

Nothing here computes. The module imports only pydantic and the standard library, so that the edge runtime
can read it without a training library. Tables are described by plain :class:`Column` lists; ``datasets``
turns them into Arrow schemas.
"""

from enum import StrEnum
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

CONTRACT_VERSION = 1
"""Version of :class:`ModelContract`; a runtime refuses a bundle of another one."""

LANDMARK_NAMES = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")
"""Order of the five landmarks. *Right* is the person's own right, so it stands left in the picture."""


class Split(StrEnum):
    """Part of a data set. Subjects are disjoint between splits."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class Task(StrEnum):
    """What a model answers."""

    RECOGNITION = "recognition"
    SPOOF = "spoof"
    LIVENESS = "liveness"
    EYES = "eyes"


class AttackSpecies(StrEnum):
    """Presentation attack instrument species (ISO/IEC 30107-3), one vocabulary for all data sets.

    What a data set itself calls the attack is kept beside it in the column ``species_native``.
    """

    BONA_FIDE = "bona_fide"
    PRINT = "print"
    PRINT_CUT = "print_cut"
    REPLAY_PHONE = "replay_phone"
    REPLAY_TABLET = "replay_tablet"
    REPLAY_MONITOR = "replay_monitor"
    REPLAY_OTHER = "replay_other"
    PAPER_MASK = "paper_mask"
    MASK_RIGID = "mask_rigid"
    MASK_FLEXIBLE = "mask_flexible"
    MAKEUP = "makeup"
    PARTIAL = "partial"
    OTHER = "other"

    @property
    def is_attack(self) -> bool:
        """True for every species but bona fide."""
        return self is not AttackSpecies.BONA_FIDE


ColumnType = Literal["string", "int32", "int64", "float32", "bool", "binary", "list<float32>"]


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        name: column name.
        type: its Arrow type, by name.
        doc: meaning, unit and range.
        nullable: whether a row may lack it.
    """

    name: str
    type: ColumnType
    doc: str
    nullable: bool = False


def nullable(name: str, type: ColumnType, doc: str) -> Column:
    """A column that a row may lack."""
    return Column(name, type, doc, nullable=True)


SAMPLE_COLUMNS: tuple[Column, ...] = (
    Column("sample_id", "string", "unique within the data set, stable across runs"),
    Column("subject_id", "string", "the person shown; for an attack, the person impersonated"),
    Column("split", "string", "train, val or test; disjoint by subject"),
    Column("species", "string", "AttackSpecies; bona_fide for a live person"),
    Column("image", "binary", "the picture, encoded as JPEG or PNG"),
    Column("width", "int32", "pixels"),
    Column("height", "int32", "pixels"),
    Column("source", "string", "name of the data set"),
    nullable("species_native", "string", "what the data set itself calls the attack"),
    nullable("camera", "string", "capture device"),
    nullable("illumination", "string", "kind of light"),
    nullable("session", "string", "capture session"),
    nullable("clip_id", "string", "clip to which a frame belongs"),
    nullable("frame", "int32", "frame number within the clip, from 0"),
    nullable("time_s", "float32", "time of the frame within the clip, seconds"),
    nullable("landmarks", "list<float32>", "five landmarks x0 y0 … x4 y4 in pixels, order LANDMARK_NAMES"),
    nullable("face_box", "list<float32>", "the data set's own face box x y w h, pixels"),
    nullable("yaw", "float32", "degrees, positive towards the person's left"),
    nullable("pitch", "float32", "degrees, positive upwards"),
    nullable("roll", "float32", "degrees, positive clockwise in the picture"),
    nullable("blink", "float32", "eyelid closure, 0 open to 1 closed"),
    nullable("sex", "string", "apparent sex: female or male"),
    nullable("age", "float32", "apparent age, years"),
    nullable("ita", "float32", "skin tone as individual typology angle, degrees; dark is negative"),
    nullable("glasses", "bool", "wears glasses"),
    nullable("border_visible", "bool", "edge of the attack instrument in view"),
    nullable("attributes", "string", "any other attribute, as a JSON object"),
)
"""A sample pack: pictures as a source yields them."""

CROP_COLUMNS: tuple[Column, ...] = (
    *(c for c in SAMPLE_COLUMNS if c.name not in ("landmarks",)),
    Column(
        "crop", "string", "aligned (five-point template), context (enlarged box), eye, or clip (film strip)"
    ),
    Column("detection_score", "float32", "score of the face detector, 0 to 1"),
    Column("box", "list<float32>", "detected face x y w h in the original picture, pixels"),
    Column(
        "landmarks",
        "list<float32>",
        "five detected landmarks in the original picture, pixels; of a clip those of every frame",
    ),
    nullable("landmark_error", "float32", "mean distance to the true landmarks / eye distance, if known"),
)
"""A crop pack: what a network is trained on. ``image``, ``width`` and ``height`` are those of the crop (PNG)."""

POOL_COLUMNS: tuple[Column, ...] = (
    Column("image", "binary", "an aligned face, encoded"),
    Column("embedding", "list<float32>", "the teacher's embedding of that very picture, unit length"),
)
"""A pool: unlabelled faces with what a teacher says of them."""

COMPARISON_COLUMNS: tuple[Column, ...] = (
    Column("probe_id", "string", "sample_id of the probe"),
    Column("reference_id", "string", "sample_id of the reference"),
    Column("probe_subject", "string", "subject of the probe"),
    Column("reference_subject", "string", "subject of the reference"),
    Column("mated", "bool", "both samples are of one subject"),
    Column("split", "string", "val or test: thresholds come from val alone"),
    Column("score", "float32", "comparison score; higher is more alike"),
)
"""A verification score table: every comparison that was made."""

PRESENTATION_COLUMNS: tuple[Column, ...] = (
    Column("sample_id", "string", "the presentation"),
    Column("subject_id", "string", "its subject"),
    Column("species", "string", "AttackSpecies"),
    Column("split", "string", "val or test: thresholds come from val alone"),
    Column("score", "float32", "PAD score; higher is more bona fide"),
)
"""A PAD score table: every presentation that was scored."""

EYE_COLUMNS: tuple[Column, ...] = (
    *PRESENTATION_COLUMNS[:4],
    Column("score", "float32", "how open the eyes are, 0 to 1: mean of both"),
    Column("score_hard", "float32", "the same under motion blur and noise"),
    Column("closure", "float32", "true eyelid closure, 0 open to 1 closed"),
    nullable("glasses", "bool", "wears glasses"),
    nullable("clip_id", "string", "clip to which the frame belongs"),
    nullable("time_s", "float32", "time of the frame within the clip, seconds"),
)
"""An eye score table: every face whose eyes were looked at."""


class Frozen(BaseModel):
    """Base of all configuration and contract models: immutable, no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rate(Frozen):
    """A measured rate with what it stands on.

    Attributes:
        value: errors / trials, 0 to 1; None where it could not be measured.
        errors: number of errors.
        trials: number of trials.
        low: lower bound of the interval.
        high: upper bound of the interval.
        confidence: level of the interval, 0 to 1.
        method: ``clopper-pearson`` or ``subject-bootstrap``.
    """

    value: float | None
    errors: int
    trials: int
    low: float
    high: float
    confidence: float = 0.95
    method: str = "clopper-pearson"


class OperatingPoint(Frozen):
    """A named threshold and where it was measured. A score at or above the threshold is accepted."""

    threshold: float
    metric: str = Field(description="the rate that the threshold was set for: FMR, BPCER, APCER, EER")
    target: float | None = Field(description="the value aimed at, 0 to 1; None for an EER threshold")
    measured: Rate
    dataset: str
    split: Split


class InputSpec(Frozen):
    """What the network's input tensor holds.

    With ``in_graph`` the picture goes in as it is, and ``mean`` and ``scale`` only document what the graph
    does; otherwise the runtime computes ``(x - mean) * scale`` per channel in the given colour order.
    """

    name: str
    layout: Literal["NHWC", "NCHW"]
    dtype: Literal["uint8", "float32"]
    height: int = Field(gt=0)
    width: int = Field(gt=0)
    colour: Literal["RGB", "BGR"]
    in_graph: bool
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    crop: Literal["aligned", "context", "eye", "clip"]
    crop_factor: float = Field(
        gt=0,
        description="side of the context crop / larger side of the face box, of an eye crop / size of the face; "
        "1 if aligned",
    )
    template: str = Field(description="name of the alignment template; 'none' for all other crops")


class OutputSpec(Frozen):
    """What the network's output tensor holds."""

    name: str
    kind: Literal["embedding", "probabilities"]
    size: int = Field(gt=0, description="embedding dimensions, or number of classes")
    normalised: bool = Field(description="embeddings have unit length, probabilities sum to one")
    higher_is: Literal["same_person", "bona_fide", "open"]


class Quantisation(Frozen):
    """How the weights and activations are stored."""

    target: Literal["fp32", "fp16", "x86-vnni", "x86-avx2", "arm64"] = "fp32"
    method: Literal["none", "minmax", "percentile", "entropy"] = "none"
    per_channel: bool = False
    calibration_digest: str = Field("", description="SHA-256 over the calibration sample ids")
    float_layers: tuple[str, ...] = ()


class Calibration(Frozen):
    """Turns a score into a natural-log likelihood ratio: ``slope * score + offset``."""

    kind: Literal["none", "logistic"] = "none"
    slope: float = 1.0
    offset: float = 0.0
    dataset: str = ""


class Distribution(Frozen):
    """How a value lay when the model was measured."""

    quantiles: tuple[float, ...] = Field(
        min_length=2, description="at evenly spaced shares, the least value first and the greatest last"
    )
    samples: int = Field(gt=0, description="how many values they are of")


class TrainingData(Frozen):
    """One data set or model behind the weights, with its terms."""

    name: str
    licence: str
    commercial_use: bool
    digest: str
    role: Literal["data", "teacher", "initial_weights", "assets"] = "data"


class ModelContract(Frozen):
    """Everything that a runtime must know to use a model as it was measured.

    Stored as ``contract.json`` in the bundle, in the ONNX metadata, and with the registered version.
    """

    contract_version: int = CONTRACT_VERSION
    name: str
    task: Task
    classes: tuple[str, ...] = Field(description="names in the order of the outputs; empty for embeddings")
    input: InputSpec
    output: OutputSpec
    quantisation: Quantisation
    calibration: Calibration
    operating_points: dict[str, OperatingPoint]
    measured: dict[str, Distribution] = Field(
        default_factory=dict,
        exclude_if=lambda known: (
            not known
        ),  # contracts made before there was any stay as they are, digest and all
        description="what live faces gave on test people: the reference for drift",
    )
    training_data: tuple[TrainingData, ...]
    synthetic_only: bool = Field(description="no real person's picture was used for the operating points")
    opset: int
    git_commit: str
    params_digest: str
    data_digests: dict[str, str]
    model_sha256: str
