"""How people name runs and experiments on the command line, and the entity that is meant.

A run is named by its id, by the start of its id (at least 4 characters) or by its name; an experiment by its name or id. What is not unique is
refused with the candidates, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from drupe.cli import formats
from drupe.cli.nouns import pages, shown_address
from drupe.entities import Experiment, Run, ViewType
from drupe.errors import ExperimentNotFound, InvalidValue, LoggedModelNotFound, RunNotFound, UnsupportedFeature
from drupe.search import Kind, parse

if TYPE_CHECKING:
    from drupe.client import Client

__all__ = [
    "experiment_labels",
    "experiment_names",
    "file_address",
    "find_experiment",
    "find_run",
    "find_runs",
    "full_address",
    "quoted",
    "short_id",
]

PREFIX_MIN = 4
SHOWN = 5
_ID = re.compile(r"[a-zA-Z0-9][\w-]{0,255}")
_MODEL_ID = re.compile(r"m-[0-9a-f]{4,32}")
MODEL_ID_LENGTH = 34
_SLASHES = re.compile(r"^(runs|models):/+")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.\-]*:/|\.{0,2}/")


def find_run(client: Client, named: str, *, deleted_first: bool = False) -> Run:
    """The run with this id, start of an id, or name; runs in use go before those in the trash, unless `deleted_first`.

    Raises RunNotFound, or InvalidValue that lists the runs which could be meant.
    """
    named = named.strip()
    if _ID.fullmatch(named):
        try:
            return client.get_run(named)
        except RunNotFound:
            pass
    views = (ViewType.DELETED_ONLY, ViewType.ACTIVE_ONLY) if deleted_first else (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY)
    for view in views:
        found = _candidates(client, named, view)
        if len(found) > 1:
            raise InvalidValue(_ambiguity(client, named, found), run_ids=[run.info.run_id for run in found])
        if found:
            return found[0]
    if len(named) < PREFIX_MIN:
        raise RunNotFound(f"no run has the name {named!r}; the start of an id needs at least {PREFIX_MIN} characters", run_id=named)
    raise RunNotFound(
        f"no run has {named!r} as its id, as the start of its id or as its name; `drupe runs list` shows the runs in {shown_address(client)}",
        run_id=named,
    )


def find_runs(client: Client, names: Sequence[str], *, deleted_first: bool = False) -> list[Run]:
    """Several runs, in the order given; a run that is named twice is refused."""
    found: dict[str, Run] = {}
    for named in names:
        run = find_run(client, named, deleted_first=deleted_first)
        if run.info.run_id in found:
            raise InvalidValue(f"{named!r} is run {run.info.run_name} ({short_id(run.info.run_id)}), which is there already")
        found[run.info.run_id] = run
    return list(found.values())


def find_experiment(client: Client, named: str) -> Experiment:
    """The experiment with this name, or with this id; a name goes before an id. Raises ExperimentNotFound with near names."""
    found = client.get_experiment_by_name(named)
    if found is not None:
        return found
    if named.isdecimal():
        try:
            return client.get_experiment(named)
        except ExperimentNotFound:
            pass
    near = get_close_matches(named, experiment_names(client), n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "`drupe experiments list` shows them all"
    raise ExperimentNotFound(f"no experiment has the name or id {named!r}; {hint}", experiment=named)


def full_address(client: Client, named: str) -> str:
    """The address of a model or file that is named as RUN/PATH or runs:/RUN/PATH, with the run's full id; other addresses as they are.

    `m-…`, the id of a logged model or the beginning of one, becomes models:/m-….

    A path of this machine that exists goes before a run of that name.
    """
    named = _SLASHES.sub(r"\1:/", named)
    is_run_address = named.startswith("runs:/")
    if not is_run_address and (":" in named.partition("/")[0] or Path(named).exists()):
        return named
    if _MODEL_ID.fullmatch(named):
        return f"models:/{_model_id(client, named)}"
    run, slash, path = named.removeprefix("runs:/").lstrip("/").partition("/")
    if not slash and not is_run_address:
        raise InvalidValue(
            f"{named!r} is no folder here and no address; write RUN/PATH, runs:/ID/PATH, models:/NAME/VERSION or models:/NAME@ALIAS"
        )
    try:
        return f"runs:/{find_run(client, run).info.run_id}/{path}".removesuffix("/")
    except RunNotFound as fault:
        if is_run_address or not path.isdecimal():
            raise
        raise RunNotFound(f"{fault.message}; a version of a registered model is models:/{named}", **fault.details) from fault


def file_address(client: Client, named: str) -> str | None:
    """The address of files that are named as an address, a path of this machine that begins with / or ./, or as m-…/PATH; None for RUN/PATH."""
    if _ADDRESS.match(named):
        return full_address(client, named)
    model, slash, path = named.partition("/")
    if not _MODEL_ID.fullmatch(model):
        return None
    try:
        return f"models:/{_model_id(client, model)}{slash}{path}".rstrip("/")
    except (LoggedModelNotFound, UnsupportedFeature):  # or a run has such a name
        if _candidates(client, model, ViewType.ALL):
            return None
        raise


def _model_id(client: Client, named: str) -> str:
    if len(named) == MODEL_ID_LENGTH:
        return named
    query = parse(Kind.LOGGED_MODELS, f"model_id LIKE '{named}%'")
    found = [model.model_id for model in client.store.search_logged_models(query, experiment_ids=None, limit=SHOWN + 1)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise LoggedModelNotFound(f"no logged model has an id that begins with {named!r}; `drupe models search` lists them", model_id=named)
    told = ", ".join(found[:SHOWN])
    raise InvalidValue(f"{named!r} could be any of these logged models; give more of the id: {told}")


def experiment_names(client: Client) -> list[str]:
    """Names of the experiments in use, newest first, at most a thousand."""
    return [experiment.name for experiment in client.search_experiments(max_results=1000)]


def quoted(text: str) -> str:
    """A text as a value in a filter, in the quotes that it does not hold itself. Raises InvalidValue when it holds both kinds."""
    for mark in ("'", '"'):
        if mark not in text:
            return f"{mark}{text}{mark}"
    raise InvalidValue(f"{text!r} holds both kinds of quotes, so it cannot be searched for; use the id")


def experiment_labels(client: Client) -> dict[str, str]:
    """Names of all experiments by id, those in the trash too."""
    found = pages(lambda size, token: client.search_experiments(ViewType.ALL, size, page_token=token))
    return {experiment.experiment_id: experiment.name for experiment in found}


def short_id(run_id: str) -> str:
    """The first eight characters of an id, enough to name it in nearly every store."""
    return run_id[:8]


def _candidates(client: Client, named: str, view: ViewType) -> list[Run]:
    found = {run.info.run_id: run for run in _first(client, f"attributes.run_name = {quoted(named)}", view)}
    if len(named) >= PREFIX_MIN and _ID.fullmatch(named):
        # `_` matches any character in LIKE, hence the second look
        starts = (run for run in _all(client, f"attributes.run_id LIKE '{named}%'", view) if run.info.run_id.startswith(named))
        for run in starts:
            found[run.info.run_id] = run
            if len(found) > SHOWN:
                break
    return list(found.values())


def _first(client: Client, condition: str, view: ViewType) -> list[Run]:
    return list(client.search_runs(None, condition, view, SHOWN + 1))


def _all(client: Client, condition: str, view: ViewType) -> Iterator[Run]:
    return pages(lambda size, token: client.search_runs(None, condition, view, min(size, 100), page_token=token))


def _ambiguity(client: Client, named: str, found: Sequence[Run]) -> str:
    names = experiment_labels(client)
    lines = [
        f"  {run.info.run_id}  {run.info.run_name}  in {names.get(run.info.experiment_id, run.info.experiment_id)}, "
        f"{run.info.status.value.lower()}, started {formats.age(run.info.start_time)}"
        for run in found[:SHOWN]
    ]
    more = ["  …"] if len(found) > SHOWN else []
    return "\n".join([f"{named!r} could be any of these runs; give more of the id:", *lines, *more])
