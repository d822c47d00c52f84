"""Pictures in, numbers out, exactly as the contract says.

:class:`Session` is the only way to run a model outside training, so that preprocessing is written once. What
executes the network hides behind :class:`~facegate.runtime.runners.Runner`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import InputSpec
from facegate.errors import BundleError
from facegate.runtime.bundle import Bundle
from facegate.runtime.fastest import Choice, fastest
from facegate.runtime.runners import RUNNERS, Runner

AUTO = "auto"
GOLDEN_TOLERANCE = {"fp32": 1e-3, "fp16": 1e-2}
QUANTISED_TOLERANCE = 5e-2
"""Integer kernels differ between processor families in the last step of rounding, and errors add up."""


class Session:
    """A model ready to run.

    Args:
        bundle: the model, as :func:`~facegate.runtime.bundle.load_bundle` returns it.
        threads: threads of the network.
        runtime: name of the runner, a key of :data:`RUNNERS`; or ``auto``, the fastest one here that passes
            the golden vectors (:attr:`choice` then says why).
        check_golden: run the golden vectors first.
        batch: most pictures handed over at once.

    Attributes:
        choice: what ``auto`` chose and why; None otherwise.

    Raises:
        BundleError: the model cannot be opened, or a golden vector comes out differently.
        MissingExtraError: the runner is not installed.
        ValueError: the runner is unknown.
    """

    def __init__(
        self,
        bundle: Bundle,
        threads: int = 1,
        *,
        runtime: str = "onnxruntime",
        check_golden: bool = False,
        batch: int = 64,
    ) -> None:
        if runtime not in (*RUNNERS, AUTO):
            raise ValueError(f"runtime {runtime!r} is unknown; there is {', '.join((*RUNNERS, AUTO))}")
        self.bundle = bundle
        self.choice: Choice | None = None
        self._most = batch
        if runtime == AUTO:
            runner, self.choice = self._fastest(threads)
        else:
            runner = RUNNERS[runtime](bundle, threads)
        self._take(runner)
        if check_golden and not self.choice:
            self.check_golden()

    def _take(self, runner: Runner) -> None:
        self._runner, self._batch = runner, runner.batch or self._most

    def _fastest(self, threads: int) -> tuple[Runner, Choice]:
        picture = to_tensor(self.bundle.golden.inputs[:1], self.bundle.contract.input)

        def check(runner: Runner) -> None:
            self._take(runner)
            self.check_golden()

        return fastest(self.bundle, threads, check, lambda runner: runner(picture))

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Answers for a batch of crops.

        Args:
            images: RGB, shape (n, height, width, 3), of the contract's size; n may be 0.

        Returns:
            Shape (n, size), in order.
        """
        spec = self.bundle.contract.input
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (spec.height, spec.width, 3):
            raise ValueError(
                f"images must be uint8 (n, {spec.height}, {spec.width}, 3), not {images.dtype} {images.shape}"
            )
        if 0 < len(images) <= self._batch:
            return self._runner(to_tensor(images, spec))
        parts = [images[i : i + self._batch] for i in range(0, len(images), self._batch)]
        empty = np.empty((0, self.bundle.contract.output.size), np.float32)
        return np.concatenate([empty, *(self._runner(to_tensor(part, spec)) for part in parts)])

    def check_golden(self) -> float:
        """Compare the golden vectors.

        Returns:
            Largest difference found.

        Raises:
            BundleError: it exceeds what the model's kind of arithmetic allows.
        """
        contract, golden = self.bundle.contract, self.bundle.golden
        tolerance = GOLDEN_TOLERANCE.get(contract.quantisation.target, QUANTISED_TOLERANCE)
        difference = float(np.abs(self.run(golden.inputs) - golden.outputs).max())
        if not difference <= tolerance:
            raise BundleError(
                f"{self.bundle.model_path.parent}: golden vectors differ by {difference:.2g}, allowed are {tolerance:g}: "
                "this machine or runtime computes another model than was measured, or `input` is described wrongly",
                "export the model anew, or choose another quantisation target for this processor",
            )
        return difference


def to_tensor(images: NDArray[np.uint8], spec: InputSpec) -> NDArray[Any]:
    """Bring pictures into the form that a network takes.

    Args:
        images: RGB, shape (n, height, width, 3).
        spec: colour order, type, layout, and mean and scale unless they are in the graph.

    Returns:
        Contiguous; shape (n, height, width, 3) or (n, 3, height, width).
    """
    tensor: NDArray[Any] = images[..., ::-1] if spec.colour == "BGR" else images
    if not spec.in_graph:
        tensor = (tensor - np.array(spec.mean, np.float32)) * np.array(spec.scale, np.float32)
    if spec.layout == "NCHW":
        tensor = tensor.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(tensor, spec.dtype)
