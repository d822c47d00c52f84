"""The JSON that goes over the wire, as pydantic models: the one description that API, client and page share."""

from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """Base of everything that is sent or received: immutable, no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid")
