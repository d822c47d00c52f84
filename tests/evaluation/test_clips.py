import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from facegate.contracts import PRESENTATION_COLUMNS, AttackSpecies
from facegate.datasets.pack import arrow_schema
from facegate.errors import NotMeasurableError
from facegate.evaluation.clips import fused_table, per_clip

ABOUT = {"dataset": "films", "synthetic": False}


def frames(people=24, length=6):
    """Frames that scatter around the score of their clip, and the clip of each."""
    rng = np.random.default_rng(0)
    rows, clips = [], {}
    for person in range(people):
        for species, level in ((AttackSpecies.BONA_FIDE, 0.6), (AttackSpecies.PRINT, 0.4)):
            for frame in range(length):
                name, clip = f"{person}-{species}-{frame}", f"{person}-{species}"
                score = level + rng.normal(0, 0.15)
                rows.append((name, f"p{person}", species.value, ("val", "test")[person % 2], score))
                clips[name] = clip
    columns = [column.name for column in PRESENTATION_COLUMNS]
    table = pa.table(
        dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)),
        schema=arrow_schema(PRESENTATION_COLUMNS),
    )
    return table, clips


def test_a_clip_has_the_mean_of_its_frames():
    table, clips = frames()
    fused = fused_table(table, clips)
    assert fused.num_rows == 48
    first = fused.filter(pc.field("sample_id") == "3-print").to_pylist()[0]
    scores = [row["score"] for row in table.to_pylist() if clips[row["sample_id"]] == "3-print"]
    assert first["score"] == pytest.approx(np.mean(scores), abs=1e-6)
    assert (first["subject_id"], first["species"], first["split"]) == ("p3", "print", "test")


def test_clips_are_told_apart_better_than_frames(evaluate_params):
    table, clips = frames()
    fused = per_clip(table, ABOUT, clips, evaluate_params)
    single = per_clip(table, ABOUT, {name: name for name in clips}, evaluate_params)
    assert (fused["clips"], single["clips"]) == (24, 144)
    assert fused["auc"]["value"] > single["auc"]["value"]
    assert fused["operating_points"]["eer"]["bpcer"]["trials"] == 12


def test_samples_of_no_clip_are_left_out(evaluate_params):
    table, clips = frames()
    live = {name: clip for name, clip in clips.items() if "print" not in name}
    assert fused_table(table, live).num_rows == 24
    with pytest.raises(NotMeasurableError, match="attack"):
        per_clip(table, ABOUT, live, evaluate_params)
