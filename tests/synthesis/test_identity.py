from pathlib import Path

import numpy as np
import pytest

from facegate.synthesis.assets import HeadAssets, load_head_assets
from facegate.synthesis.canonical import canonical
from facegate.synthesis.facial import BEARDS
from facegate.synthesis.hair import STYLES
from facegate.synthesis.identity import Identity, make_identity, stream


@pytest.fixture(scope="module")
def head(head_file: Path) -> HeadAssets:
    return load_head_assets(head_file)


@pytest.fixture(scope="module")
def people(head: HeadAssets) -> list[Identity]:
    return [make_identity(head, 7, index) for index in range(8)]


def test_a_person_depends_on_seed_and_number_alone(head: HeadAssets, people: list[Identity]):
    again = make_identity(load_same(head), 7, 5)
    other = people[5]
    assert again.points.tobytes() == other.points.tobytes()
    assert again.skin.colour.tobytes() == other.skin.colour.tobytes()
    assert again.iris.tobytes() == other.iris.tobytes()
    assert (again.looks, again.sex, again.age, again.ita) == (other.looks, other.sex, other.age, other.ita)
    one, two = again.dressed(again.looks[1]), other.dressed(other.looks[1])
    assert one.texture.tobytes() == two.texture.tobytes()
    assert all(
        a.offset.tobytes() == b.offset.tobytes() for a, b in zip(one.strands, two.strands, strict=True)
    )


def load_same(head: HeadAssets) -> HeadAssets:
    """The same arrays as another object: nothing may hang on the object itself."""
    return HeadAssets(**vars(head))


def test_another_seed_is_another_person(head: HeadAssets, people: list[Identity]):
    assert np.abs(make_identity(head, 8, 0).points - people[0].points).max() > 0.001


def test_people_differ_in_shape_more_than_a_millimetre(head: HeadAssets, people: list[Identity]):
    face = np.flatnonzero(
        (canonical(head).positions[:, 2] > -0.04) & (canonical(head).positions[:, 1] > -0.11)
    )
    for i, one in enumerate(people):
        for two in people[:i]:
            apart = np.linalg.norm(one.points[face] - two.points[face], axis=1).mean()
            assert 0.001 < apart < 0.03


def test_attributes_are_in_range(people: list[Identity]):
    for person in people:
        assert person.sex in ("female", "male")
        assert 18 <= person.age <= 78
        assert -90 <= person.ita <= 90
        assert len(person.looks) >= 2
        assert all(look.hair in STYLES and look.beard in BEARDS for look in person.looks)
        assert person.sex == "male" or all(look.beard == "none" for look in person.looks)
        assert np.isfinite(person.points).all()
        assert 0 < person.skin.colour.min() <= person.skin.colour.max() < 1
        assert abs(person.eyes[:, 0]).min() > 0.02


def test_eyes_lie_behind_the_lids(head: HeadAssets, people: list[Identity]):
    for person in people:
        for centre, lids in zip(person.eyes, canonical(head).lids, strict=True):
            margin = person.points[lids]
            np.testing.assert_allclose(centre[:2], margin.mean(0)[:2], atol=1e-5)
            assert centre[2] < margin[:, 2].min()


def test_streams_of_topics_are_apart():
    draws = {topic: stream(1, 2, topic).random() for topic in ("shape", "skin", "hair")}
    assert len(set(draws.values())) == 3
    assert stream(1, 2, "shape").random() == draws["shape"]
    assert stream(1, 3, "shape").random() != draws["shape"]


def test_dressing_twice_is_remembered(people: list[Identity]):
    look = people[0].looks[0]
    assert people[0].dressed(look) is people[0].dressed(look)
