"""What is asked and answered about logged models. Tying them to runs is with the runs, in `tracking`."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from drupe.entities import FileInfo, LoggedModel, LoggedModelStatus, NewLoggedModel
from drupe.errors import InvalidValue
from drupe.wire.shapes import bounded, needed

__all__ = [
    "CreateLoggedModel",
    "DeleteLoggedModelTag",
    "FinalizeLoggedModel",
    "GetLoggedModel",
    "ListLoggedModelFiles",
    "LogLoggedModelParams",
    "LoggedModelFilesFound",
    "LoggedModelFound",
    "LoggedModelPair",
    "LoggedModelsFound",
    "OneLoggedModel",
    "SearchLoggedModels",
    "SearchedDataset",
    "SetLoggedModelTags",
    "SortedBy",
    "new_model_form",
    "new_model_of",
    "pairs_of",
]


@frozen
class LoggedModelPair:
    """One tag or param."""

    key: str
    value: str = ""


@frozen
class CreateLoggedModel:
    """Without a name the server invents one."""

    experiment_id: str = needed()
    name: str | None = None
    model_type: str | None = None
    source_run_id: str | None = None
    params: tuple[LoggedModelPair, ...] = ()
    tags: tuple[LoggedModelPair, ...] = ()
    model_id: str | None = None
    """An addition of ours: the id that a client has chosen, so that asking again makes no twin."""
    artifact_path: str | None = None
    """An addition of ours: where its files lie among those of its source run, for models that lie under their run."""


def new_model_form(new: NewLoggedModel) -> CreateLoggedModel:
    """The request that makes a logged model."""
    return CreateLoggedModel(
        experiment_id=new.experiment_id,
        name=new.name,
        model_type=new.model_type,
        source_run_id=new.source_run_id,
        params=tuple(LoggedModelPair(key, value) for key, value in new.params.items()),
        tags=tuple(LoggedModelPair(key, value) for key, value in new.tags.items()),
        model_id=new.model_id,
        artifact_path=new.artifact_path,
    )


def pairs_of(what: str, pairs: Iterable[LoggedModelPair]) -> dict[str, str]:
    """Tags or params (`what`) as a dict. Raises InvalidValue for one that stands in it twice with two values."""
    found: dict[str, str] = {}
    for pair in pairs:
        if found.setdefault(pair.key, pair.value) != pair.value:
            raise InvalidValue(f"logged-models: {pair.key!r} is given twice among the {what}")
    return found


def new_model_of(asked: CreateLoggedModel) -> NewLoggedModel:
    """The logged model that a request makes. Raises InvalidValue for a tag or param that stands in it twice."""
    return NewLoggedModel(
        asked.experiment_id,
        model_id=asked.model_id,
        name=asked.name,
        model_type=asked.model_type,
        source_run_id=asked.source_run_id,
        tags=pairs_of("tags", asked.tags),
        params=pairs_of("params", asked.params),
        artifact_path=asked.artifact_path,
    )


@frozen
class LoggedModelFound:
    """One logged model."""

    model: LoggedModel


@frozen
class GetLoggedModel:
    """To read one; a deleted one only if `allow_deleted`."""

    model_id: str = needed()
    allow_deleted: bool = False


@frozen
class OneLoggedModel:
    """To delete one."""

    model_id: str = needed()


@frozen
class FinalizeLoggedModel:
    """To say whether its files are in place."""

    model_id: str = needed()
    status: LoggedModelStatus | None = None
    status_message: str | None = None
    """An addition of ours: why it failed."""


@frozen
class SearchedDataset:
    """A dataset that metrics were measured on; without a digest, any of that name."""

    dataset_name: str
    dataset_digest: str | None = None


@frozen
class SortedBy:
    """One sort key: an attribute, or `metrics.<name>`, of which those on one dataset may be meant."""

    field_name: str
    ascending: bool = True
    dataset_name: str | None = None
    dataset_digest: str | None = None


@frozen
class SearchLoggedModels:
    """`max_results` is up to 50 000, by default 50. `datasets` leave the metrics that were measured on one of them to the filter."""

    experiment_ids: tuple[str, ...] = ()
    filter: str | None = None
    datasets: tuple[SearchedDataset, ...] = ()
    max_results: int | None = bounded(0, 50_000)
    order_by: tuple[SortedBy, ...] = ()
    page_token: str | None = None


@frozen
class LoggedModelsFound:
    """One page."""

    models: tuple[LoggedModel, ...] = ()
    next_page_token: str | None = None


@frozen
class SetLoggedModelTags:
    """To set tags."""

    model_id: str = needed()
    tags: tuple[LoggedModelPair, ...] = ()


@frozen
class DeleteLoggedModelTag:
    """To remove one tag."""

    model_id: str = needed()
    tag_key: str = needed()


@frozen
class LogLoggedModelParams:
    """To add params, which never change."""

    model_id: str = needed()
    params: tuple[LoggedModelPair, ...] = ()


@frozen
class ListLoggedModelFiles:
    """The direct children of a folder of a logged model."""

    model_id: str = needed()
    artifact_directory_path: str | None = None
    page_token: str | None = None


@frozen
class LoggedModelFilesFound:
    """Paths are relative to the root of the model's artifacts."""

    root_uri: str
    files: tuple[FileInfo, ...] = ()
    next_page_token: str | None = None
