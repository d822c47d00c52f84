"""Stage `samples`: pictures from the source, split by person, as Arrow packs."""

from facegate.params import Params
from facegate.sources import write_samples
from pipelines.stage import ASSETS, SAMPLES, run


def main(params: Params) -> None:
    """Render or read the pictures."""
    write_samples(params.data, ASSETS, SAMPLES)


if __name__ == "__main__":
    run(main)
