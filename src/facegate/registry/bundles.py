"""A bundle as the registry sees it: its contract, and the digests by which it is recognised."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from facegate.contracts import ModelContract
from facegate.runtime.bundle import CONTRACT, GOLDEN, METADATA_KEY, MODEL, Bundle, load_bundle
from facegate.runtime.onnx_file import write_metadata

FILES = (CONTRACT, MODEL, GOLDEN)


@dataclass(frozen=True)
class Candidate:
    """A bundle that may be registered.

    Attributes:
        folder: where it lies.
        contract: its contract.
        contract_sha256: SHA-256 of ``contract.json`` as it lies there.
        golden_sha256: SHA-256 of ``golden.npz``.
        digest: SHA-256 over model and contract but for the commit: equal for equal models built at two commits.
    """

    folder: Path
    contract: ModelContract
    contract_sha256: str
    golden_sha256: str
    digest: str

    @property
    def target(self) -> str:
        """Quantisation target, ``fp32`` for none."""
        return self.contract.quantisation.target


def read_candidate(folder: Path) -> Candidate:
    """Read and check a bundle; not its signature, which it gets only when it is registered.

    Raises:
        BundleError: it is incomplete, edited, or disagrees with its contract.
    """
    bundle = load_bundle(folder, signed=False)
    return Candidate(
        folder=folder,
        contract=bundle.contract,
        contract_sha256=hashlib.sha256((folder / CONTRACT).read_bytes()).hexdigest(),
        golden_sha256=hashlib.sha256((folder / GOLDEN).read_bytes()).hexdigest(),
        digest=model_digest(bundle),
    )


def model_digest(bundle: Bundle) -> str:
    """Identity of a model: its contract without the commit, and its network without the contract inside."""
    values = bundle.contract.model_dump(mode="json", exclude={"git_commit", "model_sha256"})
    values["network"] = hashlib.sha256(write_metadata(bundle.model, METADATA_KEY, "")).hexdigest()
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
