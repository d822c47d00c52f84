"""Where the trials of a sweep are kept: a journal file, or a SQL database that several machines reach.

Every trial carries who runs it. So a worker that was killed is told from one that is at work, and its trial is set aside.
"""

import hashlib
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path

import optuna
import psutil
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from facegate.contracts import Task
from facegate.errors import ParamsError
from facegate.params import Params, TuneParams
from facegate.training.material import Material, run_key
from facegate.training.space import STORAGE

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
_HOST, _PROCESS = "host", "process"
_GIVEN = "fixed_params"
"""Where Optuna keeps the values of a trial that was asked for."""


def open_study(
    material: Material, short: Params, sweep: TuneParams, work: Path, storage: str = ""
) -> optuna.Study:
    """The study of a sweep: made if it is not there, taken up otherwise.

    Args:
        material: what is trained on.
        short: parameters of a trial.
        sweep: its space; another space, recipe, data set or source code is another study.
        work: untracked folder of the journal.
        storage: SQL URL, in place of the journal.

    Raises:
        ParamsError: the storage cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = sweep.model_dump(mode="json", exclude={"trials"})
    text = run_key(material, short) + json.dumps(space, sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    return optuna.create_study(
        storage=_storage(material.task, work, storage),
        study_name=f"{material.task}-{key}",
        direction="minimize" if material.task is Task.RECOGNITION else "maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=1 + sweep.epochs // 3),
        load_if_exists=True,
    )


def _storage(task: Task, work: Path, url: str) -> BaseStorage:
    if not url:
        work.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(str(work / f"{task}.journal")))
    try:
        return RDBStorage(url)
    except (SQLAlchemyError, StorageInternalError, ImportError, ValueError) as error:
        raise ParamsError(
            f"{STORAGE}: the database of the sweep cannot be opened ({type(error).__name__})",
            "give a SQL URL such as `postgresql+psycopg://user:password@host/sweeps`, or unset it to use a journal file",
        ) from error


def begin(study: optuna.Study, start: Mapping[str, float]) -> None:
    """Set the trials of dead workers aside, and let the recipe itself be tried first."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if _dead(trial):
            study.tell(trial.number, state=TrialState.FAIL)
    alive = study.get_trials(deepcopy=False, states=(*FINISHED, TrialState.RUNNING, TrialState.WAITING))
    if not any(trial.system_attrs.get(_GIVEN) == start for trial in alive):
        study.enqueue_trial(dict(start))


def sign(trial: optuna.Trial) -> None:
    """Say who runs a trial."""
    trial.set_user_attr(_HOST, socket.gethostname())
    trial.set_user_attr(_PROCESS, os.getpid())


def _dead(trial: FrozenTrial) -> bool:
    """Whether a trial that is said to be running is not; of another machine that is not known."""
    if _HOST not in trial.user_attrs or _PROCESS not in trial.user_attrs:
        return True
    if trial.user_attrs[_HOST] != socket.gethostname():
        return False
    process = int(trial.user_attrs[_PROCESS])
    return process == os.getpid() or not psutil.pid_exists(process)  # whoever asks runs none


def done(study: optuna.Study) -> list[FrozenTrial]:
    """Finished trials, in the order in which they were begun."""
    return study.get_trials(deepcopy=False, states=FINISHED)


def begun(study: optuna.Study) -> int:
    """How many trials are finished or under way."""
    return len(study.get_trials(deepcopy=False, states=(*FINISHED, TrialState.RUNNING)))
