"""Every error that drupe raises on purpose, as one tree with stable codes.

A class exists where a caller can do something different about it. Each carries three facts for the outside:
`code` (stable, with a page in docs/reference/errors.md), `error_code` (the name that MLflow clients branch on)
and `http_status`. Fields hold what was asked; the message says what is wrong and what would work.

    DrupeError
    ├── InvalidValue                a value that no store would take
    │   ├── InvalidName             of a metric, param, tag, experiment, model, alias
    │   ├── ValueTooLong
    │   ├── InvalidUri              an address that cannot be parsed or is not allowed
    │   ├── InvalidPath             a path that leaves, or could leave, its root
    │   ├── InvalidQuery            a filter or order text; knows the column
    │   ├── InvalidPageToken
    │   ├── ParamConflict           a param already has another value
    │   ├── WrongLifecycle          writing to something deleted
    │   ├── InvalidSettings         drupe.toml, environment or URI options
    │   └── NoActiveRun             nothing to act on
    ├── NotFound
    │   ├── ExperimentNotFound  RunNotFound  TagNotFound
    │   ├── RegisteredModelNotFound  ModelVersionNotFound  AliasNotFound
    │   ├── LoggedModelNotFound
    │   └── ArtifactNotFound
    ├── AlreadyExists
    ├── StoreError                  the place where things are kept
    │   ├── StoreUnavailable        cannot be opened or reached
    │   ├── StoreBusy               locked by others for too long
    │   ├── StoreReadOnly
    │   ├── StoreCorrupt
    │   ├── StoreFull
    │   ├── OriginGap               a parcel does not begin where the store left off
    │   └── StoreSchema             written by a newer release, or not ours
    ├── ArtifactCorrupt             bytes differ from the digest kept for them
    ├── PluginError
    │   ├── NoProvider              nothing installed serves this key
    │   ├── ConflictingOffers       two plugins serve this key
    │   ├── MissingRequirement      the plugin is there, its library is not
    │   ├── PluginUnusable          disabled, refused or broken
    │   └── UnsupportedFeature      this plugin cannot do that
    └── ModelError
        ├── InvalidModelFolder
        ├── SignatureMismatch       input does not fit the model's signature
        ├── EnvironmentUnusable     a model's environment cannot be built, or its packages cannot be had
        ├── UntrustedModel          loading would run code that nobody vouched for
        └── ThresholdsMissed        an evaluated model is not as good as was asked
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AliasNotFound",
    "AlreadyExists",
    "ArtifactCorrupt",
    "ArtifactNotFound",
    "ConflictingOffers",
    "DrupeError",
    "EnvironmentUnusable",
    "ExperimentNotFound",
    "InvalidModelFolder",
    "InvalidName",
    "InvalidPageToken",
    "InvalidPath",
    "InvalidQuery",
    "InvalidSettings",
    "InvalidUri",
    "InvalidValue",
    "LoggedModelNotFound",
    "MissingRequirement",
    "ModelError",
    "ModelVersionNotFound",
    "NoActiveRun",
    "NoProvider",
    "NotFound",
    "OriginGap",
    "ParamConflict",
    "PluginError",
    "PluginUnusable",
    "RegisteredModelNotFound",
    "RunNotFound",
    "SignatureMismatch",
    "StoreBusy",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreReadOnly",
    "StoreSchema",
    "StoreUnavailable",
    "TagNotFound",
    "ThresholdsMissed",
    "UnsupportedFeature",
    "UntrustedModel",
    "ValueTooLong",
    "WrongLifecycle",
]


class DrupeError(Exception):
    """Base of every error that drupe raises on purpose.

    `message` is one paragraph for a person; keyword arguments become fields in `details`
    so that programs need not parse the text.
    """

    code: ClassVar[str] = "DRP-0001"
    error_code: ClassVar[str] = "INTERNAL_ERROR"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.details)


def _rebuild(kind: type[DrupeError], message: str, details: dict[str, Any]) -> DrupeError:
    return kind(message, **details)


class InvalidValue(DrupeError):
    """A value was given that cannot be accepted."""

    code = "DRP-0100"
    error_code = "INVALID_PARAMETER_VALUE"
    http_status = 400


class InvalidName(InvalidValue):
    """A name uses characters or a form that names of its kind may not have."""

    code = "DRP-0101"


class ValueTooLong(InvalidValue):
    """A text is longer than its kind may be."""

    code = "DRP-0102"


class InvalidUri(InvalidValue):
    """An address cannot be parsed, or its form is not allowed."""

    code = "DRP-0103"


class InvalidPath(InvalidValue):
    """A path is absolute, climbs with `..`, or would otherwise leave its root."""

    code = "DRP-0104"


class InvalidQuery(InvalidValue):
    """A filter or order text cannot be understood.

    `text` is the whole query, `column` the 0-based place of the offending token, `width` its length.
    """

    code = "DRP-0105"

    def __init__(self, message: str, *, text: str = "", column: int = 0, width: int = 1, **details: Any) -> None:
        super().__init__(message, text=text, column=column, width=width, **details)
        self.text, self.column, self.width = text, column, width

    def __str__(self) -> str:
        if not self.text:
            return super().__str__()
        return f"{self.message} ({self.code})\n{_excerpt(self.text, self.column, self.width)}"


def _excerpt(text: str, column: int, width: int, reach: int = 60) -> str:
    """The part of a long text around a place, on one line, and a line that marks the place below it."""
    start, end = max(0, column - reach), column + max(reach, min(width, reach + 40))
    shown = "".join(c if c.isprintable() else " " for c in text[start:end])
    before, after = "…" if start else "", "…" if end < len(text) else ""
    indent = len(before) + column - start
    return f"  {before}{shown}{after}\n  {' ' * indent}{'^' * max(1, min(width, end - column))}"


class InvalidPageToken(InvalidValue):
    """A page token was not made by this search."""

    code = "DRP-0106"


class ParamConflict(InvalidValue):
    """A param that was logged before has another value; params never change."""

    code = "DRP-0107"


class WrongLifecycle(InvalidValue):
    """The experiment or run is deleted (or is not) and the call needs the opposite."""

    code = "DRP-0108"


class InvalidSettings(InvalidValue):
    """A setting has an unknown key or a value of the wrong kind."""

    code = "DRP-0109"


class NoActiveRun(InvalidValue):
    """The call acts on the active run and there is none (or one is active and must not be)."""

    code = "DRP-0110"


class NotFound(DrupeError):
    """Something was asked for that does not exist."""

    code = "DRP-0200"
    error_code = "RESOURCE_DOES_NOT_EXIST"
    http_status = 404


class ExperimentNotFound(NotFound):
    """No experiment has this id or name."""

    code = "DRP-0201"


class RunNotFound(NotFound):
    """No run has this id."""

    code = "DRP-0202"


class TagNotFound(NotFound):
    """The tag to delete is not set."""

    code = "DRP-0203"


class RegisteredModelNotFound(NotFound):
    """No registered model has this name."""

    code = "DRP-0204"


class ModelVersionNotFound(NotFound):
    """The registered model has no such version."""

    code = "DRP-0205"


class AliasNotFound(NotFound):
    """The registered model has no such alias (MLflow answers 400 for it)."""

    code = "DRP-0206"
    error_code = "INVALID_PARAMETER_VALUE"
    http_status = 400


class ArtifactNotFound(NotFound):
    """No artifact lies at this path."""

    code = "DRP-0207"


class LoggedModelNotFound(NotFound):
    """No logged model has this id, or it is deleted."""

    code = "DRP-0208"


class AlreadyExists(DrupeError):
    """The name is taken."""

    code = "DRP-0300"
    error_code = "RESOURCE_ALREADY_EXISTS"
    http_status = 400


class StoreError(DrupeError):
    """The place where things are kept has a problem."""

    code = "DRP-0400"
    error_code = "TEMPORARILY_UNAVAILABLE"
    http_status = 503


class StoreUnavailable(StoreError):
    """The store cannot be opened or reached."""

    code = "DRP-0401"


class StoreBusy(StoreError):
    """Others held the store's lock for longer than the time-out."""

    code = "DRP-0402"


