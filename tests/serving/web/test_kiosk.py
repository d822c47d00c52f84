"""The page a person stands in front of: what it sends, and what it says to what comes back."""

import cv2
import numpy as np
import pytest

from facegate.serving.schemas.faces import Hint
from facegate.serving.schemas.stream import StreamProblem
from tests.serving.web.stub import Desk, marked, track

pytestmark = pytest.mark.browser
ADA = {"verdict": "accept", "final": True, "person": {"id": "ada", "name": "Ada"}}
SPOOF = {"verdict": "reject", "final": True, "reasons": ["spoof"]}
UNKNOWN = {"verdict": "reject", "final": True, "reasons": ["unknown_person"]}
CLOSER = {"hints": [Hint(code="too_small", text="Come closer")]}


def expect_headline(page, text: str, kind: str) -> None:
    page.wait_for_selector(f"#verdict[data-kind={kind}] #headline:text-is('{text}')")


def edges(page, *selectors: str) -> list[list[float]]:
    """Left, top, right and bottom of all that is meant, at one moment: rows are made anew with each frame."""
    return page.evaluate(
        """selectors => selectors.flatMap((one) => [...document.querySelectorAll(one)]).map((node) => {
            const { left, top, right, bottom } = node.getBoundingClientRect();
            return [left, top, right, bottom];
        })""",
        list(selectors),
    )


