"""What must be known of a model from elsewhere before anything can be measured on it."""

from typing import Literal

from pydantic import Field, model_validator

from facegate.contracts import Frozen, Task, TrainingData


class ForeignSpec(Frozen):
    """What must be known of a model from elsewhere; the JSON file behind ``--contract``.

    Attributes:
        name: short name, for aliases and folders.
        task: what it answers.
        size: side of its square input, pixels.
        colour: order of its input channels.
        mean: subtracted from 0 to 255, per channel of its own order.
        scale: multiplied afterwards.
        activation: ``softmax`` if it answers logits, ``none`` if it answers probabilities or an embedding.
        classes: names by the order of its outputs; one must be ``bona_fide`` for spoof models.
        crop_factor: side of its context crop / larger side of the face box; 1 for aligned faces.
        training_data: what it was trained on and under which terms, its own licence first.
    """

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    task: Literal[Task.RECOGNITION, Task.SPOOF]
    size: int = Field(gt=0, le=512)
    colour: Literal["RGB", "BGR"]
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    activation: Literal["none", "softmax"] = "none"
    classes: tuple[str, ...] = ()
    crop_factor: float = Field(default=1.0, ge=1)
    training_data: tuple[TrainingData, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _live_class(self) -> "ForeignSpec":
        if (self.task is Task.SPOOF) != ("bona_fide" in self.classes):
            raise ValueError(
                "`classes` must name `bona_fide` for a spoof model, and nothing for a recogniser"
            )
        return self
