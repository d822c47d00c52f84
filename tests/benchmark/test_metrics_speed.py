from facegate.benchmark.metrics_speed import measure_metrics


def test_rates_are_those_of_the_scores() -> None:
    report = measure_metrics(20_000)
    assert report["comparisons"] == 20_000
    assert 0.01 < report["eer"] < 0.04  # crossing of N(.60, .15) and N(.05, .12): 2.1 %
    assert report["scores_mb"] == 0.1
    assert set(report["seconds"]) == {"curves", "eer", "tar_table"}


def test_same_seed_same_rates() -> None:
    assert measure_metrics(5_000)["eer"] == measure_metrics(5_000)["eer"]
