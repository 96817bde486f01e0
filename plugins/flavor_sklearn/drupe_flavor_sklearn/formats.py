"""The file formats of a scikit-learn model: skops, which runs no code when it is loaded, and pickles, which do."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.errors import InvalidModelFolder, InvalidValue, UntrustedModel
from drupe.lazy import need
from drupe_flavor_sklearn.skops_alone import skops
from drupe_flavor_sklearn.trees import TREES, check_trees

__all__ = ["CLOUDPICKLE", "PICKLE", "SKOPS", "Written", "read_model", "write_model"]

SKOPS, CLOUDPICKLE, PICKLE = "skops", "cloudpickle", "pickle"
_FILES = {SKOPS: "model.skops", CLOUDPICKLE: "model.pkl", PICKLE: "model.pkl"}


@frozen
class Written:
    """How a model was written: its `file` in the folder, the `format`, the types beyond skops' own that it needs, and further modules."""

    file: str
    format: str
    trusted: Sequence[str] = ()
    modules: Sequence[str] = ()

    @property
    def executes_code(self) -> bool:
        """True when loading can run code: always for pickles, for skops when types are trusted that neither it nor `trees` can check."""
        return self.format != SKOPS or not TREES.issuperset(self.trusted)


def write_model(model: Any, folder: Path, wanted: str | None, trusted: Sequence[str] | None) -> Written:
    """Write `model` into `folder` in the format `wanted`, or the safest one that can hold it when None.

    Raises InvalidValue: an unknown format, types that skops does not trust and `trusted` does not name, a model that cannot be pickled.
    """
    if wanted not in (None, *_FILES):
        raise InvalidValue(f"serialization_format is {wanted!r}; it must be one of {', '.join(_FILES)}")
    if trusted and wanted not in (None, SKOPS):
        raise InvalidValue(f"skops_trusted_types means nothing for serialization_format={wanted!r}")
    if wanted in (None, SKOPS):
        written = _write_skops(model, folder, trusted or (), is_asked_for=wanted == SKOPS or bool(trusted))
        if written is not None:
            return written
    return _write_pickle(model, folder, wanted or CLOUDPICKLE)


def _write_skops(model: Any, folder: Path, trusted: Sequence[str], *, is_asked_for: bool) -> Written | None:
    file = folder / _FILES[SKOPS]
    try:
        skops.io.dump(model, file)
        needed = skops.io.get_untrusted_types(file=file)
    except Exception as fault:  # what skops cannot write fails in its own and the model's code in many ways
        file.unlink(missing_ok=True)
        if is_asked_for:
            raise InvalidValue(
                f"skops cannot write this {type(model).__name__}: {fault}; serialization_format='cloudpickle' can"
            ) from fault
        return None
    unknown = sorted(set(needed) - TREES - set(trusted))
    reason = _reason_to_distrust_trees(model, needed)
    if unknown or reason:
        file.unlink()
        if is_asked_for:
            raise InvalidValue(
                f"this model holds types that skops does not trust: {', '.join(unknown)}; name them in skops_trusted_types if you do, "
                "or use serialization_format='cloudpickle'"
                if unknown
                else f"{reason}; use serialization_format='cloudpickle'",
                types=unknown,
            )
        return None
    return Written(file.name, SKOPS, sorted(set(needed)), ["skops", *(name.partition(".")[0] for name in needed)])


def _reason_to_distrust_trees(model: Any, needed: Sequence[str]) -> str | None:
    """Why the trees of this model could not be read back without trust; None where they can, or other types need trust anyhow."""
    if not needed or not TREES.issuperset(needed):
        return None
    try:
        check_trees(model)
    except InvalidModelFolder as fault:
        return fault.message
    return None


def _write_pickle(model: Any, folder: Path, chosen: str) -> Written:
    file = folder / _FILES[chosen]
    pickler = need("cloudpickle", to="save this model") if chosen == CLOUDPICKLE else pickle
    try:
        with file.open("wb") as stream:
            pickler.dump(model, stream)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as fault:
        file.unlink(missing_ok=True)
        other = "" if chosen == CLOUDPICKLE else "; serialization_format='cloudpickle' can hold functions and classes of your script"
        raise InvalidValue(f"this {type(model).__name__} cannot be pickled: {fault}{other}") from fault
    return Written(file.name, chosen, modules=["cloudpickle"] if chosen == CLOUDPICKLE else [])


def read_model(file: Path, chosen: str, trusted: Sequence[str] | None) -> Any:
    """Read a model file in the format `chosen`. Pickles run what they hold: the folder has passed the gate before.

    Raises InvalidModelFolder, UntrustedModel when a skops file holds types that nobody vouched for, MissingRequirement.
    """
    try:
        if chosen == SKOPS:
            model = skops.io.load(file, trusted=list(trusted or ()))
            if trusted and TREES.issuperset(trusted):  # else somebody has vouched for the file
                check_trees(model)
            return model
        if chosen == CLOUDPICKLE:
            need("cloudpickle", to="load this model")  # its functions and classes are rebuilt by it
        with file.open("rb") as stream:
            return pickle.load(stream)
    except skops.io.exceptions.UntrustedTypesFoundException as fault:
        raise UntrustedModel(f"{file.name} holds types that are not trusted: {fault}", path=str(file)) from fault
    except ModuleNotFoundError as fault:
        raise InvalidModelFolder(
            f"{file.name} needs the module {fault.name!r}, which is not installed here; the model's requirements.txt says what it was made "
            "with, and code_paths keeps modules of your own with the model",
            module=fault.name,
        ) from fault
    except (pickle.UnpicklingError, zipfile.BadZipFile, EOFError, AttributeError, TypeError, ValueError, LookupError, OSError) as fault:
        raise InvalidModelFolder(f"{file.name} cannot be read as {chosen}: {type(fault).__name__}: {fault}", path=str(file)) from fault
