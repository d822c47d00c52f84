"""Stage `card`: the data set measured, its contact sheets and its card."""

from pathlib import Path

from facegate.params import Params
from facegate.sources.card import write_card
from pipelines.stage import SAMPLES, run, write_json


def main(params: Params) -> None:
    """Measure the sample packs."""
    del params
    write_json(Path("metrics/data.json"), write_card(SAMPLES, Path("data/crops"), Path("reports/data")))


if __name__ == "__main__":
    run(main)
