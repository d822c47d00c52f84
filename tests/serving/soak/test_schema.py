"""Schemathesis over the whole OpenAPI, in process: `pytest -m soak -s`. No 5xx, and every answer as described."""

import os
from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.serving.conftest import Running

pytestmark = pytest.mark.soak
CASES = int(os.environ.get("FACEGATE_SOAK_CASES", "60"))
CALM = [
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_every_route_keeps_its_word(shared: Running) -> None:
    seen: Counter[str] = Counter()
    schema = schemathesis.openapi.from_asgi("/openapi.json", shared.client.app)
    problems = []
    for found in schema.get_all_operations():
        operation = found.ok()  # pyright: ignore[reportAttributeAccessIssue]  # an error would be a broken page

        @settings(max_examples=CASES, deadline=None, suppress_health_check=CALM, database=None)
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            answer = case.call(headers=shared.admin)
            seen[f"{case.method} {case.path} {answer.status_code}"] += 1
            case.validate_response(answer, checks=CHECKS, headers=shared.admin)

        try:
            ask()
        except Exception as error:  # all of them are wanted, not the first one
            problems.append(f"{operation.label}: {error!r} {getattr(error, 'exceptions', '')}"[:3000])
    print(
        f"\n{sum(seen.values())} requests:", *(f"  {line}: {seen[line]}" for line in sorted(seen)), sep="\n"
    )
    assert not problems, "\n\n".join(problems)
    assert {line.split()[1] for line in seen} == set(shared.client.get("/openapi.json").json()["paths"])
