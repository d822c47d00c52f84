"""The pure part of the kiosk: from decisions to words and places, called directly in the page."""

import pytest

pytestmark = pytest.mark.browser

CALL = "async ([name, ...rest]) => (await import('/web/verdicts.js'))[name](...rest)"


@pytest.fixture
def page(visit):
    return visit("/sign-in")


def test_a_face_lies_mirrored_where_the_picture_is_shown_whole(page) -> None:
    box = {"x": 100, "y": 50, "width": 80, "height": 100}

    def place(width: int, height: int) -> dict:
        return page.evaluate(
            CALL, ["place", box, {"width": 640, "height": 480}, {"width": width, "height": height}]
        )

    assert place(640, 480) == {"x": 460, "y": 50, "width": 80, "height": 100}
    assert place(1280, 960) == {"x": 920, "y": 100, "width": 160, "height": 200}
    assert place(840, 480) == {"x": 560, "y": 50, "width": 80, "height": 100}  # 100 px free at either side
    assert place(640, 680) == {"x": 460, "y": 150, "width": 80, "height": 100}  # 100 px free above and below


def test_the_nearest_person_comes_first_and_whoever_left_not_at_all(page) -> None:
    def person(number: int, side: int, state: str = "confirmed") -> dict:
        return {"id": number, "state": state, "box": {"x": 0, "y": 0, "width": side, "height": side}}

    tracks = [
        person(1, 50),
        person(2, 90),
        person(3, 200, "lost"),
        person(4, 300, "ended"),
        person(5, 10, "tentative"),
    ]
    assert [t["id"] for t in page.evaluate(CALL, ["inView", tracks])] == [2, 1, 5]


def test_an_open_question_shows_its_first_hint_and_patience_is_no_complaint(page) -> None:
    def said(**track) -> dict:
        base = {"verdict": None, "reasons": [], "hints": [], "person": None}
        return page.evaluate(CALL, ["statement", base | track])

    blurred, looking = {"code": "blurred", "text": "Hold still"}, {"code": "looking", "text": "Look here"}
    assert said(hints=[blurred, looking])["headline"] == "Hold still"
    assert said(hints=[looking])["kind"] == "look"
    assert said(verdict="reject", reasons=["spoof", "unknown_person"])["kind"] == "bad"
    assert said(verdict="accept", person={"name": "Ada"})["detail"] == "Recognised"
    assert said(verdict="accept")["label"] == "Live"  # a service without a gallery


def test_a_text_that_is_missing_is_an_error_and_plurals_count(page) -> None:
    tell = "async ([path, values]) => (await import('/web/texts.js')).t(path, values)"
    assert page.evaluate(tell, ["people.caption", {"count": 1}]) == "1 person"
    assert page.evaluate(tell, ["people.caption", {"count": 0}]) == "0 people"
    with pytest.raises(Exception, match=r"no text at people\.nothing"):
        page.evaluate(tell, ["people.nothing", {}])


def test_nobody_is_sent_to_another_site_after_signing_in(page) -> None:
    follow = "async (search) => (await import('/web/session.js')).nextPage(search)"
    assert page.evaluate(follow, "?next=%2Fpeople%3Fa%3D1") == "/people?a=1"
    for trap in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""):
        assert page.evaluate(follow, f"?next={trap}") == "/"
