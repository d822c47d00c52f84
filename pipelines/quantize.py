"""Stage `quantize`: static int8 for one target family, or half precision, with its parity proof."""

import sys

from facegate.exporting.bundles import quantise_bundle
from facegate.params import Params
from facegate.params.outcome import Target
from pipelines.stage import artifacts, crops, run, task_argument


def main(params: Params) -> None:
    """Write the bundle of one target from the fp32 one, into a folder of the target's name in `params.yaml`."""
    task = task_argument()
    targets: dict[str, Target] = {name: name for name in params.quantize.targets}
    target = targets[sys.argv[2]]
    place = artifacts(task) / "exported"
    quantise_bundle(place / "fp32", crops(task), place / target, target, params.quantize)


if __name__ == "__main__":
    run(main)
