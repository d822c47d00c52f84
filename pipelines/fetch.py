"""Stage `fetch`: the assets that the source and the teacher need."""

from facegate.params import Params
from facegate.sources.fetch import fetch_assets
from pipelines.stage import ASSETS, run


def main(params: Params) -> None:
    """Fetch what `data.source` and the teacher need into data/assets."""
    distil = params.recognition.distil
    fetch_assets(params.data.source, ASSETS, teacher=distil.teacher if distil else None)


if __name__ == "__main__":
    run(main)
