# pyright: reportPrivateImportUsage=false
import json
from html.parser import HTMLParser
from itertools import count

import cv2
import great_expectations.expectations as gxe
import numpy as np
import pandas as pd
import pytest

from facegate.contracts import CROP_COLUMNS, SAMPLE_COLUMNS, AttackSpecies, Column, Split, Task
from facegate.datasets.pack import PackWriter, decode_image, encode_jpeg, encode_png, open_pack
from facegate.datasets.suites import Rule
from facegate.datasets.validation import check_pack, run_suite, validate
from facegate.errors import PackError, ValidationError
from facegate.params import ValidateParams

LIMITS = ValidateParams(
    min_subjects_per_split=2, min_samples_per_split=4, min_samples_per_species=2, min_detection_rate=0.9
)
LANDMARKS = [20.0, 20, 44, 20, 32, 32, 24, 44, 40, 44]


def picture(number):
    """A smooth random picture of 64 × 64, unlike any other."""
    small = np.random.default_rng(number).uniform(0, 255, (8, 8, 3)).astype(np.float32)
    return encode_png(
        np.clip(cv2.resize(small, (64, 64), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)
    )


def good_rows():
    """A sample pack that every rule holds for: 3 splits × 2 people × 2 species × 2 pictures."""
    number = count()
    return [
        {
            "sample_id": f"{split}-{person}-{species}-{k}",
            "subject_id": f"{split}-{person}",
            "split": str(split),
            "species": str(species),
            "image": picture(next(number)),
            "width": 64,
            "height": 64,
            "source": "test",
            "landmarks": LANDMARKS,
            "age": 30.0,
        }
        for split in Split
        for person in range(2)
        for species in (AttackSpecies.BONA_FIDE, AttackSpecies.PRINT)
        for k in range(2)
    ]


def write(path, rows, columns=SAMPLE_COLUMNS, metadata=None):
    with PackWriter(path, columns, metadata) as writer:
        writer.write_all(rows)
    return open_pack(path)


def as_crop(row):
    known = {"crop": "context", "detection_score": 0.9, "box": [16.0, 12, 32, 40], "landmark_error": 0.02}
    return {**row, **known}


@pytest.fixture
def packs(tmp_path):
    """Sample and crop packs of the spoof task that hold their contract."""
    rows = good_rows()
    samples = write(tmp_path / "samples" / "attacks", rows)
    found = {"pictures": 24, "crops": 24, "detection_rate": 1.0}
    metadata = {
        "samples_digest": samples.digest,
        **found,
        "missed": {},
        "by_split": {},
        "by_species": {"print": found},
    }
    write(tmp_path / "crops", map(as_crop, rows), CROP_COLUMNS, metadata)
    return tmp_path


def run(folder, limits=LIMITS):
    return validate(Task.SPOOF, folder / "samples", folder / "crops", folder / "reports", limits)


def test_a_good_pair_of_packs_passes_and_the_reports_are_the_same_each_time(packs):
    report = run(packs)
    assert report["passed"]
    assert all(rule["passed"] for rule in report["rules"])
    assert report["counts"]["print"] == {"train": 4, "val": 4, "test": 4}
    first = [(packs / "reports" / f"spoof.{kind}").read_bytes() for kind in ("json", "html")]
    assert json.loads(first[0]) == report
    run(packs)
    assert first == [(packs / "reports" / f"spoof.{kind}").read_bytes() for kind in ("json", "html")]


def test_the_page_needs_no_network_and_escapes_what_it_shows(packs):
    crops = open_pack(packs / "crops")
    metadata = {**crops.metadata, "missed": {"<b>x</b>": "no face found"}}
    write(packs / "crops", crops.rows(), CROP_COLUMNS, metadata)
    run(packs)
    text = (packs / "reports" / "spoof.html").read_text()
    assert "&lt;b&gt;x" in text and "<b>" not in text
    links = []

    class Links(HTMLParser):
        def handle_starttag(self, tag, attrs):
            links.extend(value for name, value in attrs if name in ("src", "href"))

    Links().feed(text)
    assert links == []
    assert "url(" not in text and "@import" not in text


def spoil(rows):
    """Break every rule of a sample pack, each on a row of its own where that is possible."""
    wrong = [
        {"species": "hologram"},
        {"split": "holdout", "subject_id": "nobody"},
        {"sample_id": rows[0]["sample_id"]},
        {"age": -1.0},
        {"width": 65},
        {"image": b"spoilt"},
        {"landmarks": [*LANDMARKS[:9], 64.0]},
        {"landmarks": [*LANDMARKS[:9], float("nan")]},
        {"landmarks": [1.0, 2.0]},
        {"blink": 1.5},
    ]
    for row, values in zip(rows[4:], wrong, strict=False):
        row.update(values)
    rows[16]["split"] = "train"  # of a subject that is tested on
    rows[17]["image"] = rows[0]["image"]
    rows[20]["image"] = encode_jpeg(decode_image(rows[1]["image"], ""), 70)
    return [row for row in rows if (row["split"], row["species"]) != ("test", "print")]


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """Ids of the rows before they were spoilt, and the outcome of all rules afterwards."""
    rows = good_rows()
    ids = [row["sample_id"] for row in rows]
    pack = write(tmp_path_factory.mktemp("spoilt") / "pack", spoil(rows))
    return ids, check_pack("samples", pack, SAMPLE_COLUMNS, Task.SPOOF, LIMITS)


@pytest.mark.parametrize(
    ("column", "says", "rows"),
    [
        ("species", "is one of bona_fide, print", [4]),
        ("split", "is one of train, val, test", [5]),
        ("sample_id", "a sample id occurs once", [0, 0]),
        ("age", "lies between 0 and 120", [7]),
        ("width", "has the stated width", [8, 9]),
        ("image", "can be decoded", [9]),
        ("landmarks", "inside the picture", [10, 11, 12]),
        ("blink", "lies between 0 and 1", [13]),
        ("subject_id", "a subject is in one split only", [16, 17]),
        ("image", "in one split only (same bytes)", [0, 17]),
        ("image", "in one split only (looks the same)", [0, 1, 17, 20]),
    ],
)
def test_each_trap_is_caught_and_named(spoilt, column, says, rows):
    ids, found = spoilt
    (failed,) = [rule for rule in found if rule["column"] == column and says in rule["rule"]]
    assert (failed["passed"], failed["error"]) == (False, None)
    assert failed["examples"] == [ids[row] for row in rows]
    assert failed["failing"] == len(rows)


def test_a_class_that_is_missing_from_a_split_is_told_with_its_count(spoilt):
    (failed,) = [rule for rule in spoilt[1] if rule["column"] == "counts"]
    assert not failed["passed"]
    assert "attacks in test: 0 of at least 2" in failed["examples"]


def test_traps_of_crops_are_caught(tmp_path):
    rows = [as_crop(row) for row in good_rows()]
    traps = {
        "the face box has an area": {"box": [1.0, 2, 0, 0]},
        "landmarks lie on the face box or near it": {"box": [400.0, 300, 32, 40]},
        "lies between 0 and 1": {"detection_score": 1.5},
        "lies between 0 and 0.5": {"landmark_error": 0.7},
    }
    for row, values in zip(rows, traps.values(), strict=False):
        row.update(values)
    found = check_pack(
        "crops", write(tmp_path / "pack", rows, CROP_COLUMNS), CROP_COLUMNS, Task.SPOOF, LIMITS
    )
    failed = {rule["rule"]: rule["examples"] for rule in found if not rule["passed"]}
    expected = {says: [row["sample_id"]] for says, row in zip(traps, rows, strict=False)}
    expected["landmarks lie on the face box or near it"].insert(0, rows[0]["sample_id"])
    assert failed == expected


def test_a_column_of_another_type_is_caught(tmp_path):
    columns = [Column(c.name, "int64", "") if c.name == "width" else c for c in SAMPLE_COLUMNS]
    found = check_pack(
        "samples", write(tmp_path / "pack", good_rows(), columns), SAMPLE_COLUMNS, Task.SPOOF, LIMITS
    )
    assert [(r["column"], r["examples"]) for r in found if not r["passed"]] == [("schema", ["width"])]


def test_recognition_needs_people_with_two_pictures(tmp_path):
    rows = [row for row in good_rows() if row["species"] == "bona_fide"]
    for number, row in enumerate(rows):
        row["subject_id"] += str(number)
    found = check_pack("samples", write(tmp_path / "p", rows), SAMPLE_COLUMNS, Task.RECOGNITION, LIMITS)
    (failed,) = [rule for rule in found if not rule["passed"]]
    assert failed["examples"][0] == "people with two pictures or more in train: 0 of at least 2"


def test_a_failing_contract_stops_with_a_readable_message_and_still_reports(packs):
    rows = good_rows()
    rows[0]["split"] = "test"
    write(packs / "samples" / "attacks", rows)
    with pytest.raises(ValidationError) as caught:
        run(packs)
    message = str(caught.value)
    assert "samples, column `subject_id`: a subject is in one split only: 4 of 24 do not" in message
    assert "for instance train-0-bona_fide-0;" in message
    assert "crops, column `pack`: the crops were cut from this sample pack" in message
    assert "spoof.html" in caught.value.remedy
    report = json.loads((packs / "reports" / "spoof.json").read_text())
    assert not report["passed"]
    assert "does not hold" in (packs / "reports" / "spoof.html").read_text()


def test_a_poor_detection_rate_stops(packs):
    crops = open_pack(packs / "crops")
    missed = {"detection_rate": 0.5, "missed": {"gone-1": "no face found"}}
    write(packs / "crops", crops.rows(), CROP_COLUMNS, {**crops.metadata, **missed})
    with pytest.raises(
        ValidationError, match=r"finds the face in at least 90\.0% .* \(for instance gone-1\)"
    ):
        run(packs)


def test_a_warning_is_reported_and_does_not_stop(packs):
    rows = good_rows()
    rows[4]["image"] = rows[0]["image"]  # two people of one split
    samples = write(packs / "samples" / "attacks", rows)
    crops = open_pack(packs / "crops")
    write(packs / "crops", crops.rows(), CROP_COLUMNS, {**crops.metadata, "samples_digest": samples.digest})
    report = run(packs)
    assert report["passed"]
    assert [r["rule"] for r in report["rules"] if not r["passed"]] == ["a picture shows one subject"]


def test_a_rule_that_cannot_be_checked_is_a_hard_failure():
    frame = pd.DataFrame({"sample_id": ["a"], "x": [1.0]})
    rule = Rule(
        "rows", "y", "y is small", gxe.ExpectColumnValuesToBeBetween(column="y", max_value=1), "warning"
    )
    (found,) = run_suite(frame, [rule])
    assert not found["passed"]
    assert '"y"' in found["error"]


def test_a_corrupt_pack_is_refused(packs):
    part = packs / "crops" / "part-00000.arrow"
    data = bytearray(part.read_bytes())
    data[2000] ^= 1
    part.write_bytes(data)
    with pytest.raises(PackError, match="SHA-256"):
        run(packs)
