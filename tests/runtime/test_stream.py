import numpy as np
import pytest

from facegate.contracts import Calibration, Task
from facegate.faces.align import TEMPLATE_112
from facegate.faces.detect import Face
from facegate.faces.track import TrackState
from facegate.runtime.engine import FaceEngine, Match, Reason
from facegate.runtime.fusion import FusionParams
from facegate.runtime.models import Decision, Recogniser, SpoofJudge
from facegate.runtime.policy import Verdict
from facegate.runtime.stream import StreamEngine

FRAME = np.random.default_rng(2).integers(60, 200, (240, 320, 3), dtype=np.uint8)


def face(x):
    box = np.array([x, 60, 100, 120], np.float32)
    return Face(box, (TEMPLATE_112 * 0.9 + [x, 70]).astype(np.float32), 0.9)


class Script:
    """Stands in for detector, judge network and gallery: what each frame shall show."""

    def __init__(self, places, scores, names=("ann",)):
        self.places, self.scores, self.names = iter(places), iter(scores), iter(names)
        self.asked = []

    @property
    def searches(self):
        return len(self.asked)

    def detect(self, rgb):
        return [face(x) for x in next(self.places)]

    def judge(self, crops):
        live = np.array([next(self.scores) for _ in crops], np.float32)
        return np.stack([1 - live, live], axis=1)

    def search(self, embedding):
        self.asked.append(embedding)
        name = next(self.names)
        return Match(name, 1.0 if name else -1.0)


@pytest.fixture
def play(make_bundle, monkeypatch):
    """Runs a script of (places, live scores, names) and returns what came out of each frame."""

    def run(places, scores, names=("ann",), clips=None, **fusion):
        script = Script(places, scores, names)
        recogniser, judge = Recogniser(make_bundle()), SpoofJudge(make_bundle(Task.SPOOF))
        monkeypatch.setattr(judge.session, "run", script.judge)
        engine = FaceEngine(recogniser, judge, gallery=script)
        monkeypatch.setattr(engine.detector, "detect", script.detect)
        quick = {"correlation": 0.3, "least_frames": 3, "attack_accepted": 0.02}
        stream = StreamEngine(engine, FusionParams(**(quick | fusion)), clips=clips)
        return [stream.look(FRAME, i / 15) for i in range(len(places))], script

    return run


def verdicts(history, track=1):
    decisions = [r.decision for frame in history for r in frame if r.id == track]
    return [d.verdict if d else None for d in decisions]


def test_a_live_known_person_is_accepted_once_and_stays_so(play):
    history, script = play([[50]] * 6, [0.9] * 3)
    assert verdicts(history) == [None, None] + [Verdict.ACCEPT] * 4
    assert history[-1][0].decision.match.person == "ann"
    assert script.searches == 1  # neither judge nor gallery is asked again


def test_the_gallery_is_asked_by_the_mean_of_the_frames_so_far(play, monkeypatch):
    seen = np.random.default_rng(4).normal(size=(6, 8)).astype(np.float32)
    seen[1] = np.nan
    frames = iter(seen / np.linalg.norm(seen, axis=1, keepdims=True))
    batches = []

    def embed(self, crops):
        batches.append(len(crops))
        return np.stack([next(frames) for _ in crops])

    monkeypatch.setattr(Recogniser, "embed_crops", embed)
    _, script = play([[50]] * 6, [0.9] * 6, names=(None,) * 4)
    assert script.searches == 3
    assert batches == [3, 1, 1]  # not before it is worth asking, and each face once
    for count, asked in zip((3, 4, 5), script.asked, strict=True):
        good = np.delete(seen[:count], 1, axis=0)
        expected = (good / np.linalg.norm(good, axis=1, keepdims=True)).sum(0)
        np.testing.assert_allclose(asked, expected / np.linalg.norm(expected), rtol=1e-5)


def test_a_face_without_any_embedding_is_asked_to_try_again(play, monkeypatch):
    monkeypatch.setattr(
        Recogniser, "embed_crops", lambda self, crops: np.full((len(crops), 8), np.nan, np.float32)
    )
    history, script = play([[50]] * 6, [0.9] * 6)
    assert script.searches == 0
    assert verdicts(history)[-1] is Verdict.RETRY
    assert history[-1][0].decision.reasons == (Reason.NO_ANSWER,)


def test_an_attack_is_rejected_and_never_looked_up(play, monkeypatch):
    monkeypatch.setattr(Recogniser, "embed_crops", None)  # nor is the recogniser asked
    history, script = play([[50]] * 5, [0.1] * 3)
    assert verdicts(history) == [None, None] + [Verdict.REJECT] * 3
    assert history[-1][0].decision.reasons == (Reason.SPOOF,)
    assert script.searches == 0


def test_one_bad_frame_does_not_turn_a_live_person_away(play):
    history, _ = play([[50]] * 6, [0.9, 0.2, 0.9, 0.9, 0.9, 0.9])
    assert verdicts(history)[-1] is Verdict.ACCEPT


def test_a_stranger_is_looked_up_a_few_times_then_final(play):
    history, script = play([[50]] * 8, [0.9] * 8, ["", "", "", ""])
    assert verdicts(history) == [None] * 4 + [Verdict.REJECT] * 4
    assert history[-1][0].decision.reasons == (Reason.UNKNOWN,)
    assert script.searches == 3


