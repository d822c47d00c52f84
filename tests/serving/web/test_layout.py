"""Every page at both widths and in both schemes: nothing cut off, everything named, everything legible."""

import pytest

from facegate.serving.pages import PAGES

pytestmark = pytest.mark.browser
SHOWN = {
    "/": "#headline", "/enrol": "#camera", "/attendance": "table", "/people": "table", "/model": "table",
    "/sign-in": "#key",
}  # fmt: skip

NAMELESS = """() => [...document.querySelectorAll("a, button, input, select, video[aria-label], [role]")]
  .filter((node) => node.checkVisibility() && !node.matches("[role=alert], [role=status]"))
  .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim() || node.labels?.length))
  .map((node) => node.outerHTML)"""

SMALL = """() => [...document.querySelectorAll("a, button, input, select")]
  .filter((node) => node.checkVisibility() && !node.matches(".sr, .skip"))
  .map((node) => [node.outerHTML, node.closest("label") ?? node].map((n) => n.getBoundingClientRect?.() ?? n))
  .filter(([, box]) => Math.min(box.width, box.height) < 24).map(([html]) => html)"""

PALE = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const [r, g, b, alpha = 1] = parse(getComputedStyle(at).backgroundColor);
      if (alpha > 0.99) return [r, g, b];
    }
    return parse(getComputedStyle(document.documentElement).backgroundColor);
  };
  const ratio = (node) => {
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(ground(node))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const own = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  return [...document.querySelectorAll("body *")]
    .filter((node) => (own(node) || node.matches("input, select")) && node.checkVisibility())
    .map((node) => [node.textContent.trim().slice(0, 40), ratio(node)])
    .filter(([, value]) => !(value >= 4.5));
}"""

SETTLED = "() => Promise.allSettled(document.getAnimations().map((moving) => moving.finished))"
"""Even the shortest change of colour takes a frame, and a busy machine's frames come late."""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_is_named_and_legible(visit, address: str, path: str) -> None:
    asked: list[str] = []
    page = visit(f"{path}?day=2030-01-31", asked=asked, reduced_motion="reduce")
    page.wait_for_selector(SHOWN[path])
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(SMALL) == []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(SETTLED)
        assert page.evaluate(PALE) == []
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate("document.querySelectorAll('h1').length") == 1
    assert "facegate" in page.title()
    assert len(asked) > 3
    assert [url for url in asked if not url.startswith((address, "blob:"))] == []


def test_the_check_of_contrast_finds_a_pale_word(visit) -> None:
    page = visit("/people")
    page.wait_for_selector("table")
    page.evaluate("document.querySelector('h1').style.color = '#999'")
    assert [text for text, _ in page.evaluate(PALE)] == ["People"]


def test_the_keyboard_reaches_the_content_first(visit) -> None:
    page = visit("/people")
    page.wait_for_selector("table")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "/enrol"


def test_the_policy_stops_what_is_smuggled_in(visit) -> None:
    page = visit("/sign-in", checked=False)
    smuggled = """(() => { try {
      const node = document.createElement("div");
      node.setAttribute("onclick", "window.ran = 1"); document.body.append(node); node.click();
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.ran = 1'>");
    } catch (error) { window.stopped = error.name; } })()"""
    page.evaluate(smuggled)
    assert page.evaluate("[window.ran ?? 0, window.stopped]") == [0, "TypeError"]