class StoreReadOnly(StoreError):
    """The store can be read but not written."""

    code = "DRP-0403"
    error_code = "PERMISSION_DENIED"
    http_status = 403


class StoreCorrupt(StoreError):
    """The store's files are damaged; nothing was overwritten."""

    code = "DRP-0404"
    error_code = "DATA_LOSS"
    http_status = 500


class StoreFull(StoreError):
    """No space is left where the store lives."""

    code = "DRP-0405"
    error_code = "RESOURCE_EXHAUSTED"
    http_status = 507


class StoreSchema(StoreError):
    """The database was written by a newer release, or is not a drupe database."""

    code = "DRP-0406"
    error_code = "INVALID_STATE"
    http_status = 500


class OriginGap(StoreError):
    """A parcel of a journal does not begin where the store's part of that journal ends; nothing of it was written.

    `position` is up to where the store has the journal: send from there.
    """

    code = "DRP-0407"
    error_code = "INVALID_STATE"
    http_status = 409

    def __init__(self, message: str, *, position: int = 0, **details: Any) -> None:
        super().__init__(message, position=position, **details)
        self.position = position


class ArtifactCorrupt(DrupeError):
    """The bytes of an artifact differ from the digest that was kept when it was written."""

    code = "DRP-0410"
    error_code = "DATA_LOSS"
    http_status = 500


class PluginError(DrupeError):
    """A plugin is missing, in conflict, or cannot be used."""

    code = "DRP-0500"
    error_code = "INVALID_PARAMETER_VALUE"
    http_status = 400


class NoProvider(PluginError):
    """No installed plugin serves this scheme, flavor or name."""

    code = "DRP-0501"


class ConflictingOffers(PluginError):
    """Two plugins serve the same key and no setting decides between them."""

    code = "DRP-0502"


class MissingRequirement(PluginError):
    """The plugin is installed but a library that it needs is not."""

    code = "DRP-0503"


class PluginUnusable(PluginError):
    """The plugin that would serve this is disabled, refused or broken."""

    code = "DRP-0504"


class UnsupportedFeature(PluginError):
    """The plugin does not have this optional capability."""

    code = "DRP-0505"
    error_code = "NOT_IMPLEMENTED"
    http_status = 501


class ModelError(DrupeError):
    """A model cannot be saved, loaded or used as asked."""

    code = "DRP-0600"
    error_code = "INVALID_PARAMETER_VALUE"
    http_status = 400


class InvalidModelFolder(ModelError):
    """The folder has no readable MLmodel file, or it lacks what loading needs."""

    code = "DRP-0601"


class SignatureMismatch(ModelError):
    """The input does not fit the model's signature."""

    code = "DRP-0602"


class UntrustedModel(ModelError):
    """Loading would run code stored in the model, and nothing vouches for it."""

    code = "DRP-0603"


class EnvironmentUnusable(ModelError):
    """The environment that a model needs cannot be built here, or the model does not work in it."""

    code = "DRP-0610"


class ThresholdsMissed(ModelError):
    """An evaluated model does not reach the thresholds that were set; `details["checks"]` says which of them."""

    code = "DRP-0620"
    error_code = "BAD_REQUEST"
