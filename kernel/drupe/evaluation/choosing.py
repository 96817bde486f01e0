"""Which evaluators judge, and with which configuration: MLflow's rules for `evaluators=` and `evaluator_config=`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from drupe.errors import InvalidValue
from drupe.extend import Evaluator
from drupe.loading import Entry, catalog

__all__ = ["Chosen", "choose_evaluators", "list_evaluators"]

HOOK = "drupe_evaluators"
DEFAULT = "default"
"""MLflow's name for whatever judges models of that type by itself; the evaluator of that name judges those that no other does."""


@frozen(eq=False)
class Chosen:
    """An evaluator that was made for this evaluation, and its configuration."""

    name: str
    evaluator: Evaluator
    config: Mapping[str, Any]


def list_evaluators() -> list[str]:
    """The names that `evaluators=` takes: those of all installed evaluators that can be used."""
    return [entry.offer.name for entry in catalog().offers(HOOK) if entry.state == "ready"]


def choose_evaluators(names: str | Sequence[str] | None, config: Mapping[str, Any] | None, model_type: str | None) -> list[Chosen]:
    """The evaluators in use. Raises InvalidValue when none fits or the configuration has the wrong shape; NoProvider, MissingRequirement.

    `names` None asks all that can judge this type; the config is then for all of them, or a dict by name. One name takes its own config,
    a list of names a dict by name.
    """
    if config is not None and not isinstance(config, Mapping):
        raise InvalidValue(f"evaluator_config must be a dict, not {type(config).__name__}")
    config = config or {}
    if names is None:
        is_by_name = any(name in config for name in (*list_evaluators(), DEFAULT))
        found = _fitting(lambda name: config.get(name, config.get(DEFAULT, {})) if is_by_name else config, model_type)
    elif isinstance(names, str):
        own = config.get(names) if set(config) == {names} and isinstance(config.get(names), Mapping) else config
        found = _named(names, own or {}, model_type)
    else:
        found = [one for name in names for one in _named(name, _part(config, name, names), model_type)]
    if not found:
        kind = "models without a model_type" if model_type is None else f"models of type {model_type!r}"
        installed = ", ".join(list_evaluators())
        raise InvalidValue(
            f"no installed evaluator judges {kind}; "
            + (f"there are {installed}; use model_type='classifier' or 'regressor'" if installed else "pip install drupe-evaluator-default")
        )
    return found


def _part(config: Mapping[str, Any], name: str, names: Sequence[str]) -> Mapping[str, Any]:
    if not all(key in names and isinstance(value, Mapping) for key, value in config.items()):
        raise InvalidValue(f"with a list of evaluators, evaluator_config must be a dict of their names ({', '.join(names)}) to dicts")
    part: Mapping[str, Any] = config.get(name, {})
    return part


def _named(name: str, config: Mapping[str, Any], model_type: str | None) -> list[Chosen]:
    if name != DEFAULT:
        evaluator = catalog().load(HOOK, name)()
        if not evaluator.can_evaluate(model_type=model_type, evaluator_config=config):
            raise InvalidValue(f"the evaluator {name!r} does not judge models of type {model_type!r}", evaluator=name)
        return [Chosen(name, evaluator, config)]
    home = catalog().find(HOOK, DEFAULT).plugin
    return _fitting(lambda _: config, model_type, [entry for entry in catalog().offers(HOOK) if entry.plugin == home])


def _fitting(config_of: Any, model_type: str | None, entries: Sequence[Entry] | None = None) -> list[Chosen]:
    """Those that can judge this type; the one named `default` only where none of its own plugin can."""
    found: list[tuple[Entry, Chosen]] = []
    for entry in catalog().offers(HOOK) if entries is None else entries:
        if entry.state != "ready":
            continue
        evaluator = entry.load()()
        config = config_of(entry.offer.name)
        if evaluator.can_evaluate(model_type=model_type, evaluator_config=config):
            found.append((entry, Chosen(entry.offer.name, evaluator, config)))
    others = {entry.plugin for entry, chosen in found if chosen.name != DEFAULT}
    return [chosen for entry, chosen in found if chosen.name != DEFAULT or entry.plugin not in others]
