"""Stage `export`: one ONNX file with preprocessing inside, beside its contract."""

from facegate.exporting.bundles import export_bundle
from facegate.params import Params
from pipelines.stage import artifacts, crops, run, task_argument


def main(params: Params) -> None:
    """Write the fp32 bundle of the trained network."""
    task = task_argument()
    place = artifacts(task)
    export_bundle(place / "trained", crops(task), place / "exported" / "fp32", params)


if __name__ == "__main__":
    run(main)
