import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facegate.datasets.fingerprints import LIKELY_SAME, difference_hash, fingerprint, near_pairs


def scene(seed, size=96):
    """A smooth random picture."""
    small = np.random.default_rng(seed).uniform(0, 255, (7, 7)).astype(np.float32)
    return np.clip(cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def distance(a, b):
    return np.count_nonzero(
        np.unpackbits(np.frombuffer(a, np.uint8)) != np.unpackbits(np.frombuffer(b, np.uint8))
    )


@pytest.mark.parametrize("seed", range(5))
def test_one_picture_stays_itself_under_encoding_size_and_tone(seed):
    picture = scene(seed)
    jpeg = cv2.imdecode(
        cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_GRAYSCALE
    )
    larger = cv2.resize(picture, None, fx=1.5, fy=1.5)
    brighter = np.clip(picture * 0.8 + 20, 0, 255).astype(np.uint8)
    for changed in map(np.asarray, (jpeg, larger, brighter)):
        assert distance(difference_hash(picture), difference_hash(changed)) <= LIKELY_SAME
    assert distance(difference_hash(picture), difference_hash(scene(seed + 100))) > 5 * LIKELY_SAME


def test_a_fingerprint_knows_the_size_and_spoilt_bytes():
    data = cv2.imencode(".png", scene(0)[:50])[1].tobytes()
    found = fingerprint(data)
    assert (found.width, found.height, len(found.exact), len(found.perceptual)) == (96, 50, 32, 32)
    for spoilt in (b"", b"spoilt"):
        assert fingerprint(spoilt)[1:] == (b"", 0, 0)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_all_near_pairs_across_groups_are_found(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    bits = rng.integers(0, 2, (12, 256), np.uint8)
    for copy in range(6, 12):
        flipped = rng.choice(256, data.draw(st.integers(0, 14)), replace=False)
        bits[copy] = bits[copy - 6]
        bits[copy, flipped] ^= 1
    hashes = [np.packbits(row).tobytes() for row in bits]
    groups = [data.draw(st.sampled_from(["train", "test"])) for _ in hashes]
    apart = (bits[:, None] != bits[None]).sum(axis=2)
    expected = {
        (a, b, int(apart[a, b]))
        for a in range(12)
        for b in range(a + 1, 12)
        if apart[a, b] <= LIKELY_SAME and groups[a] != groups[b]
    }
    found = list(near_pairs(hashes, groups))
    assert set(found) == expected
    assert len(found) == len(expected)


def test_pictures_without_a_hash_match_nothing():
    assert list(near_pairs([b"", b"", bytes(32)], ["a", "b", "c"])) == []
