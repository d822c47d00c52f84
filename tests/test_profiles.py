"""Profiles: laid over the base, checked, and written whole or not at all."""

from pathlib import Path

import pytest

from facegate.errors import ParamsError
from facegate.params import load_params
from facegate.profiles import edit_params, list_profiles, overlay, use_profile

PROFILES = Path(__file__).parents[1] / "profiles"


def test_every_profile_in_the_repository_is_valid(tmp_path: Path) -> None:
    assert {"embedded", "smoke"} <= set(list_profiles(PROFILES))
    for name in list_profiles(PROFILES):
        params = use_profile(name, PROFILES, tmp_path / "params.yaml")
        assert params.profile == name
        assert load_params(tmp_path / "params.yaml") == params


def test_the_base_is_written_to_the_letter(tmp_path: Path) -> None:
    use_profile("embedded", PROFILES, tmp_path / "params.yaml")
    assert (tmp_path / "params.yaml").read_text() == (PROFILES / "embedded.yaml").read_text()


def test_comments_of_the_base_are_kept(tmp_path: Path) -> None:
    use_profile("smoke", PROFILES, tmp_path / "params.yaml")
    assert "# from the training split only" in (tmp_path / "params.yaml").read_text()


def test_an_unknown_profile_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="did you mean `smoke`"):
        use_profile("smok", PROFILES, tmp_path / "params.yaml")
    with pytest.raises(ParamsError, match=r"profiles here: .*embedded"):
        use_profile("qqqqqqq", PROFILES, tmp_path / "params.yaml")


def test_an_invalid_profile_leaves_params_untouched(tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "embedded.yaml").write_text((PROFILES / "embedded.yaml").read_text())
    (folder / "broken.yaml").write_text("profile: broken\nspoof: {widht: 2}\n")
    target = tmp_path / "params.yaml"
    target.write_text("kept")
    with pytest.raises(ParamsError, match="did you mean `width`"):
        use_profile("broken", folder, target)
    assert target.read_text() == "kept"


def test_overlay_replaces_lists_and_merges_mappings() -> None:
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 3}
    overlay(base, {"a": {"c": [9]}, "d": 4})
    assert base == {"a": {"b": 1, "c": [9]}, "d": 4}


def test_a_value_is_edited_and_comments_stay(tmp_path: Path) -> None:
    target = tmp_path / "params.yaml"
    use_profile("siw", PROFILES, target)
    params = edit_params({"data": {"source": "oulu_npu", "field": {"protocol": "4_6"}}}, target)
    assert (params.data.source, params.data.field.protocol) == ("oulu_npu", "4_6")
    assert load_params(target) == params
    assert "# from the training split only" in target.read_text()
    before = target.read_text()
    with pytest.raises(ParamsError, match="did you mean `protocol`"):
        edit_params({"data": {"field": {"protocoll": "1"}}}, target)
    assert target.read_text() == before
