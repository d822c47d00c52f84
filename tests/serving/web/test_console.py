"""Sign-in, enrolment, people, attendance, model: what a click does at the service, and what the page then says."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from facegate.serving.schemas.faces import ANSWER, Hint
from tests.serving.web.stub import KEY, Desk

pytestmark = pytest.mark.browser
DAY = "/attendance?day=2030-01-31"


def kind(page) -> str | None:
    return page.locator("#notice").get_attribute("data-kind")


def test_signing_in_leads_back_and_the_key_stays_in_the_tab(visit, address: str) -> None:
    page = visit("/people", role=None)
    page.wait_for_url("**/sign-in?next=%2Fpeople")
    page.click("#submit")
    page.wait_for_selector("#notice:text('Enter a key first.')")
    page.fill("#key", "fg_wrong")
    page.click("#submit")
    page.wait_for_selector("#notice:has-text('not accepted')")
    assert page.evaluate("document.activeElement.id") == "key"
    assert page.evaluate("sessionStorage.length") == 0
    page.fill("#key", KEY)
    page.click("#submit")
    page.wait_for_url(address + "/people")
    page.wait_for_selector("table")
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    page.click(".leave")
    page.wait_for_url("**/sign-in")
    assert page.evaluate("sessionStorage.length") == 0


def test_a_kiosk_key_sees_no_links_it_may_not_follow(visit) -> None:
    page = visit("/", role="kiosk")
    assert page.locator("#bar nav a").all_inner_texts() == ["Kiosk"]


def test_people_are_found_renamed_and_deleted(visit, desk: Desk) -> None:
    page = visit("/people")
    page.wait_for_selector("text=3 people")
    page.fill("#search", "gra")
    page.wait_for_selector("caption:text('1 person')")
    page.click("button[aria-label='Rename: Grace Hopper']")
    page.fill("dialog input", "  ")
    page.click("dialog .primary")
    page.wait_for_selector("dialog .notice:text('Enter the name first.')")
    page.fill("dialog input", "Grace M. Hopper")
    page.click("dialog .primary")
    page.wait_for_selector("#notice:text('Renamed to Grace M. Hopper.')")
    page.fill("#search", "")
    page.wait_for_selector("caption:text('3 people')")
    page.click("button[aria-label='Delete: Kurt Gödel']")
    page.keyboard.press("Escape")  # no is what happens by itself
    page.wait_for_selector("dialog", state="detached")
    assert len(desk.people) == 3
    page.click("button[aria-label='Delete: Kurt Gödel']")
    page.click("dialog .danger")
    page.wait_for_selector("caption:text('2 people')")
    assert [p.name for p in desk.people] == ["Ada Lovelace", "Grace M. Hopper"]


def test_attendance_is_taken_away_as_csv_and_put_right(visit, desk: Desk, tmp_path: Path) -> None:
    page = visit(DAY, timezone_id="Europe/Berlin")
    page.wait_for_selector("caption:text('2 entries on 31 January 2030')")
    assert page.inner_text("tbody tr:first-child td >> nth=0") == "09:00"  # 08:00 UTC at the desk's clock
    assert page.inner_text("#unknowns") == "2 sightings of unknown people."
    with page.expect_download() as waiting:
        page.click("#csv")
    assert waiting.value.suggested_filename == "attendance-2030-01-31.csv"
    waiting.value.save_as(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "name,day\nAda,2030-01-31\n"

    page.click("button[aria-label='Correct: Ada Lovelace']")
    page.fill("dialog [name=first]", "08:30")
    page.click("dialog .primary")
    page.wait_for_selector("dialog .notice:text('Give a reason')")
    page.fill("dialog [name=reason]", "clock was wrong")
    page.click("dialog .primary")
    page.wait_for_selector("#notice:text('The correction is saved.')")
    page.click("button[aria-label='Correct: Grace Hopper']")
    page.select_option("dialog select", "absent")
    page.fill("dialog [name=reason]", "mistaken")
    page.click("dialog .primary")
    page.wait_for_selector("caption:text('1 entry on')")
    changed, withdrawn = desk.corrections
    assert changed.first_seen is not None
    assert changed.first_seen.isoformat() == "2030-01-31T07:30:00+00:00"
    assert (changed.last_seen, changed.void, changed.reason) == (None, False, "clock was wrong")
    assert (withdrawn.void, withdrawn.reason) == (True, "mistaken")


def test_the_model_page_shows_the_gate_rule_by_rule_and_every_rate_with_its_count(visit, desk: Desk) -> None:
    page = visit("/model")
    rules = page.locator("section:has(h2:text('Gate report')) tbody tr")
    rules.first.wait_for()
    assert rules.count() == 5
    first, second = rules.nth(0).inner_text(), rules.nth(1).inner_text()
    assert first.split("\t")[-4:] == ["2.34 %", "4.77 %", "299", "pass"]
    assert "needs 299 trials: print" in second
    assert "too few trials" in second
    point = page.locator("section:has(h2:text('Spoof detection')) tbody tr").first.inner_text()
    assert "in force" in point
    assert "7 of 299" in point
    assert "0.950 % – 4.77 %" in point
    assert page.locator("text=Synthetic: measured on rendered people").count() == 1
    desk.gate = False
    page.reload()
    page.wait_for_selector("text=No gate report belongs to what runs")


def test_pictures_say_what_is_wrong_with_them_and_only_good_ones_are_sent(visit, desk: Desk) -> None:
    page = visit("/enrol")
    page.click("#submit")
    page.wait_for_selector("#notice:text('at least one good picture')")
    page.click("#camera")
    page.click("#capture")
    page.wait_for_selector("#shots li:nth-child(1)[data-kind=good]")
    bad = {**ANSWER, "verdict": "retry", "reasons": ["blurred"]}
    desk.faces = [{**bad, "hints": [Hint(code="blurred", text="Hold still")]}]
    page.click("#capture")
    page.wait_for_selector("#shots li:nth-child(2)[data-kind=bad] p:text('Hold still')")
    desk.faces = [ANSWER, ANSWER]
    page.click("#capture")
    page.wait_for_selector("#shots li:nth-child(3) p:text('Several faces')")
    page.click("#shots li:nth-child(3) button")
    page.wait_for_selector("#count:text('1 of 2 pictures are good')")
    page.click("#submit")
    page.wait_for_selector("#notice:text('Enter the name first.')")
    page.fill("#name", "Emmy Noether")
    page.click("#submit")
    page.wait_for_selector("#notice:text('Confirm that the person agrees.')")
    page.check("#consent")
    page.click("#submit")
    page.wait_for_selector("#notice:has-text('Emmy Noether is enrolled with 1 picture.')")
    assert kind(page) == "good"
    assert desk.enrolled == [("Emmy Noether", 1, False)]


def test_a_face_that_is_enrolled_already_is_asked_about(visit, desk: Desk, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((40, 40, 3), np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    page = visit("/enrol")
    page.set_input_files("#files", [tmp_path / "a.jpg", tmp_path / "notes.txt"])
    page.wait_for_selector("#notice:text('notes.txt is not a picture')")
    page.wait_for_selector("#shots li[data-kind=good]")
    page.fill("#name", "Twin")
    page.check("#consent")
    page.click("#submit")
    page.wait_for_selector("#notice:has-text('already enrolled as Ada Lovelace (score 0.83)')")
    assert page.evaluate("document.activeElement.id") == "notice"
    assert desk.enrolled == []
    page.click("text=Enrol as another person")
    page.wait_for_selector("#notice:has-text('Twin is enrolled')")
    assert desk.enrolled == [("Twin", 1, True)]


def test_what_the_service_refuses_is_said_in_its_words(visit) -> None:
    page = visit("/people")
    page.wait_for_selector("table")
    problem = {
        "status": 503,
        "title": "Busy",
        "detail": "the database is locked",
        "remedy": "try again in 1 s",
    }
    page.route("**/v1/persons*", lambda route: route.fulfill(status=503, body=json.dumps(problem)))
    page.fill("#search", "x")
    page.wait_for_selector("#notice:text('the database is locked. try again in 1 s')")
    page.unroute("**/v1/persons*")
    page.route("**/v1/persons*", lambda route: route.abort())
    page.fill("#search", "y")
    page.wait_for_selector("#notice:text('cannot be reached')")
