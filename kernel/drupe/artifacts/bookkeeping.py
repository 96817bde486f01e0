"""Names that artifact repositories keep for themselves: the digest file of a folder and files that are still being written.

They lie beside the artifacts of a local folder, so whoever walks such a folder (uploads, manifests, listings) leaves them out, and a
repository refuses artifacts of these names.
"""

from __future__ import annotations

import unicodedata

__all__ = ["DIGEST_FILE", "PARTIAL_PREFIX", "is_bookkeeping"]

DIGEST_FILE = ".drupe-sha256"
PARTIAL_PREFIX = ".drupe-partial-"


def is_bookkeeping(name: str) -> bool:
    """True for a reserved file name, also in spellings that a file system may take for it (other case, invisible characters)."""
    if not name.isascii():
        name = "".join(c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    name = name.lower()
    return name == DIGEST_FILE or name.startswith(PARTIAL_PREFIX)
