"""Which picture goes into which batch: balanced over people or attack species, a pure function of its generator.

Real sets are lopsided (a few people with many pictures, one species with most attacks), and a loss that sees
them as they come learns the majority. Everything here is index arithmetic; no picture is touched.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from facegate.contracts import AttackSpecies
from facegate.errors import PackError

Indices = NDArray[np.int64]


def endless(items: Indices, rng: np.random.Generator) -> Iterator[int]:
    """Items in random order, again and again; none comes a second time before all have come once."""
    while True:
        yield from rng.permutation(items).tolist()


def class_batches(classes: int, per_batch: int, steps: int, rng: np.random.Generator) -> Indices:
    """Draw distinct classes for each batch; over all batches no class is drawn twice as often as needed.

    Args:
        classes: number of classes.
        per_batch: classes in a batch, at most `classes`.
        steps: number of batches.
        rng: source of the order.

    Returns:
        Class numbers, shape (steps, per_batch). Their counts differ by one at most.
    """
    queue = np.empty(0, np.int64)
    batches = np.empty((steps, per_batch), np.int64)
    for step in range(steps):
        if len(queue) < per_batch:
            fresh = rng.permutation(classes)
            clash = np.isin(fresh, queue)
            queue = np.concatenate([queue, fresh[~clash], fresh[clash]])
        batches[step], queue = queue[:per_batch], queue[per_batch:]
    return batches


def people_plan(
    members: Sequence[Indices], people: int, pictures: int, steps: int, rng: np.random.Generator
) -> tuple[Indices, Indices]:
    """Plan batches of `people` persons with `pictures` pictures each.

    Args:
        members: for each class, the indices of its pictures.
        people: classes in a batch.
        pictures: pictures of each, distinct as long as the class has enough.
        steps: number of batches.
        rng: source of the order.

    Returns:
        Picture indices and class numbers, both of shape (steps, people × pictures), a person's side by side.
    """
    streams = [endless(indices, rng) for indices in members]
    classes = class_batches(len(members), people, steps, rng)
    labels = np.repeat(classes, pictures, axis=1)
    chosen = np.array([[next(streams[label]) for label in batch] for batch in labels], np.int64)
    return chosen.reshape(labels.shape), labels


def species_plan(species: Sequence[str], batch: int, steps: int, rng: np.random.Generator) -> Indices:
    """Plan batches of which half are bona fide and the other half are spread evenly over the attack species.

    Args:
        species: AttackSpecies of each picture.
        batch: pictures in a batch, at least 2.
        steps: number of batches.
        rng: source of the order.

    Returns:
        Picture indices of shape (steps, batch).

    Raises:
        PackError: bona fide pictures or attacks are missing.
    """
    names = np.asarray(species)
    groups = {str(name): np.flatnonzero(names == name) for name in np.unique(names)}
    live = groups.pop(AttackSpecies.BONA_FIDE, None)
    if live is None or not groups:
        lacking = "bona fide pictures" if live is None else "attacks"
        raise PackError(
            f"the training split holds no {lacking}", "give the source both, or change `data.split.seed`"
        )
    genuine, kinds = endless(live, rng), endless(np.arange(len(groups)), rng)
    attacks = [endless(indices, rng) for indices in groups.values()]
    half = batch // 2
    rows = [
        [next(genuine) for _ in range(half)] + [next(attacks[next(kinds)]) for _ in range(batch - half)]
        for _ in range(steps)
    ]
    return np.array(rows, np.int64)
