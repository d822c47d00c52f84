"""A hash chain: each entry carries the hash of the one before, so nothing can be edited, dropped or reordered unseen.

Pure: where the entries are kept is the caller's. Whoever can rewrite all of them can make the chain anew, so the
newest hash is worth keeping in a second place.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

START = "0" * 64
"""What stands before the first entry."""


def entry_hash(values: Mapping[str, Any]) -> str:
    """SHA-256 over the values of an entry, the hash of the one before among them, as sorted JSON."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
