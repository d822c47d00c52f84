from pathlib import Path

import pytest

from facegate.contracts import Task
from facegate.params import Params, load_params, parse_params
from tests.training.toy import write_toy_pack

RATES = {Task.RECOGNITION: 3e-3, Task.SPOOF: 6e-3}
EMBEDDED = Path(__file__).parents[2] / "profiles" / "embedded.yaml"


def toy_params(task: Task, *, optim=None, tune=None, **recipe) -> Params:
    """The embedded profile with a tiny network and a few steps of AdamW, whatever the profile learns by."""
    tree = load_params(EMBEDDED).model_dump(mode="json", by_alias=True)
    tree["trainer"] |= {"threads": 1, "workers": 0}
    small = {"width": 0.25, "augmentation": 0.5}
    if task is Task.LIVENESS:
        small = {"width": 0.25, "views": 2}
    if task is Task.SPOOF:
        small |= {"content": None}
    if task is Task.RECOGNITION:
        small |= {"people_per_batch": 4, "pseudo_identities": 1, "embedding": 32, "lessons": None}
    tree[task] |= small | recipe
    if task in RATES:
        tree[task]["optim"] |= {"optimizer": "adamw", "learning_rate": RATES[task]}
    tree[task]["optim"] |= {"epochs": 3, "batch_size": 8, "precision": "32-true"} | (optim or {})
    space = {
        "optim.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "augmentation": {"low": 0, "high": 1},
    }
    tree["tune"][task] = {"trials": 3, "epochs": 1, "seed": 3, "space": space} | (tune or {})
    return parse_params(tree)


@pytest.fixture(scope="session")
def packs(tmp_path_factory):
    """A toy pack for each task."""
    root = tmp_path_factory.mktemp("crops")
    return {task: write_toy_pack(root / task, task) for task in (Task.RECOGNITION, Task.SPOOF)}
