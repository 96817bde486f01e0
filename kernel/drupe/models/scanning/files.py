"""One file, or one member of an archive: what it is by its content, and what of it could run code.

Everything is looked at in every way that a loader might take it: a picture that begins as a pickle is a pickle too. What is neither plain
text nor data in a known format is a finding, since nobody can say what reading it does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from attrs import frozen

from drupe.models.scanning.containers import container_findings
from drupe.models.scanning.findings import Budget, Finding
from drupe.models.scanning.known import is_known_data, is_onnx, is_program
from drupe.models.scanning.pickles import follow

__all__ = ["Content", "file_findings"]

_HEAD_BYTES = 64 * 1024
_SCRIPTS = {
    ".py",
    ".pyc",
    ".pyo",
    ".pyw",
    ".pyi",
    ".ipynb",
    ".sh",
    ".bash",
    ".bat",
    ".cmd",
    ".ps1",
    ".js",
    ".mjs",
    ".r",
    ".jl",
    ".rb",
    ".pl",
    ".lua",
}
_LIBRARIES = {".so", ".pyd", ".dll", ".dylib", ".exe", ".jar", ".class", ".whl", ".egg", ".cubin", ".ptx"}
_PICKLE_MODULES = {"pickle", "cloudpickle", "dill", "joblib", "torch", "mlflow.pytorch.pickle_module", ""}
_MOST_SHOWN = 3
_CONTROLS = bytes(sign for sign in range(32) if sign not in b"\t\n\v\f\r\x1b") + b"\x7f"


@frozen
class Content:
    """`path` as it is shown, `size` in bytes, and how to read it from its beginning, as often as is needed."""

    path: str
    size: int
    open: Callable[[], IO[bytes]]

    @classmethod
    def of_file(cls, file: Path, path: str) -> Content:
        """The content of a file of the folder."""
        return cls(path, file.stat().st_size, lambda: file.open("rb"))

    def head(self, count: int = _HEAD_BYTES) -> bytes:
        """The first bytes."""
        with self.open() as stream:
            return stream.read(count)


def file_findings(content: Content, budget: Budget, *, depth: int = 0) -> Iterator[Finding]:
    """What of this content could run code. Raises OSError, and nothing for content that is broken: that is a finding."""
    suffix = PurePosixPath(content.path).suffix.lower()
    head = content.head()
    if suffix in _SCRIPTS:
        yield Finding(content.path, "is a script", _imports_of(head) if suffix == ".py" else ())
        return
    if suffix in _LIBRARIES or (program := is_program(head)) is not None:
        yield Finding(content.path, f"is {program if suffix not in _LIBRARIES else 'a program or library'}")
        return
    if not head:
        return
    with content.open() as stream:
        followed = follow(stream)
    if followed.is_pickle and not followed.is_harmless:
        yield _about_pickle(content.path, followed.names, followed.calls, is_whole=followed.is_whole)
        return
    inside = container_findings(content, head, budget, depth, file_findings)
    if inside is not None:
        yield from inside
    elif PurePosixPath(content.path).name == "pickle_module_info.txt":
        module = head.decode(errors="replace").strip()
        if module not in _PICKLE_MODULES:
            yield Finding(content.path, f"names the module {module[:100]!r}, which is imported to read pickles with", (module[:200],))
    elif not (followed.is_pickle or _is_text(content, head) or is_known_data(head, content.size) or is_onnx(head)):
        yield Finding(content.path, "is in a format that is not known here, so that nobody can say what reading it does")


def _imports_of(source: bytes) -> tuple[str, ...]:
    """The modules that a script names in its imports, as far as its beginning can be read."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        found = re.findall(rb"^[ \t]*(?:import|from)[ \t]+([\w.]+)", source, re.MULTILINE)
        return tuple(dict.fromkeys(name.decode(errors="replace") for name in found))
    names: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(dict.fromkeys(alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom) and node.module:
            names[node.module] = None
    return tuple(names)


def _about_pickle(path: str, names: tuple[str, ...], calls: tuple[str, ...], *, is_whole: bool) -> Finding:
    shown = ", ".join(calls[:_MOST_SHOWN] or names[:_MOST_SHOWN])
    more = f" and {len(calls) - _MOST_SHOWN} more" if len(calls) > _MOST_SHOWN else ""
    if shown:
        reason = f"is a pickle that {'calls' if calls else 'imports'} {shown}{more}"
    else:
        reason = "is a pickle"
    return Finding(path, reason if is_whole else f"{reason}, and cannot be followed to its end", names, calls)


def _is_text(content: Content, head: bytes) -> bool:
    """True for UTF-8 without control characters; the rest of a long file is read too, since a loader would."""
    try:
        head[:-4].decode() if len(head) == _HEAD_BYTES else head.decode()
    except UnicodeDecodeError:
        return False
    if content.size <= _HEAD_BYTES:
        return not _has_controls(head)
    with content.open() as stream:
        return not any(_has_controls(chunk) for chunk in iter(lambda: stream.read(2**20), b""))


def _has_controls(content: bytes) -> bool:
    return len(content.translate(None, _CONTROLS)) < len(content)
