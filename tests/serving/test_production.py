"""The service follows production: a new release takes over, a broken one does not, and nobody notices the change."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from facegate.contracts import Task
from facegate.errors import BundleError, RegistryError
from facegate.runtime.release import read_release
from facegate.serving import production as module
from facegate.serving.problems import ProblemError
from facegate.serving.production import RETRY_S, Production
from facegate.serving.releases import ON_TRIAL, BundlesSource, FolderSource, choose_source
from facegate.serving.served import serve, template_model
from facegate.serving.settings import Settings
from facegate.serving.store.database import Database
from facegate.serving.store.gallery import Gallery
from facegate.serving.store.vault import Vault, new_key_line
from tests.serving.conftest import replace_release, served, write_release
from tests.serving.test_limits import Clock


@pytest.fixture
def release(tmp_path) -> Path:
    folder = tmp_path / "release"
    write_release(folder)
    return folder


@pytest.fixture
def follow(tmp_path, release):
    """Follows the release; ``clock`` is the test's."""
    database, vault = Database.open(f"sqlite:///{tmp_path / 'g.db'}"), Vault.from_text(new_key_line("k"))
    clock = Clock()
    production = Production(FolderSource(release), lambda model: Gallery(database, vault, model), clock=clock)
    yield production, clock
    database.close()


def test_a_new_release_takes_over_and_the_old_object_still_answers(follow, release):
    production, _ = follow
    told = []
    production.on_change = lambda alias, served: told.append((alias, served.release.digest))
    production.refresh()
    old = production.current
    production.refresh()
    assert production.current is old and len(told) == 1, "nothing changed"
    replace_release(release, same=0.8)
    production.refresh()
    assert production.current is not old and len(told) == 2
    assert production.current.engine.recogniser.policy.point.threshold == 0.8
    assert old.engine.recogniser.policy.point.threshold == 0.9


def test_int8_for_another_processor_is_served_with_a_warning(follow, monkeypatch, caplog):
    production, _ = follow
    monkeypatch.setattr(module, "unsuited", lambda target: f"{target} does not suit")
    production.refresh()
    assert production.current is not None
    told = [
        record.fields for record in caplog.records if record.getMessage() == "model for another processor"
    ]
    assert [(line["model"], line["problem"]) for line in told][:1] == [("recognition", "fp32 does not suit")]


def spoil_model(release: Path) -> None:
    (release / "models" / "spoof" / "model.onnx").write_bytes(b"edited")


def spoil_manifest(release: Path) -> None:
    (release / "release.json").write_text("{}")


def spoil_text(release: Path) -> None:
    (release / "release.json").write_bytes(b"\xff\xfe\x00")


def spoil_golden(release: Path) -> None:
    """A release that is complete and unedited, whose network gives other answers than were measured."""
    import numpy as np

    from facegate.runtime.bundle import load_bundle, write_bundle
    from tests.runtime.tiny import make_model

    place = release / "models" / "recognition"
    bundle = load_bundle(place)
    answers = np.roll(bundle.golden.outputs, 1, axis=1)
    write_bundle(place, make_model(Task.RECOGNITION), bundle.contract, bundle.golden.inputs, answers)
    from facegate.registry.release import write_manifest

    write_manifest(release, {Task.RECOGNITION: ("tiny", 2), Task.SPOOF: ("tiny", 2)})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_model, "spoof/model.onnx: edited"),
        (spoil_manifest, "release.json"),
        (spoil_text, "release.json: 'utf-8' codec"),
        (spoil_golden, "golden vectors"),
    ],
)
def test_a_broken_release_leaves_the_old_one_and_is_named(tmp_path, release, portraits, spoil, words):
    with served(tmp_path / "var", release) as running:
        production, digest = running.service.production, running.service.production.current.release.digest
        replace_release(release, same=0.8)
        spoil(release)
        production.refresh()
        ready = running.client.get("/readyz")
        if spoil is spoil_model:  # the manifest is new, the model is not the one it names
            assert production.current.release.digest == digest
        assert ready.status_code == 200 and words in ready.json()["problems"][0]
        assert production.current.release.digest == digest
        answer = running.client.post(
            "/v1/identify", files={"picture": portraits["obama"]}, headers=running.kiosk
        )
        assert answer.json()["model"]["digest"] == digest[:12]
        assert words in running.client.get("/v1/models", headers=running.operator).json()["last_error"]
        assert "facegate_release_failed 1.0" in running.client.get("/metrics", headers=running.operator).text
        replace_release(release, same=0.7)
        production.refresh()
        assert production.current.release.digest != digest and production.problem == ""
        assert running.client.get("/readyz").json()["problems"] == []