def test_an_open_question_ends_in_a_retry_and_begins_anew(play):
    history, _ = play([[50]] * 9, [0.5] * 5 + [0.9] * 4, ["ann", "ann"], most_frames=5)
    assert verdicts(history) == [None] * 4 + [Verdict.RETRY] * 3 + [Verdict.ACCEPT] * 2
    assert history[4][0].decision.reasons == (Reason.UNDECIDED,)


def test_a_face_that_is_nobodys_need_not_try_again(play):
    history, script = play([[50]] * 9, [0.5] * 9, ["", "", "", ""], most_frames=5)
    assert verdicts(history) == [None] * 6 + [Verdict.REJECT] * 3
    assert history[-1][0].decision.reasons == (Reason.UNKNOWN,)
    assert script.searches == 3


def test_who_is_known_at_second_sight_is_asked_to_try_again(play):
    history, _ = play([[50]] * 10, [0.5] * 6 + [0.9] * 4, ["", "ann", "ann"], most_frames=5)
    assert verdicts(history) == [None] * 5 + [Verdict.RETRY] * 3 + [Verdict.ACCEPT] * 2


def test_evidence_belongs_to_a_track(play):
    history, _ = play([[20, 180]] * 3, [0.9, 0.1] * 3)
    assert verdicts(history, 1)[-1] is Verdict.ACCEPT
    assert verdicts(history, 2)[-1] is Verdict.REJECT


def test_another_face_in_the_same_place_later_starts_from_nothing(play):
    gone = [[]] * 20
    history, _ = play([[50]] * 4 + gone + [[50]] * 3, [0.9] * 3 + [0.1] * 3)
    assert [r.state for frame in history for r in frame].count(TrackState.ENDED) == 1
    assert verdicts(history, 2)[-1] is Verdict.REJECT


def test_a_short_absence_keeps_the_decision(play):
    history, _ = play([[50]] * 4 + [[]] * 3 + [[50]], [0.9] * 3)
    assert [history[5][0].state, history[7][0].state] == [TrackState.LOST, TrackState.CONFIRMED]
    assert verdicts(history)[-1] is Verdict.ACCEPT


def test_faces_that_fail_the_gate_give_no_evidence(play):
    outside = -60  # over half of the box is beyond the edge
    history, _ = play([[outside]] * 4, [])
    assert history[-1][0].last.reasons[0] == "cut_off"
    assert history[-1][0].evidence.frames == 0


def test_time_must_grow(play, make_bundle):
    engine = FaceEngine(Recogniser(make_bundle()), SpoofJudge(make_bundle(Task.SPOOF)))
    stream = StreamEngine(engine)
    stream.look(FRAME, 1.0)
    with pytest.raises(ValueError, match="time must grow"):
        stream.look(FRAME, 1.0)


def test_a_stream_needs_a_calibrated_judge(make_bundle):
    recogniser = Recogniser(make_bundle())
    raw = SpoofJudge(make_bundle(Task.SPOOF, calibration=Calibration()))
    for judge in (None, raw):
        with pytest.raises(ValueError, match="calibrated"):
            StreamEngine(FaceEngine(recogniser, judge))


class Clip:
    """Stands in for the judge of clips: the same answer from the third frame on."""

    def __init__(self, llr, verdict=Verdict.ACCEPT):
        self.llr, self.verdict, self.frames = llr, verdict, 0

    def add(self, rgb, face, now_s):
        self.frames += 1

    def decide(self):
        return Decision(self.verdict, 0.5, self.llr, 0.5, "bpcer_5") if self.frames >= 3 else None


@pytest.mark.parametrize(
    ("verdict", "expected"), [(Verdict.ACCEPT, [Verdict.ACCEPT]), (Verdict.REJECT, [Verdict.RETRY])]
)
def test_nobody_is_accepted_whom_the_judge_of_clips_does_not_accept(play, verdict, expected):
    history, _ = play([[20]] * 6, [0.99] * 6, clips=lambda: Clip(0.0, verdict), least_frames=1, most_frames=6)
    settled = [r.decision.verdict for frame in history for r in frame if r.decision]
    assert sorted(set(settled)) == expected
    first = next(i for i, (r,) in enumerate(history) if r.decision)
    assert first == (2 if verdict is Verdict.ACCEPT else 5)  # not before it has spoken, and not for ever


@pytest.mark.parametrize(("llr", "verdict"), [(9.0, None), (-9.0, Verdict.REJECT), (0.0, None)])
def test_a_clip_can_speak_against_a_face_and_never_adds_up(play, llr, verdict):
    history, _ = play([[20]] * 6, [0.5] * 6, clips=lambda: Clip(llr))
    assert [r.clip is not None for (r,) in history] == [False, False, True, True, True, True]
    (last,) = history[-1]
    assert (
        abs(last.evidence.aside) <= FusionParams().limit
        and (last.decision.verdict if last.decision else None) is verdict
    )


@pytest.mark.parametrize("llr", [None, float("nan")])
def test_a_clip_without_a_number_says_nothing(play, llr):
    history, _ = play([[20]] * 5, [0.5] * 5, clips=lambda: Clip(llr))
    assert history[-1][0].evidence.aside == 0 and history[-1][0].clip.llr is llr


def test_each_track_has_its_own_clip(play):
    made = []

    def clips():
        made.append(Clip(0.0))
        return made[-1]

    play([[20, 190]] * 4, [0.5] * 8, names=("ann", "bob"), clips=clips)
    assert [clip.frames for clip in made] == [4, 4]
