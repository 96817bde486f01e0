"""Makes the `code/` folder of a model importable, from its sources alone.

Compiled files beside the sources are neither read nor written: the manifest does not vouch for them (whoever could add one would run
code that nobody checked), and a model's folder stays as it was when the model is used.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader
from pathlib import Path
from threading import Lock
from types import CodeType

__all__ = ["make_importable"]

_folders: set[str] = set()
_lock = Lock()


class _SourceOnly(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def make_importable(code: Path) -> None:
    """Put a folder first on the module search path of this process, for good: models import their code whenever they like.

    Python knows one module of a name; warns when this model's is another than the one that is already imported.
    """
    folder = str(code.resolve())
    for name, other in _taken(code.resolve()):
        warnings.warn(
            f"the model brings its own module {name!r}, but another one of that name is already imported from {other}, and is what the model "
            "will use; load it in a process of its own",
            stacklevel=5,
        )
    with _lock:
        if not _folders:
            sys.path_hooks.insert(0, _finder)
        _folders.add(folder)
        sys.path_importer_cache.pop(folder, None)
        if folder not in sys.path:
            sys.path.insert(0, folder)


def _finder(path: str) -> FileFinder:
    if not any(path == folder or path.startswith(f"{folder}/") for folder in _folders):
        raise ImportError(f"{path} is not the code of a model")  # so that the next hook is asked
    return FileFinder(path, (ExtensionFileLoader, EXTENSION_SUFFIXES), (_SourceOnly, SOURCE_SUFFIXES))


def _taken(code: Path) -> Iterator[tuple[str, str]]:
    """(name, place) of modules that are imported from elsewhere and differ from this folder's."""
    for entry in sorted(code.iterdir()):
        imported = getattr(sys.modules.get(entry.stem), "__file__", None)
        if imported is None or Path(imported).is_relative_to(code):
            continue
        theirs = Path(imported).parent if entry.is_dir() else Path(imported)
        pairs = [(file, theirs / file.relative_to(entry)) for file in entry.rglob("*.py")] if entry.is_dir() else [(entry, theirs)]
        if any(not other.is_file() or file.read_bytes() != other.read_bytes() for file, other in pairs):
            yield entry.stem, imported
