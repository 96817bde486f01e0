"""Further flavors in one model folder: the same model for another library, such as ONNX beside scikit-learn.

Each is written apart and moved into the folder, so that none can write over another's files. The first flavor is the generic one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import frozen

from drupe.errors import InvalidValue
from drupe.extend import Flavor, FlavorRecord
from drupe.loading import catalog
from drupe.models.mlmodel import PYFUNC

__all__ = ["Further", "named_files", "write_further"]


@frozen
class Further:
    """A further flavor that was written: its `name`, what it says of itself, and the files whose loading runs code."""

    name: str
    record: FlavorRecord
    running: tuple[str, ...]


def write_further(also: Mapping[str, Any] | None, folder: Path, first: str) -> list[Further]:
    """Write each model of `also` (flavor name → model) into `folder`, where the flavor `first` is already.

    Raises InvalidValue: the first flavor again, python_function, or files of one name; NoProvider, MissingRequirement.
    """
    if not isinstance(also, Mapping | None):
        raise InvalidValue(f"also is a dict of flavor name → model, such as {{'onnx': onnx_model}}, not {type(also).__name__}")
    owners = {entry.name: first for entry in folder.iterdir()}
    written = []
    for name, model in (also or {}).items():
        if name in (first, PYFUNC, "pyfunc"):
            raise InvalidValue(
                f"the flavor {name} cannot come after {first}: "
                + ("it is there already" if name == first else "the generic interface is that of the first flavor; save it first")
            )
        writer: Flavor = catalog().flavor(name)
        with TemporaryDirectory(prefix=".also-", dir=folder.parent) as place:
            apart = Path(place)
            record = writer.save(model, apart, {})
            running = named_files(apart, record) if record.executes_code else []
            entries = sorted(apart.iterdir())
            if clashes := [entry.name for entry in entries if entry.name in owners]:
                raise InvalidValue(
                    f"the flavors {owners[clashes[0]]} and {name} both write {', '.join(clashes)}, so they cannot share a folder; "
                    "log two models, or have one of them written in another format"
                )
            for entry in entries:
                entry.rename(folder / entry.name)
                owners[entry.name] = name
        written.append(Further(name, record, tuple(running)))
    return written


def named_files(folder: Path, record: FlavorRecord) -> list[str]:
    """The files that a flavor's keys name, else all that it wrote: what runs code, when the flavor says that something does."""
    values = [*record.config.values(), *record.pyfunc.values()]
    named = {value for value in values if isinstance(value, str) and value and "/" not in value and (folder / value).exists()}
    return sorted(named) or sorted(entry.name for entry in folder.iterdir())
