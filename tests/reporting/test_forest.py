from facegate.reporting.forest import forest

FIGURE = {"value": 0.7, "low": 0.6, "high": 0.8}


def drawn(path, rows):
    forest(path, "Figures", rows, "area under the ROC", (0.4, 1.0), (0.85,), synthetic=True)
    return path.read_bytes()


def test_the_same_figures_give_the_same_bytes_and_others_do_not(tmp_path):
    rows = {"print": {"left out": FIGURE, "trained with it": {**FIGURE, "value": 0.75}}}
    first = drawn(tmp_path / "a.png", rows)
    assert first == drawn(tmp_path / "b.png", rows)
    assert first != drawn(
        tmp_path / "c.png", {"print": {**rows["print"], "left out": {**FIGURE, "low": 0.5}}}
    )


def test_what_was_not_measured_leaves_its_row_empty(tmp_path):
    assert drawn(tmp_path / "a.png", {"print": {"": FIGURE}, "mask": {"": {"note": "too few"}}})
    assert drawn(tmp_path / "b.png", {"mask": {"": {"note": "too few"}}})
