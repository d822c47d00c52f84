"""Lightning data module of the eye network."""

from facegate.datasets.eye_batches import EyeBatches, EyeCrops
from facegate.datasets.modules import CropModule
from facegate.params import EyesParams


def eye_data(train: EyeCrops, validation: EyeCrops, params: EyesParams, workers: int) -> CropModule:
    """Augmented batches of the training eyes and the validation eyes in their order, labelled by closure."""
    optim = params.optim
    batches = EyeBatches(train, optim.batch_size, optim.epochs, params.augmentation, optim.seed)
    return CropModule(batches, validation, validation.closure, workers)
