import pytest

from facegate.errors import SourceError
from facegate.params import SplitParams
from facegate.sources.replay_mobile import samples
from tests.sources.miniature import write_text


@pytest.fixture
def root(tmp_path):
    for number, part in enumerate(("train", "devel", "test"), start=1):
        client = f"client{number:03d}_session01"
        stems = [f"real/{client}_authenticate_{device}_controlled" for device in ("mobile", "tablet")]
        kinds = ("mattescreen_fixed_{}_photo", "mattescreen_fixed_{}_video", "print_hand_{}_photo")
        shown = [kind.format(device) for device in ("mobile", "tablet") for kind in kinds]
        stems += [f"attack/attack_{client}_{kind}_lightoff" for kind in shown]
        for stem in stems:
            write_text(tmp_path / part / f"{stem}.mov", "")
    return tmp_path


@pytest.mark.parametrize(("protocol", "attacks"), [("", 6), ("mattescreen", 4), ("print", 2)])
def test_protocols(root, protocol, attacks):
    records = list(samples(root, protocol, SplitParams()))
    for split in ("train", "val", "test"):
        species = [r.row["species"] for r in records if r.row["split"] == split]
        assert (species.count("bona_fide"), len(species)) == (2, 2 + attacks)


def test_names_tell_device_and_light(root):
    rows = {r.file.stem: r.row for r in samples(root, "", SplitParams())}
    row = rows["attack_client003_session01_mattescreen_fixed_tablet_video_lightoff"]
    assert (row["species"], row["species_native"], row["camera"], row["illumination"], row["split"]) == (
        "replay_monitor", "mattescreen_video_fixed", "tablet", "lightoff", "test",
    )  # fmt: skip
    live = rows["client001_session01_authenticate_mobile_controlled"]
    assert (live["camera"], live["illumination"]) == ("mobile", "controlled")


def test_strange_names_and_shared_clients_are_refused(root):
    extra = write_text(root / "test/real/client001_session01_x.mov", "")
    with pytest.raises(SourceError, match="client001 is in train and test"):
        list(samples(root, "", SplitParams()))
    extra.rename(root / "test/real/holiday.mov")
    with pytest.raises(SourceError, match="not named like a video of Replay-Mobile"):
        list(samples(root, "", SplitParams()))
