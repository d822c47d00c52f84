"""The MLflow signature of a model, from its contract."""

import numpy as np
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec

from facegate.contracts import ModelContract


def signature_of(contract: ModelContract) -> ModelSignature:
    """Input and output tensors with a free batch axis."""
    given, made = contract.input, contract.output
    picture = (given.height, given.width, 3) if given.layout == "NHWC" else (3, given.height, given.width)
    return ModelSignature(
        inputs=Schema([TensorSpec(np.dtype(given.dtype), (-1, *picture), given.name)]),
        outputs=Schema([TensorSpec(np.dtype("float32"), (-1, made.size), made.name)]),
    )
