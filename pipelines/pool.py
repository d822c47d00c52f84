"""Stage `pool`: further training pictures of a task, where its recipe asks for them."""

from facegate.params import Params
from facegate.training.pools import write_pool
from pipelines.stage import ASSETS, SHARDS, crops, pool, run, task_argument


def main(params: Params) -> None:
    """Ask a teacher about faces made of the training people; re-capture content that is not faces."""
    task = task_argument()
    write_pool(task, params, crops(task), ASSETS, pool(task), SHARDS)


if __name__ == "__main__":
    run(main)
