"""The errors a user can meet.

Every one of them names the thing that is wrong and the next step. The command line prints them without a
traceback; anything else that escapes is a defect of facegate.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager


class FacegateError(Exception):
    """Base of every error that a user can cause and can mend.

    Args:
        problem: what is wrong, naming the file, key or object.
        remedy: what to do next, as an instruction.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem}\n  → {remedy}" if remedy else problem)


class ParamsError(FacegateError):
    """The configuration holds an unknown key, a wrong type or an impossible value."""


class PackError(FacegateError):
    """An Arrow pack is missing, truncated, or not what its reader expects."""


class SourceError(FacegateError):
    """A data set is missing, incomplete, or not laid out as published."""


class PictureError(FacegateError):
    """A picture cannot be read, is too large, or shows no usable face."""


class CheckpointError(FacegateError):
    """A trained network on disk is missing, incomplete or edited."""


class BundleError(FacegateError):
    """A model bundle is incomplete, edited, or disagrees with its contract."""


class RegistryError(FacegateError):
    """The tracking store or the model registry cannot do what was asked."""


class ValidationError(FacegateError):
    """A data contract does not hold."""


class NotMeasurableError(FacegateError):
    """A metric has no meaning on the given scores (no impostors, a missing species, NaN scores)."""


class MissingExtraError(FacegateError):
    """A command needs an optional set of dependencies that is not installed."""


@contextmanager
def told_in_words() -> Iterator[None]:
    """End the program with code 1 and a message if what is done here meets a user's error or a full disk.

    Any other error is a defect and passes.
    """
    try:
        yield
    except FacegateError as error:
        raise SystemExit(f"facegate: {error}") from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        full = FacegateError(
            f"the disk is full: {error}", "free some space and run again; what was finished is kept"
        )
        raise SystemExit(f"facegate: {full}") from error
