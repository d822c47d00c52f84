"""Stage `fetch`: the assets that the source needs."""

from facegate.params import Params
from facegate.sources.fetch import fetch_assets
from pipelines.stage import ASSETS, run


def main(params: Params) -> None:
    """Fetch or check what the data source needs; terms and assets go to data/assets."""
    fetch_assets(params.data, ASSETS)


if __name__ == "__main__":
    run(main)
