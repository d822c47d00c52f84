"""Stage `fetch`: the assets that the source and the teacher need."""

from facegate.params import Params
from facegate.sources.fetch import fetch_assets
from pipelines.stage import ASSETS, run


def main(params: Params) -> None:
    """Fetch or check what the data source and the teacher need; terms and assets go to data/assets."""
    lessons = params.recognition.lessons
    fetch_assets(params.data, ASSETS, teacher=lessons.teacher if lessons else None)


if __name__ == "__main__":
    run(main)
