"""Stage `quantize`: static int8 for one target family, with its parity proof."""

import sys

from facegate.exporting.bundles import quantise_bundle
from facegate.exporting.quantize import TARGETS, Target
from facegate.params import Params
from pipelines.stage import artifacts, crops, run, task_argument


def main(params: Params) -> None:
    """Write the int8 bundle of the fp32 one."""
    task = task_argument()
    target: Target = next(name for name in TARGETS if name == sys.argv[2])
    place = artifacts(task) / "exported"
    quantise_bundle(place / "fp32", crops(task), place / target, target, params.quantize)


if __name__ == "__main__":
    run(main)
