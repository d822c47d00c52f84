"""The description of the API is complete, true to the examples, and names every refusal."""

import re

import pytest
from pydantic import BaseModel

from facegate.serving.problems import MEDIA_TYPE, ProblemOut
from facegate.serving.schemas import faces, records, stream

MODELS = [
    model
    for module in (faces, stream, records)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__
]


@pytest.fixture(scope="module")
def page(shared):
    return shared.client.get("/openapi.json").json()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_examples_are_what_they_describe(model):
    for example in (model.model_config.get("json_schema_extra") or {}).get("examples", []):
        assert model.model_validate(example).model_dump(mode="json").keys() == model.model_fields.keys()


def test_every_route_says_what_it_does_and_how_it_refuses(page):
    for path, methods in page["paths"].items():
        for method, entry in methods.items():
            where = f"{method} {path}"
            assert entry.get("description"), where
            if path.startswith("/v1"):
                assert {"401", "429", "503"} <= entry["responses"].keys(), where
                assert entry["security"] == [{"HTTPBearer": []}], where
            refusals = {
                code: r for code, r in entry["responses"].items() if code[0] in "45" and path != "/readyz"
            }
            assert all(MEDIA_TYPE in refusal["content"] for refusal in refusals.values()), where
    assert "HTTPValidationError" not in str(page)


def test_every_reference_leads_somewhere(page):
    names = set(re.findall(r"#/components/schemas/(\w+)", str(page)))
    assert names <= page["components"]["schemas"].keys() and "ProblemOut" in names


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/nothing", 404), ("PUT", "/v1/persons", 405)]
)
def test_no_route_is_a_problem_too(shared, method, path, status):
    answer = shared.client.request(method, path, headers=shared.admin)
    assert answer.status_code == status and answer.headers["content-type"] == MEDIA_TYPE
    assert ProblemOut.model_validate(answer.json()).status == status


def test_a_defect_tells_a_number_and_nothing_else(shared, monkeypatch, caplog):
    def fail():
        raise RuntimeError("secret inner state")

    monkeypatch.setattr(shared.service.keys, "all", fail)
    answer = shared.client.get("/v1/keys", headers=shared.admin)
    assert answer.status_code == 500 and answer.headers["content-type"] == MEDIA_TYPE
    assert "secret" not in answer.text
    (number,) = re.findall(r"\(([0-9a-f]{12})\)", answer.json()["detail"])
    (line,) = [record for record in caplog.records if record.getMessage() == "defect"]
    assert line.fields["defect"] == number and "secret inner state" in caplog.text
