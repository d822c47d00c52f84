"""All data sets of the field by name: what they serve, their protocols, and how to list their records."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from facegate.contracts import Split
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
from facegate.sources.layout import check_pins, choose_protocol
from facegate.sources.ledger import require_commercial
from facegate.sources.records import Pair, Record


class DataSet(NamedTuple):
    """A data set of the field.

    Attributes:
        pack: sample pack that it fills: ``stills`` or ``attacks``.
        samples: lists its records: folder, protocol, split shares.
        protocols: names of its protocols; the first is the default.
        pins: published MD5 of annotation files.
        pairs: comparisons of a verification protocol, where it has one.
    """

    pack: str
    samples: Callable[[Path, str, SplitParams], Iterator[Record]]
    protocols: Iterable[str]
    pins: Mapping[str, str]
    pairs: Callable[[Path, str], list[Pair]] | None = None


CATALOGUE: dict[str, DataSet] = {
    celeba.NAME: DataSet("stills", celeba.samples, celeba.PROTOCOLS, celeba.PINS),
    lfw.NAME: DataSet("stills", lfw.samples, lfw.PROTOCOLS, lfw.PINS, lfw.pairs),
    insightface.NAME: DataSet(
        "stills", insightface.samples, insightface.PROTOCOLS, insightface.PINS, insightface.pairs
    ),
    kaggle_oneshot.NAME: DataSet(
        "stills", kaggle_oneshot.samples, kaggle_oneshot.PROTOCOLS, kaggle_oneshot.PINS
    ),
    celeba_spoof.NAME: DataSet("attacks", celeba_spoof.samples, celeba_spoof.PROTOCOLS, celeba_spoof.PINS),
    siw.NAME: DataSet("attacks", siw.samples, siw.PROTOCOLS, siw.PINS),
    siw_mv2.NAME: DataSet("attacks", siw_mv2.samples, siw_mv2.PROTOCOLS, siw_mv2.PINS),
    oulu_npu.NAME: DataSet("attacks", oulu_npu.samples, oulu_npu.PROTOCOLS, oulu_npu.PINS),
    replay_attack.NAME: DataSet(
        "attacks", replay_attack.samples, replay_attack.PROTOCOLS, replay_attack.PINS
    ),
    replay_mobile.NAME: DataSet(
        "attacks", replay_mobile.samples, replay_mobile.PROTOCOLS, replay_mobile.PINS
    ),
    casia_fasd.NAME: DataSet("attacks", casia_fasd.samples, casia_fasd.PROTOCOLS, casia_fasd.PINS),
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
        SourceError: see the sets; also where terms forbid the use, the two sets serve different tasks, or
            they show the same people.
    """
    name = params.source
    names = [name, params.test.source] if params.test else [name]
    if params.commercial:
        require_commercial(names)
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
    root = root_of(name, params)
    if params.check_pins:
        check_pins(root, CATALOGUE[name].pins)
    for item in CATALOGUE[name].samples(root, params.protocol, split):
        if item.frames:
            yield item._replace(frames=item.frames._replace(rate=params.frames_per_second))
        else:
            yield item


def root_of(name: str, params: FieldParams) -> Path:
    """Folder of a data set.

    Raises:
        SourceError: it is not there.
    """
    root = Path(params.root or f"data/external/{name}")
    if not root.is_dir():
        raise SourceError(
            f"{root}: no such folder",
            f"put {name} there as docs/datasets/{name}.md says, or set `data.field.root`",
        )
    return root


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
