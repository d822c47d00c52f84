"""Who may what, and what happens to those who may not."""

import pytest

from facegate.serving.limits import Lockout
from facegate.serving.problems import MEDIA_TYPE, ProblemError
from facegate.serving.security import REMEMBERED_S, KeyRing, Principal
from facegate.serving.store.keys import Role
from tests.serving.conftest import served
from tests.serving.test_limits import Clock

OPEN = {"/healthz", "/readyz"}
LEAST = {
    ("POST", "/v1/detect"): Role.KIOSK,
    ("POST", "/v1/spoof"): Role.KIOSK,
    ("POST", "/v1/identify"): Role.KIOSK,
    ("POST", "/v1/verify"): Role.KIOSK,
    ("POST", "/v1/liveness"): Role.KIOSK,
    ("POST", "/v1/attendance/picture"): Role.KIOSK,
    ("GET", "/v1/me"): Role.KIOSK,
    ("GET", "/v1/keys"): Role.ADMIN,
    ("POST", "/v1/keys"): Role.ADMIN,
    ("DELETE", "/v1/keys/{id}"): Role.ADMIN,
    ("GET", "/v1/journal"): Role.ADMIN,
}
"""The least role of each route; every other one needs an operator."""


def routes(running):
    for path, methods in running.client.get("/openapi.json").json()["paths"].items():
        for method in methods:
            yield method.upper(), path


def test_every_route_asks_for_its_role(shared):
    for method, path in routes(shared):
        if path in OPEN:
            continue
        url = path.replace("{id}", "0")
        nobody = shared.client.request(method, url)
        assert nobody.status_code == 401 and nobody.headers["www-authenticate"].startswith("Bearer"), (
            method,
            path,
        )
        least = LEAST.get((method, path), Role.OPERATOR)
        for role, headers in zip(Role, (shared.kiosk, shared.operator, shared.admin), strict=True):
            answer = shared.client.request(method, url, headers=headers)
            assert (answer.status_code == 403) == (not role.allows(least)), (method, path, role, answer.text)
            assert answer.status_code < 500


def test_the_stream_is_no_hole(shared):
    with shared.client.websocket_connect("/v1/stream") as socket:
        socket.send_json({"type": "hello", "key": "fg_" + "0" * 16 + "_" + "x" * 43})
        assert socket.receive_json()["status"] == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer short", "Bearer " + "x" * 300]
)
def test_strange_headers_are_no_key(shared, header):
    answer = shared.client.get("/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401 and answer.headers["content-type"] == MEDIA_TYPE


def test_guessing_locks_the_address_out_but_not_whoever_is_known(tmp_path, live_release):
    with served(tmp_path, live_release, failures=3) as running:
        assert running.client.get("/v1/me", headers=running.kiosk).json()["role"] == "kiosk"
        wrong = {"Authorization": "Bearer fg_0123456789abcdef_" + "x" * 43}
        seen = [running.client.get("/v1/me", headers=wrong) for _ in range(5)]
        assert [answer.status_code for answer in seen] == [401, 401, 401, 429, 429]
        assert int(seen[-1].headers["retry-after"]) > 200
        assert running.client.get("/v1/me", headers=running.kiosk).status_code == 200
        assert running.client.get("/v1/me", headers=running.admin).status_code == 429, (
            "not seen before the guessing"
        )


def test_one_key_may_not_ask_without_end(tmp_path, live_release):
    with served(tmp_path, live_release, rate=0.001, burst=3) as running:
        seen = [running.client.get("/v1/me", headers=running.kiosk).status_code for _ in range(5)]
        assert seen == [200, 200, 200, 429, 429]
        assert running.client.get("/v1/me", headers=running.operator).status_code == 200


def test_a_revoked_key_is_void_at_once_where_it_was_revoked(run):
    running = run()
    made = running.client.post(
        "/v1/keys", json={"name": "door", "role": "kiosk"}, headers=running.admin
    ).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert running.client.get("/v1/me", headers=headers).json() == {
        "id": made["id"],
        "name": "door",
        "role": "kiosk",
    }
    assert running.client.delete(f"/v1/keys/{made['id']}", headers=running.admin).status_code == 204
    assert running.client.get("/v1/me", headers=headers).status_code == 401
    shown = running.client.get("/v1/keys", headers=running.admin).json()
    assert [key["revoked"] for key in shown] == [False, False, False, True] and "key" not in shown[0]


def test_the_database_is_asked_only_now_and_then():
    clock, asked = Clock(), []

    def look_up(key):
        asked.append(key)
        return Principal("k", "door", Role.KIOSK) if len(asked) == 1 else None

    ring = KeyRing(look_up, Lockout(3, 60), clock)
    assert ring.check("secret-1", "a") == ring.check("secret-1", "b") and len(asked) == 1
    clock.now += REMEMBERED_S + 1
    with pytest.raises(ProblemError, match="revoked"):
        ring.check("secret-1", "a")


def test_a_full_service_says_so_before_it_reads_a_body(run, portraits):
    running = run(queue=0, slots=1)
    running.service.room.inside = 1
    answer = running.client.post("/v1/detect", files={"picture": portraits["obama"]}, headers=running.kiosk)
    assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
    assert (
        running.client.get("/healthz").status_code == 200 and running.client.get("/readyz").status_code == 200
    )
    running.service.room.inside = 0


def test_security_headers_and_origins(run):
    running = run(origins=("https://desk.example",))
    answer = running.client.get("/v1/me", headers=running.kiosk)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert (
        answer.headers["cache-control"] == "no-store"
        and answer.headers["x-content-type-options"] == "nosniff"
    )
    asked = {"Origin": "https://desk.example", "Access-Control-Request-Method": "POST"}
    allowed = running.client.options("/v1/identify", headers=asked)
    assert allowed.headers["access-control-allow-origin"] == "https://desk.example"
    foreign = running.client.options("/v1/identify", headers={**asked, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers
    with running.client.websocket_connect("/v1/stream", headers={"Origin": "https://evil.example"}) as socket:
        assert socket.receive_json()["status"] == 403


def test_metrics_need_a_key_unless_they_are_opened(run, tmp_path, live_release):
    running = run()
    assert running.client.get("/metrics").status_code == 401
    assert running.client.get("/metrics", headers=running.kiosk).status_code == 403
    assert "facegate_requests_total" in running.client.get("/metrics", headers=running.operator).text
    with served(tmp_path / "open", live_release, open_metrics=True) as opened:
        assert opened.client.get("/metrics").status_code == 200
