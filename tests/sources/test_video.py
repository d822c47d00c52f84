import pytest

from facegate.contracts import Split
from facegate.datasets.pack import open_pack
from facegate.errors import PictureError
from facegate.sources.boxes import frame_boxes
from facegate.sources.packing import _jobs, pack_records
from facegate.sources.records import Frames, record
from facegate.sources.video import video_frames
from tests.sources.miniature import hold_frames, write_text, write_video


def shown(frame):
    """Number of the frame as its grey corner tells."""
    return round((float(frame.image[4:20, 4:20].mean()) - 20) / 10)


@pytest.mark.parametrize(
    ("rate", "numbers"), [(2, [0, 3, 6, 9]), (6, list(range(12))), (60, list(range(12))), (0.5, [0])]
)
@pytest.mark.parametrize("ending", [".avi", ".mov", ".mp4"])
def test_frames_are_taken_at_the_stated_rate(tmp_path, ending, rate, numbers):
    frames = list(video_frames(write_video(tmp_path / f"clip{ending}", frames=12, fps=6), rate))
    assert [frame.number for frame in frames] == numbers
    assert [shown(frame) for frame in frames] == numbers
    assert [frame.time_s for frame in frames] == pytest.approx([n / 6 for n in numbers], abs=0.02)


def test_only_the_first_frames_are_taken_where_a_protocol_says_so(tmp_path):
    frames = list(video_frames(write_video(tmp_path / "clip.avi"), 60, first=5))
    assert [frame.number for frame in frames] == [0, 1, 2, 3, 4]


def test_a_rate_that_varies_is_followed_by_time_stamps(tmp_path, monkeypatch):
    stamps = [0, 0.1, 0.2, 0.3, 1.0, 1.1, 1.9, 2.0, 2.05, 3.5, 3.6, 4.0]

    def stamped(capture, stop):
        for number, time_s in enumerate(stamps):
            assert capture.grab()
            yield number, time_s

    monkeypatch.setattr("facegate.sources.video._stamps", stamped)
    frames = list(video_frames(write_video(tmp_path / "clip.avi"), 1))
    assert [frame.time_s for frame in frames] == [0, 1.0, 2.0, 3.5, 4.0]


def test_a_file_of_variable_frame_rate_is_sampled_by_its_clock(tmp_path):
    """Six frames a sixth of a second long, then six of a second and a half: one a second is not every sixth."""
    file = write_video(tmp_path / "clip.mp4", frames=12, fps=6)
    table = file.read_bytes().index(b"stts")
    every = int.from_bytes(file.read_bytes()[table + 16 : table + 20])
    frames = list(video_frames(hold_frames(file, [(6, every), (6, 9 * every)]), 1))
    assert [frame.number for frame in frames] == [0, 6, 7, 8, 9, 10, 11]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 1, 2.5, 4, 5.5, 7, 8.5], abs=0.02)
    assert [shown(frame) for frame in frames] == [0, 6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("content", [b"", b"no video at all", b"RIFF....AVI LIST"])
def test_an_unreadable_video_is_refused(tmp_path, content):
    (tmp_path / "clip.avi").write_bytes(content)
    with pytest.raises(PictureError, match=r"no readable video|has no frame"):
        list(video_frames(tmp_path / "clip.avi", 2))
    with pytest.raises(PictureError, match="no such file"):
        list(video_frames(tmp_path / "gone.avi", 2))


def test_videos_become_rows_of_clips_and_bad_ones_are_listed(tmp_path):
    write_video(tmp_path / "good.avi", frames=12, fps=6)
    write_text(tmp_path / "good.face", "".join(f"{n} 4 6 {n} {2 * n}\n" for n in range(12)))
    write_text(tmp_path / "bad.avi", "no video")
    frames = Frames(boxes=tmp_path / "good.face", box_form="numbered")
    records = [
        record(tmp_path / "good.avi", "good", "s", Split.TEST, "test")._replace(frames=frames),
        record(tmp_path / "bad.avi", "bad", "s", Split.TEST, "test")._replace(frames=Frames()),
    ]
    metadata = pack_records(records, tmp_path / "pack", tmp_path / "cache", workers=1)
    pack = open_pack(tmp_path / "pack")
    assert list(pack.column("sample_id")) == ["good#00000", "good#00003", "good#00006", "good#00009"]
    assert set(pack.column("clip_id")) == {"good"}
    assert list(pack.column("frame")) == [0, 3, 6, 9]
    assert [pack.row(i)["face_box"] for i in range(4)] == [None, [4, 6, 3, 6], [4, 6, 6, 12], [4, 6, 9, 18]]
    assert list(metadata["problems"]) == ["bad (bad.avi)"]


def test_no_process_ever_holds_more_than_one_clip(tmp_path):
    video = record(tmp_path / "a.mov", "a", "s", Split.TEST, "test")._replace(frames=Frames())
    jobs = _jobs([video._replace(row={**video.row, "sample_id": str(n)}) for n in range(3)])
    assert [(job.size, len(job.task)) for job in jobs] == [(1, 1)] * 3


def test_boxes_of_frames(tmp_path):
    corners = write_text(tmp_path / "a.face", "0 0 0 0\n10 20 40 60\n\n5,5,6,6\n")
    assert frame_boxes(corners, "corners") == {1: [10, 20, 30, 40], 2: [5, 5, 1, 1]}
    with pytest.raises(PictureError, match="no frame has a face"):
        frame_boxes(write_text(tmp_path / "b.face", "0 0 0 0\n0 0 0 0\n"), "corners")
    with pytest.raises(PictureError, match="row 1 has 3 numbers"):
        frame_boxes(write_text(tmp_path / "c.face", "1 2 3\n"), "corners")
    with pytest.raises(PictureError, match="not rows of numbers"):
        frame_boxes(write_text(tmp_path / "d.face", "a b c d\n"), "corners")
