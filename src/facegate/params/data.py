"""Sections of what is looked at: the source, how faces are cropped, what a pack must hold."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from facegate.contracts import Frozen
from facegate.params.kinds import Fraction, PositiveInt


class SyntheticParams(Frozen):
    """The embedded data set: rendered people."""

    seed: int = 7
    workers: Annotated[int, Field(ge=0, le=256)] = 0
    """Render processes; 0 uses every core. Never changes a picture."""
    recognition_people: PositiveInt
    stills_per_person: Annotated[int, Field(ge=2)]
    still_size: Annotated[int, Field(ge=96, le=512)] = 144
    spoof_people: Annotated[int, Field(ge=0)]
    """0 leaves presentations out, for a graph without spoof detection."""
    bona_fide_per_person: PositiveInt
    attacks_per_species: PositiveInt
    attack_size: Annotated[int, Field(ge=128, le=512)] = 192
    clip_people: Annotated[int, Field(ge=0)]
    """0 leaves clips out, for liveness and eyes need them alone."""
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
    surroundings: bool = False
    """Keep what surrounds the spoof network's training crops, from which `spoof.framing` cuts them anew."""
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
