"""Kill -9 and races against a registry, as often as asked: ``python -m tests.registry.chaos 200 50``.

The suite runs a short version. Each round leaves a registry that is looked at whole: the chain of the record, the head
that the registry keeps, the aliases, and that no entry was lost and none came twice.
"""

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from facegate.errors import RegistryError
from facegate.params import Params
from facegate.registry.aliases import HEAD_TAG, JOURNAL, current_aliases, exclusive, recover
from facegate.registry.promote import Proposal, promote, promotions_folder, rollback
from facegate.registry.record import Entry, head_of, read_record
from facegate.registry.releases import release_name
from facegate.registry.store import Store, init_store

WON, TOLD = 0, 3


def kill_rounds(proposals: list[Proposal], params: Params, rounds: int, seed: int = 0) -> dict[str, int]:
    """Kill a promotion or a rollback at a random instant, again and again.

    Returns:
        How many of the killed changes had happened, and how many had not.
    """
    draw, store = random.Random(seed), init_store()
    patience = _seconds(lambda: promote(_fresh(store, proposals[0]), reason="to measure how long it takes"))
    promote(_fresh(store, proposals[1]))
    outcome = {"before": 0, "after": 0, "not killed": 0}
    for number in range(rounds):
        entries = read_record(promotions_folder())
        present = current_aliases(store, release_name(params.register_.prefix))["production"]
        other = next(p for p in proposals if p.version != present)
        turn = _fresh(store, other)
        child = _start((lambda t=turn: promote(t)) if number % 2 else (lambda: rollback(params)))
        time.sleep(draw.uniform(0, 1.3 * patience))
        os.kill(child, signal.SIGKILL)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        found = consistent(store, params)
        assert found[: len(entries)] == entries, "an entry was lost or changed"
        assert len(found) - len(entries) in (0, 1), "one change, at most one entry"
        assert killed or len(found) == len(entries) + 1
        outcome["after" if len(found) > len(entries) else "before"] += 1
        outcome["not killed"] += not killed
    return outcome


def race_rounds(proposals: list[Proposal], params: Params, rounds: int) -> int:
    """Two processes promote different releases at the same instant; one wins, the other is told.

    Returns:
        How many rounds there were, each of them sound.
    """
    store = init_store()
    for _ in range(rounds):
        before = read_record(promotions_folder())
        production = current_aliases(store, release_name(params.register_.prefix)).get("production")
        rivals = [_fresh(store, p) for p in proposals if p.version != production][:2]
        gate, release = os.pipe()
        children = [_start(lambda r=rival, g=gate: (os.read(g, 1), promote(r))) for rival in rivals]
        os.write(release, b"go")
        codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
        os.close(gate)
        os.close(release)
        assert codes == [WON, TOLD], codes
        after = consistent(store, params)
        assert after[:-1] == before, "exactly one entry was added and none was lost"
        assert after[-1].release in {rival.version for rival in rivals}
    return rounds


def consistent(store: Store, params: Params) -> list[Entry]:
    """Finish what was cut short, as the next command does, and look at the registry as a whole."""
    folder, name = promotions_folder(), release_name(params.register_.prefix)
    with exclusive(folder):
        recover(store, folder)
    entries = read_record(folder)
    aliases = current_aliases(store, name)
    assert not (folder / JOURNAL).exists()
    assert store.client.get_registered_model(name).tags.get(HEAD_TAG) == head_of(entries)
    assert aliases.get("production") == entries[-1].release
    assert aliases.get("previous") == entries[-1].before
    return entries


def _fresh(store: Store, proposal: Proposal) -> Proposal:
    """The same proposal as if its gate had run just now."""
    return replace(proposal, expected=current_aliases(store, proposal.model).get("production"))


def _start(work: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    code = 9
    try:
        work()
        code = WON
    except RegistryError:
        code = TOLD
    finally:
        os._exit(code)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(kills: int, races: int) -> None:
    """Build a project with four releases in a temporary folder and torment it."""
    from facegate.registry.promote import check
    from tests.registry.conftest import RELEASES, build_release, usual_params

    params = usual_params()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        os.chdir(scratch)
        for weight, skill, open_species in RELEASES.values():
            build_release(Path(), params, weight, skill, open_species)
        passed = [check(params, "production", reference=str(n)) for n in (1, 2, 3)]
        proposals = [replace(p, report=p.report.model_copy(update={"passed": True})) for p in passed]
        print("kills:", kill_rounds(proposals[:2], params, kills))
        print("races:", race_rounds(proposals, params, races), "each with one winner")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
