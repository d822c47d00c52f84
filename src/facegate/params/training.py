"""Sections of what is learnt: each task's recipe, the sweeps before it, and the machine."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from facegate.contracts import Frozen
from facegate.params.kinds import Fraction, PositiveInt


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
    least_gain: Annotated[float, Field(ge=0)] = 0.0
    """By how much of the validation metric a trial must beat the recipe to take its place: less is chance."""
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
    precision: Literal["auto", "32-true", "bf16-mixed"] = "32-true"
    """``auto`` is bfloat16 on a GPU and on a processor that multiplies it, and float32 on all others."""
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
    """Share of each batch that is labelled people under the losses of labels, two pictures each."""
    labelled_weight: Annotated[float, Field(ge=0)] = 0.1
    """Weight of these losses beside the teacher's; at 1 they drown it."""


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

    backbone: Annotated[str, Field(pattern=r"^(flat_resnet|dense_resnet|mobilefacenet|timm/[a-z0-9_]+)$")] = (
        "dense_resnet"
    )
    """``flat_resnet``, ``dense_resnet``, ``mobilefacenet``, or ``timm/NAME`` for any backbone of the timm library."""
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
    mirrored: bool = False
    """Once trained, ask about the mirror image too and go by the mean: fewer errors in twice the time."""
    centring: Fraction = 1.0
    """How much of what all training people have in common is taken away once training is done; 0 none of it."""
    whitening: Fraction = 0.0
    """How far, training done, what pictures of one person differ in is evened out (WCCN); 0 not at all."""
    coarse: Fraction = 0.0
    """Share of training, from its start, in which pictures are shrunk to 96 × 96: three quarters of the work."""
    optim: OptimParams

    @model_validator(mode="after")
    def _pairs(self) -> "RecognitionParams":
        pictures, rest = divmod(self.optim.batch_size, self.people_per_batch)
        if self.lessons is None and (rest or pictures < 2):
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


class AuxiliaryParams(Frozen):
    """Tasks beside the answer, of training only: weights of their losses; 0 leaves one out."""

    pixel: Annotated[float, Field(ge=0)] = 0.0
    """Every place of the medium's map is to answer by itself (George & Marcel, 2019)."""
    depth: Annotated[float, Field(ge=0)] = 0.0
    """A face's depth where a live face is, none where an attack is (Liu, Jourabloo & Liu, 2018)."""
    fourier: Annotated[float, Field(ge=0)] = 0.0
    """The spectrum of the native patch is to be told from the medium's map."""


class SpoofParams(Frozen):
    """Is this a live person, from one frame."""

    width: Annotated[float, Field(gt=0, le=4)] = 1.0
    species_weight: Annotated[float, Field(ge=0)] = 0.5
    """Weight of naming the attack species, a task of training only."""
    branch_weight: Annotated[float, Field(ge=0)] = 0.3
    """Weight of each branch's own answer, so that neither leans on the other."""
    sharpness_weight: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the squared correlation of the answer with sharpness within each class; 0 leaves it alone."""
    focal: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Focusing power of the focal loss; 0 is the cross-entropy."""
    central_difference: Fraction = 0.0
    """Share by which a 3 × 3 convolution's kernel is taken from its centre; 1 sees differences alone."""
    auxiliary: AuxiliaryParams = AuxiliaryParams()
    mirrored: bool = False
    """Once trained, ask about the mirror image too and go by the mean: fewer errors in twice the time."""
    augmentation: Fraction = 0.5
    framing: Annotated[float, Field(ge=0, le=0.1)] = 0.0
    """How much training crops differ in scale from what the detector says, and half that in place; each time anew."""
    part: Fraction = 0.0
    """Share of training, from its start, in which the medium branch sees a part of its patch: half of the work."""
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
