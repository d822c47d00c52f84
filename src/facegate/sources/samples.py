"""The stage `samples`: whatever the source, the same three packs below ``data/samples``.

``stills`` serve recognition, ``attacks`` spoof detection, ``clips`` liveness. A pack that the source has
nothing for is written empty, so that the stages which need it say so.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facegate.contracts import SAMPLE_COLUMNS
from facegate.datasets.pack import PackWriter
from facegate.datasets.traps import PICTURE_TRAPS
from facegate.params import DataParams
from facegate.sources import folder
from facegate.sources.catalogue import check_sets, protocol_of, select
from facegate.sources.packing import pack_records
from facegate.sources.records import Record

FOLDER_SUITE = (*PICTURE_TRAPS, "video")
PACKS = ("stills", "attacks", "clips")


def write_samples(
    params: DataParams, assets: Path, out: Path, cache: Path = Path(".cache/samples")
) -> dict[str, int]:
    """Write the sample packs of the source that the parameters name.

    Args:
        params: the section ``data``.
        assets: folder of the fetched assets.
        out: folder of the packs, ``data/samples``.
        cache: where finished shards are kept until their pack is whole.

    Returns:
        Number of pictures by pack.

    Raises:
        SourceError: the data are missing or not laid out as they should be.
        PackError: a worker died, or the disk is full; what was finished is kept.
    """
    if params.source == "synthetic":
        from facegate.sources.synthetic import write_synthetic

        return write_synthetic(params, assets, out, cache)
    if params.source == "folder":
        return _write_records(
            _folder_records(params), out, cache, {"source": "folder", "suite": FOLDER_SUITE}
        )
    checked = check_sets(params)
    pack, records, pairs = select(params)
    metadata = {**checked, "source": params.source, "protocol": protocol_of(params.source, params.field)}
    if params.test:
        metadata["test"] = protocol_of(params.test.source, params.test)
    metadata["pairs"] = [list(pair) for pair in pairs]
    return _write_records({pack: records}, out, cache, metadata)


def _folder_records(params: DataParams) -> dict[str, Sequence[Record]]:
    chosen: dict[str, Sequence[Record]] = {}
    if params.folder.people:
        chosen["stills"] = folder.people(Path(params.folder.people), params.split)
    if params.folder.presentations:
        root, rate = Path(params.folder.presentations), params.field.frames_per_second
        chosen["attacks"] = folder.presentations(root, params.split, rate)
    return chosen


def _write_records(
    chosen: Mapping[str, Sequence[Record]], out: Path, cache: Path, metadata: Mapping[str, Any]
) -> dict[str, int]:
    counts: dict[str, int] = dict.fromkeys(PACKS, 0)
    for pack in PACKS:
        if chosen.get(pack):
            counts[pack] = pack_records(chosen[pack], out / pack, cache, metadata=metadata)["samples"]
        else:
            with PackWriter(out / pack, SAMPLE_COLUMNS, {"samples": 0}):
                pass
    return counts
