"""Stage `quantize`: static int8 for one target family, or half precision, with its parity proof."""

import sys
from typing import Literal

from facegate.exporting.bundles import quantise_bundle
from facegate.params import Params
from pipelines.stage import artifacts, crops, run, task_argument


def main(params: Params) -> None:
    """Write the bundle of one target from the fp32 one."""
    task = task_argument()
    target: Literal["x86-vnni", "x86-avx2", "arm64", "fp16"] = next(
        name for name in params.quantize.targets if name == sys.argv[2]
    )
    place = artifacts(task) / "exported"
    quantise_bundle(place / "fp32", crops(task), place / target, target, params.quantize)


if __name__ == "__main__":
    run(main)