def test_a_broken_release_is_not_tried_again_every_two_seconds(follow, release, monkeypatch):
    production, clock = follow
    production.refresh()
    replace_release(release, same=0.8)
    spoil_model(release)
    loads = []
    monkeypatch.setattr(
        production.source, "load", lambda alias: loads.append(alias) or FolderSource(release).load(alias)
    )
    for _ in range(5):
        production.refresh()
    assert len(loads) == 1 and "edited" in production.problem
    clock.now += RETRY_S + 1
    production.refresh()
    assert len(loads) == 2


def test_production_that_vanishes_stays_in_memory(follow, release):
    production, _ = follow
    production.refresh()
    shutil.rmtree(release)
    production.refresh()
    assert production.ready and "release stays" in production.problem


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (FolderSource, "later/release.json: No such file"),
        (BundlesSource, "later: no bundle of recognition, spoof"),
    ],
)
def test_what_is_not_there_is_named_once_in_the_log(follow, tmp_path, source, words, caplog):
    production, clock = follow
    production.source = source(tmp_path / "later")
    for _ in range(3):
        production.refresh()
        clock.now += RETRY_S + 1
    told = [record.fields for record in caplog.records if record.getMessage() == "no release taken"]
    assert [line["problem"] for line in told] == [production.problem] and words in production.problem
    assert told[0]["advice"]


def test_a_source_that_is_back_is_asked_at_once(follow, tmp_path, monkeypatch):
    production, _ = follow
    production.source = FolderSource(tmp_path / "later")
    production.refresh()
    nothing = production.problem

    def out_of_reach(alias):
        raise RegistryError("the registry is out of reach", "start it")

    with monkeypatch.context() as outage:
        outage.setattr(production.source, "head", out_of_reach)
        production.refresh()
        assert "out of reach" in production.problem
    production.refresh()
    assert production.problem == nothing


def test_nothing_loaded_is_a_503_until_there_is_something(tmp_path, release):
    place = tmp_path / "later"
    with served(tmp_path / "var", place) as running:
        assert running.client.get("/readyz").status_code == 503
        answer = running.client.get("/v1/models", headers=running.operator)
        assert (
            answer.status_code == 503
            and answer.headers["retry-after"]
            and "no model" in answer.json()["detail"]
        )
        release.rename(place)
        running.service.production.refresh()
        assert running.client.get("/readyz").json() == {
            "ready": True, "release": "later", "checks": {"models": "ok", "database": "ok"}, "problems": [],
        }  # fmt: skip


def test_candidates_are_marked_wherever_they_answer(tmp_path, release, portraits):
    with served(tmp_path / "var", release, source="candidates") as running:
        answer = running.client.post(
            "/v1/identify", files={"picture": portraits["obama"]}, headers=running.kiosk
        )
        assert answer.json()["model"]["production"] is False
        models = running.client.get("/v1/models", headers=running.operator).json()
        assert models["warning"] == ON_TRIAL and models["source"] == "candidates"
        assert [c["version"] for c in models["production"]["components"]] == [None, None]


def test_bundles_are_found_where_the_graph_writes_them(tmp_path, release):
    for task in (Task.RECOGNITION, Task.SPOOF):
        shutil.copytree(release / "models" / task, tmp_path / "artifacts" / task / "candidates" / "fp32")
    found = BundlesSource(tmp_path / "artifacts").load("production")
    assert set(found.bundles) == {Task.RECOGNITION, Task.SPOOF} and not found.production
    shutil.rmtree(tmp_path / "artifacts" / "spoof")
    with pytest.raises(BundleError, match="no bundle of spoof"):
        BundlesSource(tmp_path / "artifacts").load("production")


def test_the_contract_of_what_answers_is_shown(shared):
    production = shared.client.get("/v1/models", headers=shared.operator).json()["production"]
    parts = {part["task"]: part for part in production["components"]}
    contract = shared.service.production.current.release.bundles[Task.SPOOF].contract
    assert parts["spoof"]["contract"] == json.loads(contract.model_dump_json())
    assert parts["recognition"]["threshold"] == 0.9 and parts["recognition"]["version"] == 1


def test_a_search_grows_stricter_with_the_gallery(follow, release):
    production, _ = follow
    production.refresh()
    from facegate.serving.served import search_decision

    recogniser, size = production.current.engine.recogniser, [1]
    decide = search_decision(recogniser, lambda: size[0], fpir=0.05)
    assert decide(0.95) == recogniser.decide(0.95), "few people: the release's own threshold is stricter"
    size[0] = 1000
    strict = decide(0.95)
    assert (
        strict.verdict == "reject"
        and strict.threshold > 0.95
        and strict.operating_point == "fpir_0.05_of_1000"
    )
    assert decide(float("nan")).verdict == "retry"


