"""The one gate that every model folder passes before anything of it is acted on.

`admit` checks the files against the manifest and against what the stores have noted, reads MLmodel, and holds what it names against closed
lists. `allow` decides whether the folder may be loaded: at once when nothing in it can run code, else only when somebody vouches for its
digest: this user, a store or place that the user's settings trust, an allowed signer, the caller, or the process that started this one (see
`handed_over`). Nothing in the folder itself does.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Collection, Sequence
from itertools import islice
from pathlib import Path

from attrs import frozen

from drupe.artifacts.manifest import Manifest, compare, read_manifest, survey_model
from drupe.artifacts.survey import Survey, copy_files, is_private, walk
from drupe.errors import ArtifactCorrupt, InvalidModelFolder, InvalidValue, UntrustedModel
from drupe.models import policy
from drupe.models.handed_over import handed_over
from drupe.models.mlmodel import Model
from drupe.models.policy import Trust
from drupe.models.scanning.fields import check_places
from drupe.models.scanning.findings import Finding
from drupe.models.scanning.folder import findings_of
from drupe.models.signing import signer_of
from drupe.models.trusted import find_known, is_own_store
from drupe.models.vouching import Word
from drupe.uris import Uri, redact

__all__ = ["Admitted", "Origin", "admit", "allow", "vouched_by"]

_NAMED_FAULTS = 20
_NAMED_FINDINGS = 3


@frozen
class Origin:
    """Where a folder comes from: the address that was asked for, the place of its files, and what the stores say of it."""

    address: str
    place: str = ""
    words: tuple[Word, ...] = ()


@frozen
class Admitted:
    """A model folder whose files are what its manifest and the stores say (if they say anything) and whose MLmodel is well formed.

    `found` holds what was read; `folder` is a private copy where others could change the original between this and loading. `checked` is the
    digest that the process which started this one has found and vouched for; `is_trusted` that the caller vouches for it.
    """

    folder: Path
    model: Model
    manifest: Manifest | None
    found: Survey
    origin: Origin
    checked: str | None = None
    is_trusted: bool = False

    @property
    def digest(self) -> str:
        """Stands for the names and contents of all files."""
        return self.found.digest


def admit(folder: Path, origin: Origin | None = None) -> Admitted:
    """Check a local model folder and read its MLmodel; nothing else of it is opened but to take its digest.

    Raises InvalidModelFolder, ArtifactCorrupt when a file was changed.
    """
    if not _is_folder(folder):
        raise InvalidModelFolder(
            f"{str(folder)[:300]} is not a folder, so it is no model; the address of a model is that of the folder with MLmodel in it"
        )
    origin = origin or Origin(str(folder), str(folder))
    checked = handed_over(folder)
    try:
        if not is_private(folder):
            folder = _private_copy(folder)
        manifest = read_manifest(folder)
        found = survey_model(folder, manifest)
    except OSError as fault:
        raise InvalidModelFolder(f"{folder} cannot be read: {fault.strerror or fault}", folder=str(folder)) from fault
    if manifest is not None:
        compare(manifest, found)
    elif found.odd:
        raise InvalidModelFolder(f"{folder} is no model folder: {'; '.join(found.odd[:_NAMED_FAULTS])}", folder=str(folder))
    _compare_with_stores(found, origin)
    if checked is not None and checked != found.digest:
        raise ArtifactCorrupt(
            f"the model in {folder} was changed since it was checked by the process that started this one: it had the digest {checked[:16]}… "
            f"then and has {found.digest[:16]}… now",
            expected=checked,
            found=found.digest,
        )
    model = Model.load(folder)
    check_places(model.flavors, model.saved_input_example_info, found.files, folder)
    return Admitted(folder, model, manifest, found, origin, checked)


def allow(admitted: Admitted, *, reads_safely: Collection[str] = (), trust: bool | str | None = None) -> None:
    """Let a folder pass that may be loaded now, by a flavor that reads `reads_safely` without running anything.

    `trust` True vouches for this one call, as does the digest that the files must have. Raises UntrustedModel that names what would run,
    ArtifactCorrupt when files were changed since they were admitted.
    """
    if changed := admitted.found.changed_since():
        raise ArtifactCorrupt(
            f"{', '.join(changed[:_NAMED_FAULTS])} in {admitted.folder} was changed while the model was being loaded", changed=changed
        )
    is_vouched = _is_vouched_by_caller(admitted, trust) and policy.trust() is not Trust.NOBODY
    if is_vouched or vouched_by(admitted) is not None:
        return
    found = list(islice(findings_of(admitted.model, admitted.found, safe=reads_safely), _NAMED_FINDINGS + 1))
    if found:
        raise UntrustedModel(_refusal(admitted, found), digest=admitted.digest, findings=[str(finding) for finding in found])


def vouched_by(admitted: Admitted) -> str | None:
    """Who vouches for the folder, in words; None when nobody does whom the settings let."""
    level = policy.trust()
    if level is Trust.NOBODY:
        return None
    if level is Trust.EVERYBODY:
        return "the setting models.trust"
    if admitted.is_trusted:
        return "you trust it for this once"
    if admitted.checked == admitted.digest:
        return "the process that started this one has checked it"
    known = find_known(admitted.digest)
    if known is not None:
        return "you made it" if known.why == "made" else "you trust it"
    for word in admitted.origin.words:
        if word.digest == admitted.digest and _counts(word, level):
            return f"{redact(word.store)} has it as {word.what}"
    rule = policy.rule_for(_places(admitted.origin))
    if rule is not None:
        return f"models.trusted_sources has {rule}"
    signer = signer_of(admitted.found, policy.allowed_signers())
    return f"{signer} has signed it" if signer is not None else None


def _is_vouched_by_caller(admitted: Admitted, trust: bool | str | None) -> bool:
    if isinstance(trust, bool) or trust is None:
        return trust is True
    if not isinstance(trust, str):
        raise InvalidValue(f"trust is True, False or the digest that the model must have, not {trust!r}")
    wanted = trust.removeprefix("sha256:").lower()
    if wanted != admitted.digest:
        raise UntrustedModel(
            f"the model at {redact(admitted.origin.address)} is not the one that is asked for: its digest is {admitted.digest}, trust={trust!r}",
            digest=admitted.digest,
        )
    return True


def _compare_with_stores(found: Survey, origin: Origin) -> None:
    for word in origin.words:
        if word.digest is not None and word.digest != found.digest:
            raise ArtifactCorrupt(
                f"the model at {redact(origin.address)} is not what was logged: {redact(word.store)} has {word.what} with the digest "
                f"{word.digest[:16]}…, the files have {found.digest[:16]}…. They were changed since; log or register the model again if you did that",
                expected=word.digest,
                found=found.digest,
            )


def _counts(word: Word, level: Trust) -> bool:
    """Servers and databases count when this user chose them or logs to them; files, which travel with folders, only when asked for."""
    if level is Trust.STORES:
        return True
    if level is not Trust.SERVERS or not Uri.parse(word.store, query=True, user_info=True).host:
        return False
    return policy.is_named_by_user(word.store) or is_own_store(word.store)


def _places(origin: Origin) -> tuple[str, ...]:
    return tuple(place for place in (origin.place, *(word.store for word in origin.words)) if place)


def _refusal(admitted: Admitted, found: Sequence[Finding]) -> str:
    shown = "; ".join(map(str, found[:_NAMED_FINDINGS])) + ("; and more" if len(found) > _NAMED_FINDINGS else "")
    address = redact(admitted.origin.address)
    if policy.trust() is Trust.NOBODY:
        way = "The settings let nobody's code run: models.trust is nobody"
    else:
        stores = [redact(word.store) for word in admitted.origin.words]
        all_of_it = f", all models of that store with `drupe config set models.trusted_sources {stores[0]}`" if stores else ""
        way = (
            f"If you trust whoever made it, say so for good with `drupe models trust {address}`{all_of_it}, or for this once with "
            "load_model(…, trust=True); `drupe models scan` shows all that it would do"
        )
    return f"loading {address} would run code that comes with it, and nobody vouches for it: {shown}. {way}"


def _private_copy(folder: Path) -> Path:
    """Others can write here: what is checked must be what is loaded, so that both are done with a copy that only this user can change."""
    found, odd = walk(folder)
    if odd:
        raise InvalidModelFolder(f"{folder} is no model folder: {'; '.join(odd[:_NAMED_FAULTS])}", folder=str(folder))
    copy = Path(tempfile.mkdtemp(prefix="drupe-model-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    copy_files(folder, found, copy)
    return copy


def _is_folder(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:  # a name that no file system takes
        return False
