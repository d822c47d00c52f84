"""What the pages are made of, and under which policy they are sent; no browser needed."""

import re
import tomllib
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from facegate.serving.pages import PAGES, WEB, add_pages

ROOT = Path(__file__).parents[3]
HTML = sorted(WEB.glob("*.html"))
SCRIPTS = sorted(WEB.glob("*.js"))


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    add_pages(app)
    return TestClient(app)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_forbids_what_it_does_not_bring(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert not [value for value in policy.values() if "unsafe" in value or "*" in value]
    assert answer.headers["permissions-policy"].startswith("camera=(self), microphone=()")
    assert client.head(path).status_code == 200


def test_files_carry_the_policy_too_and_are_asked_for_again_only_if_they_changed(client: TestClient) -> None:
    first = client.get("/web/theme.css")
    assert "content-security-policy" in first.headers
    again = client.get("/web/theme.css", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "content-security-policy" in again.headers


@pytest.mark.parametrize("path", ["/web/../pages.py", "/web/%2e%2e/pages.py", "/web/", "/web/nothing.js"])
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("file", HTML, ids=lambda file: file.name)
def test_no_page_holds_a_script_or_a_style_of_its_own(file: Path) -> None:
    text = file.read_text()
    assert all(re.search(r"\bsrc=", tag) for tag in re.findall(r"<script[^>]*>", text))
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|https?://", text)


@pytest.mark.parametrize("file", HTML, ids=lambda file: file.name)
def test_everything_a_page_asks_for_is_there(file: Path) -> None:
    asked = re.findall(r'(?:src|href)="(/[^"#]*)', file.read_text())
    assert asked
    assert [
        path for path in asked if path not in PAGES and not (WEB / path.removeprefix("/web/")).is_file()
    ] == []


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_scripts_build_no_markup_from_text_and_import_only_their_neighbours(file: Path) -> None:
    text = file.read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text)
    imported = re.findall(r'from "([^"]+)"', text)
    assert [name for name in imported if not (WEB / name).is_file()] == []


def test_words_stand_in_one_file() -> None:
    words = [
        re.sub(r"<noscript>.*?</noscript>|<[^>]+>", "", file.read_text(), flags=re.DOTALL) for file in HTML
    ]
    assert [text.strip() for text in words] == ["facegate"] * len(HTML)


def test_an_installed_package_holds_every_file() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"][
        "facegate"
    ]
    package = ROOT / "src" / "facegate"
    listed = {file for glob in data for file in package.glob(glob)}
    assert {file for file in WEB.rglob("*") if file.is_file()} <= listed