def test_templates_outlive_a_threshold_measured_anew_but_not_another_network(tmp_path):
    models = []
    changes: list[dict[str, Any]] = [{}, {"same": 0.5, "name": "again"}, {"size": 20}]
    for number, values in enumerate(changes):
        write_release(tmp_path / str(number), **values)
        bundle = FolderSource(tmp_path / str(number)).load("production").bundles[Task.RECOGNITION]
        models.append(template_model(bundle).digest)
    assert models[0] == models[1] != models[2]


def test_a_release_without_thresholds_is_refused(tmp_path, follow):
    from facegate.runtime.bundle import load_bundle, write_bundle
    from tests.runtime.tiny import make_model

    production, _ = follow
    found = production.source.load("production")
    place = tmp_path / "unmeasured"
    golden = found.bundles[Task.SPOOF].golden
    contract = found.bundles[Task.SPOOF].contract.model_copy(update={"operating_points": {}})
    write_bundle(place, make_model(Task.SPOOF), contract, golden.inputs, golden.outputs)
    from dataclasses import replace

    broken = replace(found, bundles={**found.bundles, Task.SPOOF: load_bundle(place)}, points={})
    with pytest.raises(BundleError, match="operating_points"):
        serve(broken, production.open_gallery)


def test_without_mlflow_a_folder_is_served_and_the_registry_named(monkeypatch, tmp_path):
    import sys

    from facegate.errors import MissingExtraError

    monkeypatch.setitem(sys.modules, "facegate.registry.follow", None)
    assert isinstance(choose_source(Settings(source="folder", folder=tmp_path)), FolderSource)
    with pytest.raises(MissingExtraError, match="needs MLflow"):
        choose_source(Settings())


def test_a_folder_is_served_without_loading_mlflow_or_arrow(release, tmp_path):
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from facegate.serving.app import create_app;"
        "from facegate.serving.service import open_service; from facegate.serving.settings import Settings;"
        f"s = open_service(Settings(source='folder', folder=Path({str(release)!r}), data=Path({str(tmp_path)!r})));"
        "s.production.refresh(); create_app(s); assert s.production.ready, s.production.problem;"
        "print([m for m in ('mlflow', 'pyarrow', 'pandas', 'torch', 'dvc', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_the_registry_out_of_reach_is_said(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    source = choose_source(Settings(project=tmp_path))
    with pytest.raises(RegistryError, match="no tracking store"):
        source.head("production")


def test_a_503_is_a_problem(follow):
    production, _ = follow
    with pytest.raises(ProblemError) as refused:
        _ = production.current
    assert refused.value.status == 503


def test_no_request_is_lost_while_releases_change(tmp_path, release, portraits):
    from concurrent.futures import ThreadPoolExecutor
    from threading import Event

    with served(tmp_path / "var", release, rate=1e6, burst=10**6) as running:
        done, seen = Event(), []

        def ask(_):
            while not done.is_set():
                files = {"picture": portraits["obama"]}
                answer = running.client.post("/v1/identify", files=files, headers=running.kiosk)
                seen.append((answer.status_code, answer.json().get("model", {}).get("digest")))

        with ThreadPoolExecutor(3) as pool:
            asking = [pool.submit(ask, number) for number in range(3)]

            def await_answers(more):
                wanted = len(seen) + more
                while len(seen) < wanted and not any(one.done() for one in asking):
                    pass

            try:
                await_answers(3)
                for same in (0.8, 0.7):
                    replace_release(release, same=same)
                    running.service.production.refresh()
                    await_answers(6)
            finally:
                done.set()
        for one in asking:
            one.result()
    assert {status for status, _ in seen} == {200} and len({digest for _, digest in seen}) == 3


def test_what_decides_beside_the_thresholds_is_the_releases_own(follow, release):
    production, _ = follow
    manifest = read_release(release)
    fusion = {**manifest.policy.fusion, "least_frames": 11, "correlation": 0.9}
    policy = manifest.policy.model_copy(
        update={"fusion": fusion, "detector_side": 320, "detector_score": 0.75}
    )
    (release / "release.json").write_text(manifest.model_copy(update={"policy": policy}).text())
    production.refresh()
    stream = production.current.stream()
    assert (stream.fusion.least_frames, stream.fusion.correlation) == (11, 0.9)
    assert (stream.engine.detector.side, stream.engine.detector.score) == (320, 0.75)
