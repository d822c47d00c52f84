import pytest

from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.replay_attack import samples
from tests.sources.miniature import write_text


@pytest.fixture
def root(tmp_path):
    for number, part in enumerate(("train", "devel", "test", "enroll"), start=1):
        client = f"client{number:03d}_session01"
        stems = [f"real/{client}_webcam_authenticate_{light}_1" for light in ("adverse", "controlled")]
        for support in ("fixed", "hand"):
            for device, kind in (("print", "highdef_photo"), ("mobile", "mobile_photo"), ("mobile", "mobile_video"),
                                 ("highdef", "highdef_photo"), ("highdef", "highdef_video")):  # fmt: skip
                stems.append(f"attack/{support}/attack_{device}_{client}_{kind}_adverse")
        for stem in stems:
            write_text(tmp_path / part / f"{stem}.mov", "")
            write_text(tmp_path / "face-locations" / part / f"{stem}.face", "0 1 2 3 4\n")
    return tmp_path


@pytest.mark.parametrize(
    ("protocol", "attacks"),
    [
        ("grandtest", 10),
        ("print", 2),
        ("mobile", 4),
        ("highdef", 4),
        ("digitalphoto", 4),
        ("photo", 6),
        ("video", 4),
    ],
)
def test_protocols_choose_attacks_and_keep_all_live_videos(root, protocol, attacks):
    records = list(samples(root, protocol, SplitParams()))
    for split in ("train", "val", "test"):
        species = [r.row["species"] for r in records if r.row["split"] == split]
        assert species.count("bona_fide") == 2
        assert len(species) == 2 + attacks
    assert len({r.row["subject_id"] for r in records}) == 3, "the part `enroll` is not read"


def test_names_tell_device_support_light_and_boxes(root):
    rows = {r.row["species_native"]: r for r in samples(root, "", SplitParams()) if r.row["split"] == "test"}
    phone = rows["mobile_video_hand"]
    assert (phone.row["species"], phone.row["illumination"], phone.row["session"]) == (
        "replay_phone", "adverse", "session01",
    )  # fmt: skip
    assert rows["highdef_photo_fixed"].row["species"] == "replay_tablet"
    assert rows["print_photo_hand"].row["species"] == "print"
    assert phone.frames and phone.frames.box_form == "numbered"
    assert phone.frames.boxes and phone.frames.boxes.is_file()


def test_a_client_in_two_parts_and_a_strange_name_are_refused(root):
    extra = write_text(root / "test/real/client001_session01_webcam_authenticate_adverse_1.mov", "")
    with pytest.raises(SourceError, match="client001 is in train and test"):
        list(samples(root, "", SplitParams()))
    extra.rename(root / "test/real/holiday.mov")
    with pytest.raises(SourceError, match=r"holiday\.mov: not named like"):
        list(samples(root, "", SplitParams()))
