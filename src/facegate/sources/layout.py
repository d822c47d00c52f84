"""Finding and reading the files of a published layout, with errors that say what is missing and who has it."""

from collections.abc import Iterable
from pathlib import Path

from facegate.errors import SourceError
from facegate.sources.ledger import terms


def find(name: str, root: Path, *candidates: str) -> Path:
    """The first of `candidates` (paths below `root`) that exists.

    Raises:
        SourceError: none of them does.
    """
    for candidate in candidates:
        if (root / candidate).exists():
            return root / candidate
    entry = terms(name)
    raise SourceError(
        f"{entry.title}: {root / candidates[0]} is missing",
        f"put it there; access to {entry.title}: {entry.access}",
    )


def lines_of(file: Path) -> list[str]:
    """Lines of a text file without their ends; Windows ends and a byte order mark are tolerated.

    Raises:
        SourceError: the file cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file}: cannot be read as text: {error}", "restore the original file") from error


def table(file: Path, columns: int) -> list[list[str]]:
    """Rows of words, parted by runs of blanks; empty lines are passed over.

    Raises:
        SourceError: a row has another number of words.
    """
    rows = [line.split() for line in lines_of(file) if line.strip()]
    for number, row in enumerate(rows, start=1):
        if len(row) != columns:
            raise malformed(file, number, f"{len(row)} values, expected {columns}")
    return rows


def headed_table(file: Path) -> tuple[list[str], dict[str, list[str]]]:
    """A table of the CelebA kind: a line with the count, a line of column names, then file name and values.

    Returns:
        Column names, and values by file name.

    Raises:
        SourceError: the count or the number of values does not fit.
    """
    lines = [line for line in lines_of(file) if line.strip()]
    if len(lines) < 2 or not lines[0].strip().isdigit():
        raise malformed(file, 1, "expected a line with the count and one with the column names")
    names = lines[1].removeprefix("image_id").split()  # list_bbox names the first column, the others do not
    values = {words[0]: words[1:] for words in map(str.split, lines[2:])}
    if len(values) != int(lines[0]):
        raise malformed(file, 1, f"the count says {int(lines[0])}, and {len(values)} rows follow")
    for number, (name, row) in enumerate(values.items(), start=3):
        if len(row) != len(names):
            raise malformed(file, number, f"{name} has {len(row)} values, expected {len(names)}")
    return names, values


def malformed(file: Path, line: int, what: str) -> SourceError:
    """The error for a line that does not follow the published format."""
    return SourceError(f"{file}, line {line}: {what}", "restore the original file")


def choose_protocol(name: str, wanted: str, known: Iterable[str]) -> str:
    """The wanted protocol (``2_3``, or ``siw/2_3``), or the set's first one.

    Raises:
        SourceError: the set has no such protocol.
    """
    names, wanted = list(known), wanted.removeprefix(f"{name}/")
    if wanted and wanted not in names:
        raise SourceError(
            f"{terms(name).title} has no protocol `{wanted}`",
            f"set `data.field.protocol` to one of {', '.join(names)}",
        )
    return wanted or names[0]