def test_frames_go_out_with_their_time_as_the_camera_gives_them(visit, desk: Desk) -> None:
    page = visit("/?camera=door-2&session=math-1")
    page.wait_for_selector("#stage[data-state=on]")
    while len(desk.frames) < 4:
        page.wait_for_timeout(20)
    assert {k: desk.hello[k] for k in ("camera", "session", "mark")} == {
        "camera": "door-2", "session": "math-1", "mark": True,
    }  # fmt: skip
    times = [time for time, _ in desk.frames]
    assert times == sorted(set(times))
    picture = cv2.imdecode(np.frombuffer(desk.frames[-1][1], np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (480, 640, 3)
    assert picture.std() > 20  # no black picture of a camera that has not begun


def test_a_person_is_marked_and_stays_large_when_they_have_gone(visit, desk: Desk) -> None:
    def script(n: int):
        if n < 4:
            return [track(1, 250)], []
        return ([track(1, 250, **ADA)], [marked(1, "Ada")] if n == 4 else []) if n < 8 else ([], [])

    desk.script = script
    page = visit("/")
    expect_headline(page, "Ada", "good")
    assert "Marked present at" in page.inner_text("#detail")
    assert page.locator("#words").get_attribute("aria-live") == "polite"
    row = page.locator("#recent li")
    assert row.count() == 1
    assert row.inner_text().startswith("Ada")
    first, fourth = desk.frames[0][0], desk.frames[3][0]
    assert float(row.get_attribute("data-seconds")) == pytest.approx(fourth - first, abs=1e-3)
    page.wait_for_selector(".face", state="detached")
    assert page.inner_text("#headline") == "Ada"
    expect_headline(page, "Welcome", "idle")


def test_somebody_who_was_there_already_is_greeted_and_not_listed_twice(visit, desk: Desk) -> None:
    desk.script = lambda n: ([track(1, 250, **ADA)], [marked(1, "Ada", repeated=True)] if n == 1 else [])
    page = visit("/")
    expect_headline(page, "Ada", "good")
    assert "Already" in page.inner_text("#detail")
    assert page.locator("#recent li").count() == 0


def test_whoever_is_not_marked_learns_why(visit, desk: Desk) -> None:
    answers = [
        (SPOOF, "bad", "This does not look like a live person"),
        (UNKNOWN, "care", "I do not know you"),
        (CLOSER, "hint", "Come closer"),
        ({"verdict": "retry", "reasons": ["undecided"]}, "hint", "I could not decide"),
        ({}, "look", "One moment …"),
    ]
    page = visit("/", width=390)
    for what, kind, headline in answers:
        desk.script = lambda n, what=what: ([track(1, 250, **what)], [])
        expect_headline(page, headline, kind)
        page.wait_for_selector(f".face[data-kind={kind}]")
    assert page.locator("#recent li").count() == 0


def test_three_people_get_three_answers_where_their_faces_are(visit, desk: Desk) -> None:
    people = [track(1, 30, **ADA), track(2, 260, **SPOOF), track(3, 480, **UNKNOWN)]
    desk.script = lambda n: (people, [marked(1, "Ada")] if n == 1 else [])
    page = visit("/")
    page.wait_for_selector(".face >> nth=2")
    labels = {n: page.inner_text(f".face[data-track='{n}'] span") for n in (1, 2, 3)}
    assert labels == {1: "Live · Ada", 2: "Not a live person", 3: "Live · unknown"}
    assert page.inner_text("#count") == "3 people in view"
    assert page.locator("#everyone li").count() == 3
    expect_headline(page, "Ada", "good")
    page.wait_for_timeout(300)  # the frames glide to their place
    stage = page.locator("#faces").bounding_box()
    scale = stage["width"] / 640
    for person in people:
        box = page.locator(f".face[data-track='{person.id}']").bounding_box()
        left = (640 - person.box.x - person.box.width) * scale  # mirrored
        assert box["x"] - stage["x"] == pytest.approx(left, abs=2)
        assert box["width"] == pytest.approx(person.box.width * scale, abs=2)


@pytest.mark.parametrize("width", [390, 1280])
def test_long_answers_to_three_people_stay_in_their_panel(visit, desk: Desk, width: int) -> None:
    again = {
        "verdict": "retry",
        "hints": [Hint(code="undecided", text="Please try once more, and look into the camera")],
    }
    people = [track(1, 30, **again), track(2, 260, **UNKNOWN), track(3, 480, **again)]
    desk.script = lambda n: (people, [])
    page = visit("/", width=width)
    page.wait_for_selector("#everyone li >> nth=2")
    page.wait_for_function("document.querySelector('#headline').innerText.startsWith('Please try once more')")
    panel, *parts = edges(page, "#verdict", "#sign", "#headline", "#everyone li")
    assert len(parts) == 5
    assert all(top >= panel[1] and bottom <= panel[3] for _, top, _, bottom in parts)
    stage, *labels = edges(page, "#stage", ".face span")
    assert len(labels) == 3
    assert all(left >= stage[0] - 1 and right <= stage[2] + 1 for left, _, right, _ in labels)


def test_a_name_is_shown_as_text_whatever_it_holds(visit, desk: Desk) -> None:
    name = "<img src=x onerror=alert(1)>"
    desk.script = lambda n: ([track(1, 250, **ADA)], [marked(1, name)] if n == 1 else [])
    page = visit("/")
    page.wait_for_selector("#recent li")
    assert page.inner_text("#recent li span:first-child") == name
    assert page.locator("#headline img").count() == 0


def test_a_refused_key_leads_to_the_sign_in(visit, desk: Desk) -> None:
    desk.refuse_stream = StreamProblem(status=401, title="Who are you?", detail="no such key")
    page = visit("/")
    page.wait_for_url("**/sign-in?next=%2F")


def test_a_service_that_cannot_judge_says_why_and_is_asked_again(visit, desk: Desk) -> None:
    desk.refuse_stream = StreamProblem(status=503, title="Busy", detail="too many streams")
    page = visit("/")
    expect_headline(page, "Connection lost. Trying again …", "care")
    assert page.inner_text("#detail") == "too many streams"
    desk.refuse_stream = None
    expect_headline(page, "Welcome", "idle")


def test_a_refused_camera_says_what_to_do(visit, desk: Desk) -> None:
    desk.refuse_stream = StreamProblem(
        status=403, title="Not allowed", detail="this key is for another door", remedy="ask for a key"
    )
    page = visit("/")
    page.wait_for_selector("#notice:has-text('another door. ask for a key')")
    assert page.locator("#go").is_enabled()


def test_a_camera_that_cannot_be_had_is_explained(visit) -> None:
    refuse = """navigator.mediaDevices.getUserMedia = () =>
      Promise.reject(new DOMException("", window.why ?? "NotAllowedError"));"""
    page = visit("/", script=refuse)
    page.wait_for_selector("#notice:has-text('The camera is blocked')")
    for error, words in (("NotFoundError", "No camera was found"), ("NotReadableError", "Another program")):
        page.evaluate(f"window.why = '{error}'")
        page.click("#go")
        page.wait_for_selector(f"#notice:has-text('{words}')")


def test_a_lost_connection_is_said_and_taken_up_again(visit, desk: Desk) -> None:
    desk.hang_up_after = 3
    page = visit("/")
    expect_headline(page, "Connection lost. Trying again …", "care")
    desk.script = lambda n: ([track(1, 250, **ADA)], [])
    page.wait_for_selector(".face")
    expect_headline(page, "Ada", "good")
