"""What a plugin's author can have checked: the rules of a front door, and that every offer keeps its contract.

Unlike the catalog, which imports nothing that is not used, this imports everything that the plugin offers. It is `drupe plugins check`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from drupe.errors import PluginError
from drupe.extend.offers import API
from drupe.loading.entry import Entry
from drupe.loading.plugin import Plugin

__all__ = ["ALLOWED_IMPORTS", "MAX_LINES", "Finding", "check"]

ALLOWED_IMPORTS = ("__future__", "typing", "drupe.extend")
MAX_LINES = 40
"""A front door has fewer lines than this, so that it can be read at a glance and imported in no time."""


class Finding(NamedTuple):
    """One rule, whether it is kept, and what was seen."""

    rule: str
    is_kept: bool
    detail: str


def check(plugin: Plugin) -> list[Finding]:
    """Every rule with its outcome, the front door's first, then one for each offer."""
    found = [_state(plugin), *_source(plugin.module), _api(plugin)]
    found += [_offer(entry) for entry in plugin.entries]
    classes = sorted({entry.offer.settings for entry in plugin.entries if entry.offer.settings})
    if classes:
        detail = f"options are those of {', '.join(classes)}"
        found.append(Finding("one settings class for all offers, as they share a section of drupe.toml", len(classes) == 1, detail))
    return found


def _state(plugin: Plugin) -> Finding:
    reason = f": {plugin.reason}" if plugin.reason else ""
    return Finding("it is active", plugin.is_active, f"{plugin.state.value}{reason}")


def _api(plugin: Plugin) -> Finding:
    return Finding(
        "DRUPE_API says for which API it was written", plugin.api is not None, f"{plugin.api or 'not known'}; this drupe has {API}"
    )


def _source(module: str) -> list[Finding]:
    rules = (f"the front door imports only {', '.join(ALLOWED_IMPORTS)}", f"the front door has fewer than {MAX_LINES} lines")
    try:
        spec = find_spec(module)
        text = Path(spec.origin or "").read_text(encoding="utf-8") if spec else ""
        tree = ast.parse(text)
    except (ImportError, ValueError, OSError, SyntaxError) as fault:
        return [Finding(rule, False, f"{module} cannot be read: {fault}") for rule in rules]
    heavy = sorted({name for name in _imports(tree) if not _is_allowed(name)})
    lines = len(text.splitlines())
    return [
        Finding(rules[0], not heavy, f"it imports {', '.join(heavy)}" if heavy else "nothing else is imported"),
        Finding(rules[1], lines < MAX_LINES, f"{lines} lines"),
    ]


def _imports(tree: ast.AST) -> Iterator[str]:
    """What is imported when the module is, or when offers are collected; hooks with arguments may import what they need when called."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from (name for other in node.orelse for name in _imports(ast.Module([other], [])))
        elif not (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.args.args):
            yield from _imports(node)


def _is_allowed(name: str) -> bool:
    return any(name == allowed or name.startswith(f"{allowed}.") for allowed in ALLOWED_IMPORTS)


def _offer(entry: Entry) -> Finding:
    rule = f"{entry.hook}: {entry.offer.name} loads and keeps its contract"
    try:
        loaded = entry.load()
        entry.settings_class()
    except PluginError as fault:
        return Finding(rule, False, fault.message)
    name = getattr(loaded, "__qualname__", None) or getattr(loaded, "name", None) or type(loaded).__name__
    return Finding(rule, True, f"{entry.offer.load.partition(':')[0]}:{name}")
