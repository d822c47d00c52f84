"""All data sets of the field by name: what they serve, their protocols, and how to list their records."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from facegate.contracts import Split
from facegate.datasets.traps import BOXED_VIDEO_TRAPS, PICTURE_TRAPS, TRAPS, VIDEO_TRAPS
from facegate.errors import SourceError
from facegate.params import DataParams, FieldParams, ForeignTest, SplitParams
from facegate.sources import (
    casia_fasd,
    celeba,
    celeba_spoof,
    insightface,
    kaggle_oneshot,
    lfw,
    oulu_npu,
    replay_attack,
    replay_mobile,
    siw,
    siw_mv2,
)
from facegate.sources.inventory import check_folder
from facegate.sources.layout import choose_protocol
from facegate.sources.ledger import require_commercial
from facegate.sources.pins import check_pins, demand_pins
from facegate.sources.records import Pair, Record


class DataSet(NamedTuple):
    """A data set of the field.

    Attributes:
        pack: sample pack that it fills: ``stills`` or ``attacks``.
        samples: lists its records: folder, protocol, split shares.
        protocols: names of its protocols; the first is the default.
        pins: published MD5 of annotation files and archives.
        suite: traps that its samples may have, see :mod:`facegate.datasets.traps`.
        pairs: comparisons of a verification protocol, where it has one.
    """

    pack: str
    samples: Callable[[Path, str, SplitParams], Iterator[Record]]
    protocols: Iterable[str]
    pins: Mapping[str, str]
    suite: Sequence[str]
    pairs: Callable[[Path, str], list[Pair]] | None = None


_BOXED_PICTURES = (*PICTURE_TRAPS, "box")


def _set(module: Any, pack: str, suite: Sequence[str]) -> DataSet:
    """An entry from what every source module defines."""
    pairs = getattr(module, "pairs", None)
    return DataSet(pack, module.samples, module.PROTOCOLS, module.PINS, suite, pairs)


CATALOGUE: dict[str, DataSet] = {
    celeba.NAME: _set(celeba, "stills", _BOXED_PICTURES),
    lfw.NAME: _set(lfw, "stills", PICTURE_TRAPS),
    insightface.NAME: _set(insightface, "stills", PICTURE_TRAPS),
    kaggle_oneshot.NAME: _set(kaggle_oneshot, "stills", PICTURE_TRAPS),
    celeba_spoof.NAME: _set(celeba_spoof, "attacks", ("label", *_BOXED_PICTURES)),
    siw.NAME: _set(siw, "attacks", BOXED_VIDEO_TRAPS),
    siw_mv2.NAME: _set(siw_mv2, "attacks", VIDEO_TRAPS),
    oulu_npu.NAME: _set(oulu_npu, "attacks", VIDEO_TRAPS),
    replay_attack.NAME: _set(replay_attack, "attacks", BOXED_VIDEO_TRAPS),
    replay_mobile.NAME: _set(replay_mobile, "attacks", BOXED_VIDEO_TRAPS),
    casia_fasd.NAME: _set(casia_fasd, "attacks", VIDEO_TRAPS),
}

PEOPLE = {
    **{f"insightface/{name}": "lfw" for name in ("lfw", "calfw", "cplfw")},
    "kaggle_oneshot": "lfw",
    "lfw": "lfw",
    "celeba": "celeba",
    "celeba_spoof": "celeba",
}
"""Data sets (or one protocol of a set) that show the same people: trained on one, a test on another flatters."""


def select(params: DataParams) -> tuple[str, list[Record], list[Pair]]:
    """Records of the named data set, its test split replaced where another set is named for testing.

    Returns:
        The sample pack to fill, the records, and the comparisons of the test part (none for spoof sets).

    Raises:
        SourceError: see the sets; also where the two sets serve different tasks, or show the same people.
    """
    name = params.source
    records = list(_records(name, params.field, params.split))
    tested = params.test
    if tested is None:
        return CATALOGUE[name].pack, records, _pairs(name, params.field)
    _check_foreign(params, tested)
    foreign = [_prefixed(item, tested.source) for item in _records(tested.source, tested, params.split)]
    kept = [item for item in records if item.row["split"] != Split.TEST]
    kept += [item for item in foreign if item.row["split"] == Split.TEST]
    pairs = [
        pair._replace(first=f"{tested.source}:{pair.first}", second=f"{tested.source}:{pair.second}")
        for pair in _pairs(tested.source, tested)
    ]
    return CATALOGUE[name].pack, kept, pairs


def protocol_of(name: str, params: FieldParams) -> str:
    """Set and protocol as reports name them, for instance ``siw/2_3``."""
    return f"{name}/{choose_protocol(name, params.protocol, CATALOGUE[name].protocols)}"


def folds_of(name: str, family: str) -> list[str]:
    """Protocols of a set that are the folds of one: ``2`` of siw gives ``2_1`` to ``2_4``.

    Raises:
        SourceError: the set is unknown, or has no such protocol.
    """
    if name not in CATALOGUE:
        raise SourceError(f"`{name}` is no data set of the field", f"known: {', '.join(CATALOGUE)}")
    known = list(CATALOGUE[name].protocols)
    found = [protocol for protocol in known if protocol.startswith(f"{family}_")]
    return found or [choose_protocol(name, family, known)]


def _records(name: str, params: FieldParams, split: SplitParams) -> Iterator[Record]:
    for item in CATALOGUE[name].samples(root_of(name, params), params.protocol, split):
        if item.frames:
            yield item._replace(frames=item.frames._replace(rate=params.frames_per_second))
        else:
            yield item


def root_of(name: str, params: FieldParams) -> Path:
    """Folder of a data set, whether it is there or not."""
    return Path(params.root or f"data/external/{name}")


def check_sets(params: DataParams) -> dict[str, Any]:
    """Hold the folders of the named data sets against what must lie there, its published MD5 and its terms.

    Returns:
        For the pack's metadata: ``suite`` (traps that the samples may have), ``pins`` (file: MD5 found and
        published) and ``pins_demanded``.

    Raises:
        SourceError: anything is missing or differs, or the terms forbid the use.
    """
    named: dict[str, FieldParams] = {str(params.source): params.field}
    if params.test:
        named[params.test.source] = params.test
    if params.commercial:
        require_commercial(named)
    pins: dict[str, list[str]] = {}
    for name, field in named.items():
        root = root_of(name, field)
        protocol = choose_protocol(name, field.protocol, CATALOGUE[name].protocols)
        check_folder(name, root, protocol)
        found = check_pins(root, CATALOGUE[name].pins)
        if field.check_pins:
            demand_pins(root, found)
        pins |= {f"{name}/{file}": sums for file, sums in found.items()}
    suite = [trap for trap in TRAPS if any(trap in CATALOGUE[name].suite for name in named)]
    return {"suite": suite, "pins": pins, "pins_demanded": all(f.check_pins for f in named.values())}


def _pairs(name: str, params: FieldParams) -> list[Pair]:
    pairs = CATALOGUE[name].pairs
    return pairs(root_of(name, params), params.protocol) if pairs else []


def _prefixed(item: Record, name: str) -> Record:
    """The same record with ids that cannot collide with those of another data set."""
    ids = {key: f"{name}:{item.row[key]}" for key in ("sample_id", "subject_id")}
    return item._replace(row={**item.row, **ids})


def _check_foreign(params: DataParams, tested: ForeignTest) -> None:
    trained = params.source
    if CATALOGUE[trained].pack != CATALOGUE[tested.source].pack:
        raise SourceError(
            f"`data.test.source: {tested.source}` serves another task than `data.source: {trained}`",
            "name a data set of the same task",
        )
    same = _people(trained, params.field) == _people(tested.source, tested)
    if same and trained != tested.source and not params.allow_leakage:
        raise SourceError(
            f"{trained} and {tested.source} show the same people: testing on one after training on the other is leakage",
            "choose another test set, or set `data.allow_leakage: true` and say so in the report",
        )


def _people(name: str, params: FieldParams) -> str:
    return PEOPLE.get(f"{name}/{params.protocol}") or PEOPLE.get(name, name)
