"""A shadow beside production: never heard, its disagreement counted and logged."""

import shutil

from facegate.serving.shadow import WAITING
from tests.serving.conftest import served, write_release
from tests.serving.test_persons import enrol


def settle(running):
    """Wait until the shadow has seen everything."""
    running.service.shadow.stop()
    running.service.shadow.start()


def identify(running, picture):
    answer = running.client.post("/v1/identify", files={"picture": picture}, headers=running.kiosk)
    return answer.json()["faces"]


def test_only_disagreement_is_logged_and_production_answers(tmp_path, portraits, caplog):
    write_release(tmp_path / "release")
    write_release(tmp_path / "release-shadow", live=False, name="strict")
    with served(tmp_path / "var", tmp_path / "release") as running, caplog.at_level("INFO"):
        shown = running.client.get("/v1/models", headers=running.operator).json()
        assert shown["shadow"]["release"] == "release-shadow" and shown["production"]["release"] == "release"
        enrol(running, "Barack", portraits["obama"])
        (face,) = identify(running, portraits["obama"])
        assert face["verdict"] == "accept" and face["person"]["name"] == "Barack"
        settle(running)
        (line,) = [record for record in caplog.records if record.getMessage() == "shadow disagrees"]
        assert line.fields["question"] == "spoof" and line.fields["shadow"] == "release-shadow"
        page = running.client.get("/metrics", headers=running.operator).text
        assert "facegate_shadow_faces_total 1.0" in page
        assert 'facegate_shadow_disagreements_total{question="spoof"} 1.0' in page
        assert 'facegate_release_info{alias="shadow"' in page
        shutil.rmtree(tmp_path / "release-shadow")
        running.service.production.refresh()
        assert running.service.production.shadow is None
        assert running.client.get("/v1/models", headers=running.operator).json()["shadow"] is None


def test_a_shadow_that_agrees_says_nothing(tmp_path, portraits, caplog):
    write_release(tmp_path / "release")
    write_release(tmp_path / "release-shadow", same=0.85, name="alike")
    with served(tmp_path / "var", tmp_path / "release") as running, caplog.at_level("INFO"):
        identify(running, portraits["obama"])
        settle(running)
        assert "shadow disagrees" not in caplog.text
        page = running.client.get("/metrics", headers=running.operator).text
        assert "facegate_shadow_faces_total 1.0" in page


def test_a_slow_shadow_drops_and_a_failing_one_is_not_noticed(tmp_path, portraits, caplog, monkeypatch):
    write_release(tmp_path / "release")
    write_release(tmp_path / "release-shadow", name="shadow")
    with served(tmp_path / "var", tmp_path / "release") as running:
        running.service.shadow.stop()
        assert all(identify(running, portraits["obama"]) for _ in range(WAITING + 2))
        page = running.client.get("/metrics", headers=running.operator).text
        assert "facegate_shadow_dropped_total 2.0" in page
        shadow = running.service.production.shadow
        assert shadow is not None
        monkeypatch.setattr(shadow.engine, "gate", None)
        running.service.shadow.start()
        settle(running)
        assert "the shadow failed" in caplog.text
