"""Templates and crops between memory and their sealed rows."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, select

from facegate.contracts import ModelContract
from facegate.serving.store.database import advance
from facegate.serving.store.errors import InvalidError, TamperedError
from facegate.serving.store.schema import crops, templates
from facegate.serving.store.vault import Sealed, Vault

ROWS, REVISION = "gallery_rows", "gallery_revision"
"""Counters: the last row number given away (never given twice), and the last change."""

Crop = NDArray[np.uint8]
Vectors = NDArray[np.float32]


class TemplateModel(NamedTuple):
    """The recogniser that templates were made by; only templates of one model can be compared.

    Attributes:
        digest: SHA-256 of the model.
        size: dimensions of an embedding.
        name: for messages.
    """

    digest: str
    size: int
    name: str = "recogniser"

    @classmethod
    def of(cls, contract: ModelContract) -> "TemplateModel":
        """The model that a contract describes."""
        return cls(contract.model_sha256, contract.output.size, contract.name)


def unit(embeddings: NDArray[np.floating], size: int) -> Vectors:
    """Embeddings at unit length, shape (n, size).

    Raises:
        InvalidError: the shape is another, or one has no length or is no number.
    """
    vectors = np.atleast_2d(np.asarray(embeddings, np.float32))
    if vectors.ndim != 2 or vectors.shape[1] != size:
        raise InvalidError(
            f"embeddings of shape {vectors.shape}; the model gives {size} numbers each",
            "use the model that the gallery was opened for",
        )
    length = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if not (
        np.isfinite(vectors).all()
        and np.isfinite(length).all()
        and (length > 1e-12).all()
        and (length < 1e12).all()
    ):
        raise InvalidError("an embedding is zero or no number", "take another picture")
    return (vectors / length).astype(np.float32)


class Pictures(NamedTuple):
    """What is kept of a person's pictures.

    Attributes:
        vectors: unit length, shape (n, size).
        crops: as many aligned crops, or none.
        qualities: as many qualities; None where it is not known.
    """

    vectors: Vectors
    crops: Sequence[Crop]
    qualities: Sequence[float | None]

    @classmethod
    def checked(
        cls, vectors: Vectors, crops: Sequence[Crop] | None, qualities: Sequence[float | None] | None
    ) -> "Pictures":
        """The same, if the numbers agree.

        Raises:
            InvalidError: there is no template, or more or fewer crops or qualities than templates.
        """
        count = len(vectors)
        for what, given in (("crops", crops), ("qualities", qualities)):
            if given is not None and len(given) != count:
                raise InvalidError(f"{len(given)} {what} for {count} templates", "give one for each template")
        if not count:
            raise InvalidError("no template is given", "take at least one picture")
        return cls(vectors, crops or (), qualities or [None] * count)


def add_pictures(
    connection: Connection,
    vault: Vault,
    model: TemplateModel,
    person: str,
    pictures: Pictures,
    *,
    now: datetime,
    revision: int,
) -> None:
    """Keep the templates of a person, and the crops if there are any."""
    crop_ids: Sequence[int | None] = [None] * len(pictures.vectors)
    if pictures.crops:
        crop_ids = _add_crops(connection, vault, person, pictures.crops, now)
    add_templates(connection, vault, model, person, pictures, now=now, revision=revision, crop_ids=crop_ids)


def add_templates(
    connection: Connection,
    vault: Vault,
    model: TemplateModel,
    person: str,
    pictures: Pictures,
    *,
    now: datetime,
    revision: int,
    crop_ids: Sequence[int | None],
) -> None:
    """Keep templates of a person, each with the number of its crop."""
    row = {"person_id": person, "model": model.digest, "created_at": now, "revision": revision}
    rows = []
    for id_, vector, crop, quality in zip(
        _numbers(connection, len(crop_ids)), pictures.vectors, crop_ids, pictures.qualities, strict=True
    ):
        sealed = vault.seal(vector.astype("<f4").tobytes(), *template_context(person, model.digest, id_))
        what = {"id": id_, "crop_id": crop, "quality": quality}
        rows.append({**row, **what, "key_id": sealed.key_id, "sealed": sealed.data})
    connection.execute(insert(templates), rows)


def _add_crops(
    connection: Connection, vault: Vault, person: str, pictures: Sequence[Crop], now: datetime
) -> list[int]:
    ids = _numbers(connection, len(pictures))
    rows = []
    for id_, picture in zip(ids, pictures, strict=True):
        sealed = vault.seal(encode_crop(picture), *crop_context(person, id_))
        row = {"id": id_, "person_id": person, "created_at": now}
        rows.append({**row, "key_id": sealed.key_id, "sealed": sealed.data})
    connection.execute(insert(crops), rows)
    return ids


def _numbers(connection: Connection, count: int) -> list[int]:
    last = advance(connection, ROWS, count)
    return list(range(last - count + 1, last + 1))


class Loaded(NamedTuple):
    """A piece of the gallery, opened.

    Attributes:
        ids: template numbers, shape (n,).
        persons: whose they are, n of them.
        vectors: unit length, shape (n, size).
        damaged: numbers of templates that were changed or moved.
    """

    ids: NDArray[np.int64]
    persons: list[str]
    vectors: Vectors
    damaged: list[int]


def load_templates(
    connection: Connection, vault: Vault, model: TemplateModel, after: int, last: int, piece: int = 20_000
) -> Iterator[Loaded]:
    """Templates of a model that were written after one revision and up to another, in pieces.

    Raises:
        VaultError: a key is missing.
    """
    wanted = _select(model).where(templates.c.revision > after, templates.c.revision <= last)
    found = connection.execute(wanted.order_by(templates.c.id).execution_options(yield_per=piece))
    for rows in found.partitions():
        yield _opened(rows, vault, model)


def load_person(connection: Connection, vault: Vault, model: TemplateModel, person: str) -> Loaded:
    """Templates of one person.

    Raises:
        VaultError: a key is missing.
    """
    rows = connection.execute(_select(model).where(templates.c.person_id == person)).all()
    return _opened(rows, vault, model)


def _select(model: TemplateModel) -> Any:
    columns = (templates.c.id, templates.c.person_id, templates.c.key_id, templates.c.sealed)
    return select(*columns).where(templates.c.model == model.digest)


def _opened(rows: Sequence[Any], vault: Vault, model: TemplateModel) -> Loaded:
    ids, persons, parts, damaged = [], [], [], []
    for id_, person, key, data in rows:
        try:
            parts.append(vault.open(Sealed(key, data), *template_context(person, model.digest, id_)))
        except TamperedError:
            damaged.append(id_)
            continue
        ids.append(id_)
        persons.append(person)
    vectors = np.frombuffer(b"".join(parts), "<f4").reshape(len(ids), model.size)
    return Loaded(np.array(ids, np.int64), persons, vectors, damaged)


def template_context(person: str, model: str, id_: int) -> tuple[str, ...]:
    """What a sealed template is bound to."""
    return ("template", person, model, str(id_))


def crop_context(person: str, id_: int) -> tuple[str, ...]:
    """What a sealed crop is bound to."""
    return ("crop", person, str(id_))


def encode_crop(rgb: Crop) -> bytes:
    """A crop as PNG.

    Raises:
        InvalidError: it is no picture of three colours.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
        raise InvalidError(f"crop of shape {rgb.shape} and type {rgb.dtype}", "give RGB, uint8")
    return cv2.imencode(".png", rgb[:, :, ::-1])[1].tobytes()


def decode_crop(data: bytes) -> Crop:
    """A crop from PNG, RGB.

    Raises:
        InvalidError: it is no picture.
    """
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise InvalidError("a kept crop is no picture", "delete and enrol the person again")
    return np.ascontiguousarray(bgr[:, :, ::-1], np.uint8)
