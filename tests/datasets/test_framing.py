"""Training crops framed anew: what they show is what the door would cut, moved and scaled as far as was asked."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.contracts import CROP_COLUMNS, SAMPLE_COLUMNS, Split, Task
from facegate.datasets.batches import Crops, SpeciesBatches, load_crops, species_names
from facegate.datasets.framing import AROUND, FINER, Surroundings, around, framed, load_surroundings
from facegate.datasets.pack import PackWriter, encode_png, open_pack
from facegate.datasets.prepare import prepare
from facegate.errors import PackError
from facegate.faces.crop import context_crop
from facegate.params import PrepareParams
from tests.datasets.test_prepare import PHOTOS, sample

SIZE = 48


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def whole_of(picture: np.ndarray, box: tuple[float, ...], factor: float = 1.4) -> Surroundings:
    part, square = around(picture, box, factor, SIZE)
    return Surroundings(part, np.array(square, np.float32))


@settings(max_examples=40, deadline=None)
@given(
    left=st.integers(-20, 150),
    top=st.integers(-20, 110),
    width=st.integers(5, 60),
    height=st.integers(5, 60),
)
def test_without_a_spread_it_is_the_crop_of_the_door(left, top, width, height):
    picture, box = (
        noise(120, 160),
        (left + 0.213, top + 0.329, width, height),
    )  # no edge half way between pixels
    same = framed(whole_of(picture, box), 0.0, SIZE, np.random.default_rng(0))
    assert np.array_equal(same, context_crop(picture, box, 1.4, SIZE))


def test_no_finer_is_kept_than_a_crop_can_show():
    picture = np.ascontiguousarray(
        np.broadcast_to(np.arange(1000)[:, None, None] // 4, (1000, 1000, 3)), np.uint8
    )
    box = (300.0, 200.0, 300.0, 400.0)
    part, square = around(picture, box, 1.4, SIZE)
    assert max(part.shape[:2]) <= FINER * SIZE * AROUND + 1
    assert square[2] == pytest.approx(FINER * SIZE, rel=0.02)
    again = framed(whole_of(picture, box), 0.0, SIZE, np.random.default_rng(0))
    assert np.abs(again.astype(int) - context_crop(picture, box, 1.4, SIZE)).max() <= 4


def test_scale_and_place_spread_as_far_as_asked():
    """Where every pixel says its own column, a crop says its scale and place."""
    columns = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (256, 256, 3))
    whole = whole_of(np.ascontiguousarray(columns), (78.0, 78.0, 100.0, 100.0), 1.0)
    rng = np.random.default_rng(3)
    seen = np.array([framed(whole, 0.06, SIZE, rng)[SIZE // 2, :, 0].astype(float) for _ in range(800)])
    sides = (seen[:, -4] - seen[:, 3]) / (SIZE - 7) * SIZE
    places = (seen[:, -4] + seen[:, 3]) / 2
    assert np.log(sides / 100).std() == pytest.approx(0.06, rel=0.15)
    assert (places / 100).std() == pytest.approx(0.03, rel=0.15)
    assert np.median(sides) == pytest.approx(100, abs=2) and np.median(places) == pytest.approx(127.5, abs=1)


def test_training_crops_carry_what_surrounds_them_and_no_others(tmp_path):
    with PackWriter(tmp_path / "samples" / "attacks", SAMPLE_COLUMNS) as writer:
        for photo, split in (
            ("astronaut.png", Split.TRAIN),
            ("obama.jpg", Split.TEST),
            ("obama2.jpg", Split.VAL),
        ):
            writer.write(sample(photo, (PHOTOS / photo).read_bytes(), split=split))
    prepare(
        Task.SPOOF,
        tmp_path / "samples",
        tmp_path / "crops",
        PrepareParams(workers=1, surroundings=True),
        tmp_path / "cache",
    )
    pack = open_pack(tmp_path / "crops", CROP_COLUMNS, verify=True)
    train = np.flatnonzero(pack.column("split") == Split.TRAIN)
    (whole,) = load_surroundings(pack, train)
    crop = pack.image(int(train[0]))
    assert np.array_equal(framed(whole, 0.0, len(crop), np.random.default_rng(0)), crop)
    assert [pack.row(i)["square"] is None for i in range(3)] == [i not in train for i in range(3)]
    assert len(load_crops(tmp_path / "crops", Split.TRAIN, framing=True).around) == 1
    assert load_crops(tmp_path / "crops", Split.TRAIN).around == ()
    with pytest.raises(PackError, match=r"`spoof\.framing` asks for"):
        load_surroundings(pack, np.arange(3))


def test_a_pack_without_surroundings_is_told(tmp_path: Path):
    with PackWriter(tmp_path / "crops", CROP_COLUMNS) as writer:
        row = sample("a", encode_png(noise(SIZE, SIZE)), width=SIZE, height=SIZE, crop="context")
        writer.write({**row, "detection_score": 1.0, "box": [0.0] * 4, "landmarks": [0.0] * 10})
    with pytest.raises(PackError, match="lacks what surrounds its crops") as told:
        load_crops(tmp_path / "crops", Split.TRAIN, framing=True)
    assert "`prepare.surroundings: true`" in str(told.value.remedy)


def test_batches_show_crops_framed_anew_where_there_is_something_to_cut_from():
    images = np.stack([noise(SIZE, SIZE)] * 6)
    kinds = np.array(["bona_fide", "print"] * 3)
    wholes = [whole_of(noise(150, 150), (50.0, 50.0, 50.0, 50.0))] * 6
    subjects = np.array(list("abcdef"))

    def batch(crops: Crops, framing: float) -> np.ndarray:
        options = {"batch": 6, "epochs": 1, "strength": 0.0, "seed": 2, "names": species_names(crops)}
        data = SpeciesBatches(crops, framing=framing, **options)
        rows, labels = (part[0] for part in data.plan(np.random.default_rng(0)))
        return data.drawn(rows, labels, np.random.default_rng(1))

    plain, rich = Crops(images, subjects, kinds), Crops(images[:0], subjects, kinds, wholes)
    cut = np.stack([framed(whole, 0.0, SIZE, np.random.default_rng(0)) for whole in wholes])
    assert np.array_equal(batch(plain, 0.06), images) and np.array_equal(batch(rich, 0.0), cut)
    anew = batch(rich, 0.06)
    assert len({picture.tobytes() for picture in anew}) == 6
    assert np.array_equal(anew, batch(rich, 0.06))
