"""params.yaml: everything that a user can get wrong is named, with the way out."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from facegate.errors import ParamsError
from facegate.params import Params, QuantizeParams, load_params, parse_params, read_yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def valid() -> dict[str, Any]:
    return read_yaml(ROOT / "profiles" / "embedded.yaml")


def changed(values: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    values = copy.deepcopy(values)
    *parents, last = path.split(".")
    section = values
    for part in parents:
        section = section[part]
    section[last] = value
    return values


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("recogniton", {}, "`recogniton` is unknown; did you mean `recognition`?"),
        ("recognition.margn", 0.3, "`recognition.margn` is unknown; did you mean `margin`?"),
        ("spoof.optim.epoch", 3, "`spoof.optim.epoch` is unknown; did you mean `epochs`?"),
        ("data.synthetic.zzzz", 3, "valid keys: seed, workers"),
        ("recognition.margin", 1.5, "`recognition.margin`: Input should be less than 1 (got 1.5)"),
        ("recognition.backbone", "resnet9000", "dense_resnet|mobilefacenet"),
        ("quantize.targets", [], "`quantize.targets`: Tuple should have at least 1 item"),
        ("quantize.targets", ["x86"], "`quantize.targets.0`"),
        ("data.synthetic.stills_per_person", 1, "greater than or equal to 2"),
        ("benchmark.runs", "many", "`benchmark.runs`: Input should be a valid integer"),
        ("data.source", "folder", "neither folder.people nor folder.presentations names a folder"),
        ("register.prefix", "a/b", "`register.prefix`"),
        ("tasks", ["recognition"], "`graph` does not follow from `tasks`"),
        ("tasks", ["seeing"], "`tasks.0`"),
        ("tasks", ["liveness", "eyes"], "names liveness without spoof"),
        (
            "data.synthetic.clip_people",
            0,
            "`tasks` names eyes, liveness, and `data.synthetic.clip_people` is 0",
        ),
        ("data.synthetic.spoof_people", 0, "`tasks` names spoof, and `data.synthetic.spoof_people` is 0"),
        ("spoof.content.share", 0.001, "leaves no place for a bona fide picture and an attack"),
        ("prepare.surroundings", False, "`spoof.framing` cuts crops anew"),
    ],
)
def test_a_mistake_is_named_with_its_path(
    valid: dict[str, Any], path: str, value: Any, expected: str
) -> None:
    with pytest.raises(ParamsError) as error:
        parse_params(changed(valid, path, value))
    assert expected in str(error.value)


def test_a_missing_key_is_named(valid: dict[str, Any]) -> None:
    values = copy.deepcopy(valid)
    del values["spoof"]["optim"]["epochs"]
    with pytest.raises(ParamsError, match=r"`spoof\.optim\.epochs` is missing"):
        parse_params(values)


def test_all_mistakes_are_told_at_once(valid: dict[str, Any]) -> None:
    values = changed(changed(valid, "recognition.margin", 2), "spoof.widht", 1)
    with pytest.raises(ParamsError) as error:
        parse_params(values)
    assert "recognition.margin" in str(error.value)
    assert "did you mean `width`?" in str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("- a\n- b\n", "expected a mapping"), ("a: [1\n", "not valid YAML"), ("a: 1\na: 2\n", "not valid YAML")],
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(text)
    with pytest.raises(ParamsError, match=expected):
        load_params(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="no such file"):
        load_params(tmp_path / "params.yaml")


def test_both_yaml_dialects_read_the_same_values() -> None:
    """DVC reads YAML 1.2; an editor's plug-in or PyYAML reads 1.1: `1e-3` and `on` would differ."""
    for file in [ROOT / "params.yaml", *sorted((ROOT / "profiles").glob("*.yaml"))]:
        assert read_yaml(file) == pyyaml.safe_load(file.read_text()), file


def test_params_are_frozen_and_digest_follows_every_value(valid: dict[str, Any]) -> None:
    params = parse_params(valid)
    with pytest.raises(Exception, match="frozen"):
        params.recognition.margin = 0.1  # type: ignore[misc]
    assert params.digest() == parse_params(copy.deepcopy(valid)).digest()
    assert params.digest() != parse_params(changed(valid, "spoof.optim.seed", 99)).digest()


@given(st.floats(min_value=0, max_value=0.999))
def test_valid_margins_are_kept(margin: float) -> None:
    values = changed(read_yaml(ROOT / "profiles" / "embedded.yaml"), "recognition.margin", margin)
    assert parse_params(values).recognition.margin == margin


def test_the_file_in_the_repository_is_the_embedded_profile() -> None:
    assert isinstance(load_params(ROOT / "params.yaml"), Params)
    assert read_yaml(ROOT / "params.yaml") == read_yaml(ROOT / "profiles" / "embedded.yaml")


@pytest.mark.parametrize(
    ("targets", "leading"),
    [
        (["x86-vnni", "arm64"], ["x86-vnni"]),
        (["host"], ["x86-vnni", "x86-avx2", "arm64"]),
        (["host", "arm64"], ["x86-vnni", "x86-avx2"]),
        (["fp16"], ["fp16"]),
    ],
)
def test_the_first_target_leads_whatever_family_the_host_is(targets: list[str], leading: list[str]) -> None:
    quantize = QuantizeParams.model_validate({"targets": targets})
    made = ["fp32", "fp16", "x86-vnni", "x86-avx2", "arm64"]
    assert [target for target in made if quantize.leads(target)] == leading
