"""What people write into a card themselves: texts under titles, given as a dict, a text, or a markdown file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drupe.errors import InvalidValue

__all__ = ["TEXT_MAX", "own_parts", "read_parts"]

TEXT_MAX = 20_000
_PARTS_MAX = 30
_HEADING = re.compile(r"#{1,6}[ \t]+(?P<title>.+?)[ \t#]*")
_SPELLINGS = {"license": "licence", "description": "purpose", "intended use": "purpose"}
_FROM_METADATA = ("purpose", "description", "data", "license", "licence", "limitations", "contact")


def read_parts(given: str | Path | Mapping[str, Any] | None) -> dict[str, str]:
    """The parts by title. A dict has them already; a path is a markdown file with a heading before each; another text is the purpose.

    `purpose`, `data` and `licence` have their place in the card, in any letter case; all others follow under their own titles. Raises
    InvalidValue for what cannot be read, or is too long.
    """
    if given is None:
        return {}
    if isinstance(given, Mapping):
        found = {str(title): str(text) for title, text in given.items() if text is not None}
    elif isinstance(given, Path) or (isinstance(given, str) and given.endswith(".md") and "\n" not in given):
        found = _sections(_content(Path(given)))
    elif isinstance(given, str):
        found = {"purpose": given}
    else:
        raise InvalidValue(f"card is a dict of texts, the path of a markdown file, or a text, not {type(given).__name__}")
    return _checked(found)


def own_parts(written: Any, metadata: Mapping[str, Any] | None) -> dict[str, str]:
    """The parts that MLmodel holds, of which whoever wrote it may have made anything, and those that the user's metadata names."""
    noted = {key: metadata[key] for key in _FROM_METADATA if isinstance(metadata, Mapping) and isinstance(metadata.get(key), str)}
    kept = {title: text for title, text in written.items() if isinstance(text, str)} if isinstance(written, Mapping) else {}
    return {**_titled(noted), **_titled({str(title): text for title, text in kept.items()})}


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise InvalidValue(f"card={str(path)!r} cannot be read as a markdown file: {fault}; it is looked up from {Path.cwd()}") from fault


def _sections(text: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    title, is_code = "purpose", False
    for line in text.splitlines():
        is_code ^= line.startswith("```")
        heading = None if is_code else _HEADING.fullmatch(line)
        if heading is not None:
            title = heading["title"]
        else:
            found.setdefault(title, []).append(line)
    joined = {title: "\n".join(lines).strip() for title, lines in found.items()}
    return {title: text for title, text in joined.items() if text}


def _checked(found: Mapping[str, str]) -> dict[str, str]:
    too_long = [title for title, text in found.items() if len(text) > TEXT_MAX or len(title) > 100]
    if too_long or len(found) > _PARTS_MAX:
        told = ", ".join(repr(title[:60]) for title in too_long) or f"{len(found)} parts"
        raise InvalidValue(f"card is too long ({told}); up to {_PARTS_MAX} parts of {TEXT_MAX} characters, with titles of 100")
    return _titled(found)


def _titled(found: Mapping[str, str]) -> dict[str, str]:
    titled: dict[str, str] = {}
    for title, text in found.items():
        plain = title.strip().lower()
        name = _SPELLINGS.get(plain, plain)
        titled[name if name in ("purpose", "data", "licence") else title.strip()] = text
    return titled
