"""Thresholds as people write them: `accuracy_score>=0.9`, `log_loss<=baseline-5%`, or a file of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from drupe.errors import InvalidValue
from drupe.evaluation import MetricThreshold
from drupe.models.yaml_text import read_yaml

__all__ = ["needs_baseline", "read_thresholds"]

_RULE = re.compile(r"\s*(?P<metric>[^<>=\s]+)\s*(?P<sign>>=|<=)\s*(?P<limit>\S.*?)\s*")
_AGAINST = re.compile(r"baseline\s*(?:(?P<sign>[+-])\s*(?P<amount>\d*\.?\d+(?:e-?\d+)?)\s*(?P<percent>%)?)?")
_FORMS = "write METRIC>=NUMBER, METRIC<=NUMBER, METRIC>=baseline+NUMBER, or with % after the number, in quotes: 'accuracy_score>=0.9'"
_FIELDS = ("threshold", "min_absolute_change", "min_relative_change", "greater_is_better")


def read_thresholds(rules: Sequence[str], file: Path | None) -> dict[str, MetricThreshold]:
    """The thresholds of these rules and of a YAML or JSON file that maps metrics to the fields of MetricThreshold. Raises InvalidValue."""
    found = {} if file is None else _from_file(file)
    fields: dict[str, dict[str, float | bool]] = {}
    for rule in rules:
        name, told = _from_rule(rule)
        known = fields.setdefault(name, {})
        if known.get("greater_is_better", told["greater_is_better"]) is not told["greater_is_better"]:
            raise InvalidValue(f"one rule wants more of {name} and another less; a metric is better in one direction")
        known |= told
    for name, told in fields.items():
        found[name] = MetricThreshold(**told)  # type: ignore[arg-type]
    return found


def needs_baseline(thresholds: Mapping[str, MetricThreshold]) -> bool:
    """True when one of them compares with a baseline."""
    return any(one.min_absolute_change is not None or one.min_relative_change is not None for one in thresholds.values())


def _from_rule(rule: str) -> tuple[str, dict[str, float | bool]]:
    parts = _RULE.fullmatch(rule)
    if parts is None:
        raise InvalidValue(f"{rule!r} is no threshold; {_FORMS}")
    greater = parts["sign"] == ">="
    against = _AGAINST.fullmatch(parts["limit"])
    if against is None:
        try:
            return parts["metric"], {"threshold": float(parts["limit"]), "greater_is_better": greater}
        except ValueError as fault:
            raise InvalidValue(f"{rule!r} is no threshold: {parts['limit']!r} is no number; {_FORMS}") from fault
    amount = float(against["amount"] or 0) * (1 if (against["sign"] == "+") is greater else -1)
    change = {"min_relative_change": amount / 100} if against["percent"] else {"min_absolute_change": amount or 0.0}
    return parts["metric"], {**change, "greater_is_better": greater}


def _from_file(file: Path) -> dict[str, MetricThreshold]:
    try:
        told = read_yaml(file)
    except OSError as fault:
        raise InvalidValue(f"the thresholds {str(file)!r} cannot be read: {fault.strerror}") from fault
    if not isinstance(told, Mapping) or not all(isinstance(part, Mapping) for part in told.values()):
        raise InvalidValue(f"{str(file)!r} must map names of metrics to {', '.join(_FIELDS)}")
    found = {}
    for name, part in told.items():
        if unknown := [str(key) for key in part if key not in _FIELDS]:
            raise InvalidValue(f"{str(file)!r} has {unknown[0]!r} for {name}; the fields are {', '.join(_FIELDS)}")
        try:
            found[str(name)] = MetricThreshold(**part)
        except InvalidValue as fault:
            raise InvalidValue(f"{str(file)!r}, {name}: {fault.message}") from fault
    return found
